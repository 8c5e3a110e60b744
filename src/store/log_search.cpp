#include "store/log_search.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <deque>
#include <fstream>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "audit/record_members.h"
#include "store/log_directory.h"
#include "store/log_file.h"

namespace sallyport::store {
namespace {

using audit::number_of;
using audit::string_of;

// Blocks that one thread looks through at a time.
constexpr std::size_t part_blocks = 16;
// Enough of an index's file for most heads.
constexpr std::size_t head_bytes = 256U << 10;
constexpr std::size_t index_bytes_max = 1U << 30;

// Nothing when there is none that can be read.
std::optional<std::string> read_index(const std::filesystem::path& path) {
  auto content = read_small_file(path, index_bytes_max);
  return content ? std::move(*content) : std::nullopt;
}

std::optional<std::string> read_front(const std::filesystem::path& path, std::size_t bytes) {
  auto file = open_log_file(path);
  if (!file || file->bytes > index_bytes_max) {
    return std::nullopt;
  }
  std::string content(std::min<std::uint64_t>(bytes, file->bytes), '\0');
  ssize_t count = ::pread(file->descriptor.number(), content.data(), content.size(), 0);
  content.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return content;
}

std::optional<LogIndex> head_of(std::optional<std::string> content) {
  auto index = content ? EncodedIndex::open(std::move(*content)) : std::nullopt;
  return index ? index->head() : std::nullopt;
}

std::optional<LogIndex> read_head(const std::filesystem::path& path) {
  auto head = head_of(read_front(path, head_bytes));
  return head ? std::move(head) : head_of(read_index(path));
}

// As a whole or not at all. An index that can't be written is made again the next time.
void write_file(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::path made = path;
  made += ".new";
  std::error_code error;
  std::filesystem::remove(made, error);  // a pipe would be waited for
  bool written = static_cast<bool>(std::ofstream(made, std::ios::binary | std::ios::trunc) << content << std::flush);
  using std::filesystem::perms;
  std::filesystem::permissions(made, perms::owner_read | perms::owner_write | perms::group_read, error);
  if (written && !error) {
    std::filesystem::rename(made, path, error);
  }
  if (!written || error) {
    std::filesystem::remove(made, error);
  }
}

std::string damaged_index(const SegmentPath& segment) {
  return index_path(segment).string() + ": damaged; remove it, and it is made anew";
}

bool wants_outcomes_themselves(const LogQuery& query) {
  return !query.field(Field::type).empty() && matches_any(query.field(Field::type), "outcome");
}

bool is_in_page(const LogQuery& query, std::uint64_t number) {
  return !query.from_record ||
         (query.order == LogQuery::Order::oldest_first ? number >= *query.from_record : number <= *query.from_record);
}

SessionSummary identity_of(const SessionSummary& session) {
  SessionSummary who;
  who.id = session.id;
  who.account = session.account;
  who.subject = session.subject;
  who.connection = session.connection;
  who.role = session.role;
  who.client = session.client;
  who.user = session.user;
  return who;
}

void merge(SessionSummary& merged, const SessionSummary& more) {
  merged.account = more.account.empty() ? merged.account : more.account;
  merged.subject = more.subject.empty() ? merged.subject : more.subject;
  merged.connection = more.connection.empty() ? merged.connection : more.connection;
  merged.end = more.end;
  merged.end_reason = more.end_reason;
  merged.is_carried_on = more.is_carried_on;
  merged.time_max = std::max(merged.time_max, more.time_max);
  merged.records += more.records;
  merged.commands += more.commands;
  merged.denied += more.denied;
  merged.errors += more.errors;
  merged.aborted += more.aborted;
  merged.rows += more.rows;
  merged.bytes += more.bytes;
  merged.blocks.clear();
}

}  // namespace

struct Log::Segment {
  explicit Segment(SegmentBlocks opened) : blocks(std::move(opened)) {}

  Result<Unit, std::string> each_session(const std::function<void(const SessionSummary&)>& each) const {
    if (in_memory) {
      std::for_each(index.sessions.begin(), index.sessions.end(), each);
      return Unit{};
    }
    auto content = read_index(index_path(blocks.segment()));
    auto encoded = content ? EncodedIndex::open(std::move(*content)) : std::nullopt;
    if (!encoded || !encoded->each_session(index.blocks.size(), each)) {
      return Unexpected(damaged_index(blocks.segment()));
    }
    return Unit{};
  }

