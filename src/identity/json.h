// JSON as tokens and key sets may have it: stricter than RFC 8259 where two readers could differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace sallyport::identity {

class JsonValue;
using JsonArray = std::vector<JsonValue>;
using JsonMember = std::pair<std::string, JsonValue>;
// In the order of the text; names are unique.
using JsonObject = std::vector<JsonMember>;

// An immutable tree.
class JsonValue {
 public:
  // Integers that fit are std::int64_t; all other numbers are double, which may be infinite (1e400).
  using Content = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, JsonArray, JsonObject>;

  JsonValue();
  explicit JsonValue(Content content);
  JsonValue(const JsonValue& other);
  JsonValue(JsonValue&& other) noexcept;
  JsonValue& operator=(const JsonValue& other);
  JsonValue& operator=(JsonValue&& other) noexcept;
  ~JsonValue();

  const Content& content() const { return content_; }
  bool is_object() const;

  // What the value is if it is that; borrowed from it. Null otherwise.
  const std::string* as_string() const;
  const JsonArray* as_array() const;
  const JsonObject* as_object() const;

  // The member of that exact name; null when there is none or the value is no object.
  const JsonValue* member(std::string_view name) const;
  // The member of that exact name if there is one, else each part between dots taken as a member's name in turn.
  const JsonValue* find(std::string_view path) const;

 private:
  Content content_;
};

struct JsonLimits {
  std::size_t bytes_max = 64U << 10;
  std::size_t depth_max = 16;  // of nested arrays and objects
};

enum class JsonError : std::uint8_t {
  too_large,
  too_deep,
  duplicate_member,  // at any depth, names compared after escapes are undone
  malformed          // all else: syntax, invalid UTF-8, lone surrogates, text after the value
};

std::string_view describe(JsonError error);

// Parses a whole text. Does not throw.
Result<JsonValue, JsonError> parse_json(std::string_view text, const JsonLimits& limits);

// Compact text of a value, members in their order.
std::string to_json(const JsonValue& value);

}  // namespace sallyport::identity
