// Looks at the members of a record without parsing the whole of it: for going over millions of records.
//
// Takes what docs/audit-format.md calls canonical: one JSON object without white space between its tokens, whose names
// have no escapes. Of anything else it says "malformed" or yields members that are none, but never reads beyond the
// text; who must know for certain parses the record. The order of the members does not matter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace sallyport::audit {

// One after the other. Views borrow from the text.
class MemberReader {
 public:
  // `object` begins with '{'.
  explicit MemberReader(std::string_view object);

  // The next member; false at the end, and where the text is not what it should be.
  bool next();
  bool malformed() const { return malformed_; }

  std::string_view name() const { return name_; }
  // JSON: a string with its quotes, a number, an object and so on.
  std::string_view value() const { return value_; }

 private:
  bool fail();

  std::string_view rest_;
  std::string_view name_;
  std::string_view value_;
  bool malformed_ = false;
};

// The same of an array's elements.
class ElementReader {
 public:
  explicit ElementReader(std::string_view array);
  bool next();
  std::string_view value() const { return value_; }

 private:
  std::string_view rest_;
  std::string_view value_;
};

// The value of the member of that name; empty when there is none.
std::string_view member_value(std::string_view object, std::string_view name);

// The text that a JSON string stands for; nothing when `value` is no string. `scratch` holds it where the string has
// escapes; otherwise it is borrowed from `value`.
std::optional<std::string_view> string_of(std::string_view value, std::string& scratch);
// The same as a value of its own; empty when `value` is no string.
std::string string_of(std::string_view value);

// The bytes that the member of that name stands for, or that whose name has "_base64" behind it.
std::optional<std::string> text_member(std::string_view object, std::string_view name);

// A whole number that is not negative; one beyond 2^53-1 is a string of its digits.
std::optional<std::uint64_t> number_of(std::string_view value);

// "2026-01-31T12:34:56.000000789Z", with or without a fraction of up to nine digits, without quotes.
std::optional<WallTime> parse_time(std::string_view text);

}  // namespace sallyport::audit
