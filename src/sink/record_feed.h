// Reads the records of a log that are on the disk, in portions, for a sink.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/log_follower.h"

namespace sallyport::sink {

struct FeedRecord {
  std::uint64_t index = 0;
  std::string_view text;  // without its line end
};

class RecordFeed {
 public:
  explicit RecordFeed(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // What is read next is that record. Cheap where that is next anyway.
  void go_to(std::uint64_t index);

  // The next record before `end`; nothing when there is none. The view lives until the next call.
  // The error is a sentence: the log can't be read now, or the record was deleted.
  Result<std::optional<FeedRecord>, std::string> next(const store::LogEnd& end);

  // The record that next() gave last comes again. Before any other call.
  void put_back();

  // After an error: the first record that is there behind deleted ones, if that is what it says.
  std::optional<std::uint64_t> deleted_until() const { return deleted_until_; }

  std::uint64_t position() const { return position_; }

  // The oldest record that is there; nothing when there is none, or when that can't be told.
  std::optional<std::uint64_t> oldest() const;

 private:
  std::filesystem::path directory_;
  std::uint64_t position_ = 0;
  std::optional<store::LogFollower> follower_;
  std::optional<std::uint64_t> deleted_until_;
  std::string_view lines_;  // that were read, and not handed out
  std::string_view last_;   // before them: with what was handed out last
};

// About how many bytes of record files the log keeps for who has read up to `next`.
std::uint64_t bytes_behind(const std::filesystem::path& directory, std::uint64_t next, const store::LogEnd& end);

}  // namespace sallyport::sink
