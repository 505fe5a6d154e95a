// SPDX-License-Identifier: MIT

// The peer of benchmarks/stack: Go's own growable stacks, timed the same way, as JSON on stdout.
//
//	stack measure ROUNDS
//	stack crowd N [mixed]
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"time"
)

const epoch = 50 * time.Microsecond

type arm struct {
	run func(n int)
	ops int
	ns  []float64
}

func timeOnce(a *arm, ops int) float64 {
	begin := time.Now()
	a.run(ops)
	return float64(time.Since(begin).Nanoseconds())
}

// Twice what was needed last, until an epoch is long enough.
func calibrate(a *arm) {
	a.run(1)
	for a.ops = 1; a.ops < 1<<30 && timeOnce(a, a.ops) < float64(epoch.Nanoseconds()); a.ops *= 2 {
	}
}

// Each arm once a round, in an order that turns; arms of a group do the same count of operations.
func roundsOf(arms []*arm, group, rounds int) {
	for _, a := range arms {
		calibrate(a)
	}
	for first := 0; first < len(arms); first += group {
		least := arms[first].ops
		for _, a := range arms[first : first+group] {
			least = min(least, a.ops)
		}
		for _, a := range arms[first : first+group] {
			a.ops = least
		}
	}
	for r := 0; r < rounds; r++ {
		for k := range arms {
			a := arms[(k+r)%len(arms)]
			a.ns = append(a.ns, timeOnce(a, a.ops)/float64(a.ops))
		}
	}
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func median(ns []float64) float64 {
	sorted := append([]float64(nil), ns...)
	sort.Float64s(sorted)
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

var sink uint64

// A goroutine for each operation, which the next one waits for.
func fresh(n int, op func()) {
	done := make(chan struct{})
	for ; n > 0; n-- {
		go func() {
			op()
			done <- struct{}{}
		}()
		<-done
	}
}

type row struct {
	Kind     string  `json:"kind"`
	Side     string  `json:"side"`
	Elements int     `json:"elements"`
	Depth    int     `json:"depth"`
	Ns       float64 `json:"ns"`
}

type trail struct {
	Kind      string    `json:"kind"`
	Elements  int       `json:"elements"`
	Addresses []uintptr `json:"addresses"`
}

type growth struct {
	ToB int     `json:"to_b"`
	Ns  float64 `json:"ns"`
}

func timeRow(size, depth, rounds int) (rows []row) {
	v := values[size]
	p := runPointer(v.elements)
	w := &walk{depth: uint32(depth)}
	arms := []*arm{
		{run: func(n int) { sink += v.run(w, n) }},
		{run: func(n int) { sink += p(w, n) }},
		{run: func(n int) { fresh(n, func() { sink += v.run(w, 1) }) }},
		{run: func(n int) { fresh(n, func() { sink += p(w, 1) }) }},
	}
	// Warm: on one goroutine, which has grown by then.
	done := make(chan struct{})
	go func() {
		roundsOf(arms, 1, rounds)
		close(done)
	}()
	<-done
	for i, name := range []string{"go/value", "go/pointer", "go_fresh/value", "go_fresh/pointer"} {
		kind, side, _ := strings.Cut(name, "/")
		rows = append(rows, row{kind, side, v.elements, depth, median(arms[i].ns)})
	}
	return
}

func trails() (all []trail) {
	for _, v := range values {
		w := &walk{depth: 10}
		fresh(1, func() { sink += v.run(w, 1) })
		all = append(all, trail{"go", v.elements, append([]uintptr(nil), w.seen[:10]...)})
	}
	return
}

func growths(rounds int) (all []growth) {
	for _, g := range growers {
		g := g
		var p place
		fresh(1, func() { sink += g.fill(false, &p) })
		still := p.before == p.after
		fresh(1, func() { sink += g.fill(true, &p) })
		if !still || p.before == p.after {
			fmt.Fprintf(os.Stderr, "ampersand: stack: go: a stack did not grow to %d B as it should\n", g.toB)
			os.Exit(1)
		}
		arms := []*arm{
			{run: func(n int) { fresh(n, func() { sink += g.fill(true, &p) }) }},
			{run: func(n int) { fresh(n, func() { sink += g.fill(false, &p) }) }},
		}
		roundsOf(arms, 2, rounds)
		differences := make([]float64, rounds)
		for r := range differences {
			differences[r] = arms[0].ns[r] - arms[1].ns[r]
		}
		all = append(all, growth{g.toB, median(differences)})
	}
	return
}

func measure(rounds int) {
	var rows []row
	for size := range values {
		rows = append(rows, timeRow(size, 10, rounds)...)
	}
	for _, depth := range []int{1, 2, 5, 20, 50, 100, 200, 500, 1000} {
		rows = append(rows, timeRow(2, depth, rounds)...)
	}
	for _, depth := range []int{2, 3, 6, 7} { // between each two of these a fresh stack grows
		rows = append(rows, timeRow(4, depth, rounds)...)
	}
	empty := &arm{run: func(n int) { fresh(n, func() {}) }}
	roundsOf([]*arm{empty}, 1, rounds)
	print(map[string]any{"version": runtime.Version(), "trails": trails(), "walks": rows, "growths": growths(rounds),
		"empty_goroutine_ns": median(empty.ns)})
}

// ---- Many at once

//go:noinline
func descend(n int, yield, turn chan struct{}) uint64 {
	var room [160]byte
	touch(&room[0])
	sum := uint64(n)
	if n > 1 {
		sum += descend(n-1, yield, turn)
	} else {
		for i := 0; i < 8; i++ {
			yield <- struct{}{}
			<-turn
		}
	}
	touch(&room[0])
	return sum
}

func residentB() int {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		fmt.Fprintf(os.Stderr, "ampersand: stack: go: %v\n", err)
		os.Exit(1)
	}
	pages, _ := strconv.Atoi(strings.Fields(string(text))[1])
	return pages * os.Getpagesize()
}

func crowd(n int, mixed bool) {
	yield := make(chan struct{}, n)
	turns := make([]chan struct{}, n)
	done := make(chan struct{}, n)
	for i := range turns {
		turns[i] = make(chan struct{}, 1)
	}
	before, begin := residentB(), time.Now()
	for i := 0; i < n; i++ {
		depth := 3
		if mixed && i%16 == 0 {
			depth = 64
		}
		go func(turn chan struct{}) {
			sum := descend(depth, yield, turn)
			_ = sum
			done <- struct{}{}
		}(turns[i])
	}
	for i := 0; i < n; i++ {
		<-yield
	}
	created, waiting := time.Now(), residentB()
	for t := 1; t < 8; t++ {
		for _, turn := range turns {
			turn <- struct{}{}
		}
		for i := 0; i < n; i++ {
			<-yield
		}
	}
	resumed := time.Now()
	for _, turn := range turns {
		turn <- struct{}{}
	}
	for i := 0; i < n; i++ {
		<-done
	}
	each := func(d time.Duration, times int) float64 { return float64(d.Nanoseconds()) / float64(n*times) }
	print(map[string]any{"kind": "go", "n": n, "mixed": mixed, "resident_b": waiting - before,
		"create_ns": each(created.Sub(begin), 1), "turn_ns": each(resumed.Sub(created), 7),
		"end_ns": each(time.Since(resumed), 1)})
}

func print(what any) {
	text, err := json.Marshal(what)
	if err != nil {
		fmt.Fprintf(os.Stderr, "ampersand: stack: go: %v\n", err)
		os.Exit(1)
	}
	fmt.Println(string(text))
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "measure" {
		if rounds, err := strconv.Atoi(os.Args[2]); err == nil && rounds > 0 {
			measure(rounds)
			return
		}
	} else if len(os.Args) >= 3 && os.Args[1] == "crowd" {
		if n, err := strconv.Atoi(os.Args[2]); err == nil && n > 0 {
			crowd(n, len(os.Args) == 4)
			return
		}
	}
	fmt.Fprintln(os.Stderr, "ampersand: stack: go: measure ROUNDS, or crowd N [mixed]")
	os.Exit(2)
}
