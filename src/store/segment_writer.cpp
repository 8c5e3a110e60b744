#include "store/segment_writer.h"

#include "audit/range_json.h"
#include "base/check.h"
#include "store/log_directory.h"
#include "store/log_records.h"

namespace sallyport::store {

SegmentWriter::SegmentWriter(FileSystem& files, std::filesystem::path directory, LogPosition position)
    : files_(files), directory_(std::move(directory)), written_(std::move(position)), synced_(written_) {}

FileResult<std::unique_ptr<File>> SegmentWriter::open(SegmentFile kind, std::uint64_t size) {
  auto file = files_.open(directory_ / name_of(kind, written_.segment.range().first), OpenMode::append);
  if (!file) {
    return file;
  }
  // Cuts what was not synced, or what a write that failed has left.
  if (auto cut = (*file)->truncate(size); !cut) {
    return Unexpected(std::move(cut).error());
  }
  if (auto named = files_.sync_directory(directory_); !named) {
    return Unexpected(std::move(named).error());
  }
  return file;
}

FileResult<Unit> SegmentWriter::write_answers(std::string_view pieces) {
  if (answers_ == nullptr) {
    auto opened = open(SegmentFile::answers, written_.answers_bytes);
    if (!opened) {
      return Unexpected(std::move(opened).error());
    }
    answers_ = std::move(opened).value();
  }
  auto done = answers_->write(pieces);
  if (done) {
    written_.answers_bytes += pieces.size();
  }
  return done;
}

FileResult<Unit> SegmentWriter::write(std::string_view lines) {
  SALLYPORT_CHECK(!lines.empty() && lines.back() == '\n');
  if (file_ == nullptr) {
    auto opened = open(SegmentFile::records, written_.segment_bytes);
    if (!opened) {
      return Unexpected(std::move(opened).error());
    }
    file_ = std::move(opened).value();
  }
  if (auto done = file_->write(lines); !done) {
    return done;
  }
  written_.segment_bytes += lines.size();
  std::string_view record;
  if (written_.time_first.empty()) {
    written_.time_first = time_of_record(lines.substr(0, lines.find('\n')));
  }
  // Both trees take their common part as it is, so that its nodes are hashed once.
  audit::RangeTree added{written_.tree.size()};
  while (!lines.empty()) {
    std::size_t end = lines.find('\n');
    record = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    added.append(audit::leaf_hash(record));
  }
  SALLYPORT_CHECK(written_.tree.append_range(added.range()) && written_.segment.append_range(added.range()));
  written_.time_last = time_of_record(record);
  return Unit{};
}

FileResult<Unit> SegmentWriter::sync() {
  if (!has_unsynced()) {
    return Unit{};
  }
  // The pieces of an answer before the record of its outcome.
  if (written_.answers_bytes != synced_.answers_bytes) {
    if (auto done = answers_->sync(); !done) {
      return done;
    }
  }
  if (written_.tree.size() != synced_.tree.size()) {
    if (auto done = file_->sync(); !done) {
      return done;
    }
  }
  synced_ = written_;
  return Unit{};
}

void SegmentWriter::rewind() {
  written_ = synced_;
  file_.reset();
  answers_.reset();
}

FileResult<Unit> SegmentWriter::begin_next() {
  const audit::Range& range = synced_.segment.range();
  SALLYPORT_CHECK(!has_unsynced() && range.end > range.first);
  audit::SegmentRange closed{.range = range, .time_first = synced_.time_first, .time_last = synced_.time_last};
  if (auto done = replace_file(files_, directory_ / name_of(SegmentFile::tree, range.first), to_json_line(closed));
      !done) {
    return done;
  }
  auto next = files_.open(directory_ / name_of(SegmentFile::records, range.end), OpenMode::append);
  if (!next) {
    return Unexpected(std::move(next).error());
  }
  if (auto named = files_.sync_directory(directory_); !named) {
    return named;
  }
  file_ = std::move(next).value();
  written_.segment = audit::RangeTree(range.end);
  answers_.reset();
  written_.segment_bytes = 0;
  written_.answers_bytes = 0;
  written_.time_first.clear();
  written_.time_last.clear();
  synced_ = written_;
  return Unit{};
}

}  // namespace sallyport::store
