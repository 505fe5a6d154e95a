// SPDX-License-Identifier: MIT

package ampersand

import (
	"bytes"
	"testing"
)

// Five cases in which a compiler once could not see that a value stays where it is, so that it went to the heap. Each
// says what Go's first teachers of escape analysis measured; a compiler that sees more allocates less. Why it does, or
// does not, it says itself: go test -c -gcflags=-m -o /dev/null

type holder struct{ p *int }

// Published: 8 B/op, 1 allocs/op. A pointer that a struct is made with stays; one stored afterwards, through the
// struct's address, does not.
func BenchmarkTeaching_indirect_assignment(b *testing.B) {
	for i := 0; i < b.N; i++ {
		var kept int
		made := &holder{p: &kept}
		_ = made

		var lost int
		later := &holder{}
		later.p = &lost
	}
}

func set(p *int, x int) { *p = x }

// Published: 16 B/op, 2 allocs/op. A pointer that goes to a function by its name stays; one that goes through a
// function value, a literal's or a variable's, does not.
func BenchmarkTeaching_function_value(b *testing.B) {
	for i := 0; i < b.N; i++ {
		var kept int
		set(&kept, 42)

		var literal int
		func(p *int, x int) { *p = x }(&literal, 42)

		var variable int
		call := set
		call(&variable, 42)
	}
}

// The same with functions that the compiler cannot know: both variables escape in every version.
func BenchmarkTeaching_function_value_unknown(b *testing.B) {
	for i := 0; i < b.N; i++ {
		var first int
		unknown(&first, 42)

		var second int
		call := unknown
		call(&second, 42)
	}
}

var unknown = set

// Published: 16 B/op, 2 allocs/op. What a map or a slice holds the address of does not stay.
func BenchmarkTeaching_container_store(b *testing.B) {
	for i := 0; i < b.N; i++ {
		table := make(map[int]*int)
		var in_map int
		table[0] = &in_map

		list := make([]*int, 1)
		var in_slice int
		list[0] = &in_slice
	}
}

type caller interface{ method() }

type name struct{ text string }

func (name) method() {}

func through(c caller) { c.method() }

// Published: 64 B/op, 4 allocs/op. What an interface holds, a copy or an address, does not stay once a method is
// called.
func BenchmarkTeaching_interface(b *testing.B) {
	for i := 0; i < b.N; i++ {
		first := name{"bill"}
		var by_value caller = first
		var by_address caller = &first
		by_value.method()
		by_address.method()

		second := name{"bill"}
		through(second)
		through(&second)
	}
}

// The same where the compiler cannot know the type in the interface: all four copies and addresses escape.
func BenchmarkTeaching_interface_unknown(b *testing.B) {
	for i := 0; i < b.N; i++ {
		first := name{"bill"}
		throughUnknown(first)
		throughUnknown(&first)

		second := name{"bill"}
		throughUnknown(second)
		throughUnknown(&second)
	}
}

//go:noinline
func throughUnknown(c caller) { c.method() }

// Published: 112 B/op, 1 allocs/op. A buffer writes through a slice of its own, so the whole of it does not stay.
func BenchmarkTeaching_buffer(b *testing.B) {
	for i := 0; i < b.N; i++ {
		var buffer bytes.Buffer
		buffer.Write([]byte{1})
		_ = buffer.Bytes()
	}
}
