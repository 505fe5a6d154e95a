/* SPDX-License-Identifier: MIT
 *
 * libbenchmark's reporters without two mistakes: with repetitions, libbenchmark passes them dangling pointers to the
 * results of the memory pass, and coefficients of variation that are 0/0. */
#ifndef AMP_GOOGLE_REPORT_HH
#define AMP_GOOGLE_REPORT_HH

#include <benchmark/benchmark.h>

#include <sstream>
#include <vector>

/* Passes libbenchmark's messages on to stderr, except those that this program words better. */
class Messages : public std::stringbuf
{
  public:
    bool bad_filter = false;

  protected:
    int sync() override;
};

/* The kept result of the memory pass of this repetition; NULL if there is none. */
using amp_kept_pass = const benchmark::MemoryManager::Result *(*) (const benchmark::BenchmarkReporter::Run &run);

/* Wraps one of libbenchmark's reporters. If there will be runs with counters, refused rows before the first of them
 * wait for it: the CSV reporter takes its columns from the first rows, and aborts at a counter that these did not
 * have. */
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

/* Read --benchmark_out and --benchmark_out_format, since libbenchmark has no function that returns them. */
void amp_google_read_out(int argc, char **argv);

/* The reporter for that file, or NULL if there is none; static storage. */
benchmark::BenchmarkReporter *amp_google_file_reporter(amp_kept_pass pass, bool has_counters);

#endif
