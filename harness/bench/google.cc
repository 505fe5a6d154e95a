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
 * With repetitions, libbenchmark hands its reporters pointers to the memory pass's results that it has moved since, and
 * coefficients of variation that are 0/0: so the reporters, of the file as well, are ours, and pass on what we kept. */
#include <benchmark/benchmark.h>

#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include <unistd.h>

extern "C" {
#include "harness/lesson/layout.h"
#include "harness/lesson/pair.h"
#include "harness/measure/heap.h"
#include "harness/run/process.h"
}
#include "harness/bench/google.h"

#include "harness/build_info.h"

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

void complain(const char *what, const char *why)
{
    std::fprintf(stderr, "ampersand: %s: %s\n", what, why);
}

uint64_t run_counted(const amp_side &side, void *fixture, uint64_t ops, amp_heap *out)
{
    int err = amp_heap_begin();
    uint64_t checksum = side.run(fixture, ops);

    if (!err)
        err = amp_heap_end(out);
    if (err)
        complain("allocation counts", std::strerror(-err));
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
        complain("allocation counts", why_not);
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
    if (row.row->pair->threads > 0 && amp_process_cpus() == 1) {
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

/* Passes libbenchmark's messages on to stderr, but for some lines that are put better here or by who called us. */
class Messages : public std::stringbuf
{
  public:
    bool bad_filter = false;

  protected:
    int sync() override
    {
        std::istringstream text(str());
        std::string line;

        str("");
        while (std::getline(text, line)) {
            if (begins(line, "Could not compile benchmark re"))
                bad_filter = true;
            else if (begins(line, "***WARNING*** Library was built as DEBUG"))
                std::cerr << "ampersand: libbenchmark: built as debug, which the times do not show: the timed loop is "
                             "the kernel's own\n";
            else if (!begins(line, "Failed to match any benchmarks"))
                std::cerr << line << (text.eof() ? "" : "\n");
        }
        std::cerr.flush();
        return 0;
    }

  private:
    static bool begins(const std::string &line, const char *beginning)
    {
        return line.compare(0, std::strlen(beginning), beginning) == 0;
    }
};

using Run = benchmark::BenchmarkReporter::Run;

const Side *side_of(const Run &run)
{
    for (const Side &side : sides)
        if (side.name == run.run_name.function_name)
            return &side;
    return nullptr;
}

double finite(double x)
{
    return std::isfinite(x) ? x : 0;
}

/* What the memory pass of this repetition gave, as we kept it; and 0 for the variation of what is always 0. */
Run mended(Run run)
{
    const Side *side = side_of(run);
    const size_t pass = static_cast<size_t>(run.repetition_index);

    if (run.memory_result)
        run.memory_result = side && pass < side->passes.size() ? &side->passes[pass] : nullptr;
    run.real_accumulated_time = finite(run.real_accumulated_time);
    run.cpu_accumulated_time = finite(run.cpu_accumulated_time);
    for (auto &counter : run.counters)
        counter.second.value = finite(counter.second.value);
    return run;
}

/* The CSV reporter of versions before 1.8.4 takes a coefficient of variation for seconds: what it has to be given so that it prints the number. */
void scale_back(double &accumulated, double shown)
{
    if (shown > 0)
        accumulated *= accumulated / shown;
}

/* libbenchmark's CSV reporter is deprecated, and what its users have: named here only, and allowed here only. */
BENCHMARK_DISABLE_DEPRECATED_WARNING
class Csv : public benchmark::CSVReporter
{
};

bool writes_csv(benchmark::BenchmarkReporter *reporter)
{
    return dynamic_cast<benchmark::CSVReporter *>(reporter);
}
BENCHMARK_RESTORE_DEPRECATED_WARNING

/* One of libbenchmark's own reporters. Refused rows that come first wait for a run with counters: the CSV reporter takes
 * its columns from the first rows and aborts at a counter that it does not know yet. */
class Reporter : public benchmark::BenchmarkReporter
{
  public:
    explicit Reporter(benchmark::BenchmarkReporter *reporter) : inner(reporter)
    {
        SetOutputStream(&inner->GetOutputStream());
    }
    bool ReportContext(const Context &context) override
    {
        inner->SetOutputStream(&GetOutputStream());
        inner->SetErrorStream(&GetErrorStream());
        return inner->ReportContext(context);
    }
    void ReportRuns(const std::vector<Run> &found) override
    {
        std::vector<Run> runs;

        for (const Run &run : found) {
            runs.push_back(mended(run));
            if (AMP_BENCHMARK_CSV_IN_SECONDS && writes_csv(inner) && run.aggregate_unit == benchmark::kPercentage) {
                scale_back(runs.back().real_accumulated_time, runs.back().GetAdjustedRealTime());
                scale_back(runs.back().cpu_accumulated_time, runs.back().GetAdjustedCPUTime());
            }
        }
        if (waiting && can_count && !runs.empty() && runs.front().counters.empty()) {
            held.push_back(runs);
            return;
        }
        waiting = false;
        inner->ReportRuns(runs);
        release();
    }
    void Finalize() override
    {
        release();
        inner->Finalize();
    }

  private:
    void release()
    {
        for (const auto &runs : held)
            inner->ReportRuns(runs);
        held.clear();
    }
    benchmark::BenchmarkReporter *inner;
    bool waiting = true;
    std::vector<std::vector<Run>> held;
};

/* What --benchmark_out and --benchmark_out_format ask for; libbenchmark tells nobody. */
struct Out {
    std::string file, format = "json";
} out;

/* The value of a flag of libbenchmark's, from the word where it has it, else as it was. */
void take(const char *word, const char *flag, std::string &value)
{
    const size_t length = std::strlen(flag);

    if (std::strncmp(word, flag, length) == 0 && word[length] == '=')
        value = word + length + 1;
}

void read_out(int argc, char **argv)
{
    const char *file = std::getenv("BENCHMARK_OUT"), *format = std::getenv("BENCHMARK_OUT_FORMAT");

    out.file = file ? file : "";
    out.format = format ? format : "json";
    for (int i = 1; i < argc; i++) {
        take(argv[i], "--benchmark_out", out.file);
        take(argv[i], "--benchmark_out_format", out.format);
    }
}

/* For the file, or NULL where there is none; static storage. */
benchmark::BenchmarkReporter *file_reporter()
{
    static benchmark::JSONReporter json;
    static benchmark::ConsoleReporter console(benchmark::ConsoleReporter::OO_None);
    static Csv csv;
    static Reporter reporters[] = { Reporter(&json), Reporter(&console), Reporter(&csv) };

    if (out.file.empty())
        return nullptr;
    return &reporters[out.format == "json" ? 0 : out.format == "console" ? 1 : 2];
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
    read_out(*argc, argv);
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

void amp_google_help(void)
{
    benchmark::PrintDefaultHelp();
}

amp_google_outcome amp_google_run(const char **filter)
{
    static std::string kept;
    static Messages buffer; /* static: libbenchmark's reporter lives as long as the program, and keeps the stream */
    static std::ostream messages(&buffer);
    Reporter reporter(benchmark::CreateDefaultDisplayReporter());

    reporter.SetErrorStream(&messages);
    kept = benchmark::GetBenchmarkFilter();
    *filter = kept.c_str();
    can_count = amp_heap_available(&why_not) == 0;
    why_not = can_count ? nullptr : why_not;
    if (can_count)
        benchmark::RegisterMemoryManager(&memory);
    size_t matched = benchmark::RunSpecifiedBenchmarks(&reporter, file_reporter());
    messages.flush();
    benchmark::RegisterMemoryManager(nullptr);
    benchmark::Shutdown();
    if (matched > 0)
        return refused ? AMP_GOOGLE_FAILED : AMP_GOOGLE_DONE;
    return buffer.bad_filter ? AMP_GOOGLE_BAD_FILTER : AMP_GOOGLE_NO_MATCH;
}
