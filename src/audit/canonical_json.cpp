#include "audit/canonical_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/json_text.h"

namespace sallyport::audit {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// RFC 8785 sorts by UTF-16 units. UTF-8 sorts alike, but that characters beyond U+FFFF (surrogates in UTF-16, bytes
// from F0 in UTF-8) come before U+E000 to U+FFFF (bytes EE and EF).
int sort_weight(unsigned char byte) {
  return byte >= 0xF0 ? 0xEE - 1 : byte >= 0xEE ? byte + 0x10 : byte;
}

bool sorts_before(std::string_view left, std::string_view right) {
  std::size_t common = std::min(left.size(), right.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (left[i] != right[i]) {
      auto a = static_cast<unsigned char>(left[i]);
      auto b = static_cast<unsigned char>(right[i]);
      int weight_a = sort_weight(a);
      int weight_b = sort_weight(b);
      return weight_a != weight_b ? weight_a < weight_b : a < b;
    }
  }
  return left.size() < right.size();
}

class Checker {
 public:
  explicit Checker(std::string_view text) : text_(text) {}

  std::string_view find(std::string_view name) {
    wanted_name_ = name;
    RecordOutline outline;
    return check(outline) ? std::string_view() : wanted_;
  }

  CanonicalFault check(RecordOutline& outline) {
    outline_ = &outline;
    if (!is_utf8(text_)) {
      return {.what = "it is not UTF-8", .at = 0};
    }
    if (peek() != '{') {
      fail("it is no object");
    } else {
      object(0);
      if (fault_.what == nullptr && at_ != text_.size()) {
        fail("there is something behind the object");
      }
    }
    return fault_;
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool fail(const char* what) {
    if (fault_.what == nullptr) {
      fault_ = {.what = what, .at = at_};
    }
    return false;
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as json_depth_max
  bool value(unsigned depth) {
    switch (peek()) {
      case '{':
        return object(depth);
      case '[':
        return array(depth);
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:  // bytes of a text, not an enum
        return number();
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  bool object(unsigned depth) {
    if (depth == json_depth_max) {
      return fail("it is nested too deeply");
    }
    ++at_;
    if (peek() == '}') {
      ++at_;
      return true;
    }
    std::string_view last;
    while (true) {
      std::size_t begin = at_;
      if (peek() != '"') {
        return fail("a member's name is missing");
      }
      if (!string()) {
        return false;
      }
      std::string_view name = text_.substr(begin, at_ - begin);
      if (!last.empty() && !in_order(last, name)) {
        at_ = begin;
        return fail("its members are not sorted, or one is there twice");
      }
      last = name;
      if (peek() != ':') {
        return fail("a colon is missing");
      }
      std::size_t value_begin = ++at_;
      if (!value(depth + 1)) {
        return false;
      }
      if (depth == 0) {
        note_member(name, text_.substr(value_begin, at_ - value_begin));
      }
      if (peek() == '}') {
        ++at_;
        return true;
      }
      if (peek() != ',') {
        return fail("a comma or the object's end is missing");
      }
      ++at_;
    }
  }

  // Names with their quotes.
  static bool in_order(std::string_view left, std::string_view right) {
    left = left.substr(1, left.size() - 2);
    right = right.substr(1, right.size() - 2);
    if (left.find('\\') == std::string_view::npos && right.find('\\') == std::string_view::npos) {
      return sorts_before(left, right);
    }
    return sorts_before(unescaped("\"" + std::string(left) + "\""), unescaped("\"" + std::string(right) + "\""));
  }

  void note_member(std::string_view name, std::string_view value) {
    if (name.substr(1, name.size() - 2) == wanted_name_) {
      wanted_ = value;
    }
    if (name == "\"session\"") {
      outline_->session = value;
    } else if (name == "\"seq\"") {
      outline_->seq = value;
    } else if (name == "\"time\"") {
      outline_->time = value;
    } else if (name == "\"type\"") {
      outline_->type = value;
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  bool array(unsigned depth) {
    if (depth == json_depth_max) {
      return fail("it is nested too deeply");
    }
    ++at_;
    if (peek() == ']') {
      ++at_;
      return true;
    }
    while (true) {
      if (!value(depth + 1)) {
        return false;
      }
      if (peek() == ']') {
        ++at_;
        return true;
      }
      if (peek() != ',') {
        return fail("a comma or the array's end is missing");
      }
      ++at_;
    }
  }

  bool string() {
    ++at_;
    while (at_ < text_.size()) {
      auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c < 0x20) {
        return fail("a control character stands in a string");
      }
      if (c == '\\' && !escape()) {
        return false;
      }
      ++at_;
    }
    return fail("a string has no end");
  }

  // Leaves at_ on the escape's last byte.
  bool escape() {
    std::string_view rest = text_.substr(at_ + 1, 5);
    if (rest.empty()) {
      return fail("a string has no end");
    }
    if (std::strchr("\"\\bfnrt", rest[0]) != nullptr && rest[0] != '\0') {
      ++at_;
      return true;
    }
    // What has no short form: U+0000 to U+001F without \b \t \n \f \r, in lower case.
    constexpr std::string_view digits = "0123456789abcdef";
    if (rest.size() == 5 && rest.starts_with("u00") && (rest[3] == '0' || rest[3] == '1') &&
        digits.find(rest[4]) != std::string_view::npos &&
        (rest[3] == '1' || std::string_view("89acd").find(rest[4]) == std::string_view::npos)) {
      at_ += 5;
      return true;
    }
    return fail("an escape is not the canonical one");
  }

  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) {
      return fail("a value is missing");
    }
    at_ += expected.size();
    return true;
  }

  bool number() {
    std::size_t begin = at_;
    bool negative = peek() == '-';
    at_ += negative ? 1 : 0;
    std::size_t digits_begin = at_;
    while (is_digit(peek())) {
      ++at_;
    }
    std::size_t digits = at_ - digits_begin;
    if (digits == 0) {
      at_ = begin;
      return fail("a value is missing");
    }
    bool is_integer = peek() != '.' && peek() != 'e' && peek() != 'E';
    // Up to 15 digits an integer is exact, and has no other spelling than with more zeros in front, or "-0".
    if (is_integer && digits <= 15) {
      bool zero_first = text_[digits_begin] == '0';
      return zero_first && (digits > 1 || negative) ? fail("a number is not spelt canonically") : true;
    }
    while (is_digit(peek()) || peek() == '.' || peek() == 'e' || peek() == 'E' || peek() == '+' || peek() == '-') {
      ++at_;
    }
    std::string_view spelling = text_.substr(begin, at_ - begin);
    double parsed = 0;
    auto [end, error] = std::from_chars(spelling.data(), spelling.data() + spelling.size(), parsed);
    std::string canonical;
    if (error == std::errc{} && std::isfinite(parsed)) {
      append_json_double(canonical, parsed);
    }
    if (end != spelling.data() + spelling.size() || canonical != spelling) {
      at_ = begin;
      return fail("a number is not spelt canonically");
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  CanonicalFault fault_;
  RecordOutline* outline_ = nullptr;
  std::string_view wanted_name_ = "\n";  // no member's
  std::string_view wanted_;
};

}  // namespace

CanonicalFault check_canonical_object(std::string_view text, RecordOutline& outline) {
  return Checker(text).check(outline);
}

std::string_view find_member(std::string_view object, std::string_view name) {
  return Checker(object).find(name);
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    ++i;
    switch (text[i]) {
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'u': {
        unsigned code = 0;
        std::from_chars(text.data() + i + 1, text.data() + std::min(i + 5, text.size()), code, 16);
        out += static_cast<char>(code);
        i += 4;
        break;
      }
      default:  // bytes of a text, not an enum
        out += text[i];
    }
  }
  return out;
}

}  // namespace sallyport::audit
