// SPDX-License-Identifier: MIT
//
// The workloads of `gc` in Go: the same objects, links and random choices as benchmarks/gc, so the same checksums. Its
// only argument is the task as JSON; it writes the file that the task names, as benchmarks/gc/result.c does.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
)

type task struct {
	File     string `json:"file"`
	Workload string `json:"workload"`
	Live     uint64 `json:"live_b"`
	Gogc     int    `json:"gogc"`
	Turnover uint64 `json:"turnover"`
	Launch   uint64 `json:"launch"`
	Seed     uint64 `json:"seed"`
	Graph    bool   `json:"graph"`
}

type result struct {
	Schema     string  `json:"schema"`
	Collector  string  `json:"collector"`
	Version    string  `json:"version"`
	Concurrent bool    `json:"concurrent"`
	Workload   string  `json:"workload"`
	Live       uint64  `json:"live_b"`
	Gogc       int     `json:"gogc"`
	Turnover   uint64  `json:"turnover"`
	Launch     uint64  `json:"launch"`
	Seed       uint64  `json:"seed"`
	Mutators   int     `json:"mutators"`
	Cpus       int     `json:"cpus"`
	Checksum   string  `json:"checksum"`
	AskedLive  uint64  `json:"asked_live_b"`
	Allocated  uint64  `json:"allocated_b"`
	Heap       uint64  `json:"heap_b"`
	PeakRss    uint64  `json:"peak_rss_b"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`
	Cycles     []cycle `json:"cycles"`
}

// A workload's live heap, and how it is turned over.
type workload interface {
	setUp(live, seed uint64)
	run(mutator int, bytes uint64) uint64
	mutators() int
	live() uint64
}

func fail(what string, why any) {
	fmt.Fprintf(os.Stderr, "ampersand: %s: %v\n", what, why)
	os.Exit(2)
}

func cpuSeconds() (float64, uint64) {
	var used syscall.Rusage

	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		fail("getrusage", err)
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(used.Utime) + seconds(used.Stime), uint64(used.Maxrss) * 1024
}

func runAll(w workload, each uint64) uint64 {
	sums := make([]uint64, w.mutators())
	var all sync.WaitGroup

	for m := range sums {
		all.Add(1)
		go func(m int) {
			sums[m] = w.run(m, each)
			all.Done()
		}(m)
	}
	all.Wait()
	sum := uint64(0)
	for _, one := range sums {
		sum += one
	}
	return sum
}

func measure(t task, w workload, trace *traced) result {
	each := t.Turnover * w.live() / uint64(w.mutators())
	trace.begin()
	begin := time.Now()
	before, _ := cpuSeconds()
	sum := uint64(0)
	if t.Turnover == 0 {
		for i := 0; i < collections; i++ {
			runtime.GC()
		}
	} else if collected[t.Workload] {
		over, ended := make(chan struct{}), make(chan struct{})
		go collectOn(over, ended)
		sum = runAll(w, each)
		close(over)
		<-ended
	} else {
		sum = runAll(w, each)
	}
	seconds := time.Since(begin).Seconds()
	if s, isShape := w.(*shape); isShape && s.timed > 0 {
		seconds = s.timed.Seconds()
	}
	after, peak := cpuSeconds()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return result{
		Schema: "ampersand/gc-launch/1", Collector: "go", Version: runtime.Version(), Concurrent: true,
		Workload: t.Workload, Live: t.Live, Gogc: t.Gogc, Turnover: t.Turnover, Launch: t.Launch, Seed: t.Seed,
		Mutators: w.mutators(), Cpus: runtime.GOMAXPROCS(0), Checksum: fmt.Sprintf("%016x", sum), AskedLive: w.live(),
		Allocated: each * uint64(w.mutators()), Heap: stats.HeapSys - stats.HeapReleased, PeakRss: peak,
		Seconds: seconds, CPUSeconds: after - before, Cycles: trace.end(),
	}
}

// The file appears whole or not at all.
func save(file string, found result) {
	text, err := json.Marshal(found)
	if err == nil {
		err = os.WriteFile(file+".tmp", append(text, '\n'), 0o666)
	}
	if err == nil {
		err = os.Rename(file+".tmp", file)
	}
	if err != nil {
		os.Remove(file + ".tmp")
		fail(file, err)
	}
}

func main() {
	var t task

	if len(os.Args) != 2 {
		fail("ampersand-gc-go", "wants a task as JSON; 'ampersand-gc' starts it")
	}
	if err := json.Unmarshal([]byte(os.Args[1]), &t); err != nil {
		fail("task", err)
	}
	w := map[string]workload{"cache": &cache{}, "queue": &queue{}, "tree": &tree{}, "server": &server{}}[t.Workload]
	if w == nil && shapes[t.Workload] != nil {
		w = &shape{name: t.Workload}
	}
	if w == nil {
		fail(t.Workload, "there is no such workload")
	}
	if t.Graph {
		fail(t.Workload, "Go's heap is not walked here")
	}
	trace, err := capture()
	if err != nil {
		fail("stderr", err)
	}
	debug.SetGCPercent(t.Gogc)
	w.setUp(t.Live, t.Seed)
	found := measure(t, w, trace)
	trace.release()
	save(t.File, found)
}
