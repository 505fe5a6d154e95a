// SPDX-License-Identifier: MIT

//go:build tools

// Package benchstat pins the benchstat that reads bench.txt of a run; it is fetched only when it is asked for:
//
//	go run -C benchmarks/go/benchstat golang.org/x/perf/cmd/benchstat -col /side RUN/bench.txt
package benchstat

import _ "golang.org/x/perf/cmd/benchstat"
