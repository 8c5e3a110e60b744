// What search and index look at in a record (docs/audit-records.md), found in one pass over its members.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::store {

// Views are of JSON values as they stand in the record, and borrow from it; empty where the record has no such member.
struct RecordView {
  std::string_view time, type, session, seq, of;
  std::string_view account, subject, connection, role, client, user, principal;
  std::string_view reason, status, decision, kind, digest, objects;
  std::string_view rows, bytes;

  std::int64_t nanoseconds = 0;  // of `time`, since 1970; 0 where it is none

  bool is(std::string_view name) const;  // whether that is the record's type
};

// Nothing when the line is no record.
std::optional<RecordView> view_record(std::string_view record);

// The address of "ADDRESS:PORT"; the text itself where it has no port.
std::string_view address_of(std::string_view client);

// The name of an object of a statement as the index has it: SCHEMA NUL NAME, or NAME alone.
std::string object_term(std::string_view object);

}  // namespace sallyport::store