  SegmentBlocks blocks;
  LogIndex index;  // without sessions unless in_memory
  bool in_memory = false;
  // Of the query at hand: those that match it, by id.
  mutable std::mutex mutex;
  mutable std::optional<Sessions> sessions;
};

// Blocks to be looked through together.
struct Log::Part {
  std::size_t segment = 0;
  std::vector<std::uint32_t> blocks;
};

struct Log::Finding {
  std::vector<LogHit> hits;
};

// Opens what is sealed, where that is wanted, for any number of threads.
class Log::Unsealing {
 public:
  explicit Unsealing(SealKeys keys) : keys_(std::move(keys)) {}

  // Whether the bytes, a record or several, can have anything for it.
  bool may_open(std::string_view bytes) const { return keys_ && may_be_sealed(bytes); }
  // `opener` is the caller's, and made here.
  void open(std::string& record, std::optional<RecordOpener>& opener) {
    if (!may_open(record)) {
      return;
    }
    if (!opener) {
      opener.emplace(*keys_);
    }
    RecordOpener::Result result = opener->open(record);
    if (result == RecordOpener::Result::key_wanted || result == RecordOpener::Result::damaged) {
      std::lock_guard lock{mutex_};
      closed_.damaged = closed_.damaged || result == RecordOpener::Result::damaged;
      if (result == RecordOpener::Result::key_wanted) {
        closed_.wanted_keys.insert(opener->wanted_key());
      }
    }
  }
  ClosedSeals closed() const {
    std::lock_guard lock{mutex_};
    return closed_;
  }

 private:
  SealKeys keys_;
  mutable std::mutex mutex_;
  ClosedSeals closed_;
};

Log::Log(std::vector<std::unique_ptr<Segment>> segments, SealKeys keys)
    : segments_(std::move(segments)), unsealing_(std::make_unique<Unsealing>(std::move(keys))) {}
Log::Log(Log&&) noexcept = default;
Log::~Log() = default;

Result<Log, std::string> Log::open(const std::filesystem::path& directory, IndexUse use, const SealKeys& keys) {
  // A segment may be closed, and its open form removed, between the listing and the opening of it.
  constexpr int attempts = 3;
  for (int attempt = 1; attempt < attempts; ++attempt) {
    if (auto log = open_listed(directory, use, keys)) {
      return log;
    }
  }
  return open_listed(directory, use, keys);
}

ClosedSeals Log::closed_seals() const {
  return unsealing_->closed();
}

Result<Log, std::string> Log::open_listed(const std::filesystem::path& directory, IndexUse use, const SealKeys& keys) {
  auto found = find_segments(directory);
  if (!found) {
    return Unexpected(std::move(found).error());
  }
  std::vector<std::unique_ptr<Segment>> segments;
  for (SegmentPath& path : *found) {
    auto blocks = SegmentBlocks::open(std::move(path));
    if (!blocks) {
      return Unexpected(std::move(blocks).error());
    }
    auto segment = std::make_unique<Segment>(std::move(*blocks));
    const SegmentPath& place = segment->blocks.segment();
    auto head = use == IndexUse::files && place.is_closed ? read_head(index_path(place)) : std::nullopt;
    if (head && head->first == place.first && head->segment_bytes == segment->blocks.file_bytes()) {
      segment->index = std::move(*head);
      segments.push_back(std::move(segment));
      continue;
    }
    std::vector<SessionSummary> before;
    if (!segments.empty() && segments.back()->index.end == place.first) {
      auto known = segments.back()->each_session([&](const SessionSummary& one) {
        if (one.is_carried_on) {
          before.push_back(one);
        }
      });
      if (!known) {
        return Unexpected(std::move(known).error());
      }
    }
    auto index = index_segment(segment->blocks, &before);
    if (!index) {
      return Unexpected(std::move(index).error());
    }
    segment->index = std::move(*index);
    segment->in_memory = true;
    if (use == IndexUse::files && place.is_closed) {
      write_file(index_path(place), encode_index(segment->index));
    }
    segments.push_back(std::move(segment));
  }
  return Log(std::move(segments), keys);
}

std::uint64_t Log::first() const {
  return segments_.empty() ? 0 : segments_.front()->index.first;
}

std::uint64_t Log::end() const {
  return segments_.empty() ? 0 : segments_.back()->index.end;
}

Result<std::vector<Log::Part>, std::string> Log::parts_of(const LogQuery& query) const {
  std::vector<Part> parts;
  for (std::size_t number = 0; number < segments_.size(); ++number) {
    const Segment& segment = *segments_[number];
    std::vector<std::uint32_t> candidates = candidate_blocks(query, segment.index);
    std::vector<bool> of_sessions(segment.index.blocks.size(), query.sessions.empty());
    if (!query.sessions.empty() && !candidates.empty()) {
      auto known = choose_sessions(query, segment);
      if (!known) {
        return Unexpected(std::move(known).error());
      }
      for (const auto& [id, session] : *segment.sessions) {
        for (std::uint32_t block : session.blocks) {
          of_sessions[block] = true;
        }
      }
    }
    for (std::uint32_t block : candidates) {
      const LogBlock& place = segment.index.blocks[block];
      std::uint64_t last = place.first_record + place.records - 1;
      if (!of_sessions[block] ||
          !is_in_page(query, query.order == LogQuery::Order::oldest_first ? last : place.first_record)) {
        continue;
      }
      if (parts.empty() || parts.back().segment != number || parts.back().blocks.size() == part_blocks) {
        parts.push_back({.segment = number, .blocks = {}});
      }
      parts.back().blocks.push_back(block);
    }
  }
  if (query.order == LogQuery::Order::newest_first) {
    std::reverse(parts.begin(), parts.end());
  }
  return parts;
}

// The search of one thread through some blocks.
class Log::Looking {
 public:
  Looking(const LogQuery& query, const Sessions& sessions, Unsealing& unsealing)
      : query_(query),
        sessions_(sessions),
        unsealing_(unsealing),
        spelled_(spelled_texts(query)),
        shows_outcomes_(wants_outcomes_themselves(query)) {}

