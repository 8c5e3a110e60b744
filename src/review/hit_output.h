// What a search finds, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "review/table.h"
#include "store/log_search.h"

namespace sallyport::review {

// {"number", "who": {"account", ...}, "record": {...}, "outcome_number", "outcome": {...}}, without a line end. `who`
// has what the login said of the record's session. Records are as they stand in the log, but for characters that
// json_for_terminal() escapes.
std::string json_of(const store::LogHit& hit);

// {"session", "account", ..., "began", "ended", "end", "end_reason", "records", "statements", ...}, without a line end.
std::string json_of(const store::SessionSummary& session);

std::vector<TableColumn> hit_columns();
std::vector<std::string> hit_row(const store::LogHit& hit);

std::vector<TableColumn> session_columns();
std::vector<std::string> session_row(const store::SessionSummary& session);

// Enough of a session's id for the tables; `sessions show` takes it too.
inline constexpr std::size_t short_id_bytes = 12;

}  // namespace sallyport::review
