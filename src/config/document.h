// A YAML document as a tree with the place of everything, read strictly: one document, no aliases, no tags, bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sallyport::config {

// Both from 1.
struct Place {
  int line = 1;
  int column = 1;
};

struct Key {
  std::string name;
  Place place;
};

struct Node {
  enum class Kind : std::uint8_t { null, scalar, sequence, mapping };
  // Plain scalars may be read as numbers or booleans, quoted ones (and block scalars) are text always.
  enum class Style : std::uint8_t { plain, quoted };

  Kind kind = Kind::null;
  Style style = Style::plain;
  std::string text;  // of a scalar
  Place place;
  std::vector<Key> keys;    // of a mapping, as long as `items`; duplicates are kept
  std::vector<Node> items;  // of a sequence or a mapping
};

struct DocumentError {
  Place place;
  std::string message;
  std::string mend;
};

inline constexpr std::size_t document_bytes_max = 1U << 20;
inline constexpr std::size_t document_depth_max = 16;
inline constexpr std::size_t document_nodes_max = 100'000;

// An empty document is a null node. The error is the first one: text that isn't YAML has no more to tell.
Result<Node, DocumentError> read_document(std::string_view yaml);

}  // namespace sallyport::config