  // Whether anything of a block is worth a look.
  bool wants(std::string_view records) const {
    return spelled_.empty() || !waiting_.empty() || may_hold_texts(spelled_, records) || unsealing_.may_open(records);
  }

  void look_at(std::uint64_t number, std::string_view record) {
    if (!wants(record)) {
      return;
    }
    // Most records are passed over by their session, which stands before the text.
    std::string_view id = session_before_text(record);
    auto session = id.empty() ? sessions_.end() : sessions_.find(std::string(id));
    if (!id.empty() && session == sessions_.end()) {
      return;
    }
    if (unsealing_.may_open(record)) {
      opened_ = record;
      unsealing_.open(opened_, opener_);
      record = opened_;
    }
    auto view = view_record(record);
    if (!view) {
      return;
    }
    if (view->session.empty() ? !matches_own_session_fields(query_, *view) : session == sessions_.end()) {
      return;
    }
    if (view->is("outcome")) {
      answer(number, *view, record);
      if (!shows_outcomes_) {
        return;
      }
    }
    if (!is_in_page(query_, number) || !matches_record(query_, *view, record)) {
      return;
    }
    bool is_command = view->is("command");
    if (!is_command && !matches_outcome(query_, *view)) {
      return;
    }
    hits_.push_back({.record = {.number = number, .text = std::string(record)}, .time = view->nanoseconds});
    if (session != sessions_.end()) {
      hits_.back().session = identity_of(session->second);
    }
    if (is_command && session != sessions_.end()) {
      waiting_[session->first][number_of(view->seq).value_or(0)] = hits_.size() - 1;
    }
  }

  // Of a block in which nothing but outcomes of what was found is looked for.
  void look_for_outcome(std::uint64_t number, std::string_view record) {
    if (waiting_.empty() || !waiting_.contains(session_before_text(record))) {
      return;
    }
    auto view = view_record(record);
    if (!view || !view->is("outcome")) {
      return;
    }
    if (LogRecord* outcome = answer(number, *view, record)) {
      unsealing_.open(outcome->text, opener_);
    }
  }

  std::vector<LogHit>& hits() { return hits_; }

  // Whether a command of that session was found without its outcome.
  bool waits_for(const std::string& session) const { return waiting_.contains(session); }
  bool waits() const { return !waiting_.empty(); }
  // The first block from `block` on that can hold an outcome that is waited for.
  std::optional<std::uint32_t> next_waited_for(const Sessions& sessions, std::uint32_t block) const {
    std::optional<std::uint32_t> next;
    for (const auto& [id, commands] : waiting_) {
      auto session = sessions.find(id);
      if (session == sessions.end()) {
        continue;
      }
      const std::vector<std::uint32_t>& blocks = session->second.blocks;
      auto place = std::lower_bound(blocks.begin(), blocks.end(), block);
      if (place != blocks.end() && (!next || *place < *next)) {
        next = *place;
      }
    }
    return next;
  }
  // Behind the segment whose sessions these are.
  void wait_for_those_carried_on(const Sessions& sessions) {
    std::erase_if(waiting_, [&](const auto& one) {
      auto session = sessions.find(one.first);
      return session == sessions.end() || !session->second.is_carried_on;
    });
  }

