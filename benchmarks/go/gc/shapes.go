// SPDX-License-Identifier: MIT
//
// The same live bytes in five shapes, and objects that die at once: as benchmarks/gc/shapes.c.
package main

import (
	"runtime"
	"time"
)

const (
	collections = 9
	page        = 4096
	steps       = 1 << 20
)

// Another goroutine collects again and again meanwhile.
var collected = map[string]bool{"marked": true, "loop": true, "checked": true}

type object struct {
	next, other *object
	words       [6]uint64
}

type plain struct{ words [8]uint64 }

type shape struct {
	name   string
	values []plain
	table  []*object
	top    *object
	n      uint64
	timed  time.Duration // the part of run() that counts; 0: all of it
}

var shapes = map[string]func(s *shape, seed uint64){
	"values":   func(s *shape, _ uint64) { s.values = make([]plain, s.n) },
	"ordered":  ordered,
	"shuffled": shuffled,
	"list":     func(s *shape, _ uint64) { list(s) },
	"balanced": func(s *shape, _ uint64) { s.top = balanced(s.n) },
	"stores":   ordered,
	"marked":   ordered,
	"fresh":    ordered,
	"loop":     func(s *shape, _ uint64) { s.values = make([]plain, s.n) },
	"checked":  func(s *shape, _ uint64) { s.values = make([]plain, s.n) },
	"churn":    func(s *shape, _ uint64) { s.values = make([]plain, s.n) },
}

func ordered(s *shape, _ uint64) {
	s.table = make([]*object, s.n)
	for i := range s.table {
		s.table[i] = new(object)
	}
}

func shuffled(s *shape, seed uint64) {
	ordered(s, seed)
	r := random(seed)
	for i := s.n; i > 1; i-- {
		k := r.below(i)
		s.table[i-1], s.table[k] = s.table[k], s.table[i-1]
	}
}

func list(s *shape) {
	for i := uint64(0); i < s.n; i++ {
		o := new(object)
		o.next = s.top
		s.top = o
	}
}

func balanced(n uint64) *object {
	if n == 0 {
		return nil
	}
	o := new(object)
	o.next = balanced((n - 1) / 2)
	o.other = balanced(n - 1 - (n-1)/2)
	return o
}

func (s *shape) setUp(live, seed uint64) {
	s.n = live / 64
	shapes[s.name](s, seed)
}

//go:noinline
func newObject(word uint64) *object {
	o := new(object)
	o.words[0] = word
	return o
}

func (s *shape) store(bytes uint64) uint64 {
	one, other, sum := s.table[0], s.table[1], uint64(0)
	for done := uint64(0); done < bytes; done += 8 {
		at := 2 + done/8%1024
		if done&8 != 0 {
			s.table[at] = one
		} else {
			s.table[at] = other
		}
		sum += done
	}
	return sum
}

func (s *shape) storeFresh(bytes uint64) uint64 {
	one, sum, pages := s.table[0], uint64(0), s.n*8/page
	for done := uint64(0); done < bytes; done += pages * page {
		runtime.GC()
		begin := time.Now()
		for i := uint64(0); i < pages; i++ {
			s.table[i*page/8] = one
		}
		s.timed += time.Since(begin)
		sum += done
	}
	return sum
}

func hash(sum, bytes uint64) uint64 {
	for done := uint64(0); done < bytes; done += steps * 8 {
		for i := uint64(steps); i > 0; i-- {
			sum = (sum ^ i) * 0x100000001b3
		}
	}
	return sum
}

func (s *shape) run(mutator int, bytes uint64) uint64 {
	sum := uint64(mutator)
	switch {
	case s.name == "fresh":
		return sum + s.storeFresh(bytes)
	case s.name == "loop" || s.name == "checked": // the compiler's own check is a signal, which stops both
		return hash(sum, bytes)
	case s.table != nil:
		return sum + s.store(bytes)
	}
	for done := uint64(0); done < bytes; done += 64 {
		sum += newObject(done).words[0]
	}
	return sum
}

// Collect again and again until `over` is closed; then close `ended`.
func collectOn(over, ended chan struct{}) {
	for {
		select {
		case <-over:
			close(ended)
			return
		default:
			runtime.GC()
		}
	}
}

func (s *shape) mutators() int { return 1 }
func (s *shape) live() uint64  { return s.n * 64 }
