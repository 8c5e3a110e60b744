#include "store/segment_writer.h"

#include "audit/range_json.h"
#include "base/check.h"
#include "store/log_directory.h"
#include "store/log_records.h"

namespace sallyport::store {

SegmentWriter::SegmentWriter(FileSystem& files, std::filesystem::path directory, LogPosition position)
    : files_(files), directory_(std::move(directory)), written_(std::move(position)), synced_(written_) {}

FileResult<Unit> SegmentWriter::open() {
  auto file = files_.open(directory_ / name_of(SegmentFile::records, written_.segment.range().first), OpenMode::append);
  if (!file) {
    return Unexpected(std::move(file).error());
  }
  // Cuts what was not synced, or what a write that failed has left.
  if (auto cut = (*file)->truncate(written_.segment_bytes); !cut) {
    return cut;
  }
  if (auto named = files_.sync_directory(directory_); !named) {
    return named;
  }
  file_ = std::move(file).value();
  return Unit{};
}

FileResult<Unit> SegmentWriter::write(std::string_view lines) {
  SALLYPORT_CHECK(!lines.empty() && lines.back() == '\n');
  if (file_ == nullptr) {
    if (auto opened = open(); !opened) {
      return opened;
    }
  }
  if (auto done = file_->write(lines); !done) {
    return done;
  }
  written_.segment_bytes += lines.size();
  std::string_view record;
  if (written_.time_first.empty()) {
    written_.time_first = time_of_record(lines.substr(0, lines.find('\n')));
  }
  while (!lines.empty()) {
    std::size_t end = lines.find('\n');
    record = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    audit::Hash leaf = audit::leaf_hash(record);
    written_.tree.append(leaf);
    written_.segment.append(leaf);
  }
  written_.time_last = time_of_record(record);
  return Unit{};
}

FileResult<Unit> SegmentWriter::sync() {
  if (!has_unsynced()) {
    return Unit{};
  }
  if (auto done = file_->sync(); !done) {
    return done;
  }
  synced_ = written_;
  return Unit{};
}

void SegmentWriter::rewind() {
  written_ = synced_;
  file_.reset();
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
  written_.segment_bytes = 0;
  written_.time_first.clear();
  written_.time_last.clear();
  synced_ = written_;
  return Unit{};
}

}  // namespace sallyport::store
