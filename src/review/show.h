// A whole session as text for a person.
#pragma once

#include <string>

#include "review/session_story.h"

namespace sallyport::review {

// Who, from where, to what, until when, and why it ended.
std::string show_heading(const SessionStory& story);
// One event with what became of it, in some lines.
std::string show_event(const StoryEvent& event);
// What became of a command, in words and on one line: "ok, 3 rows, 120 bytes, 1.2 ms".
std::string show_outcome(const boost::json::object& outcome);

}  // namespace sallyport::review
