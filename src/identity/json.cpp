#include "identity/json.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cmath>
#include <limits>

namespace sallyport::identity {
namespace {

namespace bj = boost::json;

// Receives the parser's events and builds the tree. Boost's own tree keeps the last of duplicate members silently.
class TreeBuilder {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

  using Code = bj::error_code;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }

  bool on_object_begin(Code&) {
    open_.push_back({.name = take_name(), .content = JsonObject{}});
    return true;
  }
  bool on_object_end(std::size_t, Code& code) {
    if (has_duplicate(std::get<JsonObject>(open_.back().content))) {
      duplicate_ = true;
      code = bj::error::syntax;
      return false;
    }
    close();
    return true;
  }
  bool on_array_begin(Code&) {
    open_.push_back({.name = take_name(), .content = JsonArray{}});
    return true;
  }
  bool on_array_end(std::size_t, Code&) {
    close();
    return true;
  }

  bool on_key_part(bj::string_view part, std::size_t, Code&) { return append(part); }
  bool on_key(bj::string_view part, std::size_t, Code&) {
    append(part);
    name_ = std::exchange(text_, {});
    return true;
  }
  bool on_string_part(bj::string_view part, std::size_t, Code&) { return append(part); }
  bool on_string(bj::string_view part, std::size_t, Code&) {
    append(part);
    return add(std::exchange(text_, {}));
  }

  bool on_number_part(bj::string_view, Code&) { return true; }
  bool on_int64(std::int64_t value, bj::string_view, Code&) { return add(value); }
  bool on_uint64(std::uint64_t value, bj::string_view, Code&) {
    return value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
               ? add(static_cast<std::int64_t>(value))
               : add(static_cast<double>(value));
  }
  // Of 0e400 the library makes zero times infinity.
  bool on_double(double value, bj::string_view, Code&) { return add(std::isnan(value) ? 0.0 : value); }
  bool on_bool(bool value, Code&) { return add(value); }
  bool on_null(Code&) { return add(nullptr); }
  bool on_comment_part(bj::string_view, Code&) { return true; }
  bool on_comment(bj::string_view, Code&) { return true; }

  bool duplicate() const { return duplicate_; }
  JsonValue take_root() { return std::move(root_); }

 private:
  struct Open {
    std::string name;  // under which it goes into the object around it
    JsonValue::Content content;
  };

  static bool has_duplicate(const JsonObject& members) {
    std::vector<std::string_view> names;
    names.reserve(members.size());
    for (const JsonMember& member : members) {
      names.push_back(member.first);
    }
    std::sort(names.begin(), names.end());
    return std::adjacent_find(names.begin(), names.end()) != names.end();
  }

  bool append(bj::string_view part) {
    text_.append(part.data(), part.size());
    return true;
  }
  std::string take_name() { return std::exchange(name_, {}); }

  bool add(JsonValue::Content content) {
    place(take_name(), JsonValue(std::move(content)));
    return true;
  }
  void close() {
    Open closed = std::move(open_.back());
    open_.pop_back();
    // Claims are kept for as long as the session of their token.
    if (auto* const members = std::get_if<JsonObject>(&closed.content)) {
      members->shrink_to_fit();
    } else {
      std::get<JsonArray>(closed.content).shrink_to_fit();
    }
    place(std::move(closed.name), JsonValue(std::move(closed.content)));
  }
  void place(std::string name, JsonValue value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (auto* const members = std::get_if<JsonObject>(&open_.back().content)) {
      members->emplace_back(std::move(name), std::move(value));
    } else {
      std::get<JsonArray>(open_.back().content).push_back(std::move(value));
    }
  }

  std::vector<Open> open_;
  std::string name_;
  std::string text_;
  JsonValue root_;
  bool duplicate_ = false;
};

void append_string(std::string& out, std::string_view text) {
  out += bj::serialize(bj::string_view(text.data(), text.size()));
}

void append_json(std::string& out, const JsonValue& value);

struct AppendContent {
  std::string& out;

