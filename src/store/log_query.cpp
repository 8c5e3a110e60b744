#include "store/log_query.h"

#include <algorithm>
#include <cstring>

#include "audit/record_members.h"
#include "base/json_text.h"

namespace sallyport::store {
namespace {

using audit::string_of;

constexpr std::array<Field, 5> identity_fields{Field::account, Field::subject, Field::connection, Field::client,
                                               Field::user};
// Of a command they are those of its outcome.
constexpr std::array<Field, 2> outcome_fields{Field::status, Field::reason};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), [](char c) { return lower(c); });
  return lowered;
}

bool matches_object(std::string_view pattern, std::string_view term) {
  std::size_t nul = term.find('\0');
  std::string wanted = lower(pattern);
  if (nul == std::string_view::npos) {
    return matches(wanted, lower(term));
  }
  std::string name = lower(term.substr(nul + 1));
  return matches(wanted, name) || matches(wanted, lower(term.substr(0, nul)) + "." + name);
}

bool matches_json(const LogQuery& query, Field field, std::string_view value) {
  const auto& patterns = query.field(field);
  return patterns.empty() || (!value.empty() && matches_any(patterns, string_of(value)));
}

// What has no such text is matched by no pattern, '*' neither.
bool matches_if_any(const std::vector<std::string>& patterns, const std::string& text) {
  return patterns.empty() || (!text.empty() && matches_any(patterns, text));
}

bool matches_client(const std::vector<std::string>& patterns, std::string_view client) {
  return patterns.empty() ||
         (!client.empty() && (matches_any(patterns, client) || matches_any(patterns, address_of(client))));
}

// Whether a client of this address may match: all that the pattern may say of its port is left out.
bool may_match_address(std::string_view pattern, std::string_view address) {
  for (std::size_t i = 0; i <= pattern.size(); ++i) {
    bool is_behind_end = i > 0 && (pattern[i - 1] == '*' || pattern[i - 1] == ']');
    bool may_end_there = i == pattern.size() || pattern[i] == ':' || is_behind_end;
    if (!may_end_there) {
      continue;
    }
    std::string_view of_address = pattern.substr(0, i);
    if (of_address.starts_with('[')) {
      of_address.remove_prefix(1);
    }
    if (of_address.ends_with(']')) {
      of_address.remove_suffix(1);
    }
    if (matches(of_address, address)) {
      return true;
    }
  }
  return false;
}

bool matches_text(std::string_view record, const std::string& wanted) {
  for (std::string_view name : {"text", "sent", "runs"}) {
    auto text = audit::text_member(record, name);
    if (text && text->find(wanted) != std::string::npos) {
      return true;
    }
  }
  return false;
}

std::vector<std::uint32_t> union_of(const LogQuery& query, Field field, const IndexedField& indexed) {
  std::vector<std::uint32_t> blocks;
  for (const IndexTerm& term : indexed.terms) {
    if (matches_term(query, field, term.text)) {
      blocks.insert(blocks.end(), term.blocks.begin(), term.blocks.end());
    }
  }
  return blocks;
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t in_text = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (in_text < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      star_text = in_text;
    } else if (at < pattern.size() && pattern[at] == text[in_text]) {
      ++at;
      ++in_text;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in_text = ++star_text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

bool LogQuery::asks_for_statements() const {
  return !texts.empty() || !field(Field::object).empty() || !field(Field::kind).empty() ||
         !field(Field::digest).empty() || !field(Field::status).empty() || !field(Field::decision).empty();
}

bool LogQuery::asks_for_identity() const {
  return std::any_of(identity_fields.begin(), identity_fields.end(), [&](Field one) { return !field(one).empty(); });
}

bool LogQuery::asks_for_outcomes() const {
  return std::any_of(outcome_fields.begin(), outcome_fields.end(), [&](Field one) { return !field(one).empty(); });
}

std::vector<std::string> spelled_texts(const LogQuery& query) {
  std::vector<std::string> spelled;
  for (const std::string& wanted : query.texts) {
    std::string text;
    append_json_string(text, wanted);
    spelled.push_back(text.substr(1, text.size() - 2));
  }
  return spelled;
}

bool may_hold_texts(const std::vector<std::string>& spelled, std::string_view bytes) {
  auto holds = [&](std::string_view wanted) {
    return wanted.empty() || ::memmem(bytes.data(), bytes.size(), wanted.data(), wanted.size()) != nullptr;
  };
  // In canonical JSON a text has one spelling, but where it is not UTF-8.
  return std::all_of(spelled.begin(), spelled.end(), holds) || holds("_base64\":");
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view text) {
  return patterns.empty() || std::any_of(patterns.begin(), patterns.end(),
                                         [&](const std::string& pattern) { return matches(pattern, text); });
}

bool matches_term(const LogQuery& query, Field field, std::string_view term) {
  const auto& patterns = query.field(field);
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    if (field == Field::object) {
      return matches_object(pattern, term);
    }
    return field == Field::client ? may_match_address(pattern, term) : matches(pattern, term);
  });
}

