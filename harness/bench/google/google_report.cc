/* SPDX-License-Identifier: MIT */
#include "harness/bench/google/google_report.hh"

#include "harness/build_info.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>

using Run = benchmark::BenchmarkReporter::Run;

namespace
{

bool begins(const std::string &line, const char *beginning)
{
    return line.compare(0, std::strlen(beginning), beginning) == 0;
}

double finite(double x)
{
    return std::isfinite(x) ? x : 0;
}

/* Put the kept result of the memory pass into the run, and 0 for a variation that would be 0/0. */
Run mended(Run run, const benchmark::MemoryManager::Result *pass)
{
    if (run.memory_result)
        run.memory_result = pass;
    run.real_accumulated_time = finite(run.real_accumulated_time);
    run.cpu_accumulated_time = finite(run.cpu_accumulated_time);
    for (auto &counter : run.counters)
        counter.second.value = finite(counter.second.value);
    return run;
}

/* The CSV reporter of versions before 1.8.4 takes a coefficient of variation for seconds: what it has to be given so
 * that it prints the number. */
void scale_back(double &accumulated, double shown)
{
    if (shown > 0)
        accumulated *= accumulated / shown;
}

/* libbenchmark's CSV reporter is deprecated, but users need it: the warning is off for this place only. */
BENCHMARK_DISABLE_DEPRECATED_WARNING
class Csv : public benchmark::CSVReporter
{
};

bool writes_csv(benchmark::BenchmarkReporter *reporter)
{
    return dynamic_cast<benchmark::CSVReporter *>(reporter);
}
BENCHMARK_RESTORE_DEPRECATED_WARNING

struct Out {
    std::string file, format = "json";
} out;

/* If the word is this flag of libbenchmark, take its value; else leave the old one. */
void take(const char *word, const char *flag, std::string &value)
{
    const size_t length = std::strlen(flag);

    if (std::strncmp(word, flag, length) == 0 && word[length] == '=')
        value = word + length + 1;
}

} // namespace

int Messages::sync()
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

Reporter::Reporter(benchmark::BenchmarkReporter *reporter, amp_kept_pass pass, bool has_counters)
    : inner(reporter), kept_pass(pass), waiting(has_counters)
{
    SetOutputStream(&inner->GetOutputStream());
}

bool Reporter::ReportContext(const Context &context)
{
    inner->SetOutputStream(&GetOutputStream());
    inner->SetErrorStream(&GetErrorStream());
    return inner->ReportContext(context);
}

void Reporter::ReportRuns(const std::vector<Run> &found)
{
    std::vector<Run> runs;

    for (const Run &run : found) {
        runs.push_back(mended(run, kept_pass(run)));
        if (AMP_BENCHMARK_CSV_IN_SECONDS && writes_csv(inner) && run.aggregate_unit == benchmark::kPercentage) {
            scale_back(runs.back().real_accumulated_time, runs.back().GetAdjustedRealTime());
            scale_back(runs.back().cpu_accumulated_time, runs.back().GetAdjustedCPUTime());
        }
    }
    if (waiting && !runs.empty() && runs.front().counters.empty()) {
        held.push_back(runs);
        return;
    }
    waiting = false;
    inner->ReportRuns(runs);
    release();
}

void Reporter::Finalize()
{
    release();
    inner->Finalize();
}

void Reporter::release()
{
    for (const auto &runs : held)
        inner->ReportRuns(runs);
    held.clear();
}

void amp_google_read_out(int argc, char **argv)
{
    const char *file = std::getenv("BENCHMARK_OUT"), *format = std::getenv("BENCHMARK_OUT_FORMAT");

    out.file = file ? file : "";
    out.format = format ? format : "json";
    for (int i = 1; i < argc; i++) {
        take(argv[i], "--benchmark_out", out.file);
        take(argv[i], "--benchmark_out_format", out.format);
    }
}

benchmark::BenchmarkReporter *amp_google_file_reporter(amp_kept_pass pass, bool has_counters)
{
    static benchmark::JSONReporter json;
    static benchmark::ConsoleReporter console(benchmark::ConsoleReporter::OO_None);
    static Csv csv;
    static Reporter reporters[] = { { &json, pass, has_counters },
                                    { &console, pass, has_counters },
                                    { &csv, pass, has_counters } };

    if (out.file.empty())
        return nullptr;
    return &reporters[out.format == "json" ? 0 : out.format == "console" ? 1 : 2];
}
