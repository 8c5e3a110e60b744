#include "store/segment_closer.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "audit/range_json.h"
#include "audit/record.h"
#include "store/hand_overs.h"
#include "store/log_directory.h"
#include "store/log_records.h"
#include "store/segment_compressor.h"
#include "store/segment_reader.h"

namespace sallyport::store {
namespace {

constexpr std::size_t index_bytes_max = std::size_t{1} << 30;
constexpr std::size_t tree_file_bytes_max = 1U << 16;
// How often ages and sizes are looked at, and what failed is tried again.
constexpr Seconds round_interval{30};
// Loops and the sequencer come first.
constexpr int niceness = 10;

// The sessions that the segment before says go on.
std::optional<std::vector<SessionSummary>> sessions_before(const std::filesystem::path& directory,
                                                           std::uint64_t first) {
  auto listing = list_log(directory);
  std::optional<std::uint64_t> before;
  for (const SegmentEntry& entry : listing ? listing->segments : std::vector<SegmentEntry>{}) {
    if (entry.first < first && entry.has(SegmentFile::index)) {
      before = entry.first;
    }
  }
  if (!before) {
    return std::nullopt;
  }
  auto content = read_small_file(listing->file(SegmentFile::index, *before), index_bytes_max);
  auto index = content && content->has_value() ? EncodedIndex::open(*std::move(*content)) : std::nullopt;
  return index ? index->sessions() : std::nullopt;
}

FileResult<Unit> write_compressed(File& file, SegmentReader& from, SegmentCompressor& compressor,
                                  const std::function<bool()>& stopped) {
  std::string out;
  for (;;) {
    auto chunk = from.next();
    if (!chunk) {
      return Unexpected(FileError{std::move(chunk).error().text});
    }
    if (chunk->empty()) {
      compressor.finish(out);
    } else {
      compressor.add(chunk->lines, out);
    }
    auto done = out.empty() ? FileResult<Unit>(Unit{}) : file.write(out);
    out.clear();
    if (!done || stopped()) {
      return done;
    }
    if (chunk->empty()) {
      return file.sync();
    }
  }
}

}  // namespace

FileResult<Unit> compress_segment(FileSystem& files, const std::filesystem::path& directory, std::uint64_t first,
                                  const std::function<bool()>& stopped) {
  auto reader = SegmentReader::open(directory, first);
  if (!reader) {
    return Unexpected(FileError{std::move(reader).error().text});
  }
  if (reader->is_compressed()) {
    return Unit{};
  }
  auto compressed = directory / name_of(SegmentFile::compressed_records, first);
  auto made = compressed;
  made += ".tmp";
  auto file = files.open(made, OpenMode::replace);
  if (!file) {
    return Unexpected(std::move(file).error());
  }
  auto before = sessions_before(directory, first);
  SegmentCompressor compressor(first, before ? &*before : nullptr);
  auto done = write_compressed(**file, *reader, compressor, stopped);
  if (!done || stopped()) {
    auto removed = files.remove(made);
    return done ? removed : done;
  }
  done = files.rename(made, compressed);
  if (done) {
    done = replace_file(files, directory / name_of(SegmentFile::index, first), encode_index(compressor.index()));
  }
  if (done) {
    done = files.sync_directory(directory);
  }
  return done ? files.remove(directory / name_of(SegmentFile::records, first)) : done;
}

PruneBounds bounds_of(const audit::RetentionSettings& retention, WallTime now) {
  return {.before = retention.age.count() != 0 ? std::optional(now - retention.age) : std::nullopt,
          .bytes = retention.bytes};
}

Result<PrunePlan, std::string> plan_pruning(const std::filesystem::path& directory, const PruneBounds& bounds) {
  PrunePlan plan;
  auto listing = list_log(directory);
  if (!listing) {
    return Unexpected(std::move(listing).error());
  }
  std::string oldest;
  if (bounds.before) {
    audit::append_time(oldest, *bounds.before);
  }
  std::vector<std::uint64_t> sizes;
  std::uint64_t total = 0;
  for (const SegmentEntry& entry : listing->segments) {
    std::uint64_t size = 0;
    for (auto kind :
         {SegmentFile::records, SegmentFile::compressed_records, SegmentFile::index, SegmentFile::answers}) {
      std::error_code error;
      auto bytes = entry.has(kind) ? std::filesystem::file_size(listing->file(kind, entry.first), error) : 0;
      size += error ? 0 : bytes;
    }
    sizes.push_back(size);
    total += size;
  }
  for (std::size_t i = 0; i < listing->segments.size(); ++i) {
    const SegmentEntry& entry = listing->segments[i];
    if (!entry.has_records() && entry.has(SegmentFile::tree)) {
      continue;  // was deleted before
    }
    if (!entry.has(SegmentFile::tree) || entry.has(SegmentFile::records)) {
      break;
    }
    auto text = read_small_file(listing->file(SegmentFile::tree, entry.first), tree_file_bytes_max);
    auto segment = text && text->has_value() ? audit::parse_segment_range(**text) : std::nullopt;
    if (!segment) {
      return Unexpected(name_of(SegmentFile::tree, entry.first) + " is damaged");
    }
    if (segment->range.end > bounds.needed) {
      break;
    }
    bool old = bounds.before && segment->time_last < oldest;
    bool large = bounds.bytes != 0 && total > bounds.bytes;
    std::string_view reason = old ? "age" : "size";
    if (!(old || large) || (!plan.segments.empty() && plan.reason != reason)) {
      break;
    }
    if (plan.segments.empty()) {
      plan.first = entry.first;
      plan.time_first = segment->time_first;
    }
    plan.time_last = segment->time_last;
    plan.bytes += sizes[i];
    plan.end = segment->range.end;
    plan.reason = reason;
    plan.segments.push_back(entry.first);
    total -= sizes[i];
  }
  return plan;
}

SegmentCloser::SegmentCloser(Parts parts) : parts_(std::move(parts)) {}

void SegmentCloser::add(std::uint64_t first) {
  std::lock_guard lock(mutex_);
  waiting_.insert(first);
  changed_.notify_all();
}

void SegmentCloser::keep_from(std::uint64_t needed) {
  needed_.store(needed, std::memory_order_release);
}

void SegmentCloser::set_retention(const audit::RetentionSettings& retention) {
  std::lock_guard lock(mutex_);
  retention_changed_ = retention_changed_ || parts_.retention != retention;
  parts_.retention = retention;
  changed_.notify_all();
}

void SegmentCloser::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

bool SegmentCloser::stopped() {
  std::lock_guard lock(mutex_);
  return stopped_;
}

void SegmentCloser::run() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    std::set<std::uint64_t> due = waiting_;
    audit::RetentionSettings retention = parts_.retention;
    std::vector<Order> orders = std::exchange(orders_, {});
    retention_changed_ = false;
    lock.unlock();
    for (std::uint64_t first : due) {
      compress(first);
    }
    if (retention != audit::RetentionSettings{}) {
      auto done = delete_segments([&](WallTime now) { return bounds_of(retention, now); }, {});
      if (!done && !stopped()) {
        parts_.report(done.error());
      }
    }
    carry_out(std::move(orders));
    lock.lock();
    // What could not be compressed is tried again, after a while.
    changed_.wait_for(lock, round_interval, [&] {
      return stopped_ || retention_changed_ || !orders_.empty() ||
             std::any_of(waiting_.begin(), waiting_.end(), [&](std::uint64_t first) { return !due.contains(first); });
    });
  }
  ended_ = true;
  std::vector<Order> orders = std::exchange(orders_, {});
  lock.unlock();
  carry_out(std::move(orders));
}

