// What is looked for in the audit log, and whether a session or a record is that.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/log_index.h"
#include "store/record_view.h"

namespace sallyport::store {

// Whether `text` is `pattern`, in which '*' stands for any characters.
bool matches(std::string_view pattern, std::string_view text);

struct LogQuery {
  enum class Order : std::uint8_t { oldest_first, newest_first };

  std::int64_t since = INT64_MIN;     // nanoseconds since 1970; a record of this time counts
  std::int64_t until = INT64_MAX;     // one of this time does not
  std::vector<std::string> sessions;  // ids, whole
  // By field: patterns, one of which is to match. Empty: anything does.
  // An object's are compared with NAME and SCHEMA.NAME, without regard to the case of ASCII letters; a client's with
  // its address, and with address and port.
  std::array<std::vector<std::string>, field_count> fields;
  // Only commands without an outcome so far; what is asked of outcomes is left aside then.
  bool is_of_unfinished = false;
  std::vector<std::string> texts;  // each is to occur in the statement, as it was sent by the client or to the server

  Order order = Order::oldest_first;
  // The first record that counts, in the order asked for.
  std::optional<std::uint64_t> from_record;
  std::size_t limit = SIZE_MAX;

  const std::vector<std::string>& field(Field field) const { return fields[static_cast<std::size_t>(field)]; }
  std::vector<std::string>& field(Field field) { return fields[static_cast<std::size_t>(field)]; }
  // Whether there is anything that only a statement can be.
  bool asks_for_statements() const;
  // Whether there is anything that its session's login tells.
  bool asks_for_identity() const;
  // Whether it takes a command's outcome to tell.
  bool asks_for_outcomes() const;
};

// Whether one of the patterns matches; true when there are none.
bool matches_any(const std::vector<std::string>& patterns, std::string_view text);
bool matches_term(const LogQuery& query, Field field, std::string_view term);

bool matches_session(const LogQuery& query, const SessionSummary& session);
// For records that belong to no session.
bool matches_own_session_fields(const LogQuery& query, const RecordView& record);
// All but what its session and its outcome tell.
bool matches_record(const LogQuery& query, const RecordView& view, std::string_view record);
// Whether the bytes, a record or several, can have in them what texts are looked for: quick, and true of more than hold
// them.
bool may_hold_texts(const std::vector<std::string>& spelled, std::string_view bytes);
// The texts as they stand within JSON strings.
std::vector<std::string> spelled_texts(const LogQuery& query);

// `record`: the outcome of a command; of any other type the record itself.
bool matches_outcome(const LogQuery& query, const RecordView& record);

// The blocks of a segment that can hold what is looked for, ascending.
std::vector<std::uint32_t> candidate_blocks(const LogQuery& query, const LogIndex& index);

}  // namespace sallyport::store
