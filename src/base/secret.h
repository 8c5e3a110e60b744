// Secret: text that must not be printed, logged or left in memory (a password, a token, a private key).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace sallyport {

// Overwrites the bytes in a way that the optimiser keeps.
void wipe(void* bytes, std::size_t count);

// Owns secret text. Deliberately without operator<< and formatters; wiped when destroyed or assigned over.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.clear(); }
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      clear();
      text_ = other.text_;
    }
    return *this;
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      clear();
      text_ = std::move(other.text_);
      other.clear();
    }
    return *this;
  }
  ~Secret() { clear(); }

  // The text itself; the view lives as long as this object is unchanged.
  std::string_view reveal() const { return text_; }
  friend bool operator==(const Secret& left, const Secret& right) { return left.text_ == right.text_; }
  bool empty() const { return text_.empty(); }
  void clear() {
    wipe(text_.data(), text_.size());
    std::string{}.swap(text_);  // gives the memory back
  }

 private:
  std::string text_;
};

}  // namespace sallyport
