// The audit log: what a commit costs the event loop's thread, and how many records the sequencer keeps up with.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "store/audit_log.h"

namespace sallyport::bench {
namespace {

// 350 bytes, as the record of a point select.
std::string record_of(std::uint64_t number) {
  std::string record =
      "{\"account\":\"reporter\",\"command\":\"query\",\"kind\":\"select\",\"objects\":[{\"name\":\"points\","
      "\"schema\":\"shop\"}],\"rule\":\"allow-within-role\",\"schema\":\"shop\",\"seq\":" +
      std::to_string(number) +
      ",\"session\":\"0123456789abcdef0123456789abcdef\",\"text\":\"SELECT c FROM points WHERE id = 50321\","
      "\"time\":\"2026-01-31T12:34:56.000000789Z\",\"type\":\"command\",\"x\":\"";
  record.append(347 - record.size(), 'x');
  return record + "\"}\n";
}

class Directory {
 public:
  Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "sallyport-bench-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::unique_ptr<store::AuditLog> open_log(const Directory& directory, std::uint32_t loops) {
  auto log = store::AuditLog::open({.settings = {.directory = directory.path() / "log",
                                                 .origin = "bench",
                                                 .signing_key = directory.path() / "audit.key",
                                                 .segment_bytes = std::uint64_t{4} << 30},
                                    .loops = loops,
                                    .version = "bench"});
  return std::move(log).value();
}

// On the loop's thread: a turn with that many records. What the sequencer does in the meantime is on another thread.
void commit_to_journal(benchmark::State& state) {
  Directory directory;
  auto log = open_log(directory, 1);
  log->start();
  std::string record = record_of(12);
  auto& journal = log->journal(0);
  for (auto _ : state) {
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      journal.append(record);
    }
    if (journal.commit(std::chrono::steady_clock::now()) != store::LoopJournal::Commit::done) {
      state.PauseTiming();
      while (journal.settled() < journal.last_commit()) {
        std::this_thread::yield();
      }
      journal.waited();
      state.ResumeTiming();
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(commit_to_journal)->Arg(1)->Arg(8)->Iterations(20'000);

// All of it, as fast as it goes, to the last record on the disk: real time is what counts.
void sequence_records(benchmark::State& state) {
  constexpr std::uint64_t records = 500'000;
  constexpr std::uint64_t records_a_commit = 8;
  std::string record = record_of(12);
  for (auto _ : state) {
    Directory directory;
    auto log = open_log(directory, 1);
    log->start();
    auto& journal = log->journal(0);
    for (std::uint64_t made = 0; made < records; made += records_a_commit) {
      for (std::uint64_t i = 0; i < records_a_commit; ++i) {
        journal.append(record);
      }
      if (journal.commit(std::chrono::steady_clock::now()) != store::LoopJournal::Commit::done) {
        while (journal.settled() < journal.last_commit()) {
          std::this_thread::sleep_for(Milliseconds{1});
        }
        journal.waited();
      }
    }
    log->stop();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(records));
}
BENCHMARK(sequence_records)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(2)->MeasureProcessCPUTime();

}  // namespace
}  // namespace sallyport::bench
