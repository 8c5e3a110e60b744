// Reads one mapping of the document after its row in the table of settings. Mistakes are collected, not returned: a
// value with a mistake reads as an empty one, and the configuration is thrown away at the end.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "config/document.h"
#include "config/mistakes.h"
#include "config/settings_table.h"

namespace sallyport::config {

struct Reading {
  Mistakes mistakes;
  std::filesystem::path base_directory;  // relative paths are taken from here
};

// How a word of the document is called in our enums.
template <typename E>
struct Choice {
  std::string_view word;
  E value;
};

class SectionReader {
 public:
  // Reports what is no mapping, unknown, given twice, missing or exclusive. All arguments outlive the reader.
  SectionReader(Reading& reading, const Section& section, const Node& node, std::string path);

  bool present(std::string_view name) const { return find(name) != nullptr; }
  // The value as written; null when it is not there.
  const Node* find(std::string_view name) const;
  std::string path_of(std::string_view name) const;

  // A mistake at the value of `name`, or at the section when there is none.
  void mistake(std::string_view name, std::string message, std::string mend);
  Reading& reading() { return reading_; }

  // Values, or the table's default, or an empty one. Each is for the kinds of field that it names.
  std::string text(std::string_view name);            // name, text, url, address
  std::filesystem::path path(std::string_view name);  // path; absolute unless empty
  std::int64_t number(std::string_view name);         // integer; duration in milliseconds; size in bytes
  Milliseconds milliseconds(std::string_view name) { return Milliseconds{number(name)}; }
  Seconds whole_seconds(std::string_view name);  // duration
  bool flag(std::string_view name);              // boolean
  std::vector<std::string> texts(std::string_view name);
  std::vector<std::string> words(std::string_view name);  // choices

  template <typename E, std::size_t size>
  E choice(std::string_view name, const std::array<Choice<E>, size>& choices) {
    auto index = choice_index(name);
    return value_of(name, choices, index);
  }
  template <typename E, std::size_t size>
  std::vector<E> choices(std::string_view name, const std::array<Choice<E>, size>& choices) {
    std::vector<E> values;
    for (auto index : choice_indices(name)) {
      values.push_back(value_of(name, choices, index));
    }
    return values;
  }

  SectionReader section(std::string_view name);  // of what is not there: of an empty one
  std::vector<SectionReader> sections(std::string_view name);

 private:
  const Field& field(std::string_view name) const;
  void check_keys();
  void check_presence();
  void check_exactly_one();

  std::size_t choice_index(std::string_view name);  // into the field's choices
  std::vector<std::size_t> choice_indices(std::string_view name);

  template <typename E, std::size_t size>
  E value_of(std::string_view name, const std::array<Choice<E>, size>& choices, std::size_t index) const {
    const Field& known = field(name);
    SALLYPORT_CHECK(known.choices.size() == size && known.choices[index] == choices[index].word);
    return choices[index].value;
  }

  Reading& reading_;
  const Section& section_;
  const Node* node_;
  std::string path_;
};

// Reads values of the document that are in no table, as a text setting is read. `most`: longest in bytes.
std::string read_text(Reading& reading, const Node& node, const std::string& path, std::size_t most);

// Reports entries of a list that have the same name as an earlier one. `name` is the field that holds it.
void check_unique_names(std::vector<SectionReader>& entries, std::string_view name,
                        const std::vector<std::string>& names);

}  // namespace sallyport::config
