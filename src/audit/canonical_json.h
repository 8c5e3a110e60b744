// Whether a text is JSON in the canonical form of RFC 8785: sorted names, no white space, and one spelling for each
// string and number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::audit {

inline constexpr unsigned json_depth_max = 64;  // of nested arrays and objects

// Null for canonical JSON, or what is wrong, a phrase in lower case. `at` is where, in bytes.
struct CanonicalFault {
  const char* what = nullptr;
  std::size_t at = 0;

  explicit operator bool() const { return what != nullptr; }
};

// What a reader of records wants of a record at least. JSON texts, borrowed from the record; empty where it has no
// such member.
struct RecordOutline {
  std::string_view session;
  std::string_view seq;
  std::string_view time;
  std::string_view type;
};

// `text` is to be one object, and nothing else.
CanonicalFault check_canonical_object(std::string_view text, RecordOutline& outline);

// The value of the member of that name (which needs no escape), as JSON; empty when the object, which is canonical, has
// none.
std::string_view find_member(std::string_view object, std::string_view name);

// What a JSON string without escapes but the canonical ones says; `text` has its quotes and is canonical.
std::string unescaped(std::string_view text);

}  // namespace sallyport::audit
