// SPDX-License-Identifier: MIT

// The walk of benchmarks/stack/kernels.h in Go: the same arrays, the same string, the same notes. GODEBUG must hold
// adaptivestackstart=0, or goroutines soon start with larger stacks.
package main

import "unsafe"

const depthMax = 1024

type walk struct {
	depth uint32
	seen  [depthMax]uintptr
}

func (w *walk) visit(depth uint32, s *string) uint64 {
	w.seen[depth] = uintptr(unsafe.Pointer(s))
	return uint64(depth) + uint64((*s)[0]) + uint64(len(*s))
}

//go:noinline
func value1(w *walk, s *string, depth uint32, a [1]int64) uint64 {
	sum := w.visit(depth, s) + uint64(a[0]+a[0])
	if depth+1 < w.depth {
		sum += value1(w, s, depth+1, a)
	}
	return sum
}

//go:noinline
func value16(w *walk, s *string, depth uint32, a [16]int64) uint64 {
	sum := w.visit(depth, s) + uint64(a[0]+a[15])
	if depth+1 < w.depth {
		sum += value16(w, s, depth+1, a)
	}
	return sum
}

//go:noinline
func value64(w *walk, s *string, depth uint32, a [64]int64) uint64 {
	sum := w.visit(depth, s) + uint64(a[0]+a[63])
	if depth+1 < w.depth {
		sum += value64(w, s, depth+1, a)
	}
	return sum
}

//go:noinline
func value256(w *walk, s *string, depth uint32, a [256]int64) uint64 {
	sum := w.visit(depth, s) + uint64(a[0]+a[255])
	if depth+1 < w.depth {
		sum += value256(w, s, depth+1, a)
	}
	return sum
}

//go:noinline
func value1024(w *walk, s *string, depth uint32, a [1024]int64) uint64 {
	sum := w.visit(depth, s) + uint64(a[0]+a[1023])
	if depth+1 < w.depth {
		sum += value1024(w, s, depth+1, a)
	}
	return sum
}

// One for all sizes: of an array that stays where it is, the frame does not depend on it.
//
//go:noinline
func pointer(w *walk, s *string, depth uint32, a *int64, last *int64) uint64 {
	sum := w.visit(depth, s) + uint64(*a+*last)
	if depth+1 < w.depth {
		sum += pointer(w, s, depth+1, a, last)
	}
	return sum
}

// What it runs on: n operations. Each has its string in a frame of its own, as in the course.
var values = []struct {
	elements int
	run      func(w *walk, n int) uint64
}{
	{1, runValue1}, {16, runValue16}, {64, runValue64}, {256, runValue256}, {1024, runValue1024},
}

var (
	array1    = [1]int64{1}
	array16   [16]int64
	array64   [64]int64
	array256  [256]int64
	array1024 [1024]int64
)

func init() {
	for i := range array1024 {
		array1024[i] = int64(i) + 1
	}
	copy(array16[:], array1024[:])
	copy(array64[:], array1024[:])
	copy(array256[:], array1024[:])
}

//go:noinline
func runValue1(w *walk, n int) (sum uint64) {
	s := "HELLO"
	for ; n > 0; n-- {
		sum += value1(w, &s, 0, array1)
	}
	return
}

//go:noinline
func runValue16(w *walk, n int) (sum uint64) {
	s := "HELLO"
	for ; n > 0; n-- {
		sum += value16(w, &s, 0, array16)
	}
	return
}

//go:noinline
func runValue64(w *walk, n int) (sum uint64) {
	s := "HELLO"
	for ; n > 0; n-- {
		sum += value64(w, &s, 0, array64)
	}
	return
}

//go:noinline
func runValue256(w *walk, n int) (sum uint64) {
	s := "HELLO"
	for ; n > 0; n-- {
		sum += value256(w, &s, 0, array256)
	}
	return
}

//go:noinline
func runValue1024(w *walk, n int) (sum uint64) {
	s := "HELLO"
	for ; n > 0; n-- {
		sum += value1024(w, &s, 0, array1024)
	}
	return
}

func runPointer(elements int) func(w *walk, n int) uint64 {
	return func(w *walk, n int) (sum uint64) {
		s := "HELLO"
		for ; n > 0; n-- {
			sum += pointer(w, &s, 0, &array1024[0], &array1024[elements-1])
		}
		return
	}
}
