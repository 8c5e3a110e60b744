// The canonical form of JSON, RFC 8785. Records are written in it at once; this makes it of any JSON text, for checks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::audit {

// Deeper text has no canonical form here.
inline constexpr int canonical_depth_max = 64;

// The canonical form of one JSON value. Nothing where `text` is not I-JSON (RFC 7493): malformed, not UTF-8, a member
// twice in an object, a number beyond a double, half a surrogate pair; nor where it is nested too deeply.
std::optional<std::string> canonical_json(std::string_view text);

}  // namespace sallyport::audit
