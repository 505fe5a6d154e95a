// SPDX-License-Identifier: MIT

package main

import "unsafe"

// One growth, as in benchmarks/stack/grow.c: fill a stack up to some hundred bytes, then make calls, each from within
// the one before, so that it grows once; or one after the other, so that it does not.
const growCalls = 12

//go:noinline
func chain(n int) uint64 {
	var room [96]byte
	touch(&room[0])
	sum := uint64(n)
	if n > 1 {
		sum += chain(n - 1)
	}
	touch(&room[0])
	return sum
}

//go:noinline
func touch(b *byte) {}

func calls(deep bool) (sum uint64) {
	if deep {
		return chain(growCalls)
	}
	for n := growCalls; n > 0; n-- {
		sum += chain(1)
	}
	return
}

// Where a local was before and after the calls: it moves once if they are deep.
type place struct{ before, after uintptr }

//go:noinline
func fill2048(deep bool, p *place) uint64 {
	var room [2048 - 1400]byte
	p.before = uintptr(unsafe.Pointer(&room[0]))
	touch(&room[0])
	sum := calls(deep)
	p.after = uintptr(unsafe.Pointer(&room[0]))
	return sum + uint64(room[0])
}

//go:noinline
func fill4096(deep bool, p *place) uint64 {
	var room [4096 - 1400]byte
	p.before = uintptr(unsafe.Pointer(&room[0]))
	touch(&room[0])
	sum := calls(deep)
	p.after = uintptr(unsafe.Pointer(&room[0]))
	return sum + uint64(room[0])
}

//go:noinline
func fill8192(deep bool, p *place) uint64 {
	var room [8192 - 1400]byte
	p.before = uintptr(unsafe.Pointer(&room[0]))
	touch(&room[0])
	sum := calls(deep)
	p.after = uintptr(unsafe.Pointer(&room[0]))
	return sum + uint64(room[0])
}

//go:noinline
func fill16384(deep bool, p *place) uint64 {
	var room [16384 - 1400]byte
	p.before = uintptr(unsafe.Pointer(&room[0]))
	touch(&room[0])
	sum := calls(deep)
	p.after = uintptr(unsafe.Pointer(&room[0]))
	return sum + uint64(room[0])
}

//go:noinline
func fill32768(deep bool, p *place) uint64 {
	var room [32768 - 1400]byte
	p.before = uintptr(unsafe.Pointer(&room[0]))
	touch(&room[0])
	sum := calls(deep)
	p.after = uintptr(unsafe.Pointer(&room[0]))
	return sum + uint64(room[0])
}

//go:noinline
func fill65536(deep bool, p *place) uint64 {
	var room [65536 - 1400]byte
	p.before = uintptr(unsafe.Pointer(&room[0]))
	touch(&room[0])
	sum := calls(deep)
	p.after = uintptr(unsafe.Pointer(&room[0]))
	return sum + uint64(room[0])
}

//go:noinline
func fill131072(deep bool, p *place) uint64 {
	var room [131072 - 1400]byte
	p.before = uintptr(unsafe.Pointer(&room[0]))
	touch(&room[0])
	sum := calls(deep)
	p.after = uintptr(unsafe.Pointer(&room[0]))
	return sum + uint64(room[0])
}

var growers = []struct {
	toB  int
	fill func(deep bool, p *place) uint64
}{
	{4096, fill2048}, {8192, fill4096}, {16384, fill8192}, {32768, fill16384}, {65536, fill32768},
	{131072, fill65536}, {262144, fill131072},
}
