// A log in a directory of its own, and what its files say.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "audit/checkpoint.h"
#include "audit/range_json.h"
#include "store/audit_log.h"
#include "store/faulty_files.h"
#include "store/log_directory.h"
#include "store/segment_reader.h"
#include "store/signing_key.h"

namespace sallyport::store {

class AuditLogFixture : public testing::Test {
 protected:
  AuditLogFixture() {
    char name[] = "/tmp/sallyport-audit-XXXXXX";
    root_ = ::mkdtemp(name);
    settings_ = {.directory = root_ / "log",
                 .origin = "test.example/log",
                 .signing_key = root_ / "audit.key",
                 .stall_limit = Milliseconds{300},
                 .journal_bytes = 1U << 16};
    std::filesystem::create_directories(settings_.directory);
    files_ = std::make_unique<FaultyFiles>(settings_.directory);
  }
  ~AuditLogFixture() override {
    log_.reset();
    std::filesystem::remove_all(root_);
  }

  static MonoTime now() { return std::chrono::steady_clock::now(); }

  std::string open(std::uint32_t loops = 2) {
    auto log = AuditLog::open({.settings = settings_, .loops = loops, .version = "1.2.3", .files = *files_});
    if (!log) {
      return log.error();
    }
    log_ = std::move(log).value();
    log_->start();
    return {};
  }
  // Puts an end to the log without what it writes at its end, and starts with the files as they are.
  void kill() {
    files_->cut_power_after(0);
    log_.reset();
    files_ = std::make_unique<FaultyFiles>(settings_.directory);
  }

  static std::string record(const std::string& text) {
    return "{\"seq\":" + text + ",\"time\":\"2026-01-31T12:34:56.000000789Z\",\"type\":\"command\"}\n";
  }
  LoopJournal::Commit commit(const std::string& text, std::uint32_t loop = 0) {
    if (!log_->journal(loop).append(record(text))) {
      return LoopJournal::Commit::failed;
    }
    return log_->journal(loop).commit(now());
  }
  // True when it is settled, false when the log fails first.
  bool wait(std::uint32_t loop = 0) {
    LoopJournal& journal = log_->journal(loop);
    MonoTime began = now();
    for (MonoTime end = began + Seconds{60}; now() < end; std::this_thread::sleep_for(Milliseconds{1})) {
      if (journal.settled() >= journal.last_commit()) {
        journal.waited();
        return true;
      }
      if (journal.failing(began, now())) {
        journal.waited();
        return false;
      }
    }
    ADD_FAILURE() << "neither settled nor failed";
    return false;
  }
  bool committed(const std::string& text, std::uint32_t loop = 0) {
    switch (commit(text, loop)) {
      case LoopJournal::Commit::done:
        return true;
      case LoopJournal::Commit::failed:
        return false;
      case LoopJournal::Commit::waits:
        break;
    }
    return wait(loop);
  }
  template <typename Condition>
  static bool eventually(Condition condition) {
    for (MonoTime end = now() + Seconds{10}; now() < end; std::this_thread::sleep_for(Milliseconds{1})) {
      if (condition()) {
        return true;
      }
    }
    return false;
  }

  // All records of the log; checks hashes of segments and the newest checkpoint on the way.
  std::vector<std::string> records() {
    std::vector<std::string> found;
    auto listing = list_log(settings_.directory);
    EXPECT_TRUE(listing);
    audit::Tree tree;
    std::map<std::uint64_t, audit::Hash> roots{{0, tree.root()}};
    for (const SegmentEntry& entry : listing->segments) {
      EXPECT_EQ(entry.first, tree.size());
      audit::RangeTree range(entry.first);
      if (entry.has_records()) {
        auto reader = SegmentReader::open(settings_.directory, entry.first);
        EXPECT_TRUE(reader) << reader.error().text;
        for (auto chunk = reader->next(); chunk && !chunk->empty(); chunk = reader->next()) {
          std::istringstream lines{std::string(chunk->lines)};
          for (std::string line; std::getline(lines, line);) {
            tree.append(audit::leaf_hash(line));
            range.append(audit::leaf_hash(line));
            roots[tree.size()] = tree.root();
            found.push_back(line);
          }
        }
        EXPECT_EQ(reader->unfinished(), "");
      }
      if (entry.has(SegmentFile::tree)) {
        auto text = read_small_file(listing->file(SegmentFile::tree, entry.first), 1 << 16);
        auto segment = audit::parse_segment_range(text->value_or(""));
        EXPECT_TRUE(segment);
        if (entry.has_records()) {
          EXPECT_EQ(segment->range, range.range());
        } else {
          EXPECT_TRUE(tree.append_range(segment->range));
          roots[tree.size()] = tree.root();
        }
      }
    }
    check_checkpoints(roots);
    return found;
  }
  void check_checkpoints(const std::map<std::uint64_t, audit::Hash>& roots) {
    auto key = load_signing_key(settings_.signing_key, settings_.origin);
    ASSERT_TRUE(key);
    auto text = read_small_file(settings_.directory / "checkpoint", 1 << 16);
    ASSERT_TRUE(text && text->has_value());
    auto checkpoint = audit::open(**text, std::span{&key->verifier_key(), 1});
    ASSERT_TRUE(checkpoint) << describe(checkpoint.error());
    auto root = roots.find(checkpoint->size);
    ASSERT_NE(root, roots.end()) << checkpoint->size;
    EXPECT_EQ(root->second, checkpoint->root);
  }
  std::vector<std::string> types() {
    std::vector<std::string> found;
    for (const std::string& line : records()) {
      std::size_t at = line.find("\"type\":\"") + 8;
      found.push_back(line.substr(at, line.find('"', at) - at));
    }
    return found;
  }
  std::size_t count(const std::vector<std::string>& lines, const std::string& text) {
    return static_cast<std::size_t>(
        std::count(lines.begin(), lines.end(), record(text).substr(0, record(text).size() - 1)));
  }
  // Whether an open form has the text, while it is written.
  bool log_has(const std::string& text) {
    auto listing = list_log(settings_.directory);
    for (const SegmentEntry& entry : listing->segments) {
      if (path_text(name_of(SegmentFile::records, entry.first)).find(text) != std::string::npos) {
        return true;
      }
    }
    return false;
  }
  std::string path_text(std::string_view name) {
    std::ifstream file(settings_.directory / std::string(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  std::filesystem::path root_;
  audit::AuditSettings settings_;
  std::unique_ptr<FaultyFiles> files_;
  std::unique_ptr<AuditLog> log_;
};

}  // namespace sallyport::store
