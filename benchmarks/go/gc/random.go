// SPDX-License-Identifier: MIT
package main

// SplitMix64, as amp_random_next() of harness/kernel.h.
type random uint64

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// From 0 to n - 1, n below 2^32.
func (r *random) below(n uint64) uint64 { return (r.next() >> 32) * n >> 32 }
