/* SPDX-License-Identifier: MIT
 *
 * A side's life under libbenchmark 1.7, which calls its function several times:
 *
 *   1 iteration           agreement gate, own count of allocations, then the timed run
 *   10, 100, ... N        timed runs; the last one is reported, with the counters
 *   at most 16            memory pass, once more for every repetition; not timed, its counters not reported
 *
 * so counters must be known before the last timed run, and are: they come from the own count. It runs at most 16
 * operations too. Hooks are in jemalloc only from amp_heap_begin() to amp_heap_end(), so malloc is its fast self
 * whenever the clock runs.
 *
 * The reporters, also that of the file, are ours: see google_report.hh. */
#include <benchmark/benchmark.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <deque>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

extern "C" {
#include "harness/lesson/layout.h"
#include "harness/lesson/pair.h"
#include "harness/machine/machine.h"
#include "harness/measure/heap.h"
#include "harness/text/complain.h"
}
#include "harness/bench/google/google.h"

#include "harness/bench/google/google_report.hh"

namespace
{

const uint64_t count_ops = 16;

struct Row {
    const amp_row *row;
    bool checked;
    std::string refusal; /* why its sides are not timed */
};

struct Side {
    Row *row;
    const amp_side *side;
    std::string name; /* as libbenchmark calls it */
    bool counted;
    amp_heap heap;
    std::deque<benchmark::MemoryManager::Result> passes; /* of each repetition */
};

std::deque<Row> rows; /* a deque: its elements stay where they are */
std::deque<Side> sides;
unsigned layout;     /* of all rows */
const char *why_not; /* why allocations cannot be counted here, until that was said */
bool can_count, refused;

/* ---- counting ---- */

/* What libbenchmark brackets its memory pass with. Its newer versions pass a reference to Stop(), older ones a pointer,
 * and each calls the one that it declares: hence both, and no `override`. */
class Memory : public benchmark::MemoryManager
{
  public:
    bool counting = false;
    amp_heap heap = {};
    Side *side = nullptr; /* that is counted */

    void Start()
    {
        heap = {};
        side = nullptr;
        counting = true;
    }
    void Stop(Result *result)
    {
        counting = false;
        result->num_allocs = static_cast<int64_t>(heap.allocs);
        result->max_bytes_used = static_cast<int64_t>(heap.peak_b);
        result->total_allocated_bytes = static_cast<int64_t>(heap.granted_b);
        if (side)
            side->passes.push_back(*result);
    }
    void Stop(Result &result)
    {
        Stop(&result);
    }
};

Memory memory;

uint64_t run_counted(const amp_side &side, void *fixture, uint64_t ops, amp_heap *out)
{
    int err = amp_heap_begin();
    uint64_t checksum = side.run(fixture, ops);

    if (!err)
        err = amp_heap_end(out);
    if (err)
        amp_complain(0, "allocation counts", "%s", std::strerror(-err));
    return checksum;
}

void *set_up(const Side &side)
{
    return side.side->set_up ? side.side->set_up(side.row->row->size) : nullptr;
}

void tear_down(const Side &side, void *fixture)
{
    if (side.side->tear_down)
        side.side->tear_down(fixture);
}

void count_once(Side &side)
{
    if (why_not)
        amp_complain(0, "allocation counts", "%s", why_not);
    why_not = nullptr;
    if (side.counted || !can_count)
        return;
    void *fixture = set_up(side);
    benchmark::DoNotOptimize(run_counted(*side.side, fixture, count_ops, &side.heap));
    tear_down(side, fixture);
    side.counted = true;
}

void report_counts(benchmark::State &state, const Side &side)
{
    const double ops = count_ops;

    if (!side.counted)
        return;
    state.counters["allocs/op"] = static_cast<double>(side.heap.allocs) / ops;
    state.counters["B/op"] = static_cast<double>(side.heap.asked_b) / ops;
    state.counters["granted B/op"] = static_cast<double>(side.heap.granted_b) / ops;
    state.counters["peak B"] = static_cast<double>(side.heap.peak_b);
}

/* ---- running ---- */

void check_once(Row &row)
{
    amp_agreement sums = {};
    char text[160];

    if (row.checked)
        return;
    const char *why;

    row.checked = true;
    if (row.row->pair->threads > 0 && amp_machine_cpus() == 1) {
        row.refusal = "its threads want two CPUs, and this process may use one only (taskset, a cpuset)";
        return;
    }
    if (amp_layout_hold_row(row.row, layout, &why)) {
        row.refusal = why;
        return;
    }
    int err = amp_pair_agree(row.row->pair, row.row->size, amp_clock_monotonic, &sums);
    if (err == -EDOM)
        std::snprintf(text, sizeof text,
                      "the sides disagree after %" PRIu64 " operations: value 0x%016" PRIx64 ", pointer 0x%016" PRIx64,
                      sums.ops, sums.value, sums.pointer);
    if (err)
        row.refusal = err == -EDOM ? text : std::strerror(-err);
}

void run_side(benchmark::State &state, Side &side)
{
    check_once(*side.row);
    if (!side.row->refusal.empty()) {
        refused = true;
        state.SkipWithError(side.row->refusal.c_str());
        return;
    }
    count_once(side);
    void *fixture = set_up(side);
    const uint64_t ops = static_cast<uint64_t>(state.max_iterations);
    memory.side = &side;
    while (state.KeepRunningBatch(state.max_iterations)) /* once: the kernel owns the loop */
        benchmark::DoNotOptimize(memory.counting ? run_counted(*side.side, fixture, ops, &memory.heap)
                                                 : side.side->run(fixture, ops));
    tear_down(side, fixture);
    report_counts(state, side);
}

void register_side(Row &row, const amp_side &side, const char *name, uint64_t iterations)
{
    char text[512];

    amp_row_name(row.row, text, sizeof text);
    sides.push_back({ &row, &side, std::string(text) + "/side=" + name, false, {}, {} });
    Side *registered = &sides.back();
    auto *added = benchmark::RegisterBenchmark(registered->name.c_str(),
                                               [registered](benchmark::State &state) { run_side(state, *registered); });
    if (iterations)
        added->Iterations(static_cast<benchmark::IterationCount>(iterations));
}

/* ---- reporting ---- */

const benchmark::MemoryManager::Result *kept_pass(const benchmark::BenchmarkReporter::Run &run)
{
    const size_t pass = static_cast<size_t>(run.repetition_index);

    for (const Side &side : sides)
        if (side.name == run.run_name.function_name)
            return pass < side.passes.size() ? &side.passes[pass] : nullptr;
    return nullptr;
}

void (*print_help)();

} // namespace

