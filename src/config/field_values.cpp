#include "config/field_values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

#include "config/scalars.h"
#include "identity/issuer_keys.h"

namespace sallyport::config {

namespace {

std::string_view kind_with_article(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::mapping:
      return "a mapping";
    case Node::Kind::scalar:
      break;
  }
  if (node.style == Node::Style::quoted) {
    return "a text";
  }
  switch (plain_type(node.text)) {
    case PlainType::text:
      return "a text";
    case PlainType::number:
      return "a number";
    case PlainType::boolean:
      return "a boolean";
    case PlainType::null:
      break;
  }
  return "nothing";
}

bool is_plain(const Node& node) {
  return node.kind == Node::Kind::scalar && node.style == Node::Style::plain;
}

bool is_name(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool is_address(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

std::string range_of(const Field& field) {
  if (field.kind == FieldKind::duration) {
    return "from " + format_duration(field.least) + " to " + format_duration(field.most);
  }
  if (field.kind == FieldKind::size) {
    return "from " + format_size(field.least) + " to " + format_size(field.most);
  }
  return "from " + std::to_string(field.least) + " to " + std::to_string(field.most);
}

struct NumberForm {
  std::string_view expected;
  std::string_view mend;
};

NumberForm number_form(const Field& field) {
  if (field.kind == FieldKind::duration) {
    return {"A duration", "Write an integer and a unit (ms, s, m, h or d) without a space, e.g. 30s."};
  }
  if (field.kind == FieldKind::size) {
    return {"A size", "Write an integer and a unit (B, KiB, MiB or GiB) without a space, e.g. 64MiB."};
  }
  return {"An integer", "Write decimal digits without quotes."};
}

}  // namespace

std::string describe_wrong_kind(const Node& node, std::string_view expected) {
  return std::string(expected) + " is expected, and this is " + std::string(kind_with_article(node)) + ".";
}

std::string read_text(Reading& reading, const Node& node, const std::string& path, std::size_t most) {
  bool is_text = node.kind == Node::Kind::scalar &&
                 (node.style == Node::Style::quoted || plain_type(node.text) == PlainType::text);
  if (!is_text) {
    bool quotes_mend_it = is_plain(node) && plain_type(node.text) != PlainType::null;
    reading.mistakes.add(node.place, path, describe_wrong_kind(node, "A text"),
                         quotes_mend_it ? "Put it in quotes." : "Write a text, or remove the key.");
    return {};
  }
  if (node.text.empty() || node.text.size() > most) {
    reading.mistakes.add(node.place, path, node.text.empty() ? "The text is empty." : "The text is too long.",
                         "Write from 1 to " + std::to_string(most) + " bytes.");
    return {};
  }
  if (std::any_of(node.text.begin(), node.text.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
    reading.mistakes.add(node.place, path, "The text has a control character.", "Write it on one line, without tabs.");
    return {};
  }
  return node.text;
}

std::string read_text_field(Reading& reading, const Field& field, const Node& node, const std::string& path) {
  constexpr std::size_t bytes_max = 4096;  // of paths and URLs
  auto value = read_text(reading, node, path, field.most > 0 ? static_cast<std::size_t>(field.most) : bytes_max);
  if (value.empty()) {
    return value;
  }
  if (field.kind == FieldKind::name && !is_name(value)) {
    reading.mistakes.add(node.place, path, in_quotes(value) + " can't be a name.",
                         "Use only letters, digits, '-' and '_'.");
    return {};
  }
  if (field.kind == FieldKind::address && !is_address(value)) {
    reading.mistakes.add(node.place, path, in_quotes(value) + " is not a numeric address.",
                         "Write an IPv4 or IPv6 address, e.g. 127.0.0.1.");
    return {};
  }
  if (field.kind == FieldKind::url && !identity::key_url_allowed(value)) {
    reading.mistakes.add(node.place, path, "No request is sent to " + in_quotes(value) + ".",
                         "Use an https URL (http only to localhost or a loopback address) without user and fragment.");
    return {};
  }
  return value;
}

std::optional<std::int64_t> number_from_text(const Field& field, std::string_view text) {
  if (field.kind == FieldKind::duration) {
    return parse_duration_ms(text);
  }
  return field.kind == FieldKind::size ? parse_size_bytes(text) : parse_integer(text);
}

std::int64_t read_number_field(Reading& reading, const Field& field, const Node& node, const std::string& path) {
  auto form = number_form(field);
  bool may_be_quoted = field.kind != FieldKind::integer;
  bool readable = node.kind == Node::Kind::scalar && (may_be_quoted || is_plain(node));
  auto value = readable ? number_from_text(field, node.text) : std::nullopt;
  if (!value) {
    std::string message = node.kind == Node::Kind::scalar && !node.text.empty()
                              ? std::string(form.expected) + " is expected, and this is " + in_quotes(node.text) + "."
                              : describe_wrong_kind(node, form.expected);
    reading.mistakes.add(node.place, path, std::move(message), std::string(form.mend));
    return 0;
  }
  if (*value < field.least || *value > field.most) {
    reading.mistakes.add(node.place, path, in_quotes(node.text) + " is out of range.",
                         "Write a value " + range_of(field) + ".");
    return 0;
  }
  return *value;
}

bool read_boolean(Reading& reading, const Node& node, const std::string& path) {
  if (is_plain(node) && (node.text == "true" || node.text == "false")) {
    return node.text == "true";
  }
  reading.mistakes.add(node.place, path, describe_wrong_kind(node, "A boolean"),
                       "Write true or false, without quotes.");
  return false;
}

std::optional<std::size_t> index_of_choice(const Field& field, std::string_view word) {
  const auto* begin = field.choices.data();
  const auto* end = begin + field.choices.size();
  const auto* found = std::find(begin, end, word);
  return found == end ? std::nullopt : std::optional(static_cast<std::size_t>(found - begin));
}

std::optional<std::size_t> read_choice(Reading& reading, const Field& field, const Node& node,
                                       const std::string& path) {
  if (node.kind != Node::Kind::scalar) {
    reading.mistakes.add(node.place, path, describe_wrong_kind(node, "A word"),
                         "Write " + list_of(field.choices) + ".");
    return std::nullopt;
  }
  auto index = index_of_choice(field, node.text);
  if (!index) {
    reading.mistakes.add(node.place, path, in_quotes(node.text) + " is not possible here.",
                         suggestion(node.text, field.choices));
  }
  return index;
}

bool check_list(Reading& reading, const Field& field, const Node& node, const std::string& path) {
  if (node.kind != Node::Kind::sequence) {
    reading.mistakes.add(node.place, path, describe_wrong_kind(node, "A list"),
                         "Begin each entry with '- ', or write [a, b].");
    return false;
  }
  auto count = static_cast<std::int64_t>(node.items.size());
  if (count < field.least || count > field.most) {
    reading.mistakes.add(node.place, path, count == 0 ? "The list is empty." : "The list is too long.",
                         "Write " + range_of(field) + " entries.");
    return false;
  }
  return true;
}

Node default_list(const Field& field) {
  if (field.default_value.empty()) {
    return {};
  }
  return read_document(field.default_value).value();
}

}  // namespace sallyport::config
