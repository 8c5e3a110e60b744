// Scalar values as they are written in a document.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::config {

// Decimal digits only, without sign, spaces or superfluous zeros. Nothing for any other text or beyond 2^63 - 1.
std::optional<std::int64_t> parse_integer(std::string_view text);

// An integer and ms, s, m, h or d, in milliseconds.
std::optional<std::int64_t> parse_duration_ms(std::string_view text);

// An integer and B, KiB, MiB or GiB, in bytes.
std::optional<std::int64_t> parse_size_bytes(std::string_view text);

// The largest unit that leaves no remainder: "90s", "64MiB".
std::string format_duration(std::int64_t milliseconds);
std::string format_size(std::int64_t bytes);

// How YAML 1.2's core schema reads a plain scalar. Only `text` may stand for a text setting without quotes.
enum class PlainType : std::uint8_t { text, number, boolean, null };
PlainType plain_type(std::string_view text);

}  // namespace sallyport::config