 private:
  static std::string_view session_before_text(std::string_view record) {
    for (audit::MemberReader members{record}; members.next();) {
      if (members.name() == "session") {
        std::string_view value = members.value();
        return value.size() > 2 ? value.substr(1, value.size() - 2) : std::string_view{};
      }
    }
    return {};
  }

  // The outcome, where the record is one of a command that waits for it.
  LogRecord* answer(std::uint64_t number, const RecordView& view, std::string_view record) {
    auto session = waiting_.empty() ? waiting_.end() : waiting_.find(string_of(view.session));
    if (session == waiting_.end()) {
      return nullptr;
    }
    auto command = session->second.find(number_of(view.of).value_or(0));
    if (command == session->second.end()) {
      return nullptr;
    }
    LogHit& hit = hits_[command->second];
    session->second.erase(command);
    if (session->second.empty()) {
      waiting_.erase(session);
    }
    return &hit.outcome.emplace(LogRecord{.number = number, .text = std::string(record)});
  }

  const LogQuery& query_;
  const Sessions& sessions_;
  Unsealing& unsealing_;
  std::optional<RecordOpener> opener_;
  std::string opened_;
  std::vector<std::string> spelled_;
  bool shows_outcomes_;
  std::vector<LogHit> hits_;
  // By session and number: the places in hits_ of commands without an outcome so far.
  std::unordered_map<std::string, std::map<std::uint64_t, std::size_t>, TextHash, std::equal_to<>> waiting_;
};

namespace {

bool outcome_matches(const LogQuery& query, const LogHit& hit) {
  auto view = hit.outcome ? view_record(hit.outcome->text) : std::nullopt;
  return matches_outcome(query, view.value_or(RecordView{}));
}

}  // namespace

Result<Unit, std::string> Log::choose_sessions(const LogQuery& query, const Segment& segment) {
  std::lock_guard lock{segment.mutex};
  if (segment.sessions) {
    return Unit{};
  }
  segment.sessions.emplace();
  return segment.each_session([&](const SessionSummary& one) {
    if (one.records > 0 && matches_session(query, one)) {
      segment.sessions->emplace(one.id, one);
    }
  });
}

// The blocks of a part, and those between and behind them that can hold the outcome of a command that was found.
Result<Unit, std::string> Log::look_through(const Segment& segment, const std::vector<std::uint32_t>& candidates,
                                            const Sessions& sessions, Looking& looking) {
  std::string content;
  auto candidate = candidates.begin();
  for (std::uint32_t number = 0;; ++number) {
    auto waited_for = looking.next_waited_for(sessions, number);
    bool is_candidate = candidate != candidates.end() && (!waited_for || *candidate <= *waited_for);
    if (!is_candidate && !waited_for) {
      return Unit{};
    }
    number = is_candidate ? *candidate++ : *waited_for;
    const LogBlock& block = segment.index.blocks[number];
    auto read = segment.blocks.read({.offset = block.offset, .bytes = block.stored_bytes}, content);
    if (!read) {
      return read;
    }
    std::uint64_t at = block.first_record;
    if (!is_candidate) {
      for_each_record(content, [&](std::string_view record) { looking.look_for_outcome(at++, record); });
    } else if (looking.wants(content)) {
      for_each_record(content, [&](std::string_view record) { looking.look_at(at++, record); });
    }
  }
}

Result<Log::Finding, std::string> Log::find_in(const LogQuery& query, const Part& part) const {
  const Segment& segment = *segments_[part.segment];
  auto known = choose_sessions(query, segment);
  if (!known) {
    return Unexpected(std::move(known).error());
  }
  Looking looking{query, *segment.sessions, *unsealing_};
  auto looked = look_through(segment, part.blocks, *segment.sessions, looking);
  looking.wait_for_those_carried_on(*segment.sessions);
  for (std::size_t number = part.segment + 1; looked && looking.waits() && number < segments_.size(); ++number) {
    Sessions waiting;
    looked = segments_[number]->each_session([&](const SessionSummary& one) {
      if (looking.waits_for(one.id)) {
        waiting.emplace(one.id, one);
      }
    });
    if (looked) {
      looked = look_through(*segments_[number], {}, waiting, looking);
    }
    looking.wait_for_those_carried_on(waiting);
  }
  if (!looked) {
    return Unexpected(std::move(looked).error());
  }
  Finding finding;
  for (LogHit& hit : looking.hits()) {
    auto view = query.asks_for_outcomes() ? view_record(hit.record.text) : std::nullopt;
    if (!view || !view->is("command") || outcome_matches(query, hit)) {
      finding.hits.push_back(std::move(hit));
    }
  }
  if (query.order == LogQuery::Order::newest_first) {
    std::reverse(finding.hits.begin(), finding.hits.end());
  }
  return finding;
}

Result<Unit, std::string> Log::search(const LogQuery& query, const std::function<bool(const LogHit&)>& each) const {
  for (const auto& segment : segments_) {
    segment->sessions.reset();
  }
  auto chosen = parts_of(query);
  if (!chosen) {
    return Unexpected(std::move(chosen).error());
  }
  const std::vector<Part>& parts = *chosen;
  // One more than there are processors, as the first is waited for.
  std::size_t threads = std::thread::hardware_concurrency() + 1;
  std::deque<std::future<Result<Finding, std::string>>> looking;
  std::size_t next = 0;
  std::size_t found = 0;
  // Threads that are still at work when this returns are waited for by the futures.
  while (next < parts.size() || !looking.empty()) {
    while (next < parts.size() && looking.size() < threads) {
      const Part& part = parts[next++];
      looking.push_back(std::async(std::launch::async, [this, &query, &part] { return find_in(query, part); }));
    }
    auto finding = looking.front().get();
    looking.pop_front();
    if (!finding) {
      return Unexpected(std::move(finding).error());
    }
    for (const LogHit& hit : finding->hits) {
      if (found++ == query.limit || !each(hit)) {
        return Unit{};
      }
    }
  }
  return Unit{};
}

Result<std::vector<SessionSummary>, std::string> Log::sessions(const LogQuery& query) const {
  std::vector<SessionSummary> sessions;
  std::unordered_map<std::string, std::size_t> by_id;
  for (const auto& segment : segments_) {
    const LogIndex& index = segment->index;
    if (index.blocks.empty() || index.time_max() < query.since || index.time_min() >= query.until) {
      continue;
    }
    auto whole = segment->each_session([&](const SessionSummary& one) {
      if (one.records == 0 || !matches_session(query, one)) {
        return;
      }
      auto [place, is_new] = by_id.try_emplace(one.id, sessions.size());
      if (is_new) {
        sessions.push_back(one);
      } else {
        merge(sessions[place->second], one);
      }
    });
    if (!whole) {
      return Unexpected(std::move(whole).error());
    }
  }
  std::erase_if(sessions,
                [&](const SessionSummary& one) { return one.time_max < query.since || one.time_min >= query.until; });
  std::sort(sessions.begin(), sessions.end(), [](const SessionSummary& one, const SessionSummary& other) {
    return one.first_record < other.first_record;
  });
  return sessions;
}

Result<std::vector<std::string>, std::string> Log::session_ids(const std::string& prefix, std::size_t limit) const {
  std::set<std::string> ids;
  for (const auto& segment : segments_) {
    auto whole = segment->each_session([&](const SessionSummary& one) {
      if (one.records > 0 && one.id.starts_with(prefix) && ids.size() < limit) {
        ids.insert(one.id);
      }
    });
    if (!whole) {
      return Unexpected(std::move(whole).error());
    }
  }
  return std::vector<std::string>(ids.begin(), ids.end());
}

Result<std::vector<SessionSummary>, std::string> Log::live_sessions() const {
  std::vector<SessionSummary> live;
  if (segments_.empty()) {
    return live;
  }
  auto whole = segments_.back()->each_session([&](const SessionSummary& one) {
    if (one.is_carried_on) {
      live.push_back(one);
    }
  });
  if (!whole) {
    return Unexpected(std::move(whole).error());
  }
  return live;
}

Result<std::vector<LogRecord>, std::string> Log::records_of(const std::string& session) const {
  std::vector<LogRecord> records;
  std::string content;
  std::optional<RecordOpener> opener;
  for (const auto& segment : segments_) {
    std::vector<std::uint32_t> blocks;
    auto whole = segment->each_session([&](const SessionSummary& one) {
      if (one.id == session) {
        blocks = one.blocks;
      }
    });
    if (!whole) {
      return Unexpected(std::move(whole).error());
    }
    for (std::uint32_t number : blocks) {
      const LogBlock& block = segment->index.blocks[number];
      auto read = segment->blocks.read({.offset = block.offset, .bytes = block.stored_bytes}, content);
      if (!read) {
        return Unexpected(std::move(read).error());
      }
      std::uint64_t at = block.first_record;
      for_each_record(content, [&](std::string_view record) {
        std::uint64_t record_number = at++;
        if (record.find(session) == std::string_view::npos) {
          return;
        }
        auto view = view_record(record);
        if (view && string_of(view->session) == session) {
          records.push_back({.number = record_number, .text = std::string(record)});
          unsealing_->open(records.back().text, opener);
        }
      });
    }
  }
  return records;
}

}  // namespace sallyport::store
