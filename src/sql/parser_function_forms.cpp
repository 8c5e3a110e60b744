// Functions whose arguments are not a plain list.
#include "sql/parser.h"

namespace sallyport::sql {

namespace {
constexpr std::uint16_t plain = static_cast<std::uint16_t>(NameStyle::plain);
}

// CAST(x AS type), with MySQL's AT TIME ZONE, ARRAY.
Node* Parser::cast() {
  Production made(*this, NodeKind::cast);
  advance();
  expect(Symbol::parenthesis_open);
  made.add(Role::operand, expression());
  if (is_mysql() && accept(K::at)) {
    expect(K::time);
    expect(K::zone);
    accept(K::interval);
    made.add(Role::zone, text_literal());
    expect(K::as);
    if (!is(K::datetime)) {
      fail();
    }
  } else {
    expect(K::as);
  }
  made.add(Role::type, cast_type());
  if (is_mysql() && accept(K::array)) {
    made.set(node_flag::array);
  }
  if (is_mariadb() && accept(K::format)) {
    made.add(Role::format, text_literal());
  }
  expect(Symbol::parenthesis_close);
  return made.done();
}

// CONVERT(x, type), CONVERT(x USING charset).
Node* Parser::convert() {
  Production made(*this, NodeKind::cast);
  made.set(node_flag::as_convert);
  advance();
  expect(Symbol::parenthesis_open);
  made.add(Role::operand, expression());
  if (accept(K::using_)) {
    made.add(Role::charset, is(K::default_) ? keyword_leaf() : charset_name());
  } else {
    expect(Symbol::comma);
    made.add(Role::type, cast_type());
  }
  expect(Symbol::parenthesis_close);
  return made.done();
}

Node* Parser::extract() {
  Production made(*this, NodeKind::function_call, K::extract);
  made.add(Role::function, leaf(NodeKind::name, plain));
  expect(Symbol::parenthesis_open);
  made.add(Role::unit, interval_unit());
  expect(K::from);
  made.add(Role::argument, expression());
  expect(Symbol::parenthesis_close);
  return made.done();
}

// POSITION(x IN y).
Node* Parser::position() {
  Production made(*this, NodeKind::function_call, K::position);
  made.add(Role::function, leaf(NodeKind::name, plain));
  expect(Symbol::parenthesis_open);
  made.add(Role::argument, bit_expression());
  expect(K::in);
  made.add(Role::argument, expression());
  expect(Symbol::parenthesis_close);
  return made.done();
}

// SUBSTRING(x, 1, 2), SUBSTRING(x FROM 1 FOR 2).
Node* Parser::substring() {
  Production made(*this, NodeKind::function_call, current().keyword);
  made.add(Role::function, leaf(NodeKind::name, plain));
  expect(Symbol::parenthesis_open);
  made.add(Role::argument, expression());
  if (accept(K::from)) {
    made.add(Role::argument, expression());
    if (accept(K::for_)) {
      made.add(Role::argument, expression());
    }
  } else {
    expect(Symbol::comma);
    made.add(Role::argument, expression());
    if (accept(Symbol::comma)) {
      made.add(Role::argument, expression());
    }
  }
  expect(Symbol::parenthesis_close);
  return made.done();
}

// TRIM([LEADING | TRAILING | BOTH] [x] [FROM] y).
Node* Parser::trim() {
  Production made(*this, NodeKind::function_call, K::trim);
  made.add(Role::function, leaf(NodeKind::name, plain));
  expect(Symbol::parenthesis_open);
  bool has_side = is_one_of({K::leading, K::trailing, K::both});
  if (has_side) {
    made.add(Role::side, keyword_leaf());
  }
  if (!has_side || !is(K::from)) {
    made.add(Role::argument, expression());
  }
  if (has_side ? accept(K::from) || (fail(), false) : accept(K::from)) {
    made.add(Role::argument, expression());
  }
  expect(Symbol::parenthesis_close);
  return made.done();
}

// CHAR(1, 2 USING utf8mb4).
Node* Parser::char_function() {
  Production made(*this, NodeKind::function_call, K::char_);
  made.add(Role::function, leaf(NodeKind::name, plain));
  expect(Symbol::parenthesis_open);
  expression_list(made, Role::argument);
  if (accept(K::using_)) {
    made.add(Role::charset, charset_name());
  }
  expect(Symbol::parenthesis_close);
  return made.done();
}

// DATE_ADD(x, INTERVAL 1 DAY); ADDDATE(x, 1) too.
Node* Parser::date_arithmetic(Keyword keyword) {
  Production made(*this, NodeKind::function_call, keyword);
  made.add(Role::function, leaf(NodeKind::name, plain));
  expect(Symbol::parenthesis_open);
  made.add(Role::argument, expression());
  expect(Symbol::comma);
  bool takes_days = keyword == K::adddate || keyword == K::subdate;
  if (is(K::interval)) {
    Production interval(*this, NodeKind::interval);
    advance();
    interval.add(Role::operand, expression());
    interval.add(Role::unit, interval_unit());
    made.add(Role::argument, interval.done());
  } else if (takes_days) {
    made.add(Role::argument, expression());
  } else {
    fail();
  }
  expect(Symbol::parenthesis_close);
  return made.done();
}

Node* Parser::get_format() {
  Production made(*this, NodeKind::function_call, K::get_format);
  made.add(Role::function, leaf(NodeKind::name, plain));
  expect(Symbol::parenthesis_open);
  if (!is_one_of({K::date, K::time, K::timestamp, K::datetime})) {
    fail();
  }
  made.add(Role::unit, keyword_leaf());
  expect(Symbol::comma);
  made.add(Role::argument, expression());
  expect(Symbol::parenthesis_close);
  return made.done();
}

// TIMESTAMPADD(unit, 1, x), TIMESTAMPDIFF(unit, x, y).
Node* Parser::timestamp_difference(Keyword keyword) {
  Production made(*this, NodeKind::function_call, keyword);
  made.add(Role::function, leaf(NodeKind::name, plain));
  expect(Symbol::parenthesis_open);
  made.add(Role::unit, interval_unit());
  expect(Symbol::comma);
  made.add(Role::argument, expression());
  expect(Symbol::comma);
  made.add(Role::argument, expression());
  expect(Symbol::parenthesis_close);
  return made.done();
}

// WEIGHT_STRING(x [AS CHAR(1) | AS BINARY(1)] [LEVEL 1, 2-3 ...]), WEIGHT_STRING(x, 1, 2, 3).
Node* Parser::weight_string() {
  Production made(*this, NodeKind::function_call, K::weight_string);
  made.add(Role::function, leaf(NodeKind::name, plain));
  expect(Symbol::parenthesis_open);
  made.add(Role::argument, expression());
  while (accept(Symbol::comma)) {
    made.add(Role::argument, unsigned_number());
  }
  if (accept(K::as)) {
    Production type(*this, NodeKind::data_type, current().keyword);
    expect_one_of({K::char_, K::binary});
    if (is(Symbol::parenthesis_open) && peek(1).token.in(text_) == "0") {
      fail();
    }
    type_length(type, TypeLength::one);
    made.add(Role::type, type.done());
  }
  if (is_mariadb() && accept_word("LEVEL")) {
    bool is_range = false;
    do {
      made.add(Role::level, unsigned_number());
      is_range = accept(Symbol::minus);
      if (is_range) {
        made.add(Role::level, unsigned_number());
      }
      while (!is_range && accept_one_of({K::asc, K::desc, K::reverse})) {
      }
    } while (!is_range && accept(Symbol::comma));
  }
  expect(Symbol::parenthesis_close);
  return made.done();
}

// JSON_VALUE(x, path [RETURNING type] [... ON EMPTY] [... ON ERROR]).
Node* Parser::json_value() {
  Production made(*this, NodeKind::function_call, K::json_value);
  made.add(Role::function, leaf(NodeKind::name, plain));
  expect(Symbol::parenthesis_open);
  made.add(Role::argument, simple_expression());
  expect(Symbol::comma);
  made.add(Role::argument, text_literal());
  if (accept(K::returning)) {
    made.add(Role::type, cast_type());
  }
  json_on_response(made, JsonOf::value);
  expect(Symbol::parenthesis_close);
  return made.done();
}

// {NULL | ERROR | DEFAULT x} ON {EMPTY | ERROR}, none, one or both; of JSON_VALUE in this order.
void Parser::json_on_response(Production& into, JsonOf of) {
  Keyword first = K::no_keyword;
  for (int clauses = 0; clauses < 2 && is_one_of({K::null, K::error, K::default_}); ++clauses) {
    Production made(*this, NodeKind::json_on_response, current().keyword);
    bool has_value = is(K::default_);
    advance();
    if (has_value && is_one_of({K::date, K::time, K::timestamp})) {
      made.add(Role::value, column_or_function());
    } else if (has_value && is_mysql() && (is(K::null) || is(K::true_) || is(K::false_))) {
      fail();
    } else if (has_value) {
      made.add(Role::value, is_literal() ? literal() : signed_number());
    }
    expect(K::on);
    if (!is_one_of({K::empty, K::error}) || is(first)) {
      fail();
    }
    first = current().keyword;
    made.add(Role::event, keyword_leaf());
    into.add(Role::option, made.done());
    if (of == JsonOf::value && first == K::error) {
      break;
    }
  }
}

Node* Parser::interval_unit() {
  static constexpr auto units = {K::microsecond,
                                 K::second,
                                 K::minute,
                                 K::hour,
                                 K::day,
                                 K::week,
                                 K::month,
                                 K::quarter,
                                 K::year,
                                 K::second_microsecond,
                                 K::minute_microsecond,
                                 K::minute_second,
                                 K::hour_microsecond,
                                 K::hour_second,
                                 K::hour_minute,
                                 K::day_microsecond,
                                 K::day_second,
                                 K::day_minute,
                                 K::day_hour,
                                 K::year_month,
                                 K::sql_tsi_second,
                                 K::sql_tsi_minute,
                                 K::sql_tsi_hour,
                                 K::sql_tsi_day,
                                 K::sql_tsi_week,
                                 K::sql_tsi_month,
                                 K::sql_tsi_quarter,
                                 K::sql_tsi_year};
  if (!is_one_of(units)) {
    fail();
    return nullptr;
  }
  return keyword_leaf();
}

}  // namespace sallyport::sql
