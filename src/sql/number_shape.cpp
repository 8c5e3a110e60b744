#include "sql/number_shape.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace sallyport::sql {
namespace {

// More digits are another kind of number.
constexpr std::size_t digits_max = 18;

enum class Class : std::uint8_t { other, blank, letter, digit, separator, symbol, name_quote };

constexpr std::array<Class, 256> classes_of_bytes() {
  std::array<Class, 256> classes{};
  for (std::size_t byte = 0; byte < 128; ++byte) {
    auto c = static_cast<char>(byte);
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    classes[byte] = is_letter ? Class::letter : c >= '0' && c <= '9' ? Class::digit : Class::other;
  }
  for (char c : std::string_view(" \t\r\n")) {
    classes[static_cast<unsigned char>(c)] = Class::blank;
  }
  for (char c : std::string_view("(,=<>")) {  // a number may follow at once
    classes[static_cast<unsigned char>(c)] = Class::separator;
  }
  for (char c : std::string_view(").*+!")) {
    classes[static_cast<unsigned char>(c)] = Class::symbol;
  }
  classes['`'] = Class::name_quote;
  return classes;
}
constexpr std::array<Class, 256> classes = classes_of_bytes();

Class class_of(char c) {
  return classes[static_cast<unsigned char>(c)];
}

bool ends_number(std::string_view text, std::size_t at) {
  return at == text.size() || class_of(text[at]) == Class::blank || text[at] == ')' || text[at] == ',';
}

bool is_comparison(Operator op) {
  switch (op) {
    case Operator::equal:
    case Operator::null_safe_equal:
    case Operator::not_equal:
    case Operator::less:
    case Operator::less_or_equal:
    case Operator::greater:
    case Operator::greater_or_equal:
      return true;
    default:
      return false;
  }
}

bool is_number(const Node& node) {
  return node.is(NodeKind::literal) && node.as<LiteralKind>() == LiteralKind::integer;
}

std::size_t numbers_among(const Node& node) {
  return static_cast<std::size_t>(std::count_if(children(node).begin(), children(node).end(), is_number));
}

// Of a test of a column by numbers, and perhaps by more that is not.
std::size_t replaceable_in_test(const Node& test) {
  const Node* tested = test.first;
  switch (test.kind) {
    case NodeKind::binary: {
      const Node& other = *tested->next;
      bool has_column = tested->is(NodeKind::column_reference) || other.is(NodeKind::column_reference);
      return is_comparison(test.as<Operator>()) && has_column ? numbers_among(test) : 0;
    }
    case NodeKind::between:
    case NodeKind::in:
      return tested->role == Role::operand && tested->is(NodeKind::column_reference) ? numbers_among(test) : 0;
    default:
      return 0;
  }
}

std::size_t replaceable_in_condition(const Node& condition) {
  bool is_conjunction = condition.is(NodeKind::parentheses) ||
                        (condition.is(NodeKind::binary) && condition.as<Operator>() == Operator::and_);
  if (!is_conjunction) {
    return replaceable_in_test(condition);
  }
  std::size_t numbers = 0;
  for (const Node& child : children(condition)) {
    numbers += replaceable_in_condition(child);
  }
  return numbers;
}

// Not in queries within conditions: these may be compared with each other, as they are written.
std::size_t replaceable_numbers(const Node& node) {
  switch (node.kind) {
    case NodeKind::query:
    case NodeKind::set_operation:
    case NodeKind::parentheses:
    case NodeKind::select:
    case NodeKind::update:
    case NodeKind::delete_:
      break;
    case NodeKind::limit:
      return numbers_among(node);
    default:
      return 0;
  }
  std::size_t numbers = 0;
  for (const Node& child : children(node)) {
    numbers += child.role == Role::where ? replaceable_in_condition(child) : replaceable_numbers(child);
  }
  return numbers;
}

}  // namespace

std::size_t number_shape(std::string_view text, std::string& shape) {
  shape.clear();
  std::size_t numbers = 0;
  std::size_t copied = 0;
  bool number_may_begin = false;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = at++;
    switch (class_of(text[begin])) {
      case Class::other:
        return 0;
      case Class::blank:
      case Class::separator:
        number_may_begin = true;
        break;
      case Class::symbol:
        number_may_begin = false;
        break;
      case Class::letter:
        while (at < text.size() && (class_of(text[at]) == Class::letter || class_of(text[at]) == Class::digit)) {
          ++at;
        }
        number_may_begin = false;
        break;
      case Class::digit:
        while (at < text.size() && class_of(text[at]) == Class::digit) {
          ++at;
        }
        if (!number_may_begin || at - begin > digits_max || !ends_number(text, at)) {
          return 0;
        }
        shape.append(text, copied, begin - copied);
        shape += number_mark;
        copied = at;
        ++numbers;
        number_may_begin = false;
        break;
      case Class::name_quote:
        while (at < text.size() && text[at] != '`') {
          if (static_cast<unsigned char>(text[at]) >= 0x80 || text[at] == number_mark) {
            return 0;
          }
          ++at;
        }
        if (at == text.size()) {
          return 0;
        }
        ++at;
        number_may_begin = false;
        break;
    }
  }
  if (numbers != 0) {
    shape.append(text, copied);
  }
  return numbers;
}

bool any_numbers_do(const Node& root, std::size_t numbers) {
  return replaceable_numbers(root) == numbers;
}

}  // namespace sallyport::sql
