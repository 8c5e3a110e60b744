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

}  // namespace sallyport::sql
