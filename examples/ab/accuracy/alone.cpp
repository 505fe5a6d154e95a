/* The kernels of one version as a program of Google Benchmark, for beside.py; with `--run KERNEL N` as a program that
 * does N operations and ends. */
#include "harness/ab.h"

#include <benchmark/benchmark.h>

extern "C" const struct amp_ab_kernel *const __start_amp_kernels[], *const __stop_amp_kernels[];

static void *set_up(const struct amp_ab_kernel *kernel)
{
    return kernel->set_up ? kernel->set_up(kernel->size) : nullptr;
}

static void time_kernel(benchmark::State &state, const struct amp_ab_kernel *kernel)
{
    void *fixture = set_up(kernel);

    while (state.KeepRunningBatch(state.max_iterations))
        benchmark::DoNotOptimize(kernel->run(fixture, state.max_iterations));
}

int main(int argc, char **argv)
{
    bool once = argc == 4 && strcmp(argv[1], "--run") == 0;

    for (auto each = __start_amp_kernels; each < __stop_amp_kernels; each++) {
        if (once && strcmp(argv[2], (*each)->name) == 0)
            return (*each)->run(set_up(*each), strtoull(argv[3], nullptr, 10)) == 1;
        benchmark::RegisterBenchmark((*each)->name, time_kernel, *each);
    }
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
