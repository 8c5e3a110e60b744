// A record as a sink delivers it in the format `native` (docs/sinks.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::sink {

// {"index":N,"record":RECORD}; the record's bytes are those of the log, without their line end.
std::string native_message(std::uint64_t index, std::string_view record);

// What is delivered in place of a record whose message would be longer than `bytes_max`:
// {"cut":{"beginning":TEXT,"bytes":N,"seq":N,"session":TEXT,"sha256":HEX,"time":TEXT,"type":TEXT},"index":N}
// with as much of the record's beginning as fits, and its whole size and SHA-256. `bytes_max` >= message_bytes_least.
std::string cut_native_message(std::uint64_t index, std::string_view record, std::size_t bytes_max);

// What is delivered in place of a line of the log that is no record: {"damaged":{"beginning_base64":TEXT,"bytes":N,
// "sha256":HEX},"index":N}, with 256 bytes of its beginning.
std::string damaged_message(std::uint64_t index, std::string_view line);

inline constexpr std::size_t message_bytes_least = 1024;

// The longest beginning of `text`, which is UTF-8, that takes no more than so many bytes as a JSON string, quotes and
// all, and ends with a whole character.
std::string_view fitting_beginning(std::string_view text, std::size_t bytes_max);

}  // namespace sallyport::sink
