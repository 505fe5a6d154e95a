// SPDX-License-Identifier: MIT

package ampersand

import "testing"

// ---- pass: hand an object to a function, as itself or by its address

//go:noinline
func takeValue[T subject](object T) uint64 { return ends(&object) }

//go:noinline
func takePointer[T subject](object *T) uint64 { return ends(object) }

func pass[T subject](b *testing.B) {
	var object T
	sides(b, "pass", sizeOf[T](), func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			sum += takeValue(object)
		}
	}, func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			sum += takePointer(&object)
		}
	})
}

func BenchmarkPass(b *testing.B) {
	for _, each := range []func(*testing.B){pass[[1]uint64], pass[[2]uint64], pass[[4]uint64], pass[[8]uint64],
		pass[[16]uint64], pass[[32]uint64], pass[[64]uint64], pass[[128]uint64], pass[[512]uint64], pass[[2048]uint64],
		pass[[8192]uint64]} {
		each(b)
	}
}

// ---- factory: return a new object after a model, as itself or by the address of what then escapes to the heap

//go:noinline
func makeValue[T subject](model *T) T { return *model }

//go:noinline
func makePointer[T subject](model *T) *T {
	object := *model
	return &object
}

func factory[T subject](b *testing.B) {
	var model T
	sides(b, "factory", sizeOf[T](), func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			object := makeValue(&model)
			sum += ends(&object)
		}
	}, func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			sum += ends(makePointer(&model))
		}
	})
}

func BenchmarkFactory(b *testing.B) {
	for _, each := range []func(*testing.B){factory[[1]uint64], factory[[2]uint64], factory[[4]uint64], factory[[8]uint64],
		factory[[16]uint64], factory[[32]uint64], factory[[64]uint64], factory[[128]uint64], factory[[512]uint64],
		factory[[2048]uint64], factory[[8192]uint64]} {
		each(b)
	}
}

// ---- mutate: return a changed copy, or change in place

func change[T subject](object *T) {
	number := ends(object) + 1
	(*object)[0] = number
	(*object)[len(*object)-1] = number + 1
}

//go:noinline
func changeValue[T subject](object T) T {
	change(&object)
	return object
}

//go:noinline
func changePointer[T subject](object *T) { change(object) }

func mutate[T subject](b *testing.B) {
	var object T
	sides(b, "mutate", sizeOf[T](), func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			object = changeValue(object)
			sum += ends(&object)
		}
	}, func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			changePointer(&object)
			sum += ends(&object)
		}
	})
}

func BenchmarkMutate(b *testing.B) {
	for _, each := range []func(*testing.B){mutate[[1]uint64], mutate[[2]uint64], mutate[[4]uint64], mutate[[8]uint64],
		mutate[[16]uint64], mutate[[32]uint64], mutate[[64]uint64], mutate[[128]uint64], mutate[[512]uint64],
		mutate[[2048]uint64], mutate[[8192]uint64]} {
		each(b)
	}
}

// ---- collection: walk a slice of elements, or a slice of pointers to them, allocated one by one

type element struct {
	number int64
	rest   [7]int64
}

func BenchmarkCollection(b *testing.B) {
	for _, size := range []int{16 << 10, 128 << 10, 512 << 10, 2 << 20, 8 << 20} {
		n := size / 64
		values, pointers := []element(nil), []*element(nil)
		set := func() {
			if values == nil {
				values, pointers = make([]element, n), make([]*element, n)
				for i := range pointers {
					values[i].number, pointers[i] = int64(i), &element{number: int64(i)}
				}
			}
		}
		sides(b, "collection", size, func(b *testing.B) {
			set()
			b.ResetTimer()
			for i, at := 0, 0; i < b.N; i++ {
				sum += uint64(values[at].number)
				if at++; at == n {
					at = 0
				}
			}
		}, func(b *testing.B) {
			set()
			b.ResetTimer()
			for i, at := 0, 0; i < b.N; i++ {
				sum += uint64(pointers[at].number)
				if at++; at == n {
					at = 0
				}
			}
		})
	}
}

// ---- stack_copy: carry an array down ten calls, by value or by its address; a string's address goes down with it

const depth = 10

type array interface {
	[1]int64 | [16]int64 | [64]int64 | [256]int64 | [1024]int64
}

// The string's address as each call was given it: a number, since a pointer kept here would send the string to the
// heap.
var seen [depth]uintptr

//go:noinline
func walkValue[A array](s *string, at int, a A) uint64 {
	walked := visit(s, at) + uint64(a[0]+a[len(a)-1])
	if at+1 < depth {
		walked += walkValue(s, at+1, a)
	}
	return walked
}

//go:noinline
func walkPointer[A array](s *string, at int, a *A) uint64 {
	walked := visit(s, at) + uint64((*a)[0]+(*a)[len(*a)-1])
	if at+1 < depth {
		walked += walkPointer(s, at+1, a)
	}
	return walked
}

func stackCopy[A array](b *testing.B) {
	var a A
	s := "HELLO"
	sides(b, "stack_copy", len(a), func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			sum += walkValue(&s, 0, a)
		}
	}, func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			sum += walkPointer(&s, 0, &a)
		}
	})
}

func BenchmarkStack_copy(b *testing.B) {
	for _, each := range []func(*testing.B){stackCopy[[1]int64], stackCopy[[16]int64], stackCopy[[64]int64],
		stackCopy[[256]int64], stackCopy[[1024]int64]} {
		each(b)
	}
}
