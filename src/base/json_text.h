// JSON text, as records and logs need it.
#pragma once

#include <string>
#include <string_view>

namespace sallyport {

// Whether the bytes are well-formed UTF-8 (Unicode 15, table 3-7: no surrogates, nothing overlong).
bool is_utf8(std::string_view text);

// Appends `text`, which is UTF-8, as a quoted JSON string.
void append_json_string(std::string& out, std::string_view text);

}  // namespace sallyport
