#include "lineage/restriction.h"

#include <algorithm>
#include <optional>

namespace sallyport::lineage {
namespace {

using sql::Keyword;
using sql::LiteralKind;
using sql::Node;
using sql::NodeKind;
using sql::Operator;
using sql::Role;

// `constant`: the same for all rows, and not known which. NULL is never true, and its negation neither; where a column
// can be NULL that is no restriction to speak of.
enum class Truth : std::uint8_t { never, always, constant, open };

Truth negation(Truth truth) {
  switch (truth) {
    case Truth::never:
      return Truth::always;
    case Truth::always:
      return Truth::never;
    case Truth::constant:
    case Truth::open:
      break;
  }
  return truth;
}

class Condition {
 public:
  Condition(std::string_view text, const FindColumn& find) : text_(text), find_(find) {}

  Truth truth(const Node& given) const;

 private:
  Truth of_literal(const Node& node) const;
  Truth of_binary(const Node& node) const;
  Truth of_or(const Node& node) const;
  Truth of_comparison(const Node& node) const;
  Truth of_is(const Node& node) const;
  Truth of_test(const Node& node) const;
  bool same(const Node& one, const Node& other) const;
  bool complements(const Node& one, const Node& other) const;
  bool is_zero(const Node& node) const;
  bool is_for_all_rows_the_same(const Node& node) const;
  std::string_view literal_text(const Node& node) const;