void SegmentCloser::compress(std::uint64_t first) {
  auto done = compress_segment(parts_.files, parts_.directory, first, [this] { return stopped(); });
  if (!done) {
    parts_.report(done.error().text);
    return;
  }
  std::lock_guard lock(mutex_);
  waiting_.erase(first);
}

// The records last: a segment that has them is deleted again, should this be cut off.
FileResult<Unit> SegmentCloser::remove_segment(std::uint64_t first) {
  for (auto kind : {SegmentFile::answers, SegmentFile::index, SegmentFile::compressed_records}) {
    if (auto removed = parts_.files.remove(parts_.directory / name_of(kind, first)); !removed) {
      return removed;
    }
  }
  doomed_.erase(first);
  return Unit{};
}

// On record before it is gone, with its changes of key kept, and once, however often a file can't be removed.
Result<Pruned, std::string> SegmentCloser::delete_segments(const std::function<PruneBounds(WallTime)>& bounds,
                                                           const std::string& operator_name) {
  Pruned pruned;
  while (!stopped()) {
    WallTime now = std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now());
    PruneBounds kept = bounds(now);
    kept.needed = std::min(kept.needed, needed_.load(std::memory_order_acquire));
    auto plan = plan_pruning(parts_.directory, kept);
    if (!plan) {
      return Unexpected(std::move(plan).error());
    }
    if (plan->segments.empty()) {
      return pruned;
    }
    auto lost = keep_hand_overs(parts_.files, parts_.directory, plan->end);
    if (!lost) {
      return Unexpected(std::move(lost).error());
    }
    if (*lost) {
      parts_.report(**lost);
    }
    bool has_fresh = std::any_of(plan->segments.begin(), plan->segments.end(),
                                 [&](std::uint64_t first) { return !doomed_.contains(first); });
    if (has_fresh) {
      PrunedRecord record{.end = plan->end, .operator_name = operator_name, .reason = plan->reason};
      if (!parts_.record(to_line(record, now))) {
        break;
      }
    }
    doomed_.insert(plan->segments.begin(), plan->segments.end());
    FileResult<Unit> done = Unit{};
    for (std::uint64_t first : plan->segments) {
      if (auto removed = remove_segment(first); !removed) {
        done = std::move(removed);
      }
    }
    if (!done) {
      return Unexpected(std::move(done).error().text);
    }
    pruned.push_back(std::move(plan).value());
  }
  return Unexpected(std::string("the audit log was closed meanwhile"));
}

Result<Pruned, std::string> SegmentCloser::prune(const PruneBounds& bounds, std::string operator_name) {
  std::future<Result<Pruned, std::string>> done;
  {
    std::lock_guard lock(mutex_);
    if (ended_) {
      return Unexpected(std::string("the audit log is closed"));
    }
    orders_.push_back({.bounds = bounds, .operator_name = std::move(operator_name), .done = {}});
    done = orders_.back().done.get_future();
    changed_.notify_all();
  }
  return done.get();
}

void SegmentCloser::carry_out(std::vector<Order> orders) {
  for (Order& order : orders) {
    order.done.set_value(delete_segments([&](WallTime) { return order.bounds; }, order.operator_name));
  }
}

}  // namespace sallyport::store
