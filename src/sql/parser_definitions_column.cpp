// What stands between the parentheses of a table, and its columns.
#include "sql/parser.h"

namespace sallyport::sql {

// A name that no schema qualifies: an index's, a constraint's, a partition's.
Node* Parser::local_name(Keyword type) {
  Production made(*this, NodeKind::object_name, type);
  made.add(Role::name, identifier_leaf());
  return made.done();
}

Node* Parser::table_element() {
  switch (current().keyword) {
    case K::constraint:
    case K::primary:
    case K::unique:
    case K::foreign:
    case K::check:
    case K::fulltext:
    case K::spatial:
    case K::key:
    case K::index:
      return table_constraint();
    case K::vector:
      if (is_mariadb_since(110700) && (next_is(K::index) || next_is(K::key))) {
        return table_constraint();
      }
      break;
    case K::period:
      if (is_mariadb() && next_is(K::for_)) {
        return period_definition();
      }
      break;
    default:
      break;
  }
  return column_definition();
}

// name type attributes.
Node* Parser::column_definition() {
  Production made(*this, NodeKind::column_definition);
  column_name(made, Role::name);
  column_body(made);
  return made.done();
}

// MariaDB lets the table's name stand before it.
void Parser::column_name(Production& into, Role role) {
  if (is_mariadb() && accept(Symbol::dot)) {
    into.add(role, identifier_behind_dot());
    return;
  }
  Node* name = identifier_leaf();
  while (is_mariadb() && accept(Symbol::dot)) {
    into.add(Role::qualifier, name);
    name = identifier_behind_dot();
  }
  into.add(role, name);
}

void Parser::column_body(Production& into) {
  Node* type = data_type();
  if (type == nullptr) {
    return;
  }
  into.add(Role::type, type);
  bool has_collation = type->child(Role::collation) != nullptr;
  if (!has_collation && is(K::collate)) {
    into.add(Role::attribute, column_attribute());
    has_collation = true;
  }
  Keyword generated = is_mariadb() && type->keyword() == K::serial ? K::serial : K::no_keyword;
  bool has_own_collation = has_collation && type->child(Role::collation) == nullptr;
  if ((is(K::generated) || is(K::as)) && generated != K::serial) {
    if (is_mariadb() && has_own_collation) {
      fail();
    }
    Node* value = generated_column();
    generated = value->keyword();
    into.add(Role::generated, value);
  }
  while (is_column_attribute(*type, generated)) {
    if (is_mysql() && is(K::collate)) {
      if (has_collation) {
        fail();
      }
      has_collation = true;
    }
    Node* attribute = column_attribute();
    if (attribute == nullptr) {
      break;
    }
    into.add(Role::attribute, attribute);
  }
  column_constraints(into, generated);
}

// MariaDB has few for what is generated.
bool Parser::is_column_attribute(const Node& type, Keyword generated) const {
  if (is_mysql()) {
    return true;
  }
  if (is(K::compressed)) {
    switch (type.keyword()) {
      case K::tinyblob:
      case K::blob:
      case K::mediumblob:
      case K::longblob:
      case K::tinytext:
      case K::text:
      case K::mediumtext:
      case K::longtext:
      case K::long_:
      case K::varbinary:
      case K::varchar2:
        return !type.has(node_flag::compressed);
      default:
        return type.has(node_flag::varying) && !type.has(node_flag::compressed);
    }
  }
  switch (generated) {
    case K::no_keyword:
      return true;
    case K::virtual_:
    case K::stored:
      return is_one_of({K::unique, K::comment, K::invisible});
    default:
      return !is_one_of({K::default_, K::on, K::auto_increment, K::null, K::serial});
  }
}

// What MariaDB has behind the attributes: CHECK (x), [CONSTRAINT [c]] REFERENCES ...; MySQL's CHECK is among these.
void Parser::column_constraints(Production& into, Keyword generated) {
  if (is_mariadb() && is(K::check)) {
    Production check(*this, NodeKind::option);
    into.add(Role::attribute, check_constraint(check));
  }
  if (is_mariadb() && (generated == K::virtual_ || generated == K::stored)) {
    return;
  }
  bool is_named = is_mariadb() && is(K::constraint);
  if (is_named) {
    into.add(Role::constraint, constraint_name());
  }
  if (is_named || is(K::references)) {
    into.add(Role::references, references());
  }
}

// [GENERATED ALWAYS] AS (x) [VIRTUAL | STORED]; MariaDB's AS ROW START | END.
Node* Parser::generated_column() {
  Production made(*this, NodeKind::generated, K::virtual_);
  if (accept(K::generated)) {
    expect(K::always);
  }
  expect(K::as);
  if (is_mariadb() && accept(K::row)) {
    made.variant(current().keyword);
    expect_one_of({K::start, K::end});
    return made.done();
  }
  expect(Symbol::parenthesis_open);
  made.add(Role::value, expression());
  expect(Symbol::parenthesis_close);
  if (is(K::stored) || (is_mariadb() && is(K::persistent))) {
    made.variant(K::stored);
    advance();
  } else {
    accept(K::virtual_);
  }
  return made.done();
}

// Nothing where none begins.
Node* Parser::column_attribute() {
  Production made(*this, NodeKind::option, current().keyword);
  switch (current().keyword) {
    case K::not_:
      advance();
      made.set(node_flag::negated);
      made.variant(current().keyword);
      if (!(is_mysql() && accept(K::secondary))) {
        expect(K::null);
        if (is_mariadb()) {
          accept(K::enable);
        }
      }
      return made.done();
    case K::null:
    case K::auto_increment:
      return flag_option();
    case K::default_:
      advance();
      made.add(Role::value, column_default());
      return made.done();
    case K::on:
      advance();
      made.variant(K::update);
      expect(K::update);
      if (!is_one_of({K::current_timestamp, K::localtime, K::localtimestamp}) &&
          !(is(K::now) && next_is(Symbol::parenthesis_open))) {
        fail();
      }
      made.add(Role::value, primary());
      return made.done();
    case K::serial:
      advance();
      expect(K::default_, K::value);
      return made.done();
    case K::primary:
      advance();
      expect(K::key);
      return made.done();
    case K::key:
      made.variant(K::primary);
      advance();
      return made.done();
    case K::unique:
      advance();
      accept(K::key);
      return made.done();
    case K::comment:
      advance();
      made.add(Role::value, text_token());
      return made.done();
    case K::collate:
      advance();
      made.add(Role::value, is(K::default_) && is_mariadb() ? keyword_leaf() : collation_name());
      return made.done();
    case K::invisible:
      return is_mariadb() || is_mysql_since(80023) ? flag_option() : nullptr;
    default:
      return is_mysql() ? mysql_column_attribute(made) : mariadb_column_attribute(made);
  }
}

Node* Parser::mysql_column_attribute(Production& made) {
  switch (current().keyword) {
    case K::constraint:
      made.add(Role::constraint, constraint_name());
      return check_constraint(made);
    case K::check:
      return check_constraint(made);
    case K::column_format:
      advance();
      if (!is_one_of({K::default_, K::fixed, K::dynamic})) {
        fail();
      }
      made.add(Role::value, keyword_leaf());
      return made.done();
    case K::storage:
      advance();
      if (!is_one_of({K::default_, K::disk, K::memory})) {
        fail();
      }
      made.add(Role::value, keyword_leaf());
      return made.done();
    case K::srid:
      advance();
      made.add(Role::value, unsigned_number());
      return made.done();
    case K::engine_attribute:
    case K::secondary_engine_attribute:
      return is_mysql_since(80021) ? valued_option(OptionValue::text) : nullptr;
    case K::visible:
      return is_mysql_since(80023) ? flag_option() : nullptr;
    case K::external_format:
      advance();
      made.add(Role::value, text_token());
      return made.done();
    case K::masking:
      return is_mysql_since(90000) && next_is(K::policy) ? masking_policy() : nullptr;
    default:
      return nullptr;
  }
}

Node* Parser::mariadb_column_attribute(Production& made) {
  switch (current().keyword) {
    case K::compressed:
      advance();
      if (accept(Symbol::equal)) {
        made.add(Role::value, identifier_leaf());
      }
      return made.done();
    case K::with:
    case K::without:
      if (!next_is(K::system)) {
        return nullptr;
      }
      return system_versioning();
    default:
      return is_identifier() && next_is(Symbol::equal) ? named_option() : nullptr;
  }
}

// What a column holds where no row says it.
Node* Parser::column_default() {
  if (is(Symbol::parenthesis_open)) {
    Production made(*this, NodeKind::parentheses);
    advance();
    if (is_mysql() && is_query_start()) {
      fail();
    }
    made.add(Role::element, expression());
    expect(Symbol::parenthesis_close);
    return made.done();
  }
  if (is(Symbol::minus) || is(Symbol::plus)) {
    return signed_number();
  }
  if (is_literal()) {
    return literal();
  }
  bool is_value =
      is_mariadb() && !is(Symbol::tilde) && !is(Symbol::exclamation) && !is_one_of({K::not_, K::binary, K::interval});
  bool is_temporal = is_one_of({K::date, K::time, K::timestamp}) && peek(1).token.kind == TokenKind::text;
  bool is_now = is_one_of({K::current_timestamp, K::localtime, K::localtimestamp}) ||
                (is(K::now) && next_is(Symbol::parenthesis_open));
  if (!is_value && !is_temporal && !is_now) {
    fail();
    return nullptr;
  }
  return primary();
}

}  // namespace sallyport::sql