  void operator()(std::nullptr_t) const { out += "null"; }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(std::int64_t value) const { out += std::to_string(value); }
  // JSON has no infinity; 1e99999 reads back as one.
  void operator()(double value) const {
    out += std::isinf(value) ? (value < 0 ? "-1e99999" : "1e99999") : bj::serialize(bj::value(value));
  }
  void operator()(const std::string& value) const { append_string(out, value); }
  void operator()(const JsonArray& elements) const {
    out += '[';
    for (const JsonValue& element : elements) {
      out += &element == elements.data() ? "" : ",";
      append_json(out, element);
    }
    out += ']';
  }
  void operator()(const JsonObject& members) const {
    out += '{';
    for (const JsonMember& member : members) {
      out += &member == members.data() ? "" : ",";
      append_string(out, member.first);
      out += ':';
      append_json(out, member.second);
    }
    out += '}';
  }
};

// As deep as the parser's limit, which bounds the recursion.
void append_json(std::string& out, const JsonValue& value) {
  std::visit(AppendContent{out}, value.content());
}

}  // namespace

JsonValue::JsonValue() : content_(nullptr) {}
JsonValue::JsonValue(Content content) : content_(std::move(content)) {}
JsonValue::JsonValue(const JsonValue& other) = default;
JsonValue::JsonValue(JsonValue&& other) noexcept = default;
JsonValue& JsonValue::operator=(const JsonValue& other) = default;
JsonValue& JsonValue::operator=(JsonValue&& other) noexcept = default;
JsonValue::~JsonValue() = default;

bool JsonValue::is_object() const {
  return std::holds_alternative<JsonObject>(content_);
}
const std::string* JsonValue::as_string() const {
  return std::get_if<std::string>(&content_);
}
const JsonArray* JsonValue::as_array() const {
  return std::get_if<JsonArray>(&content_);
}
const JsonObject* JsonValue::as_object() const {
  return std::get_if<JsonObject>(&content_);
}

const JsonValue* JsonValue::member(std::string_view name) const {
  const JsonObject* const members = as_object();
  if (members == nullptr) {
    return nullptr;
  }
  const auto found =
      std::find_if(members->begin(), members->end(), [name](const JsonMember& member) { return member.first == name; });
  return found == members->end() ? nullptr : &found->second;
}

const JsonValue* JsonValue::find(std::string_view path) const {
  if (const JsonValue* const exact = member(path)) {
    return exact;
  }
  if (path.find('.') == std::string_view::npos) {
    return nullptr;
  }
  const JsonValue* value = this;
  while (value != nullptr) {
    const std::size_t dot = path.find('.');
    value = value->member(path.substr(0, dot));
    if (dot == std::string_view::npos) {
      break;
    }
    path.remove_prefix(dot + 1);
  }
  return value;
}

std::string_view describe(JsonError error) {
  switch (error) {
    case JsonError::too_large:
      return "too large";
    case JsonError::too_deep:
      return "nested too deep";
    case JsonError::duplicate_member:
      return "with a member named twice";
    case JsonError::malformed:
      return "not JSON";
  }
  return "unknown";
}

Result<JsonValue, JsonError> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return Unexpected(JsonError::too_large);
  }
  bj::parse_options options;
  options.max_depth = limits.depth_max;
  bj::basic_parser<TreeBuilder> parser(options);
  bj::error_code code;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), code);
  if (parser.handler().duplicate()) {
    return Unexpected(JsonError::duplicate_member);
  }
  if (code == bj::error::too_deep) {
    return Unexpected(JsonError::too_deep);
  }
  if (code || used != text.size()) {
    return Unexpected(JsonError::malformed);
  }
  return parser.handler().take_root();
}

std::string to_json(const JsonValue& value) {
  std::string out;
  append_json(out, value);
  return out;
}

}  // namespace sallyport::identity
