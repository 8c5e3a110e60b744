// Aggregates, functions of windows, and windows.
#include "sql/parser.h"

namespace sallyport::sql {

namespace {
constexpr std::uint16_t plain = static_cast<std::uint16_t>(NameStyle::plain);
}

// GROUP_CONCAT([DISTINCT] a, b [ORDER BY c] [SEPARATOR 'x'] [LIMIT 1]).
Node* Parser::group_concat() {
  Production made(*this, NodeKind::function_call, K::group_concat);
  made.add(Role::function, leaf(NodeKind::name, plain));
  expect(Symbol::parenthesis_open);
  if (accept(K::distinct)) {
    made.set(node_flag::distinct);
  }
  expression_list(made, Role::argument);
  if (is(K::order)) {
    made.add(Role::order_by, order_by());
  }
  if (accept(K::separator)) {
    made.add(Role::separator, literal());
  }
  if (is_mariadb() && is(K::limit)) {
    made.add(Role::limit, limit());
  }
  expect(Symbol::parenthesis_close);
  over_clause(made, K::group_concat);
  return made.done();
}

Node* Parser::aggregate(Keyword keyword) {
  Production made(*this, NodeKind::function_call, keyword);
  made.add(Role::function, leaf(NodeKind::name, plain));
  expect(Symbol::parenthesis_open);
  if (keyword == K::count && is(Symbol::star)) {
    made.add(Role::argument, leaf(NodeKind::star));
  } else {
    bool takes_distinct = keyword == K::count || keyword == K::sum || keyword == K::avg || keyword == K::min ||
                          keyword == K::max || keyword == K::st_collect ||
                          (keyword == K::json_arrayagg && is_mariadb());
    bool is_distinct = takes_distinct && accept(K::distinct);
    if (is_distinct) {
      made.set(node_flag::distinct);
    } else {
      accept(K::all);
    }
    made.add(Role::argument, expression());
    if (keyword == K::json_objectagg) {
      expect(Symbol::comma);
      made.add(Role::argument, expression());
    }
    while (keyword == K::count && is_distinct && accept(Symbol::comma)) {
      made.add(Role::argument, expression());
    }
    if (is_mariadb() && is(K::order)) {
      made.add(Role::order_by, order_by());
    }
    if (is_mariadb() && is(K::limit)) {
      made.add(Role::limit, limit());
    }
    if (keyword == K::json_arrayagg && is_mysql_since(90300)) {
      if (is(K::absent)) {
        made.add(Role::nulls, keyword_leaf());
        expect(K::on, K::null);
      } else if (accept(K::null)) {
        expect(K::on);
        expect(K::null);
      }
    }
  }
  expect(Symbol::parenthesis_close);
  over_clause(made, keyword);
  return made.done();
}

// LEAD(x, 1, y) OVER (...). What is counted is to MySQL a number, a variable or a parameter.
Node* Parser::window_function(Keyword keyword) {
  Production name(*this, NodeKind::object_name, K::function);
  name.add(Role::name, identifier_behind_dot());
  Production made(*this, NodeKind::function_call, static_cast<std::uint16_t>(keyword), Role::function, name.done());
  auto count = [&] { made.add(Role::argument, is_mysql() ? counting_argument() : expression()); };
  bool may_be_plain = is_mariadb() && keyword == K::last_value;
  bool is_list = false;
  expect(Symbol::parenthesis_open);
  switch (keyword) {
    case K::ntile:
      count();
      break;
    case K::first_value:
    case K::last_value:
      made.add(Role::argument, expression());
      while (may_be_plain && accept(Symbol::comma)) {
        made.add(Role::argument, expression());
        is_list = true;
      }
      break;
    case K::nth_value:
      made.add(Role::argument, expression());
      expect(Symbol::comma);
      made.add(Role::argument, is_mysql() ? simple_expression() : expression());
      break;
    case K::lead:
    case K::lag:
      made.add(Role::argument, expression());
      if (accept(Symbol::comma)) {
        count();
        if (is_mysql() && accept(Symbol::comma)) {
          made.add(Role::argument, expression());
        }
      }
      break;
    default:
      break;
  }
  expect(Symbol::parenthesis_close);
  over_clause(made, keyword);
  Node* found = made.done();
  bool has_window = found->child(Role::window) != nullptr;
  if (has_window ? is_list : !may_be_plain) {
    fail();
  }
  return found;
}

Node* Parser::counting_argument() {
  if (is(Symbol::question)) {
    return parameter();
  }
  if (is(Symbol::at)) {
    return user_variable();
  }
  if (is(TokenKind::hexadecimal)) {
    fail();
  }
  return is_identifier() ? local_variable() : integer_number();
}

// PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x) OVER (...), MEDIAN(x) OVER (...).
Node* Parser::percentile(Keyword keyword) {
  Production made(*this, NodeKind::function_call, keyword);
  made.add(Role::function, leaf(NodeKind::name, plain));
  expect(Symbol::parenthesis_open);
  made.add(Role::argument, expression());
  expect(Symbol::parenthesis_close);
  if (keyword != K::median) {
    expect(K::within, K::group);
    expect(Symbol::parenthesis_open);
    made.add(Role::order_by, order_by());
    expect(Symbol::parenthesis_close);
  }
  if (!is(K::over)) {
    fail();
  }
  over_clause(made, keyword);
  return made.done();
}

// OVER window, before which MySQL has [FROM FIRST | LAST] [RESPECT | IGNORE NULLS].
void Parser::over_clause(Production& into, Keyword function) {
  bool looks_at_rows = function == K::nth_value || function == K::first_value || function == K::last_value ||
                       function == K::lead || function == K::lag;
  if (is_mysql() && function == K::nth_value && accept(K::from)) {
    expect_one_of({K::first, K::last});
  }
  if (is_mysql() && looks_at_rows && is_one_of({K::respect, K::ignore}) && next_is(K::nulls)) {
    into.add(Role::nulls, keyword_leaf());
    advance();
  }
  if (!is(K::over)) {
    return;
  }
  advance();
  if (is(Symbol::parenthesis_open)) {
    into.add(Role::window, window_specification());
  } else {
    Production named(*this, NodeKind::window_name);
    named.add(Role::name, identifier_leaf());
    into.add(Role::window, named.done());
  }
}

// ([name] [PARTITION BY ...] [ORDER BY ...] [frame])
Node* Parser::window_specification() {
  Level level(*this);
  Production made(*this, NodeKind::window);
  expect(Symbol::parenthesis_open);
  if (!level) {
    return nullptr;
  }
  if (is_identifier() && !is_one_of({K::rows, K::range, K::groups}) && !(is(K::partition) && next_is(K::by))) {
    made.add(Role::base, identifier_leaf());
  }
  if (is(K::partition)) {
    Production partition(*this, NodeKind::partition_by);
    advance();
    expect(K::by);
    comma_list(partition, Role::element, [&] { return order_item(); });
    made.add(Role::partition_by, partition.done());
  }
  if (is(K::order)) {
    made.add(Role::order_by, order_by());
  }
  if (is_one_of({K::rows, K::range, K::groups})) {
    made.add(Role::frame, window_frame());
  }
  expect(Symbol::parenthesis_close);
  return made.done();
}

Node* Parser::window_frame() {
  Production made(*this, NodeKind::window_frame, current().keyword);
  advance();
  if (accept(K::between)) {
    made.add(Role::low, frame_bound());
    expect(K::and_);
    made.add(Role::high, frame_bound());
  } else {
    made.add(Role::low, frame_bound());
  }
  if (accept(K::exclude)) {
    Production exclusion(*this, NodeKind::frame_exclusion, current().keyword);
    if (accept(K::current)) {
      expect(K::row);
    } else if (accept(K::no)) {
      expect(K::others);
    } else {
      expect_one_of({K::ties, K::group});
    }
    made.add(Role::exclude, exclusion.done());
  }
  return made.done();
}

// UNBOUNDED PRECEDING, CURRENT ROW, 1 FOLLOWING, INTERVAL 1 DAY PRECEDING.
Node* Parser::frame_bound() {
  Production made(*this, NodeKind::frame_bound);
  if (accept(K::current)) {
    made.variant(K::current);
    expect(K::row);
    return made.done();
  }
  if (accept(K::unbounded)) {
    made.set(node_flag::unbounded);
  } else if (is(K::interval) && is_mysql()) {
    Production interval(*this, NodeKind::interval);
    advance();
    interval.add(Role::operand, expression());
    interval.add(Role::unit, interval_unit());
    made.add(Role::operand, interval.done());
  } else if (is_mysql()) {
    made.add(Role::operand, is(Symbol::question) ? parameter() : is(Symbol::at) ? variable() : unsigned_number());
  } else {
    made.add(Role::operand, bit_expression());
  }
  made.variant(current().keyword);
  expect_one_of({K::preceding, K::following});
  return made.done();
}

}  // namespace sallyport::sql
