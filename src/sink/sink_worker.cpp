#include "sink/sink_worker.h"

#include <algorithm>
#include <array>
#include <utility>

#include "audit/record_members.h"
#include "audit/tree.h"
#include "base/hex.h"
#include "base/thread_name.h"
#include "crypto/random.h"
#include "store/log_records.h"

namespace sallyport::sink {
namespace {

constexpr Milliseconds poll_interval{100};
constexpr Milliseconds save_interval{1000};
constexpr Milliseconds measure_interval{1000};
constexpr Milliseconds told_interval{60'000};  // of lines of a kind
// Of records that no message is made of, so that a filter does not keep the thread from its other duties.
constexpr std::uint64_t records_looked_at_max = 20'000;
// By which what is delivered at once grows again with each batch, where it was too large for the receiver.
constexpr std::uint64_t batch_growth_bytes = 1U << 12;

MonoTime mono_now() {
  return std::chrono::steady_clock::now();
}

WallTime wall_now() {
  return std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now());
}

std::uint64_t any_number() {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
  crypto::random_bytes(bytes);
  std::uint64_t number = 0;
  for (std::uint8_t byte : bytes) {
    number = number << 8 | byte;
  }
  return number;
}

std::string leaf_of(std::string_view record) {
  audit::Hash hash = audit::leaf_hash(record);
  return to_hex(hash);
}

}  // namespace

SinkWorker::SinkWorker(Parts parts)
    : parts_(std::move(parts)),
      receiver_(parts_.make_receiver(parts_.settings, halt_)),
      finder_(parts_.directory),
      formatter_(parts_.settings, parts_.origin, [this](const std::string& session) { return finder_.find(session); }),
      feed_(parts_.directory),
      cursor_(find_cursor()),
      batch_bytes_max_(parts_.settings.batch_bytes_max),
      start_(cursor_.start) {
  status_.name = parts_.settings.name;
  status_.kind = std::string(kind_of(parts_.settings));
  next_.store(cursor_.next, std::memory_order_release);
  set_needed();
  rewind();
}

// Why a cursor can't be one of this log as it is; empty when it may be.
std::string SinkWorker::fault_of(const Cursor& cursor, std::uint64_t end) const {
  if (cursor.next > end || cursor.start > end) {
    return "its cursor is behind the end of the log, which has " + std::to_string(end) + " records";
  }
  if (!cursor.origin.empty() && cursor.origin != parts_.origin) {
    return "its cursor is of the log " + cursor.origin;
  }
  if (cursor.leaf.empty() || cursor.next == 0) {
    return {};
  }
  RecordFeed feed(parts_.directory);
  feed.go_to(cursor.next - 1);
  auto record = feed.next(parts_.log.end());
  bool differs = record && *record && leaf_of((*record)->text) != cursor.leaf;
  return differs ? "the log has another record " + std::to_string(cursor.next - 1) + " than was delivered" : "";
}

// One that can't be used is as none, but for this: nothing may be missed then, so all that there is counts.
Cursor SinkWorker::find_cursor() {
  std::uint64_t end = parts_.log.end().records;
  auto loaded = load_cursor(parts_.directory, parts_.settings.name);
  std::string fault = loaded ? std::string{} : loaded.error();
  if (loaded && *loaded) {
    fault = fault_of(**loaded, end);
    if (fault.empty()) {
      saved_ = **loaded;
      return **loaded;
    }
  }
  if (!fault.empty()) {
    parts_.tell({.kind = SinkEvent::Kind::anew, .sink = parts_.settings.name, .text = fault});
  } else if (parts_.settings.from == Begin::end) {
    return {.first = end, .next = end, .start = end, .needed = end};
  }
  std::uint64_t oldest = feed_.oldest().value_or(0);  // what was deleted before is not this sink's loss
  return {.first = oldest, .next = oldest, .start = end, .needed = oldest};
}

SinkWorker::~SinkWorker() {
  ask_to_stop(MonoTime{});
  join();
}

void SinkWorker::start() {
  thread_ = std::thread([this] { run(); });
}

void SinkWorker::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

SinkStatus SinkWorker::status() const {
  std::lock_guard lock(status_mutex_);
  SinkStatus status = status_;
  std::uint64_t end = parts_.log.end().records;
  std::uint64_t next = next_.load(std::memory_order_acquire);
  status.behind_records = end - std::min(end, next);
  status.behind_bytes = status.behind_records == 0 ? 0 : status.behind_bytes;
  return status;
}

// Nothing is delivered before it is certain where the sink began.
void SinkWorker::begin() {
  while (!saved_ && !halt_.is_asked()) {
    save(mono_now());
    if (!saved_) {
      halt_.nap(save_interval);
    }
  }
}

void SinkWorker::run() {
  name_this_thread("sink " + parts_.settings.name);
  begin();
  while (!halt_.is_due()) {
    std::uint64_t seen = batch_.empty() ? feed_.position() : UINT64_MAX;
    store::LogEnd end = seen == UINT64_MAX ? parts_.log.end() : parts_.log.wait_for_more(seen, poll_interval);
    step(end);
    MonoTime now = mono_now();
    tell_what_is_so(now);
    measure(end, now);
    save_if_due(now);
    bool has_more = !batch_.empty() || cursor_.next < parts_.log.end().records;
    if (halt_.is_asked() && (!has_more || now < retry_at_)) {
      break;
    }
    if (now < retry_at_) {
      halt_.nap(std::min(poll_interval, std::chrono::ceil<Milliseconds>(retry_at_ - now)));
    }
  }
  save(mono_now());
}

void SinkWorker::step(const store::LogEnd& end) {
  if (drop_what_is_beyond(end) || mono_now() < retry_at_) {
    return;
  }
  std::uint64_t begun = feed_.position();
  if (batch_.empty() && !collect(end)) {
    return;
  }
  if (!batch_.empty()) {
    deliver();
  } else if (batch_end_ > begun) {
    advance_to(batch_end_);  // nothing of it is for this sink
  } else {
    be_idle(end);
  }
}

// False when the log could not be read.
bool SinkWorker::collect(const store::LogEnd& end) {
  std::uint64_t bytes = 0;
  std::uint64_t looked_at = 0;
  std::string last;
  while (batch_.size() < parts_.settings.batch_records_max && looked_at < records_looked_at_max) {
    auto record = feed_.next(end);
    if (!record) {
      if (batch_.empty()) {
        take_feed_error(record.error());
        return false;
      }
      break;
    }
    if (!*record) {
      break;
    }
    ++looked_at;
    if (takes((*record)->text)) {
      Message message = formatter_.message((*record)->index, (*record)->text, message_bytes_max_);
      bytes += message.text.size() + 1;
      if (bytes > batch_bytes_max_ && !batch_.empty()) {
        feed_.put_back();
        break;
      }
      batch_.push_back(std::move(message));
    } else {
      formatter_.pass((*record)->text);
    }
    last = (*record)->text;
  }
  batch_end_ = feed_.position();
  if (looked_at > 0 && batch_end_ > cursor_.next) {
    batch_leaf_ = leaf_of(last);
  }
  return true;
}

bool SinkWorker::takes(std::string_view record) const {
  const auto& types = parts_.settings.types;
  if (types.empty()) {
    return true;
  }
  std::string type = audit::string_of(audit::member_value(record, "type"));
  return std::find(types.begin(), types.end(), type) != types.end();
}

void SinkWorker::take_feed_error(const std::string& error) {
  auto until = feed_.deleted_until();
  if (!until) {
    failed({.kind = DeliveryError::Kind::unreachable, .text = "the log can't be read: " + error, .retry_after = {}});
  } else {
    drop_until(*until, "deleted");  // also what was acknowledged: it was to be delivered once more
  }
}

void SinkWorker::deliver() {
  auto done = receiver_->deliver(batch_);
  if (!done) {
    if (halt_.is_due()) {
      return;
    }
    if (done.error().kind != DeliveryError::Kind::too_large || !deliver_less()) {
      failed(done.error());
    }
    return;
  }
  message_bytes_max_ = SIZE_MAX;
  batch_bytes_max_ = std::min(batch_bytes_max_ + batch_growth_bytes, parts_.settings.batch_bytes_max);
  {
    std::lock_guard lock(status_mutex_);
    status_.delivered += batch_.size();
  }
  resend_.acknowledged(batch_.front().index, batch_.size());
  batch_.clear();
  has_delivered_ = true;
  advance_to(batch_end_);
}

// What is only sent once more, and may be lost again, is no success yet.
void SinkWorker::advance_to(std::uint64_t end) {
  if (end > cursor_.next) {
    cursor_.leaf = batch_leaf_;
  }
  move_to(end);
  if (end >= resend_.end() && std::exchange(has_delivered_, false)) {
    succeeded();
  }
}

// Half of what was too large: of messages, or of the only one. False when there is no less.
bool SinkWorker::deliver_less() {
  std::uint64_t bytes = 0;
  for (const Message& message : batch_) {
    bytes += message.text.size() + 1;
  }
  if (batch_.size() > 1) {
    batch_bytes_max_ = bytes / 2;
  } else if (bytes / 2 >= cut_text_bytes_least) {
    message_bytes_max_ = bytes / 2;
  } else {
    return false;
  }
  feed_.go_to(batch_.front().index);
  batch_.clear();
  return true;
}

void SinkWorker::be_idle(const store::LogEnd& /*end*/) {
  if (auto done = receiver_->idle(); !done && !halt_.is_asked()) {
    failed(done.error());
  }
}

void SinkWorker::move_to(std::uint64_t next) {
  if (next <= cursor_.next) {
    return;
  }
  cursor_.next = next;
  next_.store(next, std::memory_order_release);
  parts_.moved();
}

void SinkWorker::succeeded() {
  backoff_.succeeded();
  retry_at_ = {};
  state_ = SinkEvent::Kind::delivers;
  std::lock_guard lock(status_mutex_);
  status_.failing = false;
  status_.failure.clear();
  status_.last_success_seconds = static_cast<double>(wall_now().time_since_epoch().count()) / 1e9;
}

void SinkWorker::failed(const DeliveryError& error) {
  bool is_away = error.kind == DeliveryError::Kind::unreachable;
  bool goes_on = is_away && resend_.is_halfway();
  if (goes_on) {
    backoff_.succeeded();
  }
  retry_at_ = mono_now() + backoff_.failed(error, any_number());
  state_ = is_away ? SinkEvent::Kind::fails : SinkEvent::Kind::refused;
  {
    std::lock_guard lock(status_mutex_);
    ++status_.failures;
    status_.failing = true;
    status_.failure = error.text;
  }
  if (receiver_->uncertain_records() == 0) {
    return;
  }
  if (goes_on) {
    read_from(resend_.read_until());
    resend_.begin(resend_.read_until(), resend_.end());
  } else if (resend_.has_begun() || resend_.from() != taken_until()) {
    rewind();
  }
}

// When it begins, and failures once in a while as long as they go on; never more lines than that.
void SinkWorker::tell_what_is_so(MonoTime now) {
  if (!state_) {
    return;
  }
  bool delivers = *state_ == SinkEvent::Kind::delivers;
  std::optional<MonoTime>& told_at = delivers ? told_delivers_at_ : told_fails_at_;
  if ((delivers && told_ == state_) || (told_at && now - *told_at < told_interval)) {
    return;
  }
  told_at = now;
  told_ = state_;
  parts_.tell({.kind = *state_, .sink = parts_.settings.name, .text = delivers ? std::string{} : failure()});
}

std::string SinkWorker::failure() const {
  std::lock_guard lock(status_mutex_);
  return status_.failure;
}

void SinkWorker::rewind() {
  read_from(taken_until());
  resend_.begin(taken_until(), cursor_.next);
}

void SinkWorker::read_from(std::uint64_t index) {
  batch_.clear();
  has_delivered_ = false;
  feed_.go_to(index);
}

// Up to there what was acknowledged is certain to have been taken.
std::uint64_t SinkWorker::taken_until() const {
  return cursor_.next - std::min(receiver_->uncertain_records(), cursor_.next - cursor_.first);
}

// Whether something was dropped.
bool SinkWorker::drop_what_is_beyond(const store::LogEnd& end) {
  const SinkSettings& settings = parts_.settings;
  if (settings.when_behind != WhenBehind::drop || end.records <= counts_from() + settings.behind_records_max) {
    return false;
  }
  return drop_until(end.records - settings.behind_records_max / 2, "behind");
}

// On record before the cursor moves: after a crash in between the record says too much, never too little.
bool SinkWorker::drop_until(std::uint64_t end, std::string_view reason) {
  store::SinkDroppedRecord record{.sink = parts_.settings.name, .first = taken_until(), .end = end, .reason = reason};
  if (!parts_.record(to_line(record, wall_now()), [this] { return halt_.is_due(); })) {
    halt_.nap(poll_interval);  // the log ends
    return false;
  }
  {
    std::lock_guard lock(status_mutex_);
    status_.dropped += record.end - record.first;
  }
  parts_.tell({.kind = SinkEvent::Kind::dropped,
               .sink = record.sink,
               .text = "records " + std::to_string(record.first) + " to " + std::to_string(record.end - 1)});
  cursor_.first = end;
  if (end > cursor_.next) {
    cursor_.leaf.clear();
  }
  move_to(end);
  save(mono_now());
  rewind();
  return true;
}

void SinkWorker::save_if_due(MonoTime now) {
  if (now - saved_at_ >= save_interval) {
    save(now);
  }
}

void SinkWorker::save(MonoTime now) {
  cursor_.needed = taken_until();
  cursor_.origin = parts_.origin;
  if (saved_ == cursor_) {
    return;
  }
  saved_at_ = now;
  auto saved = save_cursor(parts_.files, parts_.directory, parts_.settings.name, cursor_, wall_now());
  if (!saved) {
    std::lock_guard lock(status_mutex_);
    ++status_.failures;
    status_.failure = saved.error().text;
    return;
  }
  saved_ = cursor_;
  set_needed();
  parts_.moved();
}

void SinkWorker::set_needed() {
  std::uint64_t needed = saved_ ? std::min(saved_->needed, taken_until()) : taken_until();
  needed_.store(needed, std::memory_order_release);
}

void SinkWorker::measure(const store::LogEnd& end, MonoTime now) {
  if (now - measured_at_ < measure_interval) {
    return;
  }
  measured_at_ = now;
  std::uint64_t bytes = bytes_behind(parts_.directory, cursor_.next, end);
  std::lock_guard lock(status_mutex_);
  status_.behind_bytes = bytes;
}

}  // namespace sallyport::sink
