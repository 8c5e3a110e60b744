// Function calls, and what else begins like one.
#include "sql/parser.h"

namespace sallyport::sql {
namespace {

// Built-in functions that a wrong number of arguments makes a syntax error, to one of the servers at least.
struct ArgumentCount {
  std::string_view function;
  std::size_t least;
  std::size_t most;
};
constexpr auto argument_counts =
    std::to_array<ArgumentCount>({{"ASCII", 1, 1},     {"CHARSET", 1, 1},     {"COALESCE", 1, SIZE_MAX},
                                  {"COLLATION", 1, 1}, {"DATABASE", 0, 0},    {"DATE", 1, 1},
                                  {"DAY", 1, 1},       {"FORMAT", 2, 3},      {"HOUR", 1, 1},
                                  {"IF", 3, 3},        {"INSERT", 4, 4},      {"LEFT", 2, 2},
                                  {"LOG", 1, 2},       {"MICROSECOND", 1, 1}, {"MINUTE", 1, 1},
                                  {"MOD", 2, 2},       {"MONTH", 1, 1},       {"QUARTER", 1, 1},
                                  {"REPEAT", 2, 2},    {"REPLACE", 3, 3},     {"REVERSE", 1, 1},
                                  {"RIGHT", 2, 2},     {"ROW_COUNT", 0, 0},   {"SCHEMA", 0, 0},
                                  {"SECOND", 1, 1},    {"TIME", 1, 1},        {"TIMESTAMP", 1, 2},
                                  {"TRUNCATE", 2, 2},  {"USER", 0, 0},        {"WEEK", 1, 2},
                                  {"YEAR", 1, 1}});
constexpr ArgumentCount of_point_in_mysql{"POINT", 2, 2};

bool has_right_count(const Node& call, std::string_view text, Server server) {
  const Node* name = call.first->child(Role::name);
  if (name == nullptr || name->as<NameStyle>() != NameStyle::plain) {
    return true;
  }
  auto is_named = [&](const ArgumentCount& one) { return equals_ignoring_case(one.function, name->in(text)); };
  const auto* known = server == Server::mysql && is_named(of_point_in_mysql)
                          ? &of_point_in_mysql
                          : std::find_if(argument_counts.begin(), argument_counts.end(), is_named);
  if (known == argument_counts.end()) {
    return true;
  }
  std::size_t count = 0;
  for (const Node& child : children(call)) {
    count += child.role == Role::argument ? 1 : 0;
  }
  return count >= known->least && count <= known->most;
}

}  // namespace

// A column, a function of any kind, or DATE '2020-01-01'.
Node* Parser::column_or_function() {
  bool is_typed_literal = is_one_of({K::date, K::time, K::timestamp}) && (peek(1).token.kind == TokenKind::text);
  if (is_typed_literal) {
    Production made(*this, NodeKind::temporal_literal, current().keyword);
    advance();
    made.add(Role::operand, text_literal());
    return made.done();
  }
  if (is(TokenKind::word)) {
    switch (current().keyword) {
      // Functions without parentheses.
      case K::current_date:
      case K::current_time:
      case K::current_timestamp:
      case K::current_user:
      case K::localtime:
      case K::localtimestamp:
      case K::utc_date:
      case K::utc_time:
      case K::utc_timestamp:
        return function_call();
      case K::current_role:
        if (is_mariadb()) {
          return function_call();
        }
        break;
      case K::rownum:
      case K::sysdate:
        if (is_reserved_in_oracle_mode()) {
          return current_value(current().keyword);
        }
        break;
      case K::next:
      case K::previous:
        if (is_mariadb() && next_is(K::value, 1)) {
          return sequence_function(current().keyword);
        }
        break;
      case K::default_:
        return default_function();
      default:
        break;
    }
    if (next_is(Symbol::parenthesis_open)) {
      return function_call();
    }
    return column_or_qualified_call();
  }
  if (!is_identifier()) {
    fail();
    return nullptr;
  }
  return next_is(Symbol::parenthesis_open) ? function_call() : column_or_qualified_call();
}

// a.b is a column, a.b() a function.
Node* Parser::column_or_qualified_call() {
  Node* column = column_reference();
  if (!is(Symbol::parenthesis_open) || failed() || column->first == nullptr || column->first->next == nullptr) {
    return column;
  }
  if (column->first->next->next != nullptr) {
    fail();
    return nullptr;
  }
  column->kind = NodeKind::object_name;
  column->variant = static_cast<std::uint16_t>(K::function);
  return generic_call(column, K::no_keyword);
}

Node* Parser::function_call() {
  Level level(*this);
  if (!level) {
    return nullptr;
  }
  Keyword keyword = current().keyword;
  // These names are functions only where nothing stands before the parenthesis.
  bool is_soft = is_function_when_called(keyword) ||
                 is_one_of({K::adddate, K::session_user, K::st_collect, K::subdate, K::sysdate, K::system_user,
                            K::median, K::percentile_cont, K::percentile_disc, K::json_duality_object});
  if (is_soft && !calls_directly()) {
    keyword = K::no_keyword;
  }
  if (keyword != K::no_keyword) {
    if (Node* found = keyword_function(keyword); found != nullptr || failed()) {
      return found;
    }
    if ((name_use() & name_use::no_function) != 0) {
      fail();
      return nullptr;
    }
  }
  Production name(*this, NodeKind::object_name, K::function);
  name.add(Role::name, is(TokenKind::quoted_name) ? identifier_leaf() : leaf(NodeKind::name));
  return generic_call(name.done(), keyword);
}

// name(...), where name stands already behind us.
Node* Parser::generic_call(Node* name, Keyword keyword) {
  Production made(*this, NodeKind::function_call, static_cast<std::uint16_t>(keyword), Role::function, name);
  arguments(made);
  Node* found = made.done();
  if (name != nullptr && name->child(Role::qualifier) == nullptr && !has_right_count(*found, text_, dialect_.server)) {
    fail();
  }
  return found;
}

// (), (a, b), and for functions of the user's own (a AS b).
void Parser::arguments(Production& into) {
  expect(Symbol::parenthesis_open);
  if (accept(Symbol::parenthesis_close)) {
    return;
  }
  do {
    Node* value = expression();
    if (is_alias_start()) {
      Production named(*this, NodeKind::named_argument, 0, Role::value, value);
      named.add(Role::alias, alias());
      value = named.done();
    }
    into.add(Role::argument, value);
  } while (accept(Symbol::comma));
  expect(Symbol::parenthesis_close);
}

// MariaDB's COLUMN_CREATE(name, x [AS type], ...), COLUMN_ADD(a, name, x [AS type], ...), COLUMN_GET(a, name AS type).
Node* Parser::dynamic_column(Keyword keyword) {
  Production made(*this, NodeKind::function_call, keyword);
  Production name(*this, NodeKind::object_name, K::function);
  name.add(Role::name, leaf(NodeKind::name));
  made.add(Role::function, name.done());
  expect(Symbol::parenthesis_open);
  if (keyword != K::column_create) {
    made.add(Role::argument, expression());
    expect(Symbol::comma);
  }
  do {
    made.add(Role::argument, expression());
    if (keyword != K::column_get) {
      expect(Symbol::comma);
      made.add(Role::argument, expression());
    }
    if (keyword == K::column_get || is(K::as)) {
      expect(K::as);
      made.add(Role::type, cast_type());
    }
  } while (keyword != K::column_get && accept(Symbol::comma));
  expect(Symbol::parenthesis_close);
  return made.done();
}

// Null, without an error, where the keyword is a function like any other.
Node* Parser::keyword_function(Keyword keyword) {
  switch (keyword) {
    case K::curdate:
    case K::curtime:
    case K::current_date:
    case K::current_user:
    case K::current_role:
    case K::current_time:
    case K::current_timestamp:
    case K::localtime:
    case K::localtimestamp:
    case K::now:
    case K::sysdate:
    case K::utc_date:
    case K::utc_time:
    case K::utc_timestamp:
      return current_value(keyword);
    case K::column_add:
    case K::column_create:
    case K::column_get:
      return is_mariadb() ? dynamic_column(keyword) : nullptr;
    case K::json_duality_object:
      return is_mysql_since(90000) ? json_duality_object() : nullptr;
    case K::cast:
      return cast();
    case K::convert:
      return convert();
    case K::extract:
      return extract();
    case K::position:
      return position();
    case K::substr:
    case K::substring:
    case K::mid:
      return substring();
    case K::trim:
      return trim();
    case K::char_:
    case K::character:
      return char_function();
    case K::adddate:
    case K::date_add:
    case K::date_sub:
    case K::subdate:
      return date_arithmetic(keyword);
    case K::get_format:
      return get_format();
    case K::timestampadd:
    case K::timestampdiff:
      return timestamp_difference(keyword);
    case K::weight_string:
      return weight_string();
    case K::json_value:
      return is_mysql() ? json_value() : nullptr;
    case K::group_concat:
      return group_concat();
    case K::avg:
    case K::bit_and:
    case K::bit_or:
    case K::bit_xor:
    case K::count:
    case K::json_arrayagg:
    case K::json_objectagg:
    case K::max:
    case K::min:
    case K::std:
    case K::stddev:
    case K::stddev_pop:
    case K::stddev_samp:
    case K::st_collect:
    case K::sum:
    case K::variance:
    case K::var_pop:
    case K::var_samp:
      return aggregate(keyword);
    case K::median:
    case K::percentile_cont:
    case K::percentile_disc:
      return is_mariadb() ? percentile(keyword) : nullptr;
    case K::values:
    case K::value:
      return (keyword == K::values && is_mysql()) || is_mariadb() ? values_function() : nullptr;
    case K::nextval:
    case K::lastval:
    case K::setval:
      return is_mariadb() ? sequence_function(keyword) : nullptr;
    case K::first_value:
    case K::last_value:
    case K::nth_value:
    case K::lead:
    case K::lag:
    case K::row_number:
    case K::rank:
    case K::dense_rank:
    case K::percent_rank:
    case K::cume_dist:
    case K::ntile:
      return window_function(keyword);
    default:
      return nullptr;
  }
}

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

// CURRENT_USER, CURRENT_DATE(), NOW(6): where there is a time in it a number of digits may be asked for.
Node* Parser::current_value(Keyword keyword) {
  Production name(*this, NodeKind::object_name, K::function);
  name.add(Role::name, identifier_behind_dot());
  Production made(*this, NodeKind::function_call, static_cast<std::uint16_t>(keyword), Role::function, name.done());
  bool has_time = keyword != K::curdate && keyword != K::current_date && keyword != K::utc_date &&
                  keyword != K::current_user && keyword != K::current_role && keyword != K::rownum;
  if (accept(Symbol::parenthesis_open)) {
    if (has_time && !is(Symbol::parenthesis_close)) {
      if (is_mysql() && !is(TokenKind::integer)) {
        fail();
      }
      made.add(Role::argument, integer_number());
    }
    expect(Symbol::parenthesis_close);
  }
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

// VALUES(a), which MariaDB has in ON DUPLICATE KEY UPDATE only, and in no query there; MariaDB's VALUE(a).
Node* Parser::values_function() {
  Production made(*this, NodeKind::values_of);
  if (is_mariadb() && is(K::values) && inner_queries_ != duplicate_update_at_) {
    fail();
  }
  advance();
  expect(Symbol::parenthesis_open);
  made.add(Role::column, column_reference());
  expect(Symbol::parenthesis_close);
  return made.done();
}

Node* Parser::default_function() {
  if (!next_is(Symbol::parenthesis_open)) {
    fail();
    return nullptr;
  }
  Production made(*this, NodeKind::default_of);
  advance();
  expect(Symbol::parenthesis_open);
  made.add(Role::column, column_reference());
  expect(Symbol::parenthesis_close);
  return made.done();
}

// NEXT VALUE FOR s, PREVIOUS VALUE FOR s, NEXTVAL(s), LASTVAL(s), SETVAL(s, 1, 0, 1).
Node* Parser::sequence_function(Keyword keyword) {
  Production made(*this, NodeKind::sequence_value, keyword);
  advance();
  if (keyword == K::next || keyword == K::previous) {
    expect(K::value);
    expect(K::for_);
    made.add(Role::sequence, object_name(K::sequence));
    return made.done();
  }
  expect(Symbol::parenthesis_open);
  made.add(Role::sequence, object_name(K::sequence));
  while (keyword == K::setval && accept(Symbol::comma)) {
    made.add(Role::argument, signed_number());
  }
  expect(Symbol::parenthesis_close);
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
