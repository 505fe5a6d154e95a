/* SPDX-License-Identifier: MIT
 *
 * What Google Benchmark's own loop costs: its range-for with an empty asm in the body. usage: range_for ITERATIONS */
#include <benchmark/benchmark.h>

#include <cstdlib>

static void range_for(benchmark::State &state)
{
    for (auto _ : state)
        asm volatile("");
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    benchmark::RegisterBenchmark("range_for", range_for)->Iterations(std::atoll(argv[1]));
    return benchmark::RunSpecifiedBenchmarks() == 1 ? 0 : 1;
}
