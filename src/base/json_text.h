// JSON text, as records and logs need it: each value has one spelling, that of RFC 8785.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport {

// Whether the bytes are well-formed UTF-8 (Unicode 15, table 3-7: no surrogates, nothing overlong).
bool is_utf8(std::string_view text);

// Whether the bytes are ASCII that JSON has nothing to escape in.
bool is_plain_ascii(std::string_view text);

// Appends `text`, which is UTF-8, as a quoted JSON string.
void append_json_string(std::string& out, std::string_view text);

// Integers up to here, and down to its negative, are numbers in every reader of JSON.
inline constexpr std::uint64_t json_integer_max = (std::uint64_t{1} << 53) - 1;

// Appends an integer: beyond json_integer_max as a string of its digits.
void append_json_integer(std::string& out, std::uint64_t value);
void append_json_integer(std::string& out, std::int64_t value);

// Appends a finite number as ECMAScript writes it (Number::toString, ECMA-262 section 6.1.6.1.20): the fewest digits
// that are read back as the same double. Negative zero becomes 0.
void append_json_double(std::string& out, double value);

}  // namespace sallyport
