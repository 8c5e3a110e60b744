// Types of data.
#include "sql/parser.h"

namespace sallyport::sql {

// (10), (10, 2).
void Parser::type_length(Production& into) {
  if (!accept(Symbol::parenthesis_open)) {
    return;
  }
  into.add(Role::length, unsigned_number());
  if (accept(Symbol::comma)) {
    into.add(Role::decimals, unsigned_number());
  }
  expect(Symbol::parenthesis_close);
}

// CHARACTER SET x, CHARSET x, ASCII, UNICODE, BYTE, BINARY, COLLATE x, in any order that the servers have.
void Parser::charset_and_collation(Production& into) {
  while (!failed()) {
    if (is_one_of({K::ascii, K::unicode, K::byte}) || is(K::binary)) {
      into.add(Role::charset, keyword_leaf());
    } else if (is(K::charset) || (is_one_of({K::char_, K::character}) && next_is(K::set))) {
      if (!accept(K::charset)) {
        advance();
        advance();
      }
      into.add(Role::charset, charset_name());
    } else if (is(K::collate)) {
      advance();
      into.add(Role::collation, is(K::default_) ? keyword_leaf() : collation_name());
    } else {
      return;
    }
  }
}

void Parser::type_attributes(Production& into) {
  while (is_one_of({K::signed_, K::unsigned_, K::zerofill})) {
    into.add(Role::attribute, keyword_leaf());
  }
}

// A column's or a variable's type.
Node* Parser::data_type() {
  Production made(*this, NodeKind::data_type, current().keyword);
  switch (current().keyword) {
    case K::bit:
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
    case K::decimal:
    case K::dec:
    case K::numeric:
    case K::fixed:
    case K::number:
    case K::float_:
    case K::float4:
    case K::float8:
    case K::real:
      advance();
      type_length(made);
      type_attributes(made);
      break;
    case K::double_:
      advance();
      accept(K::precision);
      type_length(made);
      type_attributes(made);
      break;
    case K::bool_:
    case K::boolean:
    case K::serial:
    case K::json:
    case K::date:
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
      charset_and_collation(made);
      break;
    case K::time:
    case K::timestamp:
    case K::datetime:
    case K::year:
    case K::binary:
    case K::varbinary:
    case K::blob:
    case K::vector:
    case K::raw:
      advance();
      type_length(made);
      type_attributes(made);
      if (is_mariadb() && accept(K::compressed)) {
        made.set(node_flag::compressed);
      }
      break;
    case K::tinyblob:
    case K::mediumblob:
    case K::longblob:
      advance();
      break;
    case K::char_:
    case K::character:
    case K::nchar:
    case K::varchar:
    case K::varchar2:
    case K::varcharacter:
    case K::nvarchar:
      advance();
      accept_one_of({K::varying, K::varchar});
      type_length(made);
      if (is_mariadb() && accept(K::compressed)) {
        made.set(node_flag::compressed);
      }
      charset_and_collation(made);
      break;
    case K::national:
      advance();
      expect_one_of({K::char_, K::character, K::varchar, K::varcharacter});
      accept(K::varying);
      type_length(made);
      charset_and_collation(made);
      break;
    case K::text:
    case K::tinytext:
    case K::mediumtext:
    case K::longtext:
    case K::clob:
      advance();
      type_length(made);
      if (is_mariadb() && accept(K::compressed)) {
        made.set(node_flag::compressed);
      }
      charset_and_collation(made);
      break;
    case K::long_:
      advance();
      if (accept(K::varbinary)) {
        break;
      }
      accept_one_of({K::char_, K::varchar, K::character, K::varcharacter});
      accept(K::varying);
      charset_and_collation(made);
      break;
    case K::enum_:
    case K::set:
      advance();
      expect(Symbol::parenthesis_open);
      comma_list(made, Role::element, [&] { return literal(); });
      expect(Symbol::parenthesis_close);
      charset_and_collation(made);
      break;
    default:
      // MariaDB's plugged in types: INET6, UUID, and the like, perhaps with a length.
      if (is_mariadb() && is_identifier()) {
        made.variant(K::no_keyword);
        made.add(Role::name, identifier_leaf());
        type_length(made);
        charset_and_collation(made);
        break;
      }
      fail();
  }
  return made.done();
}

// The types of CAST and the like.
Node* Parser::cast_type() {
  Production made(*this, NodeKind::data_type, current().keyword);
  switch (current().keyword) {
    case K::binary:
    case K::time:
    case K::datetime:
    case K::decimal:
    case K::dec:
    case K::float_:
    case K::year:
    case K::vector:
      advance();
      type_length(made);
      break;
    case K::char_:
    case K::character:
    case K::nchar:
    case K::varchar:
    case K::national:
      advance();
      if (!next_is(K::set)) {
        accept_one_of({K::char_, K::character, K::varchar, K::varying});
      }
      type_length(made);
      charset_and_collation(made);
      break;
    case K::signed_:
    case K::unsigned_:
      advance();
      accept_one_of({K::int_, K::integer});
      break;
    case K::int_:
    case K::integer:
    case K::date:
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
    case K::double_:
      advance();
      accept(K::precision);
      if (is_mariadb()) {
        type_length(made);
      }
      break;
    case K::interval:
      advance();
      made.add(Role::unit, interval_unit());
      type_length(made);
      break;
    default:
      if (is_mariadb() && is_identifier()) {
        made.variant(K::no_keyword);
        made.add(Role::name, identifier_leaf());
        type_length(made);
        break;
      }
      fail();
  }
  return made.done();
}

}  // namespace sallyport::sql
