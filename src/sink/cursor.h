// How far a sink has got, kept over restarts: sink-NAME.json in the log's directory (docs/audit-format.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "store/file.h"

namespace sallyport::sink {

struct Cursor {
  std::uint64_t first = 0;   // nothing before this is delivered (again): where the sink began, or went on after a loss
  std::uint64_t next = 0;    // the first record that was not acknowledged
  std::uint64_t start = 0;   // the log's end when the sink began: what was there before is not held against it
  std::uint64_t needed = 0;  // from there on the log's records may still have to be delivered (again)
  // Whose cursor it is: the log's name, and the hash of the record before `next`, in hexadecimal. Empty: not known.
  std::string leaf;
  std::string origin;

  friend bool operator==(const Cursor&, const Cursor&) = default;
};

// {"first":F,"leaf":H,"needed":M,"next":N,"origin":NAME,"start":S,"time":"..."} and a line end.
std::string to_text(const Cursor& cursor, WallTime now);
// Nothing when the text is none, or says that it began behind where it is. One without `needed`, as it was written
// before there was that member, needs all from `first` on; those of the log's identity need not be there.
std::optional<Cursor> parse_cursor(std::string_view text);

// Nothing when there is no such file. A damaged one is an error, a sentence.
Result<std::optional<Cursor>, std::string> load_cursor(const std::filesystem::path& directory, std::string_view sink);

// On the disk when it returns without an error; after a crash the file has the old content or the new one.
store::FileResult<Unit> save_cursor(store::FileSystem& files, const std::filesystem::path& directory,
                                    std::string_view sink, const Cursor& cursor, WallTime now);

}  // namespace sallyport::sink
