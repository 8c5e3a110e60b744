// The table of all settings: what the parser accepts, what it takes for granted, and what the documentation and the
// JSON schema say. There is no other list of keys.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace sallyport::config {

enum class FieldKind : std::uint8_t {
  name,      // letters, digits, '-' and '_'
  text,      // any printable text
  path,      // of a file or directory; relative ones are taken from the directory of the document
  url,       // https, or http to a loopback address
  address,   // a numeric IPv4 or IPv6 address
  integer,   // decimal
  boolean,   // true or false
  duration,  // an integer and ms, s, m, h or d
  size,      // an integer and B, KiB, MiB or GiB
  choice,    // one of `choices`
  choices,   // a list of those
  texts,     // a list of texts
  jwks,      // a JWK set, as text or as a mapping
  claims,    // claim name to condition
  section,   // a mapping with the fields of `section`
  sections   // a list of such mappings
};

enum class Presence : std::uint8_t { required, optional };

struct Section;

struct Field {
  std::string_view name{};
  FieldKind kind = FieldKind::text;
  Presence presence = Presence::optional;
  std::string_view default_value{};  // as it would be written; empty: none
  std::string_view meaning{};        // for the documentation, in words of Markdown
  // Inclusive range: of an integer its value, of a duration milliseconds, of a size bytes, of a text its length in
  // bytes, of a list its number of entries.
  std::int64_t least = 0;
  std::int64_t most = 0;
  std::span<const std::string_view> choices{};
  const Section* section = nullptr;
};

struct Section {
  std::string_view name;     // of the type, e.g. "listener"
  std::string_view meaning;  // one sentence
  std::span<const Field> fields;
  std::span<const std::string_view> exactly_one_of{};  // names of fields of which one must be there and no other
};

// The document itself.
const Section& root_section();

// All sections, each before the sections within it.
std::span<const Section* const> all_sections();

}  // namespace sallyport::config
