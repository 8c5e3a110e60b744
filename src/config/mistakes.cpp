#include "config/mistakes.h"

#include <algorithm>
#include <utility>

namespace sallyport::config {

namespace {

constexpr std::size_t quoted_bytes_max = 200;

// Levenshtein's distance.
std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      std::size_t replaced = diagonal + (from[i - 1] == to[j - 1] ? 0U : 1U);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

void Mistakes::add(Place place, std::string_view path, std::string message, std::string mend) {
  mistakes_.push_back({.file = file_name_,
                       .line = place.line,
                       .column = place.column,
                       .path = std::string(path),
                       .message = std::move(message),
                       .mend = std::move(mend)});
}

std::vector<Mistake> Mistakes::take_sorted() {
  std::stable_sort(mistakes_.begin(), mistakes_.end(), [](const Mistake& left, const Mistake& right) {
    return std::pair(left.line, left.column) < std::pair(right.line, right.column);
  });
  return std::exchange(mistakes_, {});
}

std::string_view nearest_name(std::string_view wrong, std::span<const std::string_view> names) {
  std::string_view nearest;
  std::size_t least = std::min<std::size_t>(wrong.size() / 3 + 1, 3) + 1;
  if (wrong.size() > 100) {
    return nearest;
  }
  for (auto name : names) {
    auto distance = edit_distance(wrong, name);
    if (distance < least) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

std::string list_of(std::span<const std::string_view> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) {
      text += i + 1 == names.size() ? " or " : ", ";
    }
    text += names[i];
  }
  return text;
}

std::string suggestion(std::string_view wrong, std::span<const std::string_view> names) {
  if (names.empty()) {
    return "None is defined.";
  }
  auto nearest = nearest_name(wrong, names);
  if (!nearest.empty()) {
    return "Did you mean " + std::string(nearest) + "?";
  }
  return "Known: " + list_of(names) + ".";
}

std::string in_quotes(std::string_view text) {
  std::string result = "'";
  for (char c : text.substr(0, quoted_bytes_max)) {
    bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    result += control ? '?' : c;
  }
  result += text.size() > quoted_bytes_max ? "...'" : "'";
  return result;
}

std::string to_string(const Mistake& mistake) {
  std::string text = mistake.file;
  if (mistake.line > 0) {
    text += ":" + std::to_string(mistake.line) + ":" + std::to_string(mistake.column);
  }
  text += ": ";
  if (!mistake.path.empty()) {
    text += mistake.path + ": ";
  }
  return text + mistake.message + " " + mistake.mend;
}

}  // namespace sallyport::config
