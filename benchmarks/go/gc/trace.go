// SPDX-License-Identifier: MIT
//
// What Go says of its collections: the lines of GODEBUG=gctrace=1, which go to stderr, and after each the live heap and
// the next goal from runtime/metrics. The lines know times to a microsecond or better, sizes to a MiB; half a MiB is
// added to these, since they are rounded down.
package main

import (
	"errors"
	"os"
	"regexp"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

type cycle struct {
	Begin       uint64 `json:"begin_ns"`
	FirstStop   uint64 `json:"first_stop_ns"`
	Mark        uint64 `json:"mark_ns"`
	SecondStop  uint64 `json:"second_stop_ns"`
	LongestStop uint64 `json:"longest_stop_ns"`
	Worker      uint64 `json:"worker_ns"`
	Assist      uint64 `json:"assist_ns"`
	Idle        uint64 `json:"idle_ns"`
	Sweep       uint64 `json:"sweep_ns"`
	Stopped     uint64 `json:"stopped_ns"`
	Trigger     uint64 `json:"trigger_b"`
	End         uint64 `json:"end_b"`
	Live        uint64 `json:"live_b"`
	Goal        uint64 `json:"goal_b"`
	Stacks      uint64 `json:"stacks_b"`
	Globals     uint64 `json:"globals_b"`
}

type sample struct{ live, goal uint64 }

type traced struct {
	file   *os.File
	stderr int // a duplicate of the real one
	first  uint64
	lock   sync.Mutex
	after  map[uint64]sample // by the number of a collection
}

// Let stderr lead into a file that has no name any more.
func capture() (*traced, error) {
	if !strings.Contains(os.Getenv("GODEBUG"), "gctrace=1") {
		return nil, errors.New("GODEBUG=gctrace=1 is not set")
	}
	file, err := os.CreateTemp("", "ampersand-gctrace-")
	if err != nil {
		return nil, err
	}
	os.Remove(file.Name())
	stderr, err := syscall.Dup(2)
	if err == nil {
		err = syscall.Dup3(int(file.Fd()), 2, 0)
	}
	t := &traced{file: file, stderr: stderr, after: map[uint64]sample{}}
	watch(t)
	return t, err
}

func (t *traced) release() { _ = syscall.Dup3(t.stderr, 2, 0) }

type sentinel struct{ p *int }

// A finaliser runs after each collection that finds its object dead; it leaves a new one for the next.
func watch(t *traced) {
	runtime.SetFinalizer(&sentinel{new(int)}, func(*sentinel) {
		number, found := read()
		t.lock.Lock()
		t.after[number] = found
		t.lock.Unlock()
		watch(t)
	})
}

func read() (uint64, sample) {
	found := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/gc/heap/live:bytes"},
		{Name: "/gc/heap/goal:bytes"}}
	metrics.Read(found)
	value := func(i int) uint64 {
		if found[i].Value.Kind() != metrics.KindUint64 { // not in this version
			return 0
		}
		return found[i].Value.Uint64()
	}
	return value(0), sample{value(1), value(2)}
}

// Collect once; the collections after it count.
func (t *traced) begin() {
	runtime.GC()
	t.first, _ = read()
}

var line = regexp.MustCompile(`^gc (\d+) @([\d.]+)s \d+%: ([\d.+]+) ms clock, ([\d.+/]+) ms cpu, ` +
	`(\d+)->(\d+)->(\d+) MB, (\d+) MB goal(?:, (\d+) MB stacks, (\d+) MB globals)?, \d+ P`)

func (t *traced) end() []cycle {
	size, err := t.file.Seek(0, 1)
	text := make([]byte, size)
	if err == nil {
		_, err = t.file.ReadAt(text, 0)
	}
	if err != nil {
		fail("gctrace", err)
	}
	t.lock.Lock()
	defer t.lock.Unlock()
	cycles, began := []cycle{}, uint64(0)
	for _, one := range strings.Split(string(text), "\n") {
		found := line.FindStringSubmatch(one)
		if found == nil {
			continue
		}
		number, _ := strconv.ParseUint(found[1], 10, 64)
		c := t.cycleOf(number, found)
		if number <= t.first {
			began = c.Begin + c.FirstStop + c.Mark + c.SecondStop
			continue
		}
		c.Begin -= min(began, c.Begin)
		cycles = append(cycles, c)
	}
	return cycles
}

func (t *traced) cycleOf(number uint64, found []string) cycle {
	clock, cpu := milliseconds(found[3], "+"), milliseconds(strings.ReplaceAll(found[4], "/", "+"), "+")
	c := cycle{Begin: milliseconds(found[2], "+")[0] * 1000, FirstStop: clock[0], Mark: clock[1], SecondStop: clock[2],
		Stopped: cpu[0] + cpu[4], Assist: cpu[1], Worker: cpu[2], Idle: cpu[3],
		Trigger: mebibytes(found[5]), End: mebibytes(found[6]), Live: mebibytes(found[7]), Goal: mebibytes(found[8])}
	if c.LongestStop = c.FirstStop; c.SecondStop > c.FirstStop {
		c.LongestStop = c.SecondStop
	}
	if found[9] != "" {
		c.Stacks, c.Globals = mebibytes(found[9]), mebibytes(found[10])
	}
	if after, known := t.after[number]; known && after.live > 0 {
		c.Live = after.live
	}
	if before, known := t.after[number-1]; known && before.goal > 0 {
		c.Goal = before.goal
	}
	return c
}

// In nanoseconds.
func milliseconds(text, separator string) []uint64 {
	var found []uint64
	for _, one := range strings.Split(text, separator) {
		x, err := strconv.ParseFloat(one, 64)
		if err != nil {
			fail("gctrace", err)
		}
		found = append(found, uint64(x*1e6+0.5))
	}
	return found
}

func mebibytes(text string) uint64 {
	n, _ := strconv.ParseUint(text, 10, 64)
	return n<<20 + 1<<19
}

func min(a, b uint64) uint64 {
	if a < b {
		return a
	}
	return b
}
