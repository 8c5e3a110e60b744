// Byte spans and a bounds-checked little-endian reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sallyport {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

inline Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads a borrowed span from front to back. A read beyond the end returns zero (or empty) and makes ok() false for
// good, so that a parser may read a whole structure and check once.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  // All bytes read, none missing.
  bool exhausted() const { return ok_ && rest_.empty(); }
  std::size_t remaining() const { return rest_.size(); }
  Bytes rest() const { return rest_; }

  // The next byte without taking it; nothing at the end.
  std::optional<std::uint8_t> peek() const {
    if (rest_.empty()) {
      return std::nullopt;
    }
    return rest_[0];
  }

  std::uint8_t u8() { return static_cast<std::uint8_t>(fixed(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(fixed(2)); }
  std::uint32_t u24() { return static_cast<std::uint32_t>(fixed(3)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(fixed(4)); }
  std::uint64_t u64() { return fixed(8); }

  // Exactly `count` bytes, borrowed from the span.
  Bytes take(std::size_t count) {
    if (count > rest_.size()) {
      fail();
      return {};
    }
    Bytes taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  Bytes take_rest() { return take(rest_.size()); }

  // Bytes up to a NUL, which is taken too and not returned. Fails when there is none.
  Bytes until_nul() {
    const void* nul = rest_.empty() ? nullptr : std::memchr(rest_.data(), 0, rest_.size());
    if (nul == nullptr) {
      fail();
      return {};
    }
    auto length = static_cast<std::size_t>(static_cast<const std::uint8_t*>(nul) - rest_.data());
    Bytes taken = take(length);
    take(1);
    return taken;
  }

  void fail() {
    ok_ = false;
    rest_ = {};
  }

 private:
  std::uint64_t fixed(std::size_t width) {
    Bytes raw = take(width);
    std::uint64_t value = 0;
    for (std::size_t i = raw.size(); i-- > 0;) {
      value = value << 8 | raw[i];
    }
    return value;
  }

  Bytes rest_;
  bool ok_ = true;
};

}  // namespace sallyport
