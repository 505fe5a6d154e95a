/* SPDX-License-Identifier: MIT
 *
 * libbenchmark's reporters, mended. With repetitions, libbenchmark hands them pointers to the memory pass's results that
 * it has moved since, and coefficients of variation that are 0/0. */
#ifndef AMP_GOOGLE_REPORT_HH
#define AMP_GOOGLE_REPORT_HH

#include <benchmark/benchmark.h>

#include <sstream>
#include <vector>

/* Passes libbenchmark's messages on to stderr, but for some lines that are put better here or by who called us. */
class Messages : public std::stringbuf
{
  public:
    bool bad_filter = false;

  protected:
    int sync() override;
};

/* The result of the memory pass of this run's repetition, as it was kept; NULL if there is none. */
using amp_kept_pass = const benchmark::MemoryManager::Result *(*) (const benchmark::BenchmarkReporter::Run &run);

/* One of libbenchmark's own reporters. Refused rows that come first wait for a run with counters, if there will be any:
 * the CSV reporter takes its columns from the first rows, and aborts at a counter that it does not know yet. */
class Reporter : public benchmark::BenchmarkReporter
{
  public:
    Reporter(benchmark::BenchmarkReporter *reporter, amp_kept_pass pass, bool has_counters);
    bool ReportContext(const Context &context) override;
    void ReportRuns(const std::vector<Run> &found) override;
    void Finalize() override;

  private:
    void release();

    benchmark::BenchmarkReporter *inner;
    amp_kept_pass kept_pass;
    bool waiting;
    std::vector<std::vector<Run>> held;
};

/* Note what --benchmark_out and --benchmark_out_format ask for, since libbenchmark has no call for it. */
void amp_google_read_out(int argc, char **argv);

/* The reporter for that file, or NULL if there is none; static storage. */
benchmark::BenchmarkReporter *amp_google_file_reporter(amp_kept_pass pass, bool has_counters);

#endif
