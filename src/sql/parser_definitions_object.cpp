// Views, indexes, databases, sequences and the servers of other tables.
#include "sql/parser.h"

namespace sallyport::sql {

// CREATE and ALTER: [MATERIALIZED | JSON [RELATIONAL] DUALITY] VIEW [IF NOT EXISTS] v [(a, b)] AS query
// [WITH [CASCADED | LOCAL] CHECK OPTION].
Node* Parser::view_statement(Production& made, Keyword statement) {
  made.variant(K::view);
  if (is_mysql_since(90000) && is(K::json)) {
    made.add(Role::type, keyword_leaf());
    accept(K::relational);
    expect(K::duality);
  } else if (is_mysql_since(90000) && is(K::materialized)) {
    made.add(Role::type, keyword_leaf());
  }
  expect(K::view);
  if (statement == K::create && (is_mariadb() || is_mysql_since(90100))) {
    if_not_exists(made);
  }
  made.add(Role::name, object_name(K::view));
  if (accept(Symbol::parenthesis_open)) {
    name_list(made, Role::column);
    expect(Symbol::parenthesis_close);
  }
  expect(K::as);
  Node* query = source_query();
  for (const Node* part = query; part != nullptr; part = part->child(Role::body)) {
    if (part->child(Role::into) != nullptr) {
      fail();
    }
  }
  made.add(Role::query, query);
  if (is(K::with)) {
    Production check(*this, NodeKind::option, K::check);
    advance();
    if (is(K::local)) {
      check.add(Role::value, keyword_leaf());
    } else {
      accept(K::cascaded);
    }
    expect(K::check, K::option);
    made.add(Role::option, check.done());
  }
  return made.done();
}

// JSON_DUALITY_OBJECT([WITH (INSERT, UPDATE, DELETE)] 'key': x, ...).
Node* Parser::json_duality_object() {
  Production made(*this, NodeKind::function_call, K::json_duality_object);
  Production name(*this, NodeKind::object_name, K::function);
  name.add(Role::name, leaf(NodeKind::name));
  made.add(Role::function, name.done());
  expect(Symbol::parenthesis_open);
  if (accept(K::with)) {
    bool is_list = accept(Symbol::parenthesis_open);
    do {
      Production allowed(*this, NodeKind::option);
      if (accept(K::no)) {
        allowed.set(node_flag::negated);
      }
      allowed.variant(current().keyword);
      expect_one_of({K::insert, K::update, K::delete_});
      made.add(Role::option, allowed.done());
    } while (is_list && accept(Symbol::comma));
    if (is_list) {
      expect(Symbol::parenthesis_close);
    }
  }
  comma_list(made, Role::argument, [&] {
    Production member(*this, NodeKind::named_argument);
    member.add(Role::name, text_token());
    expect(Symbol::colon);
    member.add(Role::value, expression());
    return member.done();
  });
  expect(Symbol::parenthesis_close);
  return made.done();
}

// [UNIQUE | FULLTEXT | SPATIAL | VECTOR] INDEX [IF NOT EXISTS] i [USING x] ON t (a, b) options.
Node* Parser::create_index(Production& made) {
  Keyword type = current().keyword;
  made.variant(K::index);
  if (type == K::vector && !is_mariadb_since(110700)) {
    fail();
  }
  if (type != K::index) {
    made.add(Role::type, keyword_leaf());
  }
  expect(K::index);
  if (is_mariadb()) {
    if_not_exists(made);
  }
  made.add(Role::name, local_name(K::index));
  if ((type == K::index || type == K::unique) && is_one_of({K::using_, K::type})) {
    made.add(Role::option, index_type());
  }
  expect(K::on);
  made.add(Role::table, object_name(K::table));
  key_parts(made, type);
  if (is_mariadb()) {
    lock_wait(made);
  }
  index_options(made, type);
  algorithm_and_lock(made);
  return made.done();
}

// Each at most once, without a comma.
void Parser::algorithm_and_lock(Production& into) {
  for (Keyword first = K::no_keyword; is_one_of({K::algorithm, K::lock}) && !is(first);) {
    first = current().keyword;
    into.add(Role::option, valued_option(OptionValue::word_or_default));
  }
}

// INDEX [IF EXISTS] i ON t.
Node* Parser::drop_index(Production& made) {
  expect(K::index);
  if (is_mariadb()) {
    if_exists(made);
  }
  made.add(Role::name, local_name(K::index));
  expect(K::on);
  made.add(Role::table, object_name(K::table));
  if (is_mariadb()) {
    lock_wait(made);
  } else {
    algorithm_and_lock(made);
  }
  return made.done();
}

// DATABASE [IF NOT EXISTS] d options.
Node* Parser::create_database(Production& made) {
  made.variant(K::database);
  advance();
  if_not_exists(made);
  made.add(Role::name, local_name(K::database));
  database_options(made);
  return made.done();
}

// DATABASE [d] options.
Node* Parser::alter_database(Production& made) {
  made.variant(K::database);
  advance();
  bool is_comment = is_mariadb() && is(K::comment) && (next_is(Symbol::equal) || peek(1).token.kind == TokenKind::text);
  if (is_identifier() && !is_comment) {
    made.add(Role::name, local_name(K::database));
  }
  if (is_mariadb() && is(K::upgrade)) {
    made.add(Role::option, flag_option());
    expect(K::data, K::directory);
    expect(K::name);
    return made.done();
  }
  std::uint32_t begin = current().token.begin;
  database_options(made);
  if (is_mysql() && is(K::read)) {
    read_only_option(made);
  }
  if (current().token.begin == begin) {
    fail();
  }
  return made.done();
}

// READ ONLY [=] 0 | 1 | DEFAULT, and perhaps more options.
void Parser::read_only_option(Production& into) {
  Production option(*this, NodeKind::option, K::read_only);
  advance();
  expect(K::only);
  accept(Symbol::equal);
  option.add(Role::value, option_value(OptionValue::switch_or_default));
  into.add(Role::option, option.done());
  database_options(into);
  if (is(K::read)) {
    read_only_option(into);
  }
}

void Parser::database_options(Production& into) {
  while (!failed()) {
    if (Node* option = charset_option()) {
      into.add(Role::option, option);
    } else if (is_mysql_since(80016) && (is(K::encryption) || (is(K::default_) && next_is(K::encryption)))) {
      accept(K::default_);
      into.add(Role::option, valued_option(OptionValue::text));
    } else if (is_mariadb() && is(K::comment)) {
      into.add(Role::option, valued_option(OptionValue::text));
    } else {
      return;
    }
  }
}

// CREATE and ALTER of MariaDB's SEQUENCE [IF [NOT] EXISTS] s options.
Node* Parser::sequence_statement(Production& made, Keyword statement) {
  made.variant(K::sequence);
  expect(K::sequence);
  if (statement == K::create) {
    if_not_exists(made);
  } else {
    if_exists(made);
  }
  made.add(Role::name, object_name(K::sequence));
  std::uint32_t begin = current().token.begin;
  if (is_mariadb_since(110500) && accept(K::as)) {
    made.add(Role::type, data_type());
  }
  while (Node* option = sequence_option(statement)) {
    made.add(Role::option, option);
  }
  if (statement == K::create) {
    table_options(made);
  } else if (current().token.begin == begin) {
    fail();
  }
  return made.done();
}

// Nothing where none begins.
Node* Parser::sequence_option(Keyword statement) {
  Production made(*this, NodeKind::option, current().keyword);
  switch (current().keyword) {
    case K::increment:
      advance();
      if (!accept(K::by)) {
        accept(Symbol::equal);
      }
      made.add(Role::value, sequence_number());
      return made.done();
    case K::start:
      advance();
      if (!accept(K::with)) {
        accept(Symbol::equal);
      }
      made.add(Role::value, sequence_number());
      return made.done();
    case K::restart:
      if (statement == K::create) {
        return nullptr;
      }
      advance();
      if (accept(K::with) || accept(Symbol::equal) || is(TokenKind::integer) || is(Symbol::minus)) {
        made.add(Role::value, sequence_number());
      }
      return made.done();
    case K::minvalue:
    case K::maxvalue:
    case K::cache:
      advance();
      accept(Symbol::equal);
      made.add(Role::value, sequence_number());
      return made.done();
    case K::no:
      advance();
      made.variant(is(K::minvalue) ? K::nominvalue : K::nomaxvalue);
      expect_one_of({K::minvalue, K::maxvalue});
      return made.done();
    case K::nominvalue:
    case K::nomaxvalue:
    case K::nocache:
    case K::nocycle:
    case K::cycle:
      return flag_option();
    default:
      return nullptr;
  }
}

Node* Parser::sequence_number() {
  bool is_signed = is(Symbol::minus) || is(Symbol::plus);
  if (peek(is_signed ? 1 : 0).token.kind != TokenKind::integer) {
    fail();
  }
  return signed_number();
}

Node* Parser::server_name() {
  Production made(*this, NodeKind::object_name, K::server);
  made.add(Role::name, identifier_or_text());
  return made.done();
}

// SERVER s FOREIGN DATA WRAPPER w OPTIONS (HOST 'x', PORT 3306, ...); ALTER has no wrapper.
Node* Parser::server_statement(Production& made, Keyword statement) {
  expect(K::server);
  if (statement == K::create && is_mariadb()) {
    if_not_exists(made);
  }
  made.add(Role::name, server_name());
  if (statement == K::create) {
    expect(K::foreign, K::data);
    expect(K::wrapper);
    made.add(Role::wrapper, identifier_or_text());
  }
  expect(K::options);
  expect(Symbol::parenthesis_open);
  comma_list(made, Role::option, [&] {
    Production option(*this, NodeKind::option, current().keyword);
    switch (current().keyword) {
      case K::host:
      case K::database:
      case K::user:
      case K::socket:
      case K::owner:
        advance();
        option.add(Role::value, text_token());
        return option.done();
      case K::password:
        advance();
        option.add(Role::secret, text_token());
        return option.done();
      case K::port:
        advance();
        option.add(Role::value, is_text() && is_mariadb_since(110600) ? text_token() : unsigned_number());
        return option.done();
      default:
        break;
    }
    if (!is_mariadb_since(110600)) {
      fail();
    }
    option.variant(K::no_keyword);
    option.add(Role::name, identifier_leaf());
    option.add(Role::value, text_token());
    return option.done();
  });
  expect(Symbol::parenthesis_close);
  return made.done();
}

// MASKING POLICY [IF NOT EXISTS] p (a) x.
Node* Parser::create_masking_policy(Production& made) {
  advance();
  expect(K::policy);
  if_not_exists(made);
  made.add(Role::name, local_name(K::masking));
  expect(Symbol::parenthesis_open);
  made.add(Role::column, identifier_leaf());
  expect(Symbol::parenthesis_close);
  made.add(Role::value, expression());
  return made.done();
}

// MASKING POLICY p, of a column.
Node* Parser::masking_policy() {
  Production made(*this, NodeKind::option, K::masking);
  expect(K::masking, K::policy);
  made.add(Role::value, local_name(K::masking));
  return made.done();
}

// RENAME TABLE [IF EXISTS] a TO b, c TO d.
Node* Parser::rename_table() {
  Production made(*this, NodeKind::rename, K::table);
  expect(K::rename);
  expect_one_of({K::table, K::tables});
  if (is_mariadb()) {
    if_exists(made);
  }
  comma_list(made, Role::element, [&] {
    Production pair(*this, NodeKind::rename_pair);
    pair.add(Role::from, object_name(K::table));
    if (is_mariadb()) {
      lock_wait(pair);
    }
    expect(K::to);
    pair.add(Role::into, object_name(K::table));
    return pair.done();
  });
  return made.done();
}

}  // namespace sallyport::sql
