// Where a simulation's decisions come from: a seed, or the input of a fuzzer.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace sallyport::simulation {

class Choices {
 public:
  Choices() = default;
  Choices(const Choices&) = delete;
  Choices& operator=(const Choices&) = delete;
  virtual ~Choices() = default;

  // A number from 0 to count - 1; `count` is at least 1.
  virtual std::uint32_t below(std::uint32_t count) = 0;

  bool one_in(std::uint32_t count) { return below(count) == 0; }
  std::uint8_t byte() { return static_cast<std::uint8_t>(below(256)); }
  std::string letters(std::uint32_t count) {
    std::string text;
    for (std::uint32_t i = 0; i < count; ++i) {
      text.push_back(static_cast<char>('a' + below(26)));
    }
    return text;
  }
};

// splitmix64: the same seed gives the same run on every platform.
class SeededChoices final : public Choices {
 public:
  explicit SeededChoices(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 1) {}
  std::uint32_t below(std::uint32_t count) override {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return static_cast<std::uint32_t>((z ^ (z >> 31)) % count);
  }

 private:
  std::uint64_t state_;
};

// The bytes of a fuzzer's input; zeros behind its end.
class InputChoices final : public Choices {
 public:
  explicit InputChoices(Bytes input) : input_(input) {}
  std::uint32_t below(std::uint32_t count) override {
    std::uint32_t value = next();
    if (count > 256) {
      value = value << 8 | next();
    }
    return value % count;
  }
  bool at_end() const { return input_.empty(); }

 private:
  std::uint32_t next() {
    if (input_.empty()) {
      return 0;
    }
    std::uint8_t value = input_[0];
    input_ = input_.subspan(1);
    return value;
  }
  Bytes input_;
};

}  // namespace sallyport::simulation
