// Logs of a few records, made by hand.
#pragma once

#include <gtest/gtest.h>

#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "audit/record.h"
#include "base/json_text.h"
#include "store/segment_compressor.h"

namespace sallyport::store::test {

// A directory that goes with the test.
class TestLog {
 public:
  TestLog() {
    static std::atomic<int> number{0};
    directory_ = std::filesystem::temp_directory_path() /
                 ("sallyport-log-" + std::to_string(::getpid()) + "-" + std::to_string(number++));
    std::filesystem::create_directories(directory_);
  }
  TestLog(const TestLog&) = delete;
  TestLog& operator=(const TestLog&) = delete;
  ~TestLog() { std::filesystem::remove_all(directory_); }

  const std::filesystem::path& directory() const { return directory_; }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(directory_ / name, std::ios::binary | std::ios::trunc) << content;
  }
  void append(const std::string& name, const std::string& content) const {
    std::ofstream(directory_ / name, std::ios::binary | std::ios::app) << content;
  }

 private:
  std::filesystem::path directory_;
};

inline std::string json_text(const std::string& text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

// Seconds after 2026-01-31T00:00:00Z.
inline std::string time(std::uint64_t seconds) {
  std::string out;
  audit::append_time(out, wall_from_unix_seconds(1'769'817'600 + static_cast<std::int64_t>(seconds)));
  return json_text(out);
}

inline std::string tail(std::uint64_t seconds, const std::string& type) {
  return ",\"time\":" + time(seconds) + ",\"type\":" + json_text(type) + "}";
}

// Records in canonical order, with what search looks at. `more` is of members at the front, each with its comma.
inline std::string login(std::uint64_t seconds, const std::string& session, const std::string& account) {
  return "{\"account\":" + json_text(account) + ",\"client\":\"10.0.0.1:50" + std::to_string(seconds % 1000) +
         "\",\"connection\":\"shop\",\"connection_id\":7,\"listener\":\"main\",\"principal\":{\"issuer\":\"https://"
         "idp\","
         "\"subject\":" +
         json_text("subject of " + account) + "},\"seq\":1,\"session\":" + json_text(session) +
         tail(seconds, "login_accepted");
}

inline std::string command(std::uint64_t seconds, const std::string& session, std::uint64_t seq,
                           const std::string& text, const std::string& more = "") {
  return "{" + more + "\"command\":\"query\",\"seq\":" + std::to_string(seq) + ",\"session\":" + json_text(session) +
         ",\"text\":" + json_text(text) + tail(seconds, "command");
}

inline std::string outcome(std::uint64_t seconds, const std::string& session, std::uint64_t seq, std::uint64_t of,
                           const std::string& status, const std::string& reason = "") {
  return "{\"affected_rows\":0,\"bytes\":10,\"duration_us\":5,\"of\":" + std::to_string(of) +
         (reason.empty() ? "" : ",\"reason\":" + json_text(reason)) +
         ",\"results\":1,\"rows\":1,\"seq\":" + std::to_string(seq) + ",\"session\":" + json_text(session) +
         ",\"status\":" + json_text(status) + tail(seconds, "outcome");
}

inline std::string session_end(std::uint64_t seconds, const std::string& session, std::uint64_t seq) {
  return "{\"account\":\"\",\"reason\":\"client_quit\",\"seq\":" + std::to_string(seq) +
         ",\"session\":" + json_text(session) + tail(seconds, "session_end");
}

inline std::string segment_name(std::uint64_t first, const std::string& suffix) {
  std::string digits = std::to_string(first);
  return "records-" + std::string(20 - digits.size(), '0') + digits + suffix;
}

inline void write_open(const TestLog& log, std::uint64_t first, const std::vector<std::string>& records) {
  std::string lines;
  for (const std::string& record : records) {
    lines += record + "\n";
  }
  log.write(segment_name(first, ".jsonl"), lines);
}

// In frames of a few records, as a real segment's are of many.
inline void write_closed(const TestLog& log, std::uint64_t first, const std::vector<std::string>& records,
                         std::size_t frame) {
  std::string frames;
  for (std::size_t at = 0; at < records.size(); at += frame) {
    SegmentCompressor compressor{first, nullptr};
    for (std::size_t i = at; i < std::min(records.size(), at + frame); ++i) {
      compressor.add(records[i] + "\n", frames);
    }
    compressor.finish(frames);
  }
  log.write(segment_name(first, ".jsonl.zst"), frames);
}

}  // namespace sallyport::store::test
