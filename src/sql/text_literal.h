// What text literals say.
#pragma once

#include <string>
#include <string_view>

#include "sql/dialect.h"

namespace sallyport::sql {

// Appends what a text token with its quotes says, in the client's character set: 'it''s', "a\tb".
void append_text_value(std::string& out, std::string_view token, const Dialect& dialect);

}  // namespace sallyport::sql
