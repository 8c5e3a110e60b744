// Searches of a large audit log: `log_bench DIR [RECORDS]` makes one of synthetic sessions in DIR, unless it is there,
// and prints what searches of it take. The records are of 20 accounts of unequal activity over ten days, with sessions
// of 1 to 60 statements.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "audit/record.h"
#include "store/log_search.h"
#include "store/segment_compressor.h"

namespace sallyport::store {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t segment_bytes = 64U << 20;
constexpr std::int64_t days = 10;
constexpr std::int64_t day_ns = 86'400'000'000'000;
constexpr std::int64_t begin_ns = 1'769'817'600'000'000'000;  // 2026-01-31

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

class Generator {
 public:
  Generator(std::filesystem::path directory, std::uint64_t records)
      : directory_(std::move(directory)), records_(records) {}

  void run() {
    begin_segment();
    while (made_ < records_) {
      if (live_.size() < 200) {
        login();
      } else {
        step(live_[random_() % live_.size()]);
      }
    }
    end_segment();
  }

 private:
  struct Live {
    std::string id, account;
    std::uint64_t seq = 1;
    std::uint64_t statements = 0;
  };

  std::string time() const {
    std::string text;
    auto passed = static_cast<std::int64_t>(static_cast<double>(made_) / static_cast<double>(records_) *
                                            static_cast<double>(days * day_ns));
    audit::append_time(text, WallTime{Nanoseconds{begin_ns + passed}});
    return text;
  }

  void add(const std::string& record) {
    open_bytes_ += record.size() + 1;
    ++made_;
    compressor_->add(record, frames_);
    compressor_->add("\n", frames_);
    if (open_bytes_ >= segment_bytes) {
      end_segment();
      begin_segment();
    }
  }

  void begin_segment() {
    before_ = compressor_ ? compressor_->index().sessions : std::vector<SessionSummary>{};
    first_ = made_;
    compressor_ = std::make_unique<SegmentCompressor>(made_, &before_);
    open_bytes_ = 0;
    frames_.clear();
  }

  void end_segment() {
    compressor_->finish(frames_);
    std::string digits = std::to_string(first_);
    digits.insert(0, 20 - digits.size(), '0');
    std::ofstream(directory_ / ("records-" + digits + ".jsonl.zst"), std::ios::binary) << frames_;
    std::ofstream(directory_ / ("index-" + digits + ".zst"), std::ios::binary) << encode_index(compressor_->index());
  }

  void login() {
    Live one;
    for (int i = 0; i < 32; ++i) {
      one.id += "0123456789abcdef"[random_() % 16];
    }
    // Half of the sessions are of the first account, a quarter of the second and so on; the last ones have few.
    std::size_t account = 0;
    while (account < 19 && random_() % 2 == 0) {
      ++account;
    }
    one.account = "agent-" + std::to_string(account);
    one.statements = 1 + random_() % 60;
    add(R"({"account":")" + one.account + R"(","auth_plugin":"caching_sha2_password","client":"10.0.)" +
        std::to_string(random_() % 16) + "." + std::to_string(random_() % 256) + ":" +
        std::to_string(20000 + random_() % 40000) +
        R"(","connection":"shop","connection_id":7,"listener":"main","principal":{"algorithm":"ES256","expires_at":"2026-03-01T00:00:00.000000000Z","issuer":"https://idp.example","issuer_name":"idp","subject":"sub-)" +
        one.account + R"("},"seq":1,"session":")" + one.id + R"(","time":")" + time() +
        R"(","type":"login_accepted","user":"shop"})");
    live_.push_back(std::move(one));
  }

  void step(Live& one) {
    std::string head = R"(,"session":")" + one.id + '"';
    if (one.statements-- == 0) {
      add(R"({"account":")" + one.account + R"(","reason":"client_quit","seq":)" + std::to_string(++one.seq) + head +
          R"(,"time":")" + time() + R"(","type":"session_end"})");
      std::swap(one, live_.back());
      live_.pop_back();
      return;
    }
    std::string table = "table_" + std::to_string(random_() % 50);
    std::uint64_t of = ++one.seq;
    bool is_denied = random_() % 5000 == 0;
    add(R"({"command":"query","kind":"select","objects":[{"access":["read"],"name":")" + table +
        R"(","schema":"shop","type":"table"}],"rule":"allow","schema":"shop","seq":)" + std::to_string(of) + head +
        R"(,"text":"SELECT c FROM )" + table + " WHERE id = " + std::to_string(random_() % 1000000) + R"(","time":")" +
        time() + R"(","type":"command"})");
    add(R"({"affected_rows":0,"bytes":)" + std::to_string(100 + random_() % 100) + R"(,"duration_us":)" +
        std::to_string(100 + random_() % 900) + R"(,"of":)" + std::to_string(of) +
        (is_denied ? R"(,"reason":"not_allowed")" : "") + R"(,"results":1,"rows":1,"seq":)" +
        std::to_string(++one.seq) + head + R"(,"status":")" + (is_denied ? "denied" : "ok") + R"(","time":")" + time() +
        R"(","type":"outcome","warnings":0})");
  }

  std::filesystem::path directory_;
  std::uint64_t records_;
  std::mt19937_64 random_{1};
  std::uint64_t made_ = 0;
  std::uint64_t first_ = 0;
  std::uint64_t open_bytes_ = 0;
  std::vector<Live> live_;
  std::vector<SessionSummary> before_;
  std::unique_ptr<SegmentCompressor> compressor_;
  std::string frames_;
};

