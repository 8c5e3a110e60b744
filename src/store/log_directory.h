// What an audit log's directory holds. docs/audit-format.md names the files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sallyport::store {

// The files of a segment; their names have the index of its first record.
enum class SegmentFile : std::uint8_t { records, compressed_records, tree, index, answers };

// Of a file that doesn't belong to a segment: "checkpoint", "checkpoints".
inline constexpr std::string_view checkpoint_file = "checkpoint";
inline constexpr std::string_view checkpoints_file = "checkpoints";
inline constexpr std::size_t checkpoints_bytes_max = std::size_t{1} << 30;

// How far a sink has got: "sink-NAME.json". NAME has letters, digits, '-' and '_'.
std::filesystem::path sink_cursor_file(const std::filesystem::path& directory, std::string_view sink);

std::string name_of(SegmentFile file, std::uint64_t first);

struct SegmentEntry {
  std::uint64_t first = 0;
  unsigned files = 0;  // a bit for each SegmentFile

  bool has(SegmentFile file) const { return (files >> static_cast<unsigned>(file) & 1) != 0; }
  bool has_records() const { return has(SegmentFile::records) || has(SegmentFile::compressed_records); }
};

struct LogDirectory {
  std::filesystem::path path;
  std::vector<SegmentEntry> segments;  // by `first`; where there are only answers of a number, too
  std::vector<std::string> journals;   // names
  std::vector<std::string> sinks;      // that have a cursor; their own names
  std::vector<std::string>
      unknown;  // names of files that the format doesn't have; temporary ones of a writer, for example

  std::filesystem::path file(SegmentFile kind, std::uint64_t first) const { return path / name_of(kind, first); }
  // Null when there is none.
  const SegmentEntry* segment(std::uint64_t first) const;
};

// Errors are sentences for the person at the terminal. A directory that is written meanwhile is listed as far as it is
// seen: a file may be gone when it is opened.
Result<LogDirectory, std::string> list_log(const std::filesystem::path& path);

// Where in the file of checkpoints, which had so many bytes, the next note goes: there, or, where somebody has cut the
// file or taken it away, behind the notes that are left.
Result<std::uint64_t, std::string> place_of_next_note(const std::filesystem::path& file, std::uint64_t known_bytes);

// The content of a file of at most `bytes_max`; nothing when there is no such file.
Result<std::optional<std::string>, std::string> read_small_file(const std::filesystem::path& file,
                                                                std::size_t bytes_max);

}  // namespace sallyport::store
