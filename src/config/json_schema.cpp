#include "config/json_schema.h"

#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "config/document.h"
#include "config/scalars.h"
#include "config/settings_table.h"

namespace sallyport::config {

namespace {

std::string text(std::string_view value) {
  std::string json = "\"";
  for (char c : value) {
    if (c == '"' || c == '\\') {
      json += '\\';
    }
    json += c;
  }
  return json + '"';
}

// Members are JSON already; nested lines are indented by the caller's depth.
using Members = std::vector<std::pair<std::string, std::string>>;

std::string indented(const std::string& json) {
  std::string result;
  for (char c : json) {
    result += c;
    if (c == '\n') {
      result += "  ";
    }
  }
  return result;
}

std::string object(const Members& members) {
  std::string json = "{";
  for (std::size_t i = 0; i < members.size(); ++i) {
    json += (i > 0 ? ",\n  " : "\n  ") + text(members[i].first) + ": " + indented(members[i].second);
  }
  return json + "\n}";
}

template <typename Texts>
std::string array(const Texts& values) {
  std::string json = "[";
  for (std::size_t i = 0; i < values.size(); ++i) {
    json += (i > 0 ? ", " : "") + text(values[i]);
  }
  return json + "]";
}

std::string default_json(const Field& field) {
  if (field.kind == FieldKind::integer || field.kind == FieldKind::boolean) {
    return std::string(field.default_value);
  }
  if (field.kind == FieldKind::choices || field.kind == FieldKind::texts) {
    std::vector<std::string> values;
    auto list = read_document(field.default_value);
    for (const auto& item : list.value().items) {
      values.push_back(item.text);
    }
    return array(values);
  }
  return text(field.default_value);
}

void add_string(Members& members, const Field& field, std::string_view pattern) {
  members.emplace_back("type", text("string"));
  if (!pattern.empty()) {
    members.emplace_back("pattern", text(pattern));
  }
  if (field.most > 0 && (field.kind == FieldKind::text || field.kind == FieldKind::name)) {
    members.emplace_back("minLength", std::to_string(field.least));
    members.emplace_back("maxLength", std::to_string(field.most));
  }
}

void add_array(Members& members, const Field& field, std::string items) {
  members.emplace_back("type", text("array"));
  members.emplace_back("items", std::move(items));
  members.emplace_back("minItems", std::to_string(field.least));
  members.emplace_back("maxItems", std::to_string(field.most));
}

std::string reference(const Field& field) {
  return object({{"$ref", text("#/$defs/" + std::string(field.section->name))}});
}

std::string claims_condition() {
  std::string value = R"({"type": "string", "minLength": 1, "maxLength": 1024})";
  Members conditions{{"equals", value},
                     {"glob", value},
                     {"contains", value},
                     {"one_of", R"({"type": "array", "minItems": 1, "items": )" + value + "}"}};
  std::string one_condition = object({{"type", text("object")},
                                      {"properties", object(conditions)},
                                      {"additionalProperties", "false"},
                                      {"minProperties", "1"},
                                      {"maxProperties", "1"}});
  return object({{"oneOf", "[\n  " + value + ",\n  " + indented(one_condition) + "\n]"}});
}

void add_form(Members& members, const Field& field) {
  switch (field.kind) {
    case FieldKind::name:
      return add_string(members, field, "^[A-Za-z0-9_-]+$");
    case FieldKind::text:
    case FieldKind::path:
    case FieldKind::address:
      return add_string(members, field, "");
    case FieldKind::url:
      return add_string(members, field, "^https?://");
    case FieldKind::duration:
      return add_string(members, field, "^(0|[1-9][0-9]*)(ms|s|m|h|d)$");
    case FieldKind::size:
      return add_string(members, field, "^(0|[1-9][0-9]*)(B|KiB|MiB|GiB)$");
    case FieldKind::integer:
      members.emplace_back("type", text("integer"));
      members.emplace_back("minimum", std::to_string(field.least));
      members.emplace_back("maximum", std::to_string(field.most));
      return;
    case FieldKind::boolean:
      members.emplace_back("type", text("boolean"));
      return;
    case FieldKind::choice:
      members.emplace_back("enum", array(field.choices));
      return;
    case FieldKind::choices:
      return add_array(members, field, object({{"enum", array(field.choices)}}));
    case FieldKind::texts:
      return add_array(members, field, R"({"type": "string", "minLength": 1, "maxLength": 1024})");
    case FieldKind::jwks:
      members.emplace_back("type", array(std::vector<std::string>{"string", "object"}));
      return;
    case FieldKind::claims:
      members.emplace_back("type", text("object"));
      members.emplace_back("additionalProperties", claims_condition());
      members.emplace_back("minProperties", std::to_string(field.least));
      members.emplace_back("maxProperties", std::to_string(field.most));
      return;
    case FieldKind::section:
      members.emplace_back("$ref", text("#/$defs/" + std::string(field.section->name)));
      return;
    case FieldKind::sections:
      return add_array(members, field, reference(field));
  }
  check_failed("unknown enumerator", __FILE__, __LINE__);
}

std::string field_schema(const Field& field) {
  Members members{{"description", text(field.meaning)}};
  add_form(members, field);
  if (!field.default_value.empty()) {
    members.emplace_back("default", default_json(field));
  }
  return object(members);
}

Members section_members(const Section& section) {
  Members properties;
  std::vector<std::string_view> required;
  for (const auto& field : section.fields) {
    properties.emplace_back(field.name, field_schema(field));
    if (field.presence == Presence::required) {
      required.push_back(field.name);
    }
  }
  Members members{{"description", text(section.meaning)},
                  {"type", text("object")},
                  {"properties", object(properties)},
                  {"additionalProperties", "false"}};
  if (!required.empty()) {
    members.emplace_back("required", array(required));
  }
  std::string one_of;
  for (auto name : section.exactly_one_of) {
    one_of += (one_of.empty() ? "" : ", ") + ("{\"required\": [" + text(name) + "]}");
  }
  if (!one_of.empty()) {
    members.emplace_back("oneOf", "[" + one_of + "]");
  }
  return members;
}

std::string type_of(const Field& field) {
  switch (field.kind) {
    case FieldKind::name:
      return "name";
    case FieldKind::text:
      return "text";
    case FieldKind::path:
      return "path";
    case FieldKind::url:
      return "URL";
    case FieldKind::address:
      return "address";
    case FieldKind::integer:
      return "integer, " + std::to_string(field.least) + " to " + std::to_string(field.most);
    case FieldKind::boolean:
      return "boolean";
    case FieldKind::duration:
      return "duration, " + format_duration(field.least) + " to " + format_duration(field.most);
    case FieldKind::size:
      return "size, " + format_size(field.least) + " to " + format_size(field.most);
    case FieldKind::choice:
    case FieldKind::choices: {
      std::string words = field.kind == FieldKind::choice ? "one of" : "list of";
      for (std::size_t i = 0; i < field.choices.size(); ++i) {
        words += (i > 0 ? ", `" : " `") + std::string(field.choices[i]) + "`";
      }
      return words;
    }
    case FieldKind::texts:
      return "list of texts";
    case FieldKind::jwks:
      return "JWK set";
    case FieldKind::claims:
      return "[conditions](#conditions-on-claims)";
    case FieldKind::section:
      return "[" + std::string(field.section->name) + "](#" + std::string(field.section->name) + ")";
    case FieldKind::sections:
      return "list of [" + std::string(field.section->name) + "](#" + std::string(field.section->name) + ")";
  }
  check_failed("unknown enumerator", __FILE__, __LINE__);
}

}  // namespace

std::string json_schema() {
  Members definitions;
  for (const auto* section : all_sections()) {
    if (section != &root_section()) {
      definitions.emplace_back(section->name, object(section_members(*section)));
    }
  }
  Members members{{"$schema", text("https://json-schema.org/draft/2020-12/schema")},
                  {"title", text("Configuration of a Sallyport gateway")}};
  for (auto& member : section_members(root_section())) {
    members.push_back(std::move(member));
  }
  members.emplace_back("$defs", object(definitions));
  return object(members) + "\n";
}

std::string settings_reference() {
  std::string markdown;
  for (const auto* section : all_sections()) {
    markdown += "### " + std::string(section->name) + "\n\n" + std::string(section->meaning) + "\n\n";
    markdown += "| key | type | default | meaning |\n| --- | --- | --- | --- |\n";
    for (const auto& field : section->fields) {
      std::string taken = field.presence == Presence::required ? "required" : "";
      if (!field.default_value.empty()) {
        taken = "`" + std::string(field.default_value) + "`";
      }
      markdown += "| `" + std::string(field.name) + "` | " + type_of(field) + " | " + taken + " | " +
                  std::string(field.meaning) + " |\n";
    }
    markdown += "\n";
  }
  return markdown;
}

}  // namespace sallyport::config
