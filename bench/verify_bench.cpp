// Verification of an audit log: the look at a record, and a whole directory.
#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "audit/checkpoint.h"
#include "audit/log_scan.h"
#include "audit/range_json.h"
#include "store/log_directory.h"
#include "store/log_verification.h"

namespace sallyport::bench {
namespace {

// Some 350 bytes, as the record of a point select has.
std::string record_of(std::uint64_t index) {
  std::string number = std::to_string(index);
  return R"({"command":"query","kind":"select","objects":[{"access":["read"],"name":"points","schema":"shop","type":"table"}],)"
         R"("rule":"allow-all","schema":"shop","seq":)" +
         number + R"(,"session":"0123456789abcdef-)" + std::to_string(index % 64) +
         R"(","text":"SELECT c, pad, created_at FROM points WHERE id = )" + number +
         R"( AND tenant = 'north' LIMIT 1","time":"2026-01-31T12:34:56.000000789Z","type":"command"})";
}

void scan_records(benchmark::State& state) {
  std::string lines;
  constexpr std::uint64_t count = 1000;
  for (std::uint64_t i = 0; i < count; ++i) {
    lines += record_of(i) + "\n";
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(audit::scan_records(lines, 0, {}));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(count));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(lines.size()));
}
BENCHMARK(scan_records);

class WrittenLog {
 public:
  WrittenLog() {
    char name[] = "/tmp/sallyport-bench-XXXXXX";
    directory_ = ::mkdtemp(name);
    const std::vector<std::uint8_t> seed(32, 1);
    auto key = crypto::PrivateKey::ed25519_from_seed(seed);
    auto signer = audit::NoteSigner::make(std::move(*key), "log.example");
    audit::Tree tree;
    for (std::uint64_t segment = 0; segment < segments; ++segment) {
      write_segment(tree);
    }
    const audit::NoteSigner* signers[] = {&*signer};
    put("checkpoint", audit::sign({.origin = "log.example", .size = tree.size(), .root = tree.root()}, signers));
    public_key_ = signer->verifier_key().to_line();
  }
  ~WrittenLog() { std::filesystem::remove_all(directory_); }
  WrittenLog(const WrittenLog&) = delete;
  WrittenLog& operator=(const WrittenLog&) = delete;

  static constexpr std::uint64_t segments = 4;
  static constexpr std::uint64_t segment_records = 250'000;
  store::VerificationOptions options(unsigned threads) const {
    return {.directory = directory_, .public_key = public_key_, .saved = {}, .threads = threads};
  }

 private:
  void put(const std::string& name, std::string_view content) {
    std::ofstream(directory_ / name, std::ios::binary) << content;
  }
  void write_segment(audit::Tree& tree) {
    std::uint64_t first = tree.size();
    std::string lines;
    for (std::uint64_t i = first; i < first + segment_records; ++i) {
      lines += record_of(i) + "\n";
    }
    for (const audit::ScannedRange& part : audit::scan_records(lines, first, {}).ranges) {
      tree.append_range(part.range);
      put(store::name_of(store::SegmentFile::tree, first),
          audit::to_json_line({.range = part.range,
                               .time_first = "2026-01-31T12:34:56.000000789Z",
                               .time_last = "2026-01-31T12:34:56.000000789Z"}));
    }
    std::string out(ZSTD_compressBound(lines.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), lines.data(), lines.size(), 3));
    put(store::name_of(store::SegmentFile::compressed_records, first), out);
  }

  std::filesystem::path directory_;
  std::string public_key_;
};

// A million records in four compressed segments.
void verify_log(benchmark::State& state) {
  static const WrittenLog log;
  auto threads = static_cast<unsigned>(state.range(0));
  for (auto _ : state) {
    auto report = store::verify_log(log.options(threads));
    if (!report || !report->is_proven()) {
      state.SkipWithError("the log is not verified");
      return;
    }
  }
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(WrittenLog::segments * WrittenLog::segment_records));
}
BENCHMARK(verify_log)->Arg(1)->Arg(2)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sallyport::bench