void amp_google_register(const amp_registry *registry, unsigned of_layout, uint64_t iterations)
{
    layout = of_layout;
    for (size_t i = 0; i < registry->n; i++) {
        rows.push_back({ &registry->rows[i], false, "" });
        register_side(rows.back(), rows.back().row->pair->value, "value", iterations);
        register_side(rows.back(), rows.back().row->pair->pointer, "pointer", iterations);
    }
}

void amp_google_context(const char *key, const char *value)
{
    benchmark::AddCustomContext(key, value);
}

const char *amp_google_parse(int *argc, char **argv, void (*help)(void))
{
    static std::string said;
    std::ostringstream messages;
    std::streambuf *cerr = std::cerr.rdbuf(messages.rdbuf());

    print_help = help;
    amp_google_read_out(*argc, argv);
    benchmark::Initialize(argc, argv, [] { print_help(); });
    std::cerr.rdbuf(cerr);
    said = messages.str();
    while (!said.empty() && (said.back() == '\n' || said.back() == '.'))
        said.pop_back();
    return said.empty() ? nullptr : said.c_str();
}

const char *amp_google_filter(void)
{
    static std::string filter;

    filter = benchmark::GetBenchmarkFilter();
    return filter.c_str();
}

const char *amp_google_usage(void)
{
    static char text[4096]; /* which a pipe takes without a reader */
    int ends[2], output = dup(STDOUT_FILENO);

    std::fflush(stdout);
    if (output < 0 || pipe2(ends, O_CLOEXEC))
        return "";
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    benchmark::PrintDefaultHelp();
    std::fflush(stdout);
    dup2(output, STDOUT_FILENO);
    close(output);
    ssize_t n = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

amp_google_outcome amp_google_run(const char **filter)
{
    static std::string kept;
    static Messages buffer; /* static: libbenchmark's reporter lives as long as the program, and keeps the stream */
    static std::ostream messages(&buffer);

    kept = benchmark::GetBenchmarkFilter();
    *filter = kept.c_str();
    can_count = amp_heap_available(&why_not) == 0;
    why_not = can_count ? nullptr : why_not;
    if (can_count)
        benchmark::RegisterMemoryManager(&memory);
    Reporter reporter(benchmark::CreateDefaultDisplayReporter(), kept_pass, can_count);
    reporter.SetErrorStream(&messages);
    size_t matched = benchmark::RunSpecifiedBenchmarks(&reporter, amp_google_file_reporter(kept_pass, can_count));
    messages.flush();
    benchmark::RegisterMemoryManager(nullptr);
    benchmark::Shutdown();
    if (matched > 0)
        return refused ? AMP_GOOGLE_FAILED : AMP_GOOGLE_DONE;
    return buffer.bad_filter ? AMP_GOOGLE_BAD_FILTER : AMP_GOOGLE_NO_MATCH;
}
