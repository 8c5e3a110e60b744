#include "store/log_directory.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>
#include <system_error>

#include "audit/checkpoint.h"
#include "store/log_file.h"

namespace sallyport::store {
namespace {

struct NameParts {
  std::string_view prefix;
  std::string_view suffix;
};
// In the order of SegmentFile.
constexpr std::array<NameParts, 5> segment_names{{{"records-", ".jsonl"},
                                                  {"records-", ".jsonl.zst"},
                                                  {"tree-", ".json"},
                                                  {"index-", ".zst"},
                                                  {"answers-", ".blob"}}};
constexpr std::size_t index_digits = 20;
// Indexes stand in JSON, whose integers are exact up to here.
constexpr std::uint64_t index_max = (std::uint64_t{1} << 53) - 1;

struct SegmentName {
  SegmentFile file;
  std::uint64_t first;
};

std::optional<std::uint64_t> parse_first(std::string_view digits) {
  std::uint64_t first = 0;
  auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), first);
  if (digits.size() != index_digits || fault != std::errc{} || end != digits.data() + digits.size() ||
      first > index_max) {
    return std::nullopt;
  }
  return first;
}

std::optional<SegmentName> parse_name(std::string_view name) {
  for (std::size_t i = 0; i < segment_names.size(); ++i) {
    const NameParts& parts = segment_names[i];
    if (name.size() != parts.prefix.size() + index_digits + parts.suffix.size() || !name.starts_with(parts.prefix) ||
        !name.ends_with(parts.suffix)) {
      continue;
    }
    if (auto first = parse_first(name.substr(parts.prefix.size(), index_digits))) {
      return SegmentName{.file = static_cast<SegmentFile>(i), .first = *first};
    }
  }
  return std::nullopt;
}

constexpr std::string_view cursor_prefix = "sink-";
constexpr std::string_view cursor_suffix = ".json";

bool is_sink_cursor(std::string_view name) {
  auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return std::ranges::all_of(name, is_plain) && name.starts_with(cursor_prefix) && name.ends_with(cursor_suffix) &&
         name.size() > cursor_prefix.size() + cursor_suffix.size();
}

bool is_journal(std::string_view name) {
  constexpr std::string_view prefix = "journal-";
  return name.starts_with(prefix) && name.size() > prefix.size() &&
         std::ranges::all_of(name.substr(prefix.size()), [](char c) { return c >= '0' && c <= '9'; });
}

std::string sentence(std::string_view what, const std::filesystem::path& path, int error) {
  return path.string() + " " + std::string(what) + ": " + std::strerror(error);
}

}  // namespace

std::filesystem::path sink_cursor_file(const std::filesystem::path& directory, std::string_view sink) {
  return directory / (std::string(cursor_prefix) + std::string(sink) + std::string(cursor_suffix));
}

std::string name_of(SegmentFile file, std::uint64_t first) {
  const NameParts& parts = segment_names[static_cast<std::size_t>(file)];
  std::string digits = std::to_string(first);
  return std::string(parts.prefix) + std::string(index_digits - digits.size(), '0') + digits +
         std::string(parts.suffix);
}

const SegmentEntry* LogDirectory::segment(std::uint64_t first) const {
  auto found = std::ranges::lower_bound(segments, first, {}, &SegmentEntry::first);
  return found != segments.end() && found->first == first ? &*found : nullptr;
}

Result<LogDirectory, std::string> list_log(const std::filesystem::path& path) {
  LogDirectory found{.path = path, .segments = {}, .journals = {}, .sinks = {}, .unknown = {}};
  std::map<std::uint64_t, unsigned> segments;
  std::error_code error;
  for (std::filesystem::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    std::string name = at->path().filename().string();
    if (auto segment = parse_name(name)) {
      segments[segment->first] |= 1U << static_cast<unsigned>(segment->file);
    } else if (is_journal(name)) {
      found.journals.push_back(std::move(name));
    } else if (is_sink_cursor(name)) {
      name.erase(name.size() - cursor_suffix.size());
      found.sinks.push_back(name.substr(cursor_prefix.size()));
    } else if (name != checkpoint_file && name != checkpoints_file && name != "lock") {
      found.unknown.push_back(std::move(name));
    }
  }
  if (error) {
    return Unexpected(sentence("can't be listed", path, error.value()));
  }
  for (const auto& [first, files] : segments) {
    found.segments.push_back({.first = first, .files = files});
  }
  std::ranges::sort(found.journals);
  std::ranges::sort(found.sinks);
  std::ranges::sort(found.unknown);
  return found;
}

Result<std::uint64_t, std::string> place_of_next_note(const std::filesystem::path& file, std::uint64_t known_bytes) {
  std::error_code error;
  auto bytes = std::filesystem::file_size(file, error);
  if (!error && bytes >= known_bytes) {
    return known_bytes;
  }
  auto text = read_small_file(file, checkpoints_bytes_max);
  if (!text) {
    return Unexpected(std::move(text).error());
  }
  return text->has_value() ? audit::split_notes(**text).taken : 0;
}

Result<std::optional<std::string>, std::string> read_small_file(const std::filesystem::path& file,
                                                                std::size_t bytes_max) {
  auto opened = open_log_file(file);
  if (!opened) {
    if (opened.error().is_absent) {
      return std::optional<std::string>{};
    }
    return Unexpected(opened.error().sentence(file));
  }
  Unexpected<std::string> too_long(file.string() + " is longer than " + std::to_string(bytes_max) +
                                   " bytes, which no such file is");
  if (opened->bytes > bytes_max) {
    return too_long;
  }
  std::string text;
  std::array<char, 64U << 10> part;
  while (true) {
    ssize_t count = ::read(opened->descriptor.number(), part.data(), part.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return Unexpected(sentence("can't be read", file, errno));
    }
    if (count == 0) {
      return std::optional(std::move(text));
    }
    text.append(part.data(), static_cast<std::size_t>(count));
    if (text.size() > bytes_max) {
      return too_long;
    }
  }
}

}  // namespace sallyport::store
