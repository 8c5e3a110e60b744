// Writes the open segment, keeps the tree over all records, and begins the next segment. docs/audit-format.md has the
// files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "audit/tree.h"
#include "store/file.h"
#include "store/log_directory.h"

namespace sallyport::store {

// What is known of a log up to one of its records.
struct LogPosition {
  audit::Tree tree;             // over all records
  audit::RangeTree segment{0};  // over those of the open segment
  std::uint64_t segment_bytes = 0;
  std::uint64_t answers_bytes = 0;  // of the segment's file of answers
  std::string time_first;           // of the segment's first record, empty while there is none
  std::string time_last;
};

class SegmentWriter {
 public:
  // Goes on behind `position`, where the open segment, if there is a file of it, is cut.
  SegmentWriter(FileSystem& files, std::filesystem::path directory, LogPosition position);

  // Whole records with their line ends. They are in written() then, and in synced() after the next sync(). After an
  // error of one of the two, rewind() is next, and what was not synced is to be written again.
  FileResult<Unit> write(std::string_view lines);
  // Pieces of answers, likewise.
  FileResult<Unit> write_answers(std::string_view pieces);
  FileResult<Unit> sync();
  void rewind();

  const LogPosition& written() const { return written_; }
  const LogPosition& synced() const { return synced_; }
  std::uint64_t unsynced_bytes() const {
    return written_.segment_bytes - synced_.segment_bytes + written_.answers_bytes - synced_.answers_bytes;
  }
  bool has_unsynced() const {
    return written_.tree.size() != synced_.tree.size() || written_.answers_bytes != synced_.answers_bytes;
  }

  // Closes the segment, which has at least one record and is synced: writes tree-FIRST.json and begins the next one.
  // After an error the segment is still open, and this can be called again.
  FileResult<Unit> begin_next();

 private:
  FileResult<std::unique_ptr<File>> open(SegmentFile kind, std::uint64_t size);

  FileSystem& files_;
  std::filesystem::path directory_;
  std::unique_ptr<File> file_;     // null until it is opened, and when what it holds is not certain
  std::unique_ptr<File> answers_;  // likewise; most logs have none
  LogPosition written_;
  LogPosition synced_;
};

}  // namespace sallyport::store
