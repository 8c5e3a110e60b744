// Lets a map with std::string keys be searched by a std::string_view, without a string being made:
// std::unordered_map<std::string, Value, TextHash, std::equal_to<>>.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace sallyport {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

}  // namespace sallyport
