// Reads one value after its field in the table of settings; mistakes are reported.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/document.h"
#include "config/section_reader.h"
#include "config/settings_table.h"

namespace sallyport::config {

// "A mapping is expected, and this is a list."; `expected` with its article.
std::string describe_wrong_kind(const Node& node, std::string_view expected);

// Fields of kind name, text, path, url and address. Empty after a mistake.
std::string read_text_field(Reading& reading, const Field& field, const Node& node, const std::string& path);

// Fields of kind integer, duration (milliseconds) and size (bytes), their range checked. Zero after a mistake.
std::int64_t read_number_field(Reading& reading, const Field& field, const Node& node, const std::string& path);
// The same of a text that is known to be right; the range is not checked.
std::optional<std::int64_t> number_from_text(const Field& field, std::string_view text);

bool read_boolean(Reading& reading, const Node& node, const std::string& path);

// The index of a word in the field's choices; nothing after a mistake.
std::optional<std::size_t> read_choice(Reading& reading, const Field& field, const Node& node, const std::string& path);
std::optional<std::size_t> index_of_choice(const Field& field, std::string_view word);

// Whether a node is a list with as many entries as the field allows; reports when not.
bool check_list(Reading& reading, const Field& field, const Node& node, const std::string& path);
// The default of a field that is a list, as a sequence; empty when it has none.
Node default_list(const Field& field);

}  // namespace sallyport::config
