// SPDX-License-Identifier: MIT

package ampersand

import "testing"

// ---- pass_read: hand an object to a function that reads one member of it, a quarter, half or all

//go:noinline
func readOneValue[T subject](object T) uint64 { return object[0] }

//go:noinline
func readOnePointer[T subject](object *T) uint64 { return (*object)[0] }

//go:noinline
func readQuarterValue[T subject](object T) (read uint64) {
	for k := 0; k < len(object); k += 4 {
		read += object[k]
	}
	return read
}

//go:noinline
func readQuarterPointer[T subject](object *T) (read uint64) {
	for k := 0; k < len(*object); k += 4 {
		read += (*object)[k]
	}
	return read
}

//go:noinline
func readHalfValue[T subject](object T) (read uint64) {
	for k := 0; k < len(object); k += 2 {
		read += object[k]
	}
	return read
}

//go:noinline
func readHalfPointer[T subject](object *T) (read uint64) {
	for k := 0; k < len(*object); k += 2 {
		read += (*object)[k]
	}
	return read
}

//go:noinline
func readAllValue[T subject](object T) (read uint64) {
	for k := 0; k < len(object); k++ {
		read += object[k]
	}
	return read
}

//go:noinline
func readAllPointer[T subject](object *T) (read uint64) {
	for k := 0; k < len(*object); k++ {
		read += (*object)[k]
	}
	return read
}

func passRead[T subject](b *testing.B, share string, value func(T) uint64, pointer func(*T) uint64) {
	object := new(T)
	sides(b, "pass_read_"+share, sizeOf[T](), func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			sum += value(*object)
		}
	}, func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			sum += pointer(object)
		}
	})
}

func BenchmarkPass_read_one(b *testing.B) {
	passRead(b, "one", readOneValue[[2]uint64], readOnePointer[[2]uint64])
	passRead(b, "one", readOneValue[[8]uint64], readOnePointer[[8]uint64])
	passRead(b, "one", readOneValue[[32]uint64], readOnePointer[[32]uint64])
	passRead(b, "one", readOneValue[[128]uint64], readOnePointer[[128]uint64])
}

func BenchmarkPass_read_quarter(b *testing.B) {
	passRead(b, "quarter", readQuarterValue[[8]uint64], readQuarterPointer[[8]uint64])
	passRead(b, "quarter", readQuarterValue[[32]uint64], readQuarterPointer[[32]uint64])
	passRead(b, "quarter", readQuarterValue[[128]uint64], readQuarterPointer[[128]uint64])
}

func BenchmarkPass_read_half(b *testing.B) {
	passRead(b, "half", readHalfValue[[8]uint64], readHalfPointer[[8]uint64])
	passRead(b, "half", readHalfValue[[32]uint64], readHalfPointer[[32]uint64])
	passRead(b, "half", readHalfValue[[128]uint64], readHalfPointer[[128]uint64])
}

func BenchmarkPass_read_all(b *testing.B) {
	passRead(b, "all", readAllValue[[2]uint64], readAllPointer[[2]uint64])
	passRead(b, "all", readAllValue[[8]uint64], readAllPointer[[8]uint64])
	passRead(b, "all", readAllValue[[32]uint64], readAllPointer[[32]uint64])
	passRead(b, "all", readAllValue[[128]uint64], readAllPointer[[128]uint64])
}

// ---- pass_write: hand an object to a function that needs a changed copy of it

//go:noinline
func writeValue[T subject](object T) uint64 {
	object[0]++
	return ends(&object)
}

//go:noinline
func writePointer[T subject](original *T) uint64 {
	object := *original
	object[0]++
	return ends(&object)
}

func passWrite[T subject](b *testing.B) {
	object := new(T)
	sides(b, "pass_write", sizeOf[T](), func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			sum += writeValue(*object)
		}
	}, func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			sum += writePointer(object)
		}
	})
}

func BenchmarkPass_write(b *testing.B) {
	for _, each := range []func(*testing.B){passWrite[[2]uint64], passWrite[[8]uint64], passWrite[[32]uint64],
		passWrite[[128]uint64]} {
		each(b)
	}
}

// ---- pass_made: hand on an object that is made for the call

func passMade[T subject](b *testing.B) {
	sides(b, "pass_made", sizeOf[T](), func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			var object T
			for k := 0; k < len(object); k++ {
				object[k] = uint64(i + k)
			}
			sum += takeValue(object)
		}
	}, func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			var object T
			for k := 0; k < len(object); k++ {
				object[k] = uint64(i + k)
			}
			sum += takePointer(&object)
		}
	})
}

func BenchmarkPass_made(b *testing.B) {
	for _, each := range []func(*testing.B){passMade[[2]uint64], passMade[[8]uint64], passMade[[32]uint64]} {
		each(b)
	}
}

// ---- pass_depth: hand 64 B on through several calls, whose number is the size of a row

//go:noinline
func handValue(object [8]uint64, calls int) uint64 {
	if calls == 1 {
		return ends(&object)
	}
	return handValue(object, calls-1)
}

//go:noinline
func handPointer(object *[8]uint64, calls int) uint64 {
	if calls == 1 {
		return ends(object)
	}
	return handPointer(object, calls-1)
}

func BenchmarkPass_depth(b *testing.B) {
	object := new([8]uint64)
	for _, calls := range []int{1, 2, 4, 8} {
		calls := calls
		sides(b, "pass_depth", calls, func(b *testing.B) {
			for i := 0; i < b.N; i++ {
				sum += handValue(*object, calls)
			}
		}, func(b *testing.B) {
			for i := 0; i < b.N; i++ {
				sum += handPointer(object, calls)
			}
		})
	}
}

// ---- return_out: return a new object after a model, or fill the caller's through its address

//go:noinline
func makeOut[T subject](object, model *T) { *object = *model }

func returnOut[T subject](b *testing.B) {
	model := new(T)
	sides(b, "return_out", sizeOf[T](), func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			object := makeValue(model)
			sum += ends(&object)
		}
	}, func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			var object T
			makeOut(&object, model)
			sum += ends(&object)
		}
	})
}

func BenchmarkReturn_out(b *testing.B) {
	for _, each := range []func(*testing.B){returnOut[[2]uint64], returnOut[[8]uint64], returnOut[[32]uint64],
		returnOut[[128]uint64]} {
		each(b)
	}
}
