// Expressions. The levels of precedence are those of the servers' grammars (sql/sql_yacc.yy of both).
#include "sql/parser.h"

namespace sallyport::sql {
namespace {

// A chain of one operator is one node; other chains lean to the left, a level an operator.
constexpr int chain_max = 2000;

struct Binary {
  Operator op;
  int precedence;  // 0: none
};

std::uint16_t variant_of(Operator op) {
  return static_cast<std::uint16_t>(op);
}

bool is_chained(Operator op) {
  return op == Operator::or_ || op == Operator::and_ || op == Operator::xor_ || op == Operator::plus ||
         op == Operator::multiply || op == Operator::bit_or || op == Operator::bit_and || op == Operator::concatenate;
}

std::optional<Operator> comparison_of(Symbol symbol) {
  switch (symbol) {
    case Symbol::equal:
      return Operator::equal;
    case Symbol::null_safe_equal:
      return Operator::null_safe_equal;
    case Symbol::not_equal:
      return Operator::not_equal;
    case Symbol::less:
      return Operator::less;
    case Symbol::less_or_equal:
      return Operator::less_or_equal;
    case Symbol::greater:
      return Operator::greater;
    case Symbol::greater_or_equal:
      return Operator::greater_or_equal;
    default:
      return std::nullopt;
  }
}

}  // namespace

Node* Parser::expression() {
  Level level(*this);
  return level ? logical_expression(1) : nullptr;
}

Node* Parser::logical_expression(int precedence_min) {
  return logical_from(not_expression(), precedence_min);
}

Node* Parser::expression_from(Node* left) {
  return logical_from(boolean_from(predicate_from(bit_from(simple_from(left), 0))), 1);
}

// OR, XOR, AND, from the weakest.
Node* Parser::logical_from(Node* left, int precedence_min) {
  int chained = 0;
  while (!failed()) {
    Binary binary{Operator::or_, 0};
    if (is(K::or_) || (is(Symbol::logical_or) && !has_mode(sql_mode::pipes_as_concat))) {
      binary = {Operator::or_, 1};
    } else if (is(K::xor_)) {
      binary = {Operator::xor_, 2};
    } else if (is(K::and_) || is(Symbol::logical_and)) {
      binary = {Operator::and_, 3};
    }
    if (binary.precedence == 0 || binary.precedence < precedence_min) {
      break;
    }
    if (++chained > chain_max) {
      fail(ParseErrorCode::nesting_too_deep);
    }
    Production made(*this, NodeKind::binary, variant_of(binary.op), Role::operand, left);
    do {
      advance();
      made.add(Role::operand, logical_from(not_expression(), binary.precedence + 1));
    } while (binary.op == Operator::and_ ? is(K::and_) || is(Symbol::logical_and)
             : binary.op == Operator::xor_
                 ? is(K::xor_)
                 : is(K::or_) || (is(Symbol::logical_or) && !has_mode(sql_mode::pipes_as_concat)));
    left = made.done();
  }
  return left;
}

Node* Parser::not_expression() {
  if (is(K::not_) && !has_mode(sql_mode::high_not_precedence)) {
    Level level(*this);
    Production made(*this, NodeKind::unary, variant_of(Operator::not_));
    advance();
    if (level) {
      made.add(Role::operand, not_expression());
    }
    return made.done();
  }
  return boolean_from(predicate());
}

// Comparisons and IS, which chain to the left.
Node* Parser::boolean_from(Node* left) {
  for (int chained = 0; !failed(); ++chained) {
    if (chained > chain_max) {
      fail(ParseErrorCode::nesting_too_deep);
    }
    if (is(K::is)) {
      left = is_test(left);
      if (is_mysql() && left->keyword() != K::null) {
        break;
      }
      continue;
    }
    auto op = is(TokenKind::symbol) ? comparison_of(current().token.symbol) : std::nullopt;
    if (!op) {
      break;
    }
    advance();
    if (is_one_of({K::all, K::any, K::some}) && next_is(Symbol::parenthesis_open) && *op != Operator::null_safe_equal) {
      Production made(*this, NodeKind::quantified_comparison, variant_of(*op), Role::operand, left);
      made.add(Role::quantifier, keyword_leaf());
      made.add(Role::query, subquery());
      left = made.done();
      continue;
    }
    Production made(*this, NodeKind::binary, variant_of(*op), Role::operand, left);
    made.add(Role::operand, predicate());
    left = made.done();
  }
  return left;
}

// IS [NOT] NULL, TRUE, FALSE, UNKNOWN; MariaDB's and MySQL's IS [NOT] JSON is not there.
Node* Parser::is_test(Node* left) {
  Production made(*this, NodeKind::is_test, 0, Role::operand, left);
  advance();
  if (accept(K::not_)) {
    made.set(node_flag::negated);
  }
  made.variant(current().keyword);
  expect_one_of({K::null, K::true_, K::false_, K::unknown});
  return made.done();
}

Node* Parser::predicate() {
  return predicate_from(bit_expression());
}

Node* Parser::predicate_from(Node* left) {
  // MariaDB's predicates chain; MySQL's do not, but for what its grammar calls so by way of parentheses.
  for (int chained = 0; !failed(); ++chained) {
    if (chained > chain_max) {
      fail(ParseErrorCode::nesting_too_deep);
    }
    Node* made = negatable_predicate(left);
    if (made == left) {
      break;
    }
    left = made;
    if (is_mysql()) {
      break;
    }
  }
  return left;
}

Node* Parser::negatable_predicate(Node* left) {
  if (is(K::sounds) && next_is(K::like)) {
    Production made(*this, NodeKind::sounds_like, 0, Role::operand, left);
    advance();
    advance();
    made.add(Role::operand, bit_expression());
    return made.done();
  }
  if (is(K::member) && is_mysql()) {
    Production made(*this, NodeKind::member_of, 0, Role::operand, left);
    advance();
    accept(K::of);
    expect(Symbol::parenthesis_open);
    made.add(Role::operand, simple_expression());
    expect(Symbol::parenthesis_close);
    return made.done();
  }
  bool negated = is(K::not_);
  Keyword test = negated ? peek(1).keyword : current().keyword;
  if (test != K::in && test != K::between && test != K::like && test != K::regexp && test != K::rlike) {
    return left;
  }
  if (negated) {
    advance();
  }
  advance();
  NodeKind kind = test == K::in        ? NodeKind::in
                  : test == K::between ? NodeKind::between
                  : test == K::like    ? NodeKind::like
                                       : NodeKind::regexp;
  Production made(*this, kind, 0, Role::operand, left);
  if (negated) {
    made.set(node_flag::negated);
  }
  switch (kind) {
    case NodeKind::in:
      if (is_parenthesised_query()) {
        Node* operand = parenthesised();
        // (SELECT 1) + 1, or (SELECT 1), 2: the parenthesis was read as the list's.
        made.add(operand != nullptr && operand->is(NodeKind::subquery) ? Role::query : Role::element, operand);
        break;
      }
      expect(Symbol::parenthesis_open);
      expression_list(made, Role::element);
      expect(Symbol::parenthesis_close);
      break;
    case NodeKind::between:
      made.add(Role::low, bit_expression());
      expect(K::and_);
      made.add(Role::high, predicate());
      break;
    case NodeKind::like:
      made.add(Role::pattern, is_mariadb() ? bit_expression() : simple_expression());
      if (accept(K::escape)) {
        made.add(Role::escape, is_mariadb() ? bit_expression() : simple_expression());
      }
      break;
    default:
      made.add(Role::pattern, bit_expression());
  }
  return made.done();
}

Node* Parser::bit_expression(int precedence_min) {
  return bit_from(simple_expression(), precedence_min);
}

// | & << >> + - * / DIV % MOD ^, from the weakest.
Node* Parser::bit_from(Node* left, int precedence_min) {
  auto current_operator = [&]() -> Binary {
    if (is(TokenKind::symbol)) {
      switch (current().token.symbol) {
        case Symbol::bar:
          return {Operator::bit_or, 1};
        case Symbol::ampersand:
          return {Operator::bit_and, 2};
        case Symbol::shift_left:
          return {Operator::shift_left, 3};
        case Symbol::shift_right:
          return {Operator::shift_right, 3};
        case Symbol::plus:
          return {Operator::plus, 4};
        case Symbol::minus:
          return {Operator::minus, 4};
        case Symbol::star:
          return {Operator::multiply, 5};
        case Symbol::slash:
          return {Operator::divide, 5};
        case Symbol::percent:
          return {Operator::modulo, 5};
        case Symbol::caret:
          return {Operator::bit_xor, 6};
        default:
          return {Operator::or_, 0};
      }
    }
    if (is(K::div)) {
      return {Operator::integer_divide, 5};
    }
    if (is(K::mod)) {
      return {Operator::modulo, 5};
    }
    return {Operator::or_, 0};
  };
  for (int chained = 0; !failed(); ++chained) {
    Binary binary = current_operator();
    if (binary.precedence == 0 || binary.precedence < precedence_min) {
      break;
    }
    if (chained > chain_max) {
      fail(ParseErrorCode::nesting_too_deep);
    }
    Production made(*this, NodeKind::binary, variant_of(binary.op), Role::operand, left);
    Binary again{};
    do {
      advance();
      bool adds_interval = binary.precedence == 4 && is(K::interval);
      made.add(Role::operand, adds_interval ? interval_term() : bit_from(simple_expression(), binary.precedence + 1));
      again = current_operator();
    } while (again.precedence != 0 && again.op == binary.op && is_chained(binary.op));
    left = made.done();
  }
  return left;
}

// INTERVAL 1 DAY, or the function INTERVAL(1, 2).
Node* Parser::interval() {
  Production made(*this, NodeKind::interval);
  Production call(*this, NodeKind::function_call, K::interval);
  Node* name = leaf(NodeKind::name);
  if (!is(Symbol::parenthesis_open) || is_parenthesised_query()) {
    made.add(Role::operand, expression());
    made.add(Role::unit, interval_unit());
    return made.done();
  }
  Level level(*this);
  if (!level) {
    return nullptr;
  }
  Production parentheses(*this, NodeKind::parentheses);
  advance();
  Node* first = expression();
  if (is(Symbol::comma)) {
    call.add(Role::function, name);
    call.add(Role::argument, first);
    while (accept(Symbol::comma)) {
      call.add(Role::argument, expression());
    }
    expect(Symbol::parenthesis_close);
    return call.done();
  }
  parentheses.add(Role::element, first);
  expect(Symbol::parenthesis_close);
  made.add(Role::operand, expression_from(parentheses.done()));
  made.add(Role::unit, interval_unit());
  return made.done();
}

// Behind a sign.
Node* Parser::interval_term() {
  Node* found = interval();
  return found != nullptr && found->is(NodeKind::function_call) ? bit_from(simple_from(found), 5) : found;
}

Node* Parser::simple_expression() {
  return simple_from(primary());
}

// COLLATE, ->, and || where it concatenates.
Node* Parser::simple_from(Node* left) {
  for (int chained = 0; !failed(); ++chained) {
    if (chained > chain_max) {
      fail(ParseErrorCode::nesting_too_deep);
    }
    if (is(K::collate)) {
      Production made(*this, NodeKind::collate, 0, Role::operand, left);
      advance();
      made.add(Role::name, collation_name());
      left = made.done();
    } else if (is(Symbol::logical_or) && has_mode(sql_mode::pipes_as_concat)) {
      Production made(*this, NodeKind::binary, variant_of(Operator::concatenate), Role::operand, left);
      while (accept(Symbol::logical_or)) {
        made.add(Role::operand, primary());
      }
      left = made.done();
    } else if (is(Symbol::arrow) || is(Symbol::unquoting_arrow)) {
      if (left == nullptr || !left->is(NodeKind::column_reference)) {
        fail();
        break;
      }
      Operator op = is(Symbol::arrow) ? Operator::arrow : Operator::unquoting_arrow;
      Production made(*this, NodeKind::binary, variant_of(op), Role::operand, left);
      advance();
      made.add(Role::operand, text_literal());
      left = made.done();
    } else {
      break;
    }
  }
  return left;
}

Node* Parser::prefix(NodeKind kind, Operator op) {
  Level level(*this);
  Production made(*this, kind, variant_of(op));
  advance();
  if (level) {
    // The sign binds closer than COLLATE only where that is not a name's.
    made.add(Role::operand, simple_expression());
  }
  return made.done();
}

// INTERVAL 1 DAY + x, or the function.
Node* Parser::interval_primary() {
  Node* found = interval();
  if (found == nullptr || found->is(NodeKind::function_call)) {
    return found;
  }
  Production made(*this, NodeKind::binary, variant_of(Operator::plus), Role::operand, found);
  expect(Symbol::plus);
  made.add(Role::operand, bit_expression(5));
  return made.done();
}

Node* Parser::primary() {
  if (is(TokenKind::symbol)) {
    switch (current().token.symbol) {
      case Symbol::parenthesis_open:
        return parenthesised();
      case Symbol::minus:
        return prefix(NodeKind::unary, Operator::minus);
      case Symbol::plus:
        return prefix(NodeKind::unary, Operator::plus);
      case Symbol::tilde:
        return prefix(NodeKind::unary, Operator::bit_not);
      case Symbol::exclamation:
        return prefix(NodeKind::unary, Operator::not_);
      case Symbol::question:
        return parameter();
      case Symbol::brace_open:
        return odbc_escape();
      case Symbol::at: {
        Node* found = variable();
        if (is(Symbol::assign) && found != nullptr && found->is(NodeKind::user_variable)) {
          Production made(*this, NodeKind::assignment_expression, 0, Role::target, found);
          advance();
          made.add(Role::value, expression());
          return made.done();
        }
        return found;
      }
      case Symbol::dot:
        return column_reference();
      default:
        fail();
        return nullptr;
    }
  }
  switch (current().keyword) {
    case K::not_:
      if (has_mode(sql_mode::high_not_precedence)) {
        return prefix(NodeKind::unary, Operator::not_);
      }
      fail();
      return nullptr;
    case K::binary:
      if (!is_mariadb() && !is_mysql()) {
        break;
      }
      return prefix(NodeKind::unary, Operator::binary);
    case K::case_:
      return case_expression();
    case K::exists:
      return exists();
    case K::row:
      if (next_is(Symbol::parenthesis_open)) {
        return row_constructor();
      }
      break;
    case K::match:
      return match_against();
    case K::interval:
      return interval_primary();
    default:
      break;
  }
  if (is_literal()) {
    // DATE '2020-01-01' is with the functions; a national text may be an introducer's.
    return literal();
  }
  return column_or_function();
}

// (1), (1, 2), (SELECT ...), and what begins as a query and goes on as an expression.
Node* Parser::parenthesised() {
  Level level(*this);
  if (!level) {
    return nullptr;
  }
  if (is_parenthesised_query()) {
    InnerQuery inner_query(*this);
    Production made(*this, NodeKind::subquery);
    expect(Symbol::parenthesis_open);
    Node* inner = nullptr;
    if (is(Symbol::parenthesis_open)) {
      inner = parenthesised();
      if (inner != nullptr && inner->is(NodeKind::subquery) &&
          is_one_of({K::union_, K::except, K::intersect, K::minus, K::order, K::limit, K::offset, K::fetch, K::for_,
                     K::lock, K::into})) {
        inner = query_from(inner);
        made.add(Role::query, inner);
        expect(Symbol::parenthesis_close);
        return made.done();
      }
      if (inner != nullptr && inner->is(NodeKind::subquery) && is(Symbol::parenthesis_close)) {
        made.add(Role::query, inner);
        expect(Symbol::parenthesis_close);
        return made.done();
      }
    } else {
      made.add(Role::query, query_expression());
      expect(Symbol::parenthesis_close);
      return made.done();
    }
    // ((SELECT 1) + 1, 2)
    inner = expression_from(inner);
    Production list(*this, NodeKind::parentheses, 0, Role::element, inner);
    while (accept(Symbol::comma)) {
      list.add(Role::element, expression());
    }
    expect(Symbol::parenthesis_close);
    return list.done();
  }
  Production made(*this, NodeKind::parentheses);
  expect(Symbol::parenthesis_open);
  expression_list(made, Role::element);
  expect(Symbol::parenthesis_close);
  return made.done();
}

void Parser::expression_list(Production& into, Role role) {
  comma_list(into, role, [&] { return expression(); });
}

Node* Parser::subquery() {
  Level level(*this);
  Production made(*this, NodeKind::subquery);
  if (!level || !is_parenthesised_query()) {
    fail();
    return nullptr;
  }
  InnerQuery inner_query(*this);
  expect(Symbol::parenthesis_open);
  made.add(Role::query, query_expression());
  expect(Symbol::parenthesis_close);
  return made.done();
}

Node* Parser::case_expression() {
  Level level(*this);
  if (!level) {
    return nullptr;
  }
  Production made(*this, NodeKind::case_);
  expect(K::case_);
  if (!is(K::when)) {
    made.add(Role::operand, expression());
  }
  do {
    expect(K::when);
    made.add(Role::condition, expression());
    expect(K::then);
    made.add(Role::value, expression());
  } while (is(K::when));
  if (accept(K::else_)) {
    made.add(Role::otherwise, expression());
  }
  expect(K::end);
  return made.done();
}

Node* Parser::exists() {
  Production made(*this, NodeKind::exists);
  expect(K::exists);
  made.add(Role::query, subquery());
  return made.done();
}

Node* Parser::row_constructor() {
  Production made(*this, NodeKind::row);
  expect(K::row);
  expect(Symbol::parenthesis_open);
  expression_list(made, Role::element);
  expect(Symbol::parenthesis_close);
  return made.done();
}

// MATCH (a, b) AGAINST (x IN BOOLEAN MODE).
Node* Parser::match_against() {
  Production made(*this, NodeKind::match);
  expect(K::match);
  bool parenthesised = accept(Symbol::parenthesis_open);
  comma_list(made, Role::column, [&] { return column_reference(); });
  if (parenthesised) {
    expect(Symbol::parenthesis_close);
  }
  expect(K::against);
  expect(Symbol::parenthesis_open);
  made.add(Role::pattern, bit_expression());
  bool in_boolean_mode = false;
  if (accept(K::in)) {
    if (accept(K::boolean)) {
      in_boolean_mode = true;
      made.variant(K::boolean);
      expect(K::mode);
    } else {
      expect(K::natural);
      expect(K::language);
      expect(K::mode);
    }
  }
  if (!in_boolean_mode && accept(K::with)) {
    expect(K::query);
    expect(K::expansion);
    made.set(node_flag::with_expansion);
  }
  expect(Symbol::parenthesis_close);
  return made.done();
}

// {d '2020-01-01'}, {x anything}.
Node* Parser::odbc_escape() {
  Level level(*this);
  if (!level) {
    return nullptr;
  }
  Production made(*this, NodeKind::odbc_escape);
  expect(Symbol::brace_open);
  made.add(Role::name, identifier_leaf());
  made.add(Role::operand, expression());
  expect(Symbol::brace_close);
  return made.done();
}

// a, t.a, db.t.a, .t.a.
Node* Parser::column_reference() {
  Production made(*this, NodeKind::column_reference);
  if (is(Symbol::dot)) {
    if (is_mysql()) {
      fail();
    }
    advance();
    made.add(Role::qualifier, identifier_behind_dot());
    expect(Symbol::dot);
    made.add(Role::name, identifier_behind_dot());
    return made.done();
  }
  Node* name = identifier_leaf();
  for (int dots = 0; dots < 2 && is(Symbol::dot) && !next_is(Symbol::star); ++dots) {
    advance();
    made.add(Role::qualifier, name);
    name = identifier_behind_dot();
  }
  made.add(Role::name, name);
  return made.done();
}

}  // namespace sallyport::sql
