#include "identity/spiffe_id.h"

#include <algorithm>

namespace sallyport::identity {
namespace {

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_mark(char c) {
  return c == '.' || c == '-' || c == '_';
}
bool is_domain_character(char c) {
  return is_lower_or_digit(c) || is_mark(c);
}
bool is_path_character(char c) {
  return is_domain_character(c) || (c >= 'A' && c <= 'Z');
}

bool is_segment(std::string_view segment) {
  return !segment.empty() && segment != "." && segment != ".." &&
         std::all_of(segment.begin(), segment.end(), is_path_character);
}

// `path` is empty or begins with '/'.
bool is_path(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    if (!is_segment(segment)) {
      return false;
    }
    path.remove_prefix(segment.size());
  }
  return true;
}

}  // namespace

std::optional<SpiffeId> parse_spiffe_id(std::string_view text) {
  constexpr std::string_view scheme = "spiffe://";
  constexpr std::size_t id_bytes_max = 2048;
  constexpr std::size_t domain_bytes_max = 255;
  if (text.size() > id_bytes_max || !text.starts_with(scheme)) {
    return std::nullopt;
  }
  const std::size_t slash = std::min(text.find('/', scheme.size()), text.size());
  const std::string_view domain = text.substr(scheme.size(), slash - scheme.size());
  const std::string_view path = text.substr(slash);
  if (domain.empty() || domain.size() > domain_bytes_max ||
      !std::all_of(domain.begin(), domain.end(), is_domain_character) || !is_path(path)) {
    return std::nullopt;
  }
  return SpiffeId{text.substr(0, slash), path};
}

}  // namespace sallyport::identity
