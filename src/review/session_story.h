// One session's records, put together: who it was, what it asked, what became of each.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/log_search.h"

namespace sallyport::review {

// A member of a record that is a text, also where it stands in base64; empty when there is none.
std::string text_of(const boost::json::object& record, std::string_view name);
bool has_text(const boost::json::object& record, std::string_view name);
// A number, also where it is a string of its digits; 0 when there is none.
std::uint64_t number_of(const boost::json::object& record, std::string_view name);
// Nanoseconds since 1970, of `time`.
std::int64_t time_of(const boost::json::object& record);

struct StoryEvent {
  enum class Kind : unsigned char { command, other };
  Kind kind = Kind::other;
  std::uint64_t number = 0;  // index in the log
  boost::json::object record;
  std::optional<boost::json::object> outcome;
  std::uint64_t outcome_number = 0;
};

struct SessionStory {
  std::string id;
  boost::json::object login;       // login_accepted, else login_refused; empty when the log has neither
  boost::json::object start;       // session_start
  boost::json::object end;         // session_end
  std::vector<StoryEvent> events;  // in the order of the log; outcomes are with their commands
};

// `records` are all of one session, in the order of the log. The error is for a person.
Result<SessionStory, std::string> tell_story(const std::string& id, const std::vector<store::LogRecord>& records);

// The value of a parameter as SQL would show it, for people: 1, 'text', NULL, X'00FF'.
std::string shown_value(const boost::json::value& value);
std::string shown_parameters(const boost::json::object& command);

}  // namespace sallyport::review