std::uint64_t directory_bytes(const std::filesystem::path& directory, std::string_view prefix) {
  std::uint64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    bytes += file.path().filename().string().starts_with(prefix) ? file.file_size() : 0;
  }
  return bytes;
}

void measure(const std::filesystem::path& directory, const char* what, const LogQuery& query) {
  auto begin = Clock::now();
  auto log = Log::open(directory, IndexUse::files);
  if (!log) {
    std::printf("%s\n", log.error().c_str());
    std::exit(1);
  }
  double opened = seconds_since(begin);
  std::uint64_t hits = 0;
  auto done = log->search(query, [&](const LogHit&) {
    ++hits;
    return true;
  });
  if (!done) {
    std::printf("%s\n", done.error().c_str());
    std::exit(1);
  }
  std::printf("%-64s %8.3f s (%.3f s of it opening), %llu found\n", what, seconds_since(begin), opened,
              static_cast<unsigned long long>(hits));
}

LogQuery of(Field field, const std::string& value, std::size_t limit, std::int64_t day = -1) {
  LogQuery query;
  query.field(field) = {value};
  query.limit = limit;
  if (day >= 0) {
    query.since = begin_ns + day * day_ns;
    query.until = query.since + day_ns;
  }
  return query;
}

int run(const std::filesystem::path& directory, std::uint64_t records) {
  if (!std::filesystem::exists(directory) || std::filesystem::is_empty(directory)) {
    std::filesystem::create_directories(directory);
    auto begin = Clock::now();
    Generator(directory, records).run();
    std::printf("%llu records made, compressed and indexed in %.1f s\n", static_cast<unsigned long long>(records),
                seconds_since(begin));
  }
  auto log = Log::open(directory, IndexUse::files);
  if (!log) {
    std::printf("%s\n", log.error().c_str());
    return 1;
  }
  std::printf("%llu records, %.0f bytes a record, index %.1f bytes a record\n",
              static_cast<unsigned long long>(log->end()),
              static_cast<double>(directory_bytes(directory, "records-")) / static_cast<double>(log->end()),
              static_cast<double>(directory_bytes(directory, "index-")) / static_cast<double>(log->end()));
  for (int round = 0; round < 2; ++round) {
    measure(directory, "account with half of the log, a day, first 100", of(Field::account, "agent-0", 100, 5));
    measure(directory, "account with 3 %, a day, first 100", of(Field::account, "agent-4", 100, 5));
    measure(directory, "account with 3 %, a day, all", of(Field::account, "agent-4", SIZE_MAX, 5));
    measure(directory, "account with 0.1 %, a day, all", of(Field::account, "agent-9", SIZE_MAX, 5));
    measure(directory, "account with 0.1 %, all days, all", of(Field::account, "agent-9", SIZE_MAX));
    measure(directory, "account that is not there", of(Field::account, "nobody", SIZE_MAX));
    measure(directory, "denied statements, a day, all", of(Field::status, "denied", SIZE_MAX, 5));
    LogQuery text = of(Field::type, "command", SIZE_MAX);
    text.texts = {"id = 123456"};
    measure(directory, "a text, all days, all", text);
  }
  auto begin = Clock::now();
  LogQuery day = of(Field::account, "agent-0", SIZE_MAX, 5);
  auto sessions = log->sessions(day);
  std::printf("%-64s %8.3f s, %zu found\n", "sessions of the account with half of the log, a day", seconds_since(begin),
              sessions ? sessions->size() : 0);
  return 0;
}

}  // namespace
}  // namespace sallyport::store

int main(int count, char** arguments) {
  if (count < 2) {
    std::fprintf(stderr, "usage: log_bench DIR [RECORDS]\n");
    return 2;
  }
  return sallyport::store::run(arguments[1], count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 10'000'000);
}
