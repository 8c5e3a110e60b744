// Types of data.
#include <limits>

#include "sql/parser.h"

namespace sallyport::sql {

// (10), (10, 2).
void Parser::type_length(Production& into, TypeLength form) {
  if (!accept(Symbol::parenthesis_open)) {
    return;
  }
  auto length = [&]() -> Node* {
    if (is(TokenKind::hexadecimal)) {
      return nullptr;
    }
    return form == TypeLength::one ? unsigned_number() : number_within(0, std::numeric_limits<std::int32_t>::max());
  };
  into.add(Role::length, length());
  if (form == TypeLength::two || (form == TypeLength::one_or_two && is(Symbol::comma))) {
    expect(Symbol::comma);
    into.add(Role::decimals, length());
  }
  expect(Symbol::parenthesis_close);
}

// CHARACTER SET x, CHARSET x, ASCII, UNICODE or BYTE, with BINARY before or behind it, and COLLATE x.
void Parser::charset_and_collation(Production& into) {
  bool has_charset = false;
  bool has_binary = false;
  while (!failed()) {
    bool is_charset = is(K::charset) || (is_one_of({K::char_, K::character}) && next_is(K::set));
    if (!has_charset && is_one_of({K::ascii, K::unicode, K::byte})) {
      has_charset = true;
      into.add(Role::charset, keyword_leaf());
    } else if (!has_binary && is(K::binary)) {
      has_binary = true;
      into.add(Role::charset, keyword_leaf());
    } else if (!has_charset && is_charset) {
      has_charset = true;
      if (!accept(K::charset)) {
        advance();
        advance();
      }
      into.add(Role::charset, is(K::default_) && is_mariadb() ? keyword_leaf() : charset_name());
    } else {
      break;
    }
  }
  collate_clause(into);
}

void Parser::collate_clause(Production& into) {
  if (accept(K::collate)) {
    into.add(Role::collation, is(K::default_) && is_mariadb() ? keyword_leaf() : collation_name());
  }
}

// MySQL has any of these in any number; MariaDB SIGNED alone, or UNSIGNED and ZEROFILL once each.
void Parser::type_attributes(Production& into) {
  Keyword before = K::no_keyword;
  while (is_one_of({K::signed_, K::unsigned_, K::zerofill})) {
    if (is_mariadb() && before != K::no_keyword && (before == K::signed_ || is(K::signed_) || is(before))) {
      fail();
    }
    before = current().keyword;
    into.add(Role::attribute, keyword_leaf());
  }
}

// MariaDB's COMPRESSED [= method].
void Parser::compressed(Production& into) {
  if (is_mariadb() && accept(K::compressed)) {
    into.set(node_flag::compressed);
    if (accept(Symbol::equal)) {
      into.add(Role::option, identifier_leaf());
    }
  }
}

// A column's or a variable's type.
Node* Parser::data_type() {
  Production made(*this, NodeKind::data_type, current().keyword);
  switch (current().keyword) {
    case K::bool_:
    case K::boolean:
    case K::serial:
    case K::date:
      advance();
      break;
    case K::json:
      advance();
      compressed(made);
      break;
    case K::geometry:
    case K::geometrycollection:
    case K::geomcollection:
    case K::point:
    case K::multipoint:
    case K::linestring:
    case K::multilinestring:
    case K::polygon:
    case K::multipolygon:
      advance();
      geometry_type(made);
      break;
    case K::bit:
    case K::time:
    case K::timestamp:
    case K::datetime:
    case K::binary:
      advance();
      type_length(made, TypeLength::one);
      break;
    case K::vector:
      if (!is_mysql_since(90000) && !is_mariadb_since(110700)) {
        return other_type(made);
      }
      advance();
      type_length(made, TypeLength::one);
      break;
    case K::blob:
    case K::varbinary:
      if (is(K::varbinary) && !next_is(Symbol::parenthesis_open)) {
        fail();
      }
      advance();
      type_length(made, TypeLength::one);
      compressed(made);
      break;
    case K::tinyblob:
    case K::mediumblob:
    case K::longblob:
      advance();
      compressed(made);
      break;
    case K::enum_:
    case K::set:
      advance();
      expect(Symbol::parenthesis_open);
      comma_list(made, Role::element,
                 [&] { return is(TokenKind::hexadecimal) || is(TokenKind::bits) ? literal() : text_token(); });
      expect(Symbol::parenthesis_close);
      charset_and_collation(made);
      break;
    default:
      return numeric_type(made);
  }
  return made.done();
}

Node* Parser::numeric_type(Production& made) {
  switch (current().keyword) {
    case K::tinyint:
    case K::smallint:
    case K::mediumint:
    case K::middleint:
    case K::int_:
    case K::integer:
    case K::int1:
    case K::int2:
    case K::int3:
    case K::int4:
    case K::int8:
    case K::bigint:
    case K::year:
      advance();
      type_length(made, TypeLength::one);
      type_attributes(made);
      break;
    case K::decimal:
    case K::dec:
    case K::numeric:
    case K::fixed:
    case K::float_:
    case K::float4:
    case K::float8:
      advance();
      type_length(made, TypeLength::one_or_two);
      type_attributes(made);
      break;
    case K::real:
    case K::double_:
      advance();
      accept(K::precision);
      type_length(made, TypeLength::two);
      type_attributes(made);
      break;
    default:
      return text_type(made);
  }
  return made.done();
}

void Parser::geometry_type(Production& into) {
  if (is_mariadb()) {
    type_length(into, TypeLength::one_or_two);
    if (accept_word("REF_SYSTEM_ID")) {
      Production system(*this, NodeKind::option);
      expect(Symbol::equal);
      system.add(Role::value, unsigned_number());
      into.add(Role::option, system.done());
    }
  }
}

// The types that hold text.
Node* Parser::text_type(Production& made) {
  bool needs_length = false;
  bool has_charset = true;
  bool is_blob = is(K::text);
  switch (current().keyword) {
    case K::char_:
    case K::character:
      advance();
      needs_length = accept_one_of({K::varying});
      break;
    case K::varchar:
    case K::varcharacter:
      advance();
      needs_length = true;
      break;
    case K::nchar:
      advance();
      needs_length = accept_one_of({K::varying, K::varchar, K::varcharacter});
      has_charset = false;
      break;
    case K::nvarchar:
      advance();
      needs_length = true;
      has_charset = false;
      break;
    case K::national:
      advance();
      needs_length = is_one_of({K::varchar, K::varcharacter});
      expect_one_of({K::char_, K::character, K::varchar, K::varcharacter});
      needs_length = accept(K::varying) || needs_length;
      has_charset = false;
      break;
    case K::text:
      advance();
      break;
    case K::tinytext:
    case K::mediumtext:
    case K::longtext:
      advance();
      compressed(made);
      charset_and_collation(made);
      return made.done();
    case K::long_:
      advance();
      if (accept(K::varbinary)) {
        made.variant(K::mediumblob);
        return made.done();
      }
      accept_one_of({K::char_, K::varchar, K::character, K::varcharacter});
      accept(K::varying);
      compressed(made);
      charset_and_collation(made);
      return made.done();
    default:
      return other_type(made);
  }
  if (needs_length) {
    made.set(node_flag::varying);
    if (!is(Symbol::parenthesis_open)) {
      fail();
    }
  }
  type_length(made, TypeLength::one);
  if (needs_length || is_blob) {
    compressed(made);
  }
  if (has_charset) {
    charset_and_collation(made);
  } else {
    if (is(K::binary)) {
      made.add(Role::charset, keyword_leaf());
    }
    collate_clause(made);
  }
  return made.done();
}

// Those of MariaDB: Oracle's in that mode, and what is plugged in, INET6, UUID and the like, perhaps of a schema.
Node* Parser::other_type(Production& made) {
  bool is_oracle = is_one_of({K::varchar2, K::number, K::clob, K::raw});
  if (!is_mariadb() || !is_identifier() || (is_oracle && !has_mode(sql_mode::oracle) && !next_is(Symbol::dot))) {
    fail();
    return nullptr;
  }
  if (is_oracle && !next_is(Symbol::dot)) {
    advance();
    type_length(made, TypeLength::one_or_two);
    compressed(made);
    charset_and_collation(made);
    return made.done();
  }
  made.variant(K::no_keyword);
  Node* name = identifier_leaf();
  if (accept(Symbol::dot)) {
    made.add(Role::qualifier, name);
    name = identifier_behind_dot();
  }
  made.add(Role::name, name);
  type_length(made, TypeLength::one_or_two);
  type_attributes(made);
  charset_and_collation(made);
  return made.done();
}

// The types of CAST and the like.
Node* Parser::cast_type() {
  return is_mysql() ? mysql_cast_type() : mariadb_cast_type();
}

Node* Parser::mysql_cast_type() {
  Production made(*this, NodeKind::data_type, current().keyword);
  switch (current().keyword) {
    case K::binary:
    case K::time:
    case K::datetime:
    case K::float_:
      advance();
      type_length(made, TypeLength::one);
      break;
    case K::decimal:
    case K::dec:
      advance();
      type_length(made, TypeLength::one_or_two);
      break;
    case K::national:
      advance();
      expect_one_of({K::char_, K::character});
      type_length(made, TypeLength::one);
      break;
    case K::char_:
    case K::character:
    case K::nchar:
      cast_text_type(made);
      break;
    case K::signed_:
    case K::unsigned_:
      advance();
      accept_one_of({K::int_, K::integer});
      break;
    case K::double_:
      advance();
      accept(K::precision);
      break;
    case K::date:
    case K::year:
    case K::json:
    case K::real:
    case K::point:
    case K::linestring:
    case K::polygon:
    case K::multipoint:
    case K::multilinestring:
    case K::multipolygon:
    case K::geometrycollection:
    case K::geomcollection:
      advance();
      break;
    default:
      fail();
  }
  return made.done();
}

Node* Parser::mariadb_cast_type() {
  Production made(*this, NodeKind::data_type, current().keyword);
  switch (current().keyword) {
    case K::binary:
    case K::time:
    case K::datetime:
      advance();
      type_length(made, TypeLength::one);
      break;
    case K::decimal:
    case K::dec:
      advance();
      type_length(made, TypeLength::one_or_two);
      break;
    case K::double_:
      advance();
      type_length(made, TypeLength::two);
      break;
    case K::varchar:
    case K::varchar2:
      if (!next_is(Symbol::parenthesis_open) || (is(K::varchar2) && !has_mode(sql_mode::oracle))) {
        fail();
      }
      cast_text_type(made);
      break;
    case K::char_:
    case K::character:
    case K::nchar:
      cast_text_type(made);
      break;
    case K::signed_:
    case K::unsigned_:
      advance();
      accept_one_of({K::int_, K::integer});
      break;
    case K::int_:
    case K::integer:
    case K::date:
    case K::float_:
      advance();
      break;
    case K::interval:
      advance();
      made.add(Role::unit, interval_unit());
      type_length(made, TypeLength::one);
      break;
    default:
      plugin_cast_type(made);
  }
  return made.done();
}

void Parser::cast_text_type(Production& into) {
  advance();
  type_length(into, TypeLength::one);
  charset_and_collation(into);
}

// MariaDB's types that are plugged in, and no others by name.
void Parser::plugin_cast_type(Production& into) {
  bool is_built_in = is_one_of({K::bit, K::bool_, K::boolean, K::clob, K::enum_, K::fixed, K::json, K::national,
                                K::number, K::raw, K::serial, K::text, K::timestamp, K::year});
  if (!is_identifier() || is_built_in) {
    fail();
    return;
  }
  into.variant(K::no_keyword);
  Node* name = identifier_leaf();
  if (accept(Symbol::dot)) {
    into.add(Role::qualifier, name);
    name = identifier_behind_dot();
  }
  into.add(Role::name, name);
}

}  // namespace sallyport::sql