bool matches_session(const LogQuery& query, const SessionSummary& session) {
  return (query.sessions.empty() ||
          std::find(query.sessions.begin(), query.sessions.end(), session.id) != query.sessions.end()) &&
         matches_if_any(query.field(Field::account), session.account) &&
         matches_if_any(query.field(Field::subject), session.subject) &&
         matches_if_any(query.field(Field::connection), session.connection) &&
         matches_if_any(query.field(Field::user), session.user) &&
         matches_client(query.field(Field::client), session.client);
}

bool matches_own_session_fields(const LogQuery& query, const RecordView& record) {
  return query.sessions.empty() && matches_json(query, Field::account, record.account) &&
         matches_json(query, Field::subject, record.subject) &&
         matches_json(query, Field::connection, record.connection) && matches_json(query, Field::user, record.user) &&
         matches_client(query.field(Field::client), record.client.empty() ? "" : string_of(record.client));
}

bool matches_record(const LogQuery& query, const RecordView& view, std::string_view record) {
  if (view.nanoseconds < query.since || view.nanoseconds >= query.until ||
      !matches_json(query, Field::type, view.type) || !matches_json(query, Field::kind, view.kind) ||
      !matches_json(query, Field::digest, view.digest) || !matches_json(query, Field::decision, view.decision)) {
    return false;
  }
  if (!query.field(Field::object).empty()) {
    bool found = false;
    for (audit::ElementReader objects{view.objects}; !found && objects.next();) {
      found = matches_term(query, Field::object, object_term(objects.value()));
    }
    if (!found) {
      return false;
    }
  }
  return std::all_of(query.texts.begin(), query.texts.end(),
                     [&](const std::string& wanted) { return matches_text(record, wanted); });
}

bool matches_outcome(const LogQuery& query, const RecordView& record) {
  return matches_json(query, Field::status, record.status) && matches_json(query, Field::reason, record.reason);
}

std::vector<std::uint32_t> candidate_blocks(const LogQuery& query, const LogIndex& index) {
  // How many of the conditions a block can meet; those that meet all are candidates.
  std::vector<std::uint32_t> met(index.blocks.size(), 0);
  std::uint32_t conditions = 0;
  for (std::size_t number = 0; number < field_count; ++number) {
    auto field = static_cast<Field>(number);
    const IndexedField& indexed = index.fields[number];
    if (query.field(field).empty() || !indexed.complete) {
      continue;
    }
    ++conditions;
    auto blocks = union_of(query, field, indexed);
    if (std::find(outcome_fields.begin(), outcome_fields.end(), field) != outcome_fields.end()) {
      blocks.insert(blocks.end(), index.unfinished_blocks.begin(), index.unfinished_blocks.end());
    }
    for (std::uint32_t block : blocks) {
      met[block] = met[block] == conditions - 1 ? conditions : met[block];
    }
  }
  if (query.is_of_unfinished) {
    ++conditions;
    for (std::uint32_t block : index.unfinished_blocks) {
      met[block] = met[block] == conditions - 1 ? conditions : met[block];
    }
  }
  std::vector<std::uint32_t> candidates;
  for (std::uint32_t number = 0; number < index.blocks.size(); ++number) {
    const LogBlock& block = index.blocks[number];
    if (met[number] == conditions && block.time_max >= query.since && block.time_min < query.until) {
      candidates.push_back(number);
    }
  }
  return candidates;
}

}  // namespace sallyport::store
