# SPDX-License-Identifier: MIT
"""What `go test` may have printed."""

BENCH = """goos: linux
goarch: amd64
pkg: ampersand
cpu: a CPU
BenchmarkPass/size=8/side=value-2         \t 1000\t         2.0 ns/op\t       0 B/op\t       0 allocs/op
BenchmarkPass/size=8/side=value-2         \t 1000\t         9.0 ns/op\t       0 B/op\t       0 allocs/op
BenchmarkPass/size=8/side=value-2         \t 1000\t         4.0 ns/op\t       0 B/op\t       0 allocs/op
BenchmarkPass/size=8/side=pointer-2       \t 1000\t         1.5 ns/op\t       0 B/op\t       0 allocs/op
BenchmarkFactory/size=4096/side=pointer   \t 1000\t       512.0 ns/op\t    4096 B/op\t       1 allocs/op
BenchmarkTeaching_indirect_assignment-2   \t 1000\t        14.0 ns/op\t       8 B/op\t       1 allocs/op
BenchmarkTeaching_interface-2             \t 1000\t         0.8 ns/op\t       0 B/op\t       0 allocs/op
BenchmarkTeaching_unheard_of-2            \t 1000\t         0.8 ns/op\t      24 B/op\t       1 allocs/op
PASS
ok  \tampersand\t9.1s
"""
ESCAPES = """# ampersand [ampersand.test]
./lessons_test.go:12:6: cannot inline takeValue: marked go:noinline
./teaching_test.go:18:6: can inline BenchmarkTeaching_indirect_assignment
./teaching_test.go:30:6: can inline set
./teaching_test.go:70:6: can inline BenchmarkTeaching_interface
./teaching_test.go:75:18: devirtualizing by_value.method to name
./teaching_test.go:79:10: inlining call to through
./teaching_test.go:18:44: b does not escape
./teaching_test.go:24:7: moved to heap: lost
./teaching_test.go:21:11: &holder{...} does not escape
./teaching_test.go:70:34: b does not escape
"""


def write(folder, bench=BENCH, escapes=ESCAPES, version="go version go1.26.8 linux/amd64\n"):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("bench", bench), ("escapes", escapes), ("version", version)):
        (folder / f"{name}.txt").write_text(text)
    return folder
