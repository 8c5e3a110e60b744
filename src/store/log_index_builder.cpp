#include <algorithm>

#include "audit/record_members.h"
#include "base/check.h"
#include "store/log_index.h"
#include "store/record_view.h"

namespace sallyport::store {
namespace {

using audit::number_of;
using audit::string_of;

void set_if_any(std::string& to, std::string_view value) {
  if (value.size() > 2) {
    to = string_of(value);
  }
}

void sort_once(std::vector<std::uint32_t>& blocks) {
  std::sort(blocks.begin(), blocks.end());
  blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
}

void add_last(std::vector<std::uint32_t>& blocks, std::uint32_t block) {
  if (blocks.empty() || blocks.back() != block) {
    blocks.push_back(block);
  }
}

// What a session was before this segment, without what it did there.
SessionSummary carried_on(const SessionSummary& before) {
  SessionSummary carried = before;
  carried.time_min = carried.time_max = 0;
  carried.first_record = carried.records = carried.commands = carried.denied = carried.errors = carried.aborted = 0;
  carried.rows = carried.bytes = 0;
  carried.blocks.clear();
  carried.is_carried_on = false;
  return carried;
}

}  // namespace

void note_identity(SessionSummary& session, const RecordView& record) {
  bool is_login = record.is("login_accepted") || record.is("login_refused");
  if (is_login || record.is("session_start") || record.is("session_end")) {
    set_if_any(session.account, record.account);
    set_if_any(session.subject, record.subject);
    set_if_any(session.connection, record.connection);
    set_if_any(session.role, record.role);
    set_if_any(session.client, record.client);
    set_if_any(session.user, record.user);
    if (!record.principal.empty()) {
      set_if_any(session.subject, audit::member_value(record.principal, "subject"));
    }
  }
  if (is_login && session.began == 0) {
    session.began = record.nanoseconds;
  }
  if (record.is("login_refused") || record.is("session_end")) {
    session.end = record.is("session_end") ? SessionSummary::End::ended : SessionSummary::End::refused;
    set_if_any(session.end_reason, record.reason);
  }
}

std::int64_t LogIndex::time_min() const {
  std::int64_t least = blocks.empty() ? 0 : blocks[0].time_min;
  for (const LogBlock& block : blocks) {
    least = std::min(least, block.time_min);
  }
  return least;
}

std::int64_t LogIndex::time_max() const {
  std::int64_t most = 0;
  for (const LogBlock& block : blocks) {
    most = std::max(most, block.time_max);
  }
  return most;
}

LogIndexBuilder::LogIndexBuilder(std::uint64_t first, const std::vector<SessionSummary>* before) {
  index_.first = index_.end = first;
  open_block_.first_record = first;
  if (before == nullptr) {
    return;
  }
  for (const SessionSummary& one : *before) {
    if (one.is_carried_on && sessions_.size() < carried_sessions_max) {
      by_id_.emplace(one.id, sessions_.size());
      sessions_.push_back({.summary = carried_on(one)});
    }
  }
}

std::vector<std::uint32_t>* LogIndexBuilder::Terms::of_recent(std::string_view text) {
  if (recent[0] != nullptr && recent[0]->first == text) {
    return &recent[0]->second;
  }
  if (recent[1] != nullptr && recent[1]->first == text) {
    std::swap(recent[0], recent[1]);
    return &recent[0]->second;
  }
  return nullptr;
}

void LogIndexBuilder::add_term(Field field, std::string_view text, std::uint32_t block) {
  Terms& terms = terms_[static_cast<std::size_t>(field)];
  if (!terms.complete || text.empty()) {
    return;
  }
  if (auto* blocks = terms.of_recent(text)) {
    add_last(*blocks, block);
    return;
  }
  auto found = terms.blocks.find(text);
  if (found == terms.blocks.end()) {
    if (terms.blocks.size() == terms_max) {
      terms.complete = false;
      terms.recent = {};
      terms.blocks.clear();
      return;
    }
    found = terms.blocks.emplace(text, std::vector<std::uint32_t>{}).first;
  }
  add_last(found->second, block);
  terms.recent = {&*found, terms.recent[0]};
}

void LogIndexBuilder::add_json_term(Field field, std::string_view value, std::uint32_t block) {
  if (auto text = value.empty() ? std::nullopt : string_of(value, scratch_)) {
    add_term(field, *text, block);
  }
}

LogIndexBuilder::Session& LogIndexBuilder::session_of(std::string_view id) {
  auto known = by_id_.find(id);
  if (known == by_id_.end()) {
    known = by_id_.emplace(id, sessions_.size()).first;
    sessions_.push_back({.summary = {.id = std::string(id)}});
  }
  return sessions_[known->second];
}

void LogIndexBuilder::add(std::string_view record) {
  std::uint64_t number = index_.end++;
  open_block_.content_bytes += record.size() + 1;
  bool is_first = open_block_.records++ == 0;
  auto view = view_record(record);
  if (!view) {
    return;
  }
  if (is_first || open_block_.time_max == 0) {
    open_block_.time_min = open_block_.time_max = view->nanoseconds;
  }
  open_block_.time_min = std::min(open_block_.time_min, view->nanoseconds);
  open_block_.time_max = std::max(open_block_.time_max, view->nanoseconds);
  add_json_term(Field::type, view->type, block());
  add_json_term(Field::kind, view->kind, block());
  add_json_term(Field::digest, view->digest, block());
  add_json_term(Field::reason, view->reason, block());
  add_json_term(Field::status, view->status, block());
  add_json_term(Field::decision, view->decision, block());
  if (!view->objects.empty()) {
    for (audit::ElementReader objects{view->objects}; objects.next();) {
      add_term(Field::object, object_term(objects.value()), block());
    }
  }
  if (!view->session.empty()) {
    Session& session = add_to_session(*view);
    session.summary.first_record = session.summary.records == 1 ? number : session.summary.first_record;
    return;
  }
  if (view->is("audit_start")) {
    for (Session& session : sessions_) {
      session.may_have_gone = true;
    }
  }
  add_json_term(Field::account, view->account, block());
  add_json_term(Field::subject, view->subject, block());
  add_json_term(Field::connection, view->connection, block());
  add_json_term(Field::user, view->user, block());
  add_term(Field::client, address_of(string_of(view->client)), block());
}

LogIndexBuilder::Session& LogIndexBuilder::add_to_session(const RecordView& view) {
  Session& session = session_of(string_of(view.session, scratch_).value_or(std::string_view{}));
  SessionSummary& summary = session.summary;
  session.may_have_gone = false;
  if (summary.records++ == 0) {
    summary.time_min = summary.time_max = view.nanoseconds;
  }
  summary.time_min = std::min(summary.time_min, view.nanoseconds);
  summary.time_max = std::max(summary.time_max, view.nanoseconds);
  add_last(summary.blocks, block());
  if (view.is("command")) {
    ++summary.commands;
    if (session.pending.size() == pending_commands_max) {
      add_last(index_.unfinished_blocks, session.pending.front().block);
      session.pending.erase(session.pending.begin());
    }
    session.pending.push_back({.seq = number_of(view.seq).value_or(0), .block = block()});
  } else if (view.is("outcome")) {
    add_outcome(session, view);
  } else {
    note_identity(summary, view);
  }
  return session;
}

void LogIndexBuilder::add_outcome(Session& session, const RecordView& view) {
  SessionSummary& summary = session.summary;
  summary.rows += number_of(view.rows).value_or(0);
  summary.bytes += number_of(view.bytes).value_or(0);
  summary.denied += view.status == "\"denied\"" ? 1U : 0U;
  summary.errors += view.status == "\"error\"" ? 1U : 0U;
  summary.aborted += view.status == "\"aborted\"" ? 1U : 0U;
  std::uint64_t of = number_of(view.of).value_or(0);
  auto command =
      std::find_if(session.pending.begin(), session.pending.end(), [&](const Pending& one) { return one.seq == of; });
  if (command == session.pending.end()) {
    return;
  }
  if (command->block != block()) {
    add_json_term(Field::status, view.status, command->block);
    add_json_term(Field::reason, view.reason, command->block);
  }
  session.pending.erase(command);
}

void LogIndexBuilder::end_block(const Stored& stored) {
  SALLYPORT_CHECK(open_block_.records > 0);
  open_block_.offset = stored.offset;
  open_block_.stored_bytes = stored.bytes;
  index_.blocks.push_back(open_block_);
  open_block_ = LogBlock{.first_record = index_.end};
}

void LogIndexBuilder::add_session_terms(const SessionSummary& summary) {
  for (std::uint32_t block : summary.blocks) {
    add_term(Field::account, summary.account, block);
    add_term(Field::subject, summary.subject, block);
    add_term(Field::connection, summary.connection, block);
    add_term(Field::user, summary.user, block);
    add_term(Field::client, address_of(summary.client), block);
  }
}

LogIndex LogIndexBuilder::finish(std::uint64_t segment_bytes) {
  SALLYPORT_CHECK(open_block_.records == 0);
  index_.segment_bytes = segment_bytes;
  for (Session& session : sessions_) {
    add_session_terms(session.summary);
    for (const Pending& command : session.pending) {
      add_last(index_.unfinished_blocks, command.block);
    }
    session.summary.is_carried_on = session.summary.end == SessionSummary::End::open && !session.may_have_gone;
    if (session.summary.records > 0 || session.summary.is_carried_on) {
      index_.sessions.push_back(std::move(session.summary));
    }
  }
  sort_once(index_.unfinished_blocks);
  for (std::size_t field = 0; field < field_count; ++field) {
    IndexedField& indexed = index_.fields[field];
    indexed.complete = terms_[field].complete;
    for (auto& [text, blocks] : terms_[field].blocks) {
      sort_once(blocks);
      indexed.terms.push_back({.text = text, .blocks = std::move(blocks)});
    }
    std::sort(indexed.terms.begin(), indexed.terms.end(),
              [](const IndexTerm& one, const IndexTerm& other) { return one.text < other.text; });
  }
  return std::move(index_);
}

}  // namespace sallyport::store
