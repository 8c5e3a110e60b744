#include "store/log_search.h"

#include <algorithm>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "audit/record_members.h"
#include "store/log_segment.h"

namespace sallyport::store {
namespace {

using audit::number_of;
using audit::string_of;

// Blocks that one thread looks through at a time.
constexpr std::size_t part_blocks = 16;
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

}  // namespace

// Blocks to be looked through together.
struct Log::Part {
  std::size_t segment = 0;
  std::vector<std::uint32_t> blocks;
};

struct Log::Finding {
  std::vector<LogHit> hits;
};

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

// Whether a record that was found counts, when its outcome is known.
bool is_asked_for(const LogQuery& query, const LogHit& hit) {
  bool asks = query.is_of_unfinished || query.asks_for_outcomes();
  auto record = asks ? view_record(hit.record.text) : std::nullopt;
  bool is_command = record && record->is("command");
  if (query.is_of_unfinished) {
    return is_command && !hit.outcome;
  }
  if (!is_command) {
    return true;
  }
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
    if (is_asked_for(query, hit)) {
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

}  // namespace sallyport::store
