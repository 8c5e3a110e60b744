// A recorded session as a script for the `mysql` or `mariadb` client, that does to a fresh server what the session did.
//
// For `mysql --binary-mode --comments --force`: statements are written as they were sent to the server, byte by byte;
// parameters of prepared statements stand in their places as literals, which mean the same under any sql_mode. What
// can't be done again, and what was denied, is said in comments, on which nothing recorded can end the line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "review/session_story.h"
#include "sql/dialect.h"

namespace sallyport::review {

// Each is for a connection of its own, one after the other: COM_RESET_CONNECTION begins the next.
std::vector<std::string> sql_scripts(const SessionStory& story);

// A parameter as a literal. `type` is the protocol's number, `charset` the session's character set. Nothing where it
// has no value on record, or one that can't be written without a character set that is not known.
std::optional<std::string> sql_literal(const boost::json::value& parameter, std::uint64_t type,
                                       const std::optional<std::string>& charset);

// The text with each placeholder replaced. Nothing when it has not as many; of more literals than placeholders those
// behind are query attributes, and left out.
std::optional<std::string> with_literals(std::string_view text, const sql::Dialect& dialect,
                                         const std::vector<std::string>& literals);

}  // namespace sallyport::review