  std::string_view text_;
  const FindColumn& find_;
};

Truth Condition::truth(const Node& given) const {
  const Node& node = sql::without_parentheses(given);
  Truth found = Truth::open;
  switch (node.kind) {
    case NodeKind::literal:
      return of_literal(node);
    case NodeKind::unary:
      return node.as<Operator>() == Operator::not_ ? negation(truth(*node.child(Role::operand)))
             : is_for_all_rows_the_same(node)      ? Truth::constant
                                                   : Truth::open;
    case NodeKind::binary:
      found = of_binary(node);
      break;
    case NodeKind::is_test:
      found = of_is(node);
      break;
    case NodeKind::between:
    case NodeKind::in:
    case NodeKind::like:
    case NodeKind::regexp:
      found = of_test(node);
      break;
    case NodeKind::exists: {
      // There is a row, or none, whatever the outer row is.
      bool depends = std::any_of(sql::children(node).begin(), sql::children(node).end(),
                                 [this](const Node& child) { return !is_for_all_rows_the_same(child); });
      return depends ? Truth::open : Truth::constant;
    }
    default:
      break;
  }
  return found == Truth::open && is_for_all_rows_the_same(node) ? Truth::constant : found;
}

Truth Condition::of_literal(const Node& node) const {
  switch (node.as<LiteralKind>()) {
    case LiteralKind::true_:
      return Truth::always;
    case LiteralKind::false_:
    case LiteralKind::null:
      return Truth::never;
    case LiteralKind::integer:
    case LiteralKind::decimal:
      return is_zero(node) ? Truth::never : Truth::always;
    default:
      return Truth::constant;
  }
}

bool Condition::is_zero(const Node& node) const {
  const Node& at = sql::without_parentheses(node);
  return at.is(NodeKind::literal) &&
         (at.as<LiteralKind>() == LiteralKind::integer || at.as<LiteralKind>() == LiteralKind::decimal) &&
         at.in(text_).find_first_not_of("0.") == std::string_view::npos;
}

Truth Condition::of_binary(const Node& node) const {
  switch (node.as<Operator>()) {
    case Operator::and_: {
      Truth all = Truth::always;
      for (const Node& operand : sql::children(node)) {
        Truth one = truth(operand);
        if (one == Truth::never) {
          return Truth::never;
        }
        all = one == Truth::open || all == Truth::open ? Truth::open : one == Truth::constant ? one : all;
      }
      return all;
    }
    case Operator::or_:
      return of_or(node);
    default:
      return of_comparison(node);
  }
}

Truth Condition::of_or(const Node& node) const {
  Truth all = Truth::never;
  for (const Node& operand : sql::children(node)) {
    Truth one = truth(operand);
    if (one == Truth::always) {
      return Truth::always;
    }
    for (const Node* other = operand.next; other != nullptr; other = other->next) {
      if (complements(operand, *other)) {
        return Truth::always;
      }
    }
    all = one == Truth::constant || all == Truth::constant ? Truth::constant : one == Truth::open ? one : all;
  }
  return all;
}

Truth Condition::of_comparison(const Node& node) const {
  const Node& left = sql::without_parentheses(*node.first);
  const Node& right = sql::without_parentheses(*node.first->next);
  if (same(left, right)) {
    switch (node.as<Operator>()) {
      case Operator::equal:
      case Operator::null_safe_equal:
      case Operator::less_or_equal:
      case Operator::greater_or_equal:
        return Truth::always;
      case Operator::not_equal:
      case Operator::less:
      case Operator::greater:
        return Truth::never;
      default:
        return Truth::open;
    }
  }
  bool both_numbers = left.is(NodeKind::literal) && right.is(NodeKind::literal) &&
                      left.as<LiteralKind>() == LiteralKind::integer && right.as<LiteralKind>() == LiteralKind::integer;
  // Other literals may be equal though they are written differently.
  return both_numbers && node.as<Operator>() == Operator::equal ? Truth::never : Truth::open;
}

Truth Condition::of_is(const Node& node) const {
  const Node& operand = sql::without_parentheses(*node.child(Role::operand));
  bool negated = node.has(sql::node_flag::negated);
  Truth found = Truth::open;
  switch (node.keyword()) {
    case Keyword::null:
    case Keyword::unknown: {
      const catalog::Column* column = operand.is(NodeKind::column_reference) ? find_(operand) : nullptr;
      if (column != nullptr) {
        found = column->nullable ? Truth::open : Truth::never;
      } else if (negated && operand.is(NodeKind::column_reference)) {
        return Truth::constant;
      }
      break;
    }
    case Keyword::true_:
      found = truth(operand);
      break;
    case Keyword::false_:
      found = negation(truth(operand));
      break;
    default:
      break;
  }
  return negated ? negation(found) : found;
}

Truth Condition::of_test(const Node& node) const {
  const Node& operand = *node.child(Role::operand);
  bool for_all = false;
  switch (node.kind) {
    case NodeKind::between:
      for_all = same(operand, *node.child(Role::low)) && same(operand, *node.child(Role::high));
      break;
    case NodeKind::in:
      for_all = std::any_of(sql::children(node).begin(), sql::children(node).end(), [&](const Node& element) {
        return element.role == Role::element && same(operand, element);
      });
      break;
    case NodeKind::like:
      for_all = same(operand, *node.child(Role::pattern)) ||
                (!literal_text(*node.child(Role::pattern)).empty() &&
                 literal_text(*node.child(Role::pattern)).find_first_not_of('%') == std::string_view::npos);
      break;
    default:
      for (std::string_view anything : {".", ".*", "^", "$", "^.*$", ".*$", "^.*", ".?", "()", "|", "(.*)"}) {
        for_all = for_all || literal_text(*node.child(Role::pattern)) == anything;
      }
  }
  return !for_all ? Truth::open : node.has(sql::node_flag::negated) ? Truth::never : Truth::always;
}

std::string_view Condition::literal_text(const Node& node) const {
  const Node& at = sql::without_parentheses(node);
  if (!at.is(NodeKind::literal) || at.as<LiteralKind>() != LiteralKind::text) {
    return {};
  }
  std::string_view written = at.in(text_);
  return written.size() < 2 ? std::string_view{} : written.substr(1, written.size() - 2);
}

bool Condition::same(const Node& one_given, const Node& other_given) const {
  const Node& one = sql::without_parentheses(one_given);
  const Node& other = sql::without_parentheses(other_given);
  if (one.in(text_) == other.in(text_)) {
    return true;
  }
  if (!one.is(NodeKind::column_reference) || !other.is(NodeKind::column_reference)) {
    return false;
  }
  const catalog::Column* column = find_(one);
  return column != nullptr && column == find_(other);
}

// Whether each row for which `one` is false has the other true.
bool Condition::complements(const Node& one_given, const Node& other_given) const {
  const Node& one = sql::without_parentheses(one_given);
  const Node& other = sql::without_parentheses(other_given);
  auto negates = [this](const Node& node, const Node& negated) {
    return negated.is(NodeKind::unary) && negated.as<Operator>() == Operator::not_ &&
           same(*negated.child(Role::operand), node);
  };
  if (negates(one, other) || negates(other, one)) {
    return true;
  }
  if (one.kind != other.kind || one.first == nullptr || other.first == nullptr || !same(*one.first, *other.first)) {
    return false;
  }
  bool has_second = one.first->next != nullptr && other.first->next != nullptr;
  bool is_one_negated = one.has(sql::node_flag::negated) != other.has(sql::node_flag::negated);
  switch (one.kind) {
    case NodeKind::is_test:
      return is_one_negated && one.keyword() == other.keyword();
    case NodeKind::in:
    case NodeKind::like:
    case NodeKind::regexp:
      return is_one_negated && has_second && same(*one.first->next, *other.first->next);
    case NodeKind::binary: {
      if (!has_second || !same(*one.first->next, *other.first->next)) {
        return false;
      }
      auto are = [a = one.as<Operator>(), b = other.as<Operator>()](Operator first, Operator second) {
        return (a == first && b == second) || (a == second && b == first);
      };
      return are(Operator::equal, Operator::not_equal) || are(Operator::less, Operator::greater_or_equal) ||
             are(Operator::less_or_equal, Operator::greater) ||
             are(Operator::less_or_equal, Operator::greater_or_equal);
    }
    default:
      return false;
  }
}

bool Condition::is_for_all_rows_the_same(const Node& node) const {
  if (node.is(NodeKind::column_reference)) {
    return false;
  }
  if (node.is(NodeKind::binary)) {
    Operator op = node.as<Operator>();
    const Node& left = *node.first;
    const Node& right = *node.first->next;
    bool is_nothing = (op == Operator::multiply && (is_zero(left) || is_zero(right))) ||
                      ((op == Operator::minus || op == Operator::bit_xor) && same(left, right));
    if (is_nothing) {
      return true;
    }
  }
  return std::all_of(sql::children(node).begin(), sql::children(node).end(),
                     [this](const Node& child) { return is_for_all_rows_the_same(child); });
}

}  // namespace

bool restricts(const Node& condition, std::string_view text, const FindColumn& find) {
  Truth truth = Condition(text, find).truth(condition);
  return truth == Truth::never || truth == Truth::open;
}

}  // namespace sallyport::lineage
