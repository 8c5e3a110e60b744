#include "sink/cursor.h"

#include "audit/record.h"
#include "audit/record_members.h"
#include "store/log_directory.h"

namespace sallyport::sink {
namespace {

constexpr std::size_t cursor_bytes_max = 4096;

}  // namespace

std::string to_text(const Cursor& cursor, WallTime now) {
  std::string text;
  audit::RecordWriter writer{text};
  writer.number("first", cursor.first);
  writer.text_if_any("leaf", cursor.leaf);
  writer.number("needed", cursor.needed);
  writer.number("next", cursor.next);
  writer.text_if_any("origin", cursor.origin);
  writer.number("start", cursor.start);
  writer.time("time", now);
  writer.end();
  return text;
}

std::optional<Cursor> parse_cursor(std::string_view text) {
  // A file that was cut off has no line end.
  if (!text.ends_with("}\n") || !text.starts_with('{')) {
    return std::nullopt;
  }
  std::string_view object = text.substr(0, text.size() - 1);
  auto first = audit::number_of(audit::member_value(object, "first"));
  auto next = audit::number_of(audit::member_value(object, "next"));
  auto start = audit::number_of(audit::member_value(object, "start"));
  auto needed = audit::number_of(audit::member_value(object, "needed"));
  if (!first || !next || !start || *first > *next) {
    return std::nullopt;
  }
  return Cursor{.first = *first,
                .next = *next,
                .start = *start,
                .needed = needed.value_or(*first),
                .leaf = audit::string_of(audit::member_value(object, "leaf")),
                .origin = audit::string_of(audit::member_value(object, "origin"))};
}

Result<std::optional<Cursor>, std::string> load_cursor(const std::filesystem::path& directory, std::string_view sink) {
  auto file = store::sink_cursor_file(directory, sink);
  auto text = store::read_small_file(file, cursor_bytes_max);
  if (!text) {
    return Unexpected(std::move(text).error());
  }
  if (!*text) {
    return std::optional<Cursor>{};
  }
  auto cursor = parse_cursor(**text);
  if (!cursor) {
    return Unexpected(file.string() + " is damaged");
  }
  return cursor;
}

store::FileResult<Unit> save_cursor(store::FileSystem& files, const std::filesystem::path& directory,
                                    std::string_view sink, const Cursor& cursor, WallTime now) {
  auto done = store::replace_file(files, store::sink_cursor_file(directory, sink), to_text(cursor, now));
  return done ? files.sync_directory(directory) : done;
}

}  // namespace sallyport::sink
