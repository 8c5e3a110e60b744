#include "config/section_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "config/field_values.h"

namespace sallyport::config {

namespace {

std::vector<std::string_view> names_of(const Section& section) {
  std::vector<std::string_view> names;
  for (const auto& field : section.fields) {
    names.push_back(field.name);
  }
  return names;
}

const Node& empty_mapping() {
  static const Node node{.kind = Node::Kind::mapping, .style = {}, .text = {}, .place = {}, .keys = {}, .items = {}};
  return node;
}

}  // namespace

SectionReader::SectionReader(Reading& reading, const Section& section, const Node& node, std::string path)
    : reading_(reading), section_(section), node_(&node), path_(std::move(path)) {
  if (node.kind != Node::Kind::mapping) {
    std::string mend = section.exactly_one_of.size() == section.fields.size()
                           ? "Write {" + std::string(section.fields[0].name) + ": ...}, or another of " +
                                 list_of(section.exactly_one_of) + "."
                           : "Write its settings below it, indented, one 'key: value' a line.";
    reading_.mistakes.add(node.place, path_, describe_wrong_kind(node, "A mapping"), std::move(mend));
    return;
  }
  check_keys();
  check_presence();
  check_exactly_one();
}

void SectionReader::check_keys() {
  auto known = names_of(section_);
  for (std::size_t i = 0; i < node_->keys.size(); ++i) {
    const Key& key = node_->keys[i];
    auto earlier = std::find_if(node_->keys.begin(), node_->keys.begin() + static_cast<std::ptrdiff_t>(i),
                                [&](const Key& other) { return other.name == key.name; });
    if (std::find(known.begin(), known.end(), key.name) == known.end()) {
      reading_.mistakes.add(key.place, path_of(key.name), "Unknown key " + in_quotes(key.name) + ".",
                            suggestion(key.name, known));
    } else if (earlier != node_->keys.begin() + static_cast<std::ptrdiff_t>(i)) {
      reading_.mistakes.add(key.place, path_of(key.name),
                            "The key is given twice, first in line " + std::to_string(earlier->place.line) + ".",
                            "Remove one of the two.");
    }
  }
}

void SectionReader::check_presence() {
  for (const auto& known : section_.fields) {
    if (known.presence == Presence::required && !present(known.name)) {
      reading_.mistakes.add(node_->place, path_of(known.name), "A required key is missing.",
                            "Add '" + std::string(known.name) + "'.");
    }
  }
}

void SectionReader::check_exactly_one() {
  const auto& exclusive = section_.exactly_one_of;
  if (exclusive.empty()) {
    return;
  }
  std::size_t there = 0;
  for (auto name : exclusive) {
    if (present(name) && ++there > 1) {
      mistake(name, "Only one of " + list_of(exclusive) + " can be given.", "Remove all but one.");
    }
  }
  if (there == 0) {
    reading_.mistakes.add(node_->place, path_, "One of " + list_of(exclusive) + " is needed.", "Add one of them.");
  }
}

const Field& SectionReader::field(std::string_view name) const {
  const auto* found = std::find_if(section_.fields.data(), section_.fields.data() + section_.fields.size(),
                                   [&](const Field& known) { return known.name == name; });
  SALLYPORT_CHECK(found != section_.fields.data() + section_.fields.size());
  return *found;
}

const Node* SectionReader::find(std::string_view name) const {
  for (std::size_t i = 0; i < node_->keys.size(); ++i) {
    if (node_->keys[i].name == name) {
      return &node_->items[i];
    }
  }
  return nullptr;
}

std::string SectionReader::path_of(std::string_view name) const {
  auto shown = name.size() > 64 ? name.substr(0, 64) : name;
  return path_.empty() ? std::string(shown) : path_ + "." + std::string(shown);
}

void SectionReader::mistake(std::string_view name, std::string message, std::string mend) {
  const Node* node = find(name);
  reading_.mistakes.add(node != nullptr ? node->place : node_->place, path_of(name), std::move(message),
                        std::move(mend));
}

std::string SectionReader::text(std::string_view name) {
  const Field& known = field(name);
  const Node* node = find(name);
  return node != nullptr ? read_text_field(reading_, known, *node, path_of(name)) : std::string(known.default_value);
}

std::filesystem::path SectionReader::path(std::string_view name) {
  std::filesystem::path written = text(name);
  return written.empty() ? written : (reading_.base_directory / written).lexically_normal();
}

std::int64_t SectionReader::number(std::string_view name) {
  const Field& known = field(name);
  const Node* node = find(name);
  return node != nullptr ? read_number_field(reading_, known, *node, path_of(name))
                         : number_from_text(known, known.default_value).value_or(0);
}

Seconds SectionReader::whole_seconds(std::string_view name) {
  auto value = milliseconds(name);
  auto seconds = std::chrono::duration_cast<Seconds>(value);
  if (seconds != value) {
    mistake(name, "Only whole seconds are possible here.", "Write e.g. 30s or 5m.");
  }
  return seconds;
}

bool SectionReader::flag(std::string_view name) {
  const Field& known = field(name);
  const Node* node = find(name);
  return node != nullptr ? read_boolean(reading_, *node, path_of(name)) : known.default_value == "true";
}

std::vector<std::string> SectionReader::texts(std::string_view name) {
  const Field& known = field(name);
  const Node* node = find(name);
  Node taken_for_granted = default_list(known);
  const Node& list = node != nullptr ? *node : taken_for_granted;
  std::vector<std::string> values;
  if (node != nullptr && !check_list(reading_, known, list, path_of(name))) {
    return values;
  }
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    auto value = read_text(reading_, list.items[i], path_of(name) + "[" + std::to_string(i) + "]", 1024);
    if (!value.empty() && std::find(values.begin(), values.end(), value) != values.end()) {
      reading_.mistakes.add(list.items[i].place, path_of(name), in_quotes(value) + " is listed twice.",
                            "Remove one of the two.");
    }
    values.push_back(std::move(value));
  }
  return values;
}

