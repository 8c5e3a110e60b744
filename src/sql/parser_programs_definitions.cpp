// CREATE, ALTER and DROP of stored programs.
#include "sql/parser.h"

namespace sallyport::sql {

Node* Parser::create_routine_trigger_or_event(Production& made) {
  if (is_mariadb() && has_mode(sql_mode::oracle)) {
    fail(ParseErrorCode::not_supported);
  }
  switch (current().keyword) {
    case K::trigger:
      return create_trigger(made);
    case K::event:
      return create_event(made);
    case K::package:
      return create_package(made);
    case K::library:
      return create_library(made);
    default:
      return create_routine(made);
  }
}

Node* Parser::alter_routine_or_event(Production& made) {
  Keyword type = current().keyword;
  advance();
  made.add(Role::name, program_name(type));
  switch (type) {
    case K::event:
      event_clauses(made, K::alter);
      break;
    case K::library:
      if (!is_mysql_since(90200)) {
        fail();
      }
      made.add(Role::option, text_option(K::comment));
      break;
    default:
      characteristics(made, K::alter);
  }
  return made.done();
}

Node* Parser::drop_program(Production& made) {
  Keyword type = current().keyword;
  advance();
  if (type == K::prepare) {
    made.variant(K::no_keyword);
    made.add(Role::name, identifier_leaf());
    Node* found = made.done();
    found->kind = NodeKind::deallocate;
    return found;
  }
  if (type == K::package) {
    refuse_unless_packaged();
    if (accept(K::body)) {
      made.variant(K::body);
    }
  } else if (type == K::library && !is_mysql_since(90200)) {
    fail();
  }
  if_exists(made);
  made.add(Role::name, program_name(type));
  return made.done();
}

void Parser::refuse_unless_packaged() {
  if (!is_mariadb_since(110400) && !(is_mariadb() && has_mode(sql_mode::oracle))) {
    fail();
  }
}

// [db.]name; ".name" is none.
Node* Parser::program_name(Keyword type) {
  if (is(Symbol::dot)) {
    fail();
  }
  return object_name(type);
}

// MySQL learned IF NOT EXISTS of these late.
void Parser::program_if_not_exists(Production& of) {
  if (is_mysql_before(80029) && is(K::if_)) {
    fail();
  }
  if_not_exists(of);
}

// [AGGREGATE] FUNCTION f, PROCEDURE p.
Node* Parser::create_routine(Production& made) {
  bool aggregates = accept(K::aggregate);
  if (aggregates) {
    made.set(node_flag::aggregate);
    made.variant(K::function);
  }
  Keyword type = is(K::procedure) && !aggregates ? K::procedure : K::function;
  expect(type);
  program_if_not_exists(made);
  Node* name = program_name(type);
  made.add(Role::name, name);
  if (type == K::function && is(K::returns)) {
    return loadable_function(made, name);
  }
  if (aggregates && is_mysql()) {
    fail();
  }
  routine_signature(made, type);
  RoutineLanguage language = characteristics(made, K::create);
  if (language == RoutineLanguage::external) {
    expect(K::as);
    made.add(Role::body, external_code());
  } else {
    made.add(Role::body, routine_body(type));
  }
  return made.done();
}

// RETURNS type SONAME 'x.so'.
Node* Parser::loadable_function(Production& made, Node* name) {
  bool is_qualified = name == nullptr || name->child(Role::qualifier) != nullptr;
  if (is_qualified || made.done()->child(Role::definer) != nullptr) {
    fail();
  }
  expect(K::returns);
  if (!is_one_of({K::string, K::real, K::decimal, K::dec, K::int_, K::integer, K::int4})) {
    fail();
  }
  made.add(Role::type, keyword_leaf());
  expect(K::soname);
  made.add(Role::library, single_text());
  return made.done();
}

// (IN a INT, ...) [RETURNS type].
void Parser::routine_signature(Production& into, Keyword type) {
  expect(Symbol::parenthesis_open);
  if (!is(Symbol::parenthesis_close)) {
    comma_list(into, Role::parameter, [&] { return routine_parameter(type); });
  }
  expect(Symbol::parenthesis_close);
  if (type == K::function) {
    expect(K::returns);
    into.add(Role::type, program_data_type());
  }
}

Node* Parser::routine_parameter(Keyword routine) {
  Production made(*this, NodeKind::routine_parameter, K::in);
  if (is_one_of({K::in, K::out, K::inout}) && (routine == K::procedure || is_mariadb_since(100800))) {
    made.variant(current().keyword);
    advance();
  }
  made.add(Role::name, identifier_leaf());
  made.add(Role::type, variable_type());
  if (is_mariadb_since(110800) && accept(K::default_)) {
    made.add(Role::value, expression());
  }
  return made.done();
}

// MariaDB's functions consist of a compound statement or a RETURN.
Node* Parser::routine_body(Keyword type) {
  if (is_mariadb() && type == K::function && !is_one_of({K::begin, K::return_}) && !is_compound_start() &&
      !(is_label_name() && next_is(Symbol::colon))) {
    fail();
  }
  return program_statement();
}

Parser::RoutineLanguage Parser::characteristics(Production& into, Keyword statement) {
  auto language = RoutineLanguage::sql;
  bool has_libraries = false;
  while (!failed()) {
    Node* found = nullptr;
    if (statement == K::create && is_one_of({K::not_, K::deterministic})) {
      Production option(*this, NodeKind::option, K::deterministic);
      if (accept(K::not_)) {
        option.set(node_flag::negated);
      }
      expect(K::deterministic);
      found = option.done();
    } else {
      found = characteristic(statement);
    }
    if (found == nullptr) {
      break;
    }
    if (found->keyword() == K::language && found->first != nullptr) {
      language = found->first->is(NodeKind::keyword) ? RoutineLanguage::sql : RoutineLanguage::external;
    }
    if (found->keyword() == K::using_) {
      if (has_libraries) {
        fail();
      }
      has_libraries = true;
    }
    into.add(Role::option, found);
  }
  return language;
}

// None: nullptr.
Node* Parser::characteristic(Keyword statement) {
  Production made(*this, NodeKind::option, current().keyword);
  switch (current().keyword) {
    case K::comment:
      return text_option(K::comment);
    case K::language:
      return language_option();
    case K::no:
    case K::contains:
      advance();
      expect(K::sql);
      return made.done();
    case K::reads:
    case K::modifies:
      advance();
      expect(K::sql, K::data);
      return made.done();
    case K::sql:
      made.variant(K::security);
      advance();
      expect(K::security);
      if (!is_one_of({K::definer, K::invoker})) {
        fail();
      }
      made.add(Role::value, keyword_leaf());
      return made.done();
    case K::using_:
      return is_mysql_since(90200) ? used_libraries(statement) : nullptr;
    default:
      return nullptr;
  }
}

// LANGUAGE SQL; of MySQL 9 also a name, as JAVASCRIPT.
Node* Parser::language_option() {
  Production made(*this, NodeKind::option, K::language);
  expect(K::language);
  if (is(K::sql)) {
    made.add(Role::value, keyword_leaf());
  } else if (is_mysql_since(90000)) {
    made.add(Role::value, identifier_leaf());
  } else {
    fail();
  }
  return made.done();
}

// USING (a, db.b AS c); in an ALTER perhaps none.
Node* Parser::used_libraries(Keyword statement) {
  Production made(*this, NodeKind::option, K::using_);
  expect(K::using_);
  expect(Symbol::parenthesis_open);
  if (statement == K::alter && accept(Symbol::parenthesis_close)) {
    return made.done();
  }
  comma_list(made, Role::library, [&] {
    Production library(*this, NodeKind::library);
    library.add(Role::name, object_name(K::library));
    if (accept(K::as) || is_identifier()) {
      library.add(Role::alias, identifier_leaf());
    }
    return library.done();
  });
  expect(Symbol::parenthesis_close);
  return made.done();
}

// One token: adjacent texts are not joined here.
Node* Parser::single_text() {
  if (!is_text()) {
    fail();
  }
  return leaf(NodeKind::literal, static_cast<std::uint16_t>(LiteralKind::text));
}

Node* Parser::text_option(Keyword keyword) {
  Production made(*this, NodeKind::option, keyword);
  expect(keyword);
  made.add(Role::value, single_text());
  return made.done();
}

// 'x' or $$x$$.
Node* Parser::external_code() {
  return is(TokenKind::dollar_text) ? leaf(NodeKind::literal, static_cast<std::uint16_t>(LiteralKind::text))
                                    : single_text();
}

Node* Parser::create_library(Production& made) {
  expect(K::library);
  if (!is_mysql_since(90200) || made.done()->child(Role::definer) != nullptr) {
    fail();
  }
  if_not_exists(made);
  made.add(Role::name, program_name(K::library));
  bool has_language = false;
  while (is_one_of({K::comment, K::language})) {
    if (is(K::comment)) {
      made.add(Role::option, text_option(K::comment));
    } else {
      has_language = true;
      if (next_is(K::sql)) {
        fail();
      }
      made.add(Role::option, language_option());
    }
  }
  if (!has_language) {
    fail();
  }
  expect(K::as);
  TokenKind code = is(TokenKind::introducer) ? peek(1).token.kind : current().token.kind;
  bool is_binary = code == TokenKind::hexadecimal || code == TokenKind::bits;
  made.add(Role::body, is_binary ? literal() : external_code());
  return made.done();
}

}  // namespace sallyport::sql
