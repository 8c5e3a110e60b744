// CREATE of triggers, events and packages.
#include "sql/parser.h"

namespace sallyport::sql {

// TRIGGER a BEFORE INSERT ON t FOR EACH ROW [FOLLOWS b] statement.
Node* Parser::create_trigger(Production& made) {
  expect(K::trigger);
  program_if_not_exists(made);
  made.add(Role::name, program_name(K::trigger));
  if (!is_one_of({K::before, K::after})) {
    fail();
  }
  made.add(Role::position, keyword_leaf());
  if (!is_one_of({K::insert, K::update, K::delete_})) {
    fail();
  }
  made.add(Role::event, keyword_leaf());
  expect(K::on);
  made.add(Role::table, object_name(K::table));
  expect(K::for_, K::each);
  expect(K::row);
  if (is_one_of({K::follows, K::precedes})) {
    Production order(*this, NodeKind::option, current().keyword);
    advance();
    order.add(Role::value, identifier_or_text());
    made.add(Role::option, order.done());
  }
  made.add(Role::body, program_statement());
  return made.done();
}

Node* Parser::create_event(Production& made) {
  expect(K::event);
  if_not_exists(made);
  made.add(Role::name, program_name(K::event));
  event_clauses(made, K::create);
  return made.done();
}

// ON SCHEDULE, ON COMPLETION, RENAME TO, ENABLE and DISABLE, COMMENT, DO: in this order.
void Parser::event_clauses(Production& into, Keyword statement) {
  bool creates = statement == K::create;
  std::uint32_t begin = current().token.begin;
  if (creates || (is(K::on) && next_is(K::schedule))) {
    expect(K::on, K::schedule);
    into.add(Role::schedule, event_schedule());
  }
  if (is(K::on)) {
    Production completion(*this, NodeKind::option, K::completion);
    expect(K::on, K::completion);
    if (accept(K::not_)) {
      completion.set(node_flag::negated);
    }
    expect(K::preserve);
    into.add(Role::option, completion.done());
  }
  if (!creates && accept(K::rename)) {
    expect(K::to);
    into.add(Role::target, program_name(K::event));
  }
  if (is(K::enable)) {
    into.add(Role::option, keyword_leaf());
  } else if (is(K::disable) && next_is(K::on)) {
    Production elsewhere(*this, NodeKind::keyword, K::replica);
    expect(K::disable, K::on);
    if (!is_mysql_before(80200) || !is(K::replica)) {
      expect_one_of({K::slave, K::replica});
    }
    into.add(Role::option, elsewhere.done());
  } else if (is(K::disable)) {
    into.add(Role::option, keyword_leaf());
  }
  if (is(K::comment)) {
    into.add(Role::option, text_option(K::comment));
  }
  if (creates || is(K::do_)) {
    expect(K::do_);
    if (is_mariadb() && has_mode(sql_mode::oracle)) {
      fail(ParseErrorCode::not_supported);
    }
    into.add(Role::body, program_statement());
  }
  if (current().token.begin == begin) {
    fail();
  }
}

// AT expression; EVERY expression unit [STARTS expression] [ENDS expression].
Node* Parser::event_schedule() {
  Production made(*this, NodeKind::schedule, current().keyword);
  if (accept(K::at)) {
    made.add(Role::value, expression());
    return made.done();
  }
  expect(K::every);
  made.add(Role::value, expression());
  made.add(Role::unit, interval_unit());
  for (Keyword bound : {K::starts, K::ends}) {
    if (is(bound)) {
      Production option(*this, NodeKind::option, bound);
      advance();
      option.add(Role::value, expression());
      made.add(Role::option, option.done());
    }
  }
  return made.done();
}

// PACKAGE p PROCEDURE a (); FUNCTION b () RETURNS INT; END, and PACKAGE BODY p DECLARE a INT; PROCEDURE a () ...; END.
Node* Parser::create_package(Production& made) {
  expect(K::package);
  refuse_unless_packaged();
  bool is_body = accept(K::body);
  if (is_body) {
    made.variant(K::body);
  }
  if_not_exists(made);
  made.add(Role::name, program_name(K::package));
  characteristics(made, K::alter);
  while (is_body && is(K::declare)) {
    made.add(Role::declaration, declaration());
    expect(Symbol::semicolon);
  }
  while (is_one_of({K::function, K::procedure})) {
    made.add(Role::routine, packaged_routine(is_body ? K::body : K::package));
    expect(Symbol::semicolon);
  }
  while (is_body && !is(K::end) && !at_end()) {
    made.add(Role::statement, program_statement());
    expect(Symbol::semicolon);
  }
  expect(K::end);
  return made.done();
}

// A declaration in a PACKAGE, with its body in a PACKAGE BODY.
Node* Parser::packaged_routine(Keyword package) {
  Keyword type = current().keyword;
  Production made(*this, NodeKind::routine, type);
  advance();
  made.add(Role::name, identifier_leaf());
  routine_signature(made, type);
  characteristics(made, K::create);
  if (package == K::body) {
    made.add(Role::body, routine_body(type));
  }
  return made.done();
}

}  // namespace sallyport::sql