std::size_t SectionReader::choice_index(std::string_view name) {
  const Field& known = field(name);
  const Node* node = find(name);
  auto index = node != nullptr ? read_choice(reading_, known, *node, path_of(name))
                               : index_of_choice(known, known.default_value);
  return index.value_or(0);
}

std::vector<std::string> SectionReader::words(std::string_view name) {
  std::vector<std::string> words;
  for (std::size_t index : choice_indices(name)) {
    words.emplace_back(field(name).choices[index]);
  }
  return words;
}

std::vector<std::size_t> SectionReader::choice_indices(std::string_view name) {
  const Field& known = field(name);
  const Node* node = find(name);
  Node taken_for_granted = default_list(known);
  const Node& list = node != nullptr ? *node : taken_for_granted;
  std::vector<std::size_t> indices;
  if (node != nullptr && !check_list(reading_, known, list, path_of(name))) {
    return indices;
  }
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    auto index = read_choice(reading_, known, list.items[i], path_of(name) + "[" + std::to_string(i) + "]");
    if (index && std::find(indices.begin(), indices.end(), *index) != indices.end()) {
      reading_.mistakes.add(list.items[i].place, path_of(name), in_quotes(list.items[i].text) + " is listed twice.",
                            "Remove one of the two.");
    } else if (index) {
      indices.push_back(*index);
    }
  }
  return indices;
}

SectionReader SectionReader::section(std::string_view name) {
  const Node* node = find(name);
  const Node& there = node != nullptr ? *node : empty_mapping();
  return {reading_, *field(name).section, there, path_of(name)};
}

std::vector<SectionReader> SectionReader::sections(std::string_view name) {
  const Field& known = field(name);
  const Node* list = find(name);
  std::vector<SectionReader> readers;
  if (list == nullptr || !check_list(reading_, known, *list, path_of(name))) {
    return readers;
  }
  readers.reserve(list->items.size());
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    readers.emplace_back(reading_, *known.section, list->items[i], path_of(name) + "[" + std::to_string(i) + "]");
  }
  return readers;
}

void check_unique_names(std::vector<SectionReader>& entries, std::string_view name,
                        const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto end = names.begin() + static_cast<std::ptrdiff_t>(i);
    auto earlier = std::find(names.begin(), end, names[i]);
    if (!names[i].empty() && earlier != end) {
      entries[i].mistake(name,
                         "The name " + in_quotes(names[i]) + " is taken by entry " +
                             std::to_string(earlier - names.begin()) + " of this list.",
                         "Give each entry a name of its own.");
    }
  }
}

}  // namespace sallyport::config
