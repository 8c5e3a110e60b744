// Statements as a table for spreadsheets (RFC 4180).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/log_search.h"

namespace sallyport::review {

// A field with its quotes, if it needs any. Recorded text is made safe for a terminal; one that a spreadsheet would
// take for a formula (it begins with = + - @, a tab or a line end) gets an apostrophe in front.
std::string csv_field(std::string_view text);

// With the line end.
std::string csv_heading();
std::string csv_row(const store::LogHit& hit);

}  // namespace sallyport::review
