// SPDX-License-Identifier: MIT

// Package ampersand holds the lessons of benchmarks/ in Go, the peer that shows what a garbage-collected compiler makes
// of the same question: go test -bench . -benchmem
//
// Names are those of the pairs in C, BenchmarkPass/size=64/side=value, so that benchstat sets the two beside each
// other. An array stands for C's struct of words. Go passes structs of up to nine words in registers and arrays of more
// than one element never: what is small costs a copy through memory here.
package ampersand

import (
	"fmt"
	"os"
	"regexp"
	"testing"
	"unsafe"
)

// The sizes in bytes at which C and Go are set beside each other; of C's sweep, as many as show its shape.
type subject interface {
	[1]uint64 | [2]uint64 | [4]uint64 | [8]uint64 | [16]uint64 | [32]uint64 | [64]uint64 | [128]uint64 | [512]uint64 |
		[2048]uint64 | [8192]uint64
}

func ends[T subject](object *T) uint64 {
	return (*object)[0] + (*object)[len(*object)-1]
}

// AMPERSAND_FILTER chooses rows, as --filter does: a regular expression on "pass/size=64".
var filter = regexp.MustCompilePOSIX(os.Getenv("AMPERSAND_FILTER"))

// sides runs both sides of a row.
func sides(b *testing.B, pair string, size int, value, pointer func(b *testing.B)) {
	name := fmt.Sprintf("size=%d", size)
	if !filter.MatchString(pair + "/" + name) {
		return
	}
	b.Run(name, func(b *testing.B) {
		b.Run("side=value", value)
		b.Run("side=pointer", pointer)
	})
}

// sizeOf is how many bytes a subject has.
func sizeOf[T subject]() int {
	var object T
	return int(unsafe.Sizeof(object))
}

// A sum that the compiler cannot tell is not read.
var sum uint64
