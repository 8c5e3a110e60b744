#include "audit/canonical.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/json_text.h"

namespace sallyport::audit {
namespace {

// RFC 8785 section 3.2.3: members are in the order of their names' UTF-16 code units.
std::u16string utf16_of(std::string_view text) {
  std::u16string out;
  for (std::size_t i = 0; i < text.size();) {
    auto lead = static_cast<std::uint8_t>(text[i]);
    int more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    char32_t code = more == 0 ? lead : lead & (0x3FU >> more);
    for (int j = 1; j <= more; ++j) {
      code = code << 6 | (static_cast<std::uint8_t>(text[i + static_cast<std::size_t>(j)]) & 0x3FU);
    }
    i += static_cast<std::size_t>(more) + 1;
    if (code < 0x10000) {
      out.push_back(static_cast<char16_t>(code));
    } else {
      out.push_back(static_cast<char16_t>(0xD800 + ((code - 0x10000) >> 10)));
      out.push_back(static_cast<char16_t>(0xDC00 + ((code - 0x10000) & 0x3FF)));
    }
  }
  return out;
}

void append_utf8(std::string& out, char32_t code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
    return;
  }
  int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr std::array<unsigned, 4> leads{0, 0xC0, 0xE0, 0xF0};
  out.push_back(static_cast<char>(leads[static_cast<std::size_t>(more)] | code >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) {
    out.push_back(static_cast<char>(0x80 | (code >> (6 * i) & 0x3F)));
  }
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  // Appends the value at the front in canonical form.
  bool value(std::string& out, int depth) {
    skip_space();
    if (rest_.empty() || depth > canonical_depth_max) {
      return false;
    }
    switch (rest_.front()) {
      case '{':
        return object(out, depth);
      case '[':
        return array(out, depth);
      case '"': {
        std::string text;
        if (!string(text)) {
          return false;
        }
        append_json_string(out, text);
        return true;
      }
      case 't':
        return literal(out, "true");
      case 'f':
        return literal(out, "false");
      case 'n':
        return literal(out, "null");
      default:
        return number(out);
    }
  }
  bool at_end() {
    skip_space();
    return rest_.empty();
  }

 private:
  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) {
      return false;
    }
    rest_.remove_prefix(1);
    return true;
  }
  bool literal(std::string& out, std::string_view name) {
    if (!rest_.starts_with(name)) {
      return false;
    }
    out += name;
    rest_.remove_prefix(name.size());
    return true;
  }

  bool object(std::string& out, int depth) {
    struct Member {
      std::u16string order;
      std::string text;
    };
    std::vector<Member> members;
    take('{');
    skip_space();
    if (!take('}')) {
      do {
        skip_space();
        std::string name;
        if (!string(name)) {
          return false;
        }
        Member member{.order = utf16_of(name), .text = {}};
        append_json_string(member.text, name);
        member.text.push_back(':');
        skip_space();
        if (!take(':') || !value(member.text, depth + 1)) {
          return false;
        }
        members.push_back(std::move(member));
        skip_space();
      } while (take(','));
      if (!take('}')) {
        return false;
      }
    }
    std::sort(members.begin(), members.end(), [](const Member& a, const Member& b) { return a.order < b.order; });
    auto twice = std::adjacent_find(members.begin(), members.end(),
                                    [](const Member& a, const Member& b) { return a.order == b.order; });
    out.push_back('{');
    for (const Member& member : members) {
      out += &member == members.data() ? "" : ",";
      out += member.text;
    }
    out.push_back('}');
    return twice == members.end();
  }

  bool array(std::string& out, int depth) {
    take('[');
    out.push_back('[');
    skip_space();
    if (!take(']')) {
      do {
        out += out.back() == '[' ? "" : ",";
        if (!value(out, depth + 1)) {
          return false;
        }
        skip_space();
      } while (take(','));
      if (!take(']')) {
        return false;
      }
    }
    out.push_back(']');
    return true;
  }

  std::optional<char32_t> hex4() {
    if (rest_.size() < 4) {
      return std::nullopt;
    }
    std::uint32_t code = 0;
    auto [end, error] = std::from_chars(rest_.data(), rest_.data() + 4, code, 16);
    if (error != std::errc{} || end != rest_.data() + 4) {
      return std::nullopt;
    }
    rest_.remove_prefix(4);
    return char32_t{code};
  }

  bool escape(std::string& out) {
    if (rest_.empty()) {
      return false;
    }
    char c = rest_.front();
    rest_.remove_prefix(1);
    constexpr std::string_view names = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    if (auto at = names.find(c); at != std::string_view::npos) {
      out.push_back(meanings[at]);
      return true;
    }
    auto code = c == 'u' ? hex4() : std::nullopt;
    if (code && *code >= 0xD800 && *code < 0xDC00) {
      auto low = take('\\') && take('u') ? hex4() : std::nullopt;
      if (!low || *low < 0xDC00 || *low > 0xDFFF) {
        return false;
      }
      code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
    }
    if (!code || (*code >= 0xDC00 && *code <= 0xDFFF)) {
      return false;
    }
    append_utf8(out, *code);
    return true;
  }

  bool string(std::string& out) {
    if (!take('"')) {
      return false;
    }
    while (!take('"')) {
      if (rest_.empty() || static_cast<std::uint8_t>(rest_.front()) < 0x20) {
        return false;
      }
      if (take('\\')) {
        if (!escape(out)) {
          return false;
        }
        continue;
      }
      out.push_back(rest_.front());
      rest_.remove_prefix(1);
    }
    return true;
  }

  bool number(std::string& out) {
    std::string_view text = rest_.substr(0, std::min(rest_.find_first_not_of("+-.0123456789eE"), rest_.size()));
    if (!is_number(text)) {
      return false;
    }
    // std::from_chars does not tell what is too large from what is too small.
    double number = std::strtod(std::string(text).c_str(), nullptr);
    if (!std::isfinite(number)) {
      return false;
    }
    append_json_double(out, number);
    rest_.remove_prefix(text.size());
    return true;
  }

  // RFC 8259 section 6: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
  static bool is_number(std::string_view text) {
    auto digits = [&] {
      std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
      text.remove_prefix(count);
      return count;
    };
    auto take = [&](std::string_view any) {
      bool found = !text.empty() && any.find(text.front()) != std::string_view::npos;
      text.remove_prefix(found ? 1 : 0);
      return found;
    };
    take("-");
    bool leads_with_zero = text.starts_with('0');
    std::size_t whole = digits();
    if (whole == 0 || (leads_with_zero && whole > 1)) {
      return false;
    }
    if (take(".") && digits() == 0) {
      return false;
    }
    if (take("eE")) {
      take("+-");
      if (digits() == 0) {
        return false;
      }
    }
    return text.empty();
  }

  std::string_view rest_;
};

}  // namespace

std::optional<std::string> canonical_json(std::string_view text) {
  if (!is_utf8(text)) {
    return std::nullopt;
  }
  std::string out;
  Reader reader{text};
  if (!reader.value(out, 0) || !reader.at_end()) {
    return std::nullopt;
  }
  return out;
}

}  // namespace sallyport::audit
