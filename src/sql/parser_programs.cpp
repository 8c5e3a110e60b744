// Compound statements: blocks, control flow, cursors. MariaDB takes them outside of stored programs, too.
#include "sql/parser.h"

namespace sallyport::sql {

// BEGIN [WORK], or MariaDB's BEGIN NOT ATOMIC ... END outside of a program.
Node* Parser::begin() {
  if (is_mariadb() && next_is(K::not_)) {
    return compound_statement();
  }
  Production made(*this, NodeKind::transaction, K::start);
  expect(K::begin);
  accept(K::work);
  if (has_mode(sql_mode::oracle) && !at_end()) {
    fail(ParseErrorCode::not_supported);
  }
  return made.done();
}

bool Parser::is_compound_start() const {
  return is_one_of({K::if_, K::case_, K::loop, K::while_, K::repeat}) || (is_mariadb() && is(K::for_));
}

// A statement in a program.
Node* Parser::program_statement() {
  Level level(*this);
  if (!level) {
    return nullptr;
  }
  if (is(K::begin) || is_compound_start() || (is_label_name() && next_is(Symbol::colon))) {
    return compound_statement();
  }
  switch (current().keyword) {
    case K::return_:
      return return_statement();
    case K::leave:
    case K::iterate:
      return jump();
    case K::open:
    case K::fetch:
    case K::close:
      return cursor_operation();
    default:
      return statement();
  }
}

Node* Parser::compound_statement() {
  if (has_mode(sql_mode::oracle)) {
    fail(ParseErrorCode::not_supported);
  }
  Node* label = nullptr;
  if (is_label_name() && next_is(Symbol::colon)) {
    label = identifier_leaf();
    advance();
  }
  switch (current().keyword) {
    case K::begin:
      return block(label);
    case K::loop:
    case K::while_:
    case K::repeat:
      return loop(label);
    case K::for_:
      if (is_mariadb()) {
        return for_loop(label);
      }
      break;
    case K::if_:
      if (label == nullptr) {
        return if_statement();
      }
      break;
    case K::case_:
      if (label == nullptr) {
        return case_statement();
      }
      break;
    default:
      break;
  }
  fail();
  return nullptr;
}

Node* Parser::block(Node* label) {
  Production made(*this, NodeKind::block, 0, Role::label, label);
  expect(K::begin);
  if (is_mariadb() && accept(K::not_)) {
    expect(K::atomic);
  }
  while (is(K::declare)) {
    made.add(Role::declaration, declaration());
    expect(Symbol::semicolon);
  }
  while (!is(K::end) && !at_end()) {
    made.add(Role::statement, program_statement());
    expect(Symbol::semicolon);
  }
  expect(K::end);
  end_label(made, label);
  return made.done();
}

void Parser::end_label(Production& into, const Node* label) {
  if (label != nullptr && is_label_name()) {
    into.add(Role::end_label, identifier_leaf());
  }
}

// One or more, each with its semicolon.
Node* Parser::statements_before(std::initializer_list<Keyword> ends) {
  Production made(*this, NodeKind::statements);
  do {
    made.add(Role::statement, program_statement());
    expect(Symbol::semicolon);
  } while (!is_one_of(ends) && !at_end());
  return made.done();
}

// IF a THEN ... ELSEIF b THEN ... ELSE ... END IF: conditions and bodies by turns.
Node* Parser::if_statement() {
  Production made(*this, NodeKind::if_);
  expect(K::if_);
  do {
    made.add(Role::condition, expression());
    expect(K::then);
    made.add(Role::body, statements_before({K::elseif, K::else_, K::end}));
  } while (accept(K::elseif));
  if (accept(K::else_)) {
    made.add(Role::otherwise, statements_before({K::end}));
  }
  expect(K::end, K::if_);
  return made.done();
}

Node* Parser::case_statement() {
  Production made(*this, NodeKind::case_statement);
  expect(K::case_);
  if (!is(K::when)) {
    made.add(Role::operand, expression());
  }
  do {
    expect(K::when);
    made.add(Role::condition, expression());
    expect(K::then);
    made.add(Role::body, statements_before({K::when, K::else_, K::end}));
  } while (is(K::when));
  if (accept(K::else_)) {
    made.add(Role::otherwise, statements_before({K::end}));
  }
  expect(K::end, K::case_);
  return made.done();
}

// LOOP ... END LOOP, WHILE a DO ... END WHILE, REPEAT ... UNTIL a END REPEAT.
Node* Parser::loop(Node* label) {
  Production made(*this, NodeKind::loop, 0, Role::label, label);
  Keyword kind = current().keyword;
  made.variant(kind);
  advance();
  if (kind == K::while_) {
    made.add(Role::condition, expression());
    expect(K::do_);
  }
  made.add(Role::body, statements_before({kind == K::repeat ? K::until : K::end}));
  if (kind == K::repeat) {
    expect(K::until);
    made.add(Role::condition, expression());
  }
  expect(K::end, kind);
  end_label(made, label);
  return made.done();
}

// c and c (1, 2) of a FOR, which were read as an expression.
Node* Parser::opened_cursor(Node* read) {
  bool has_arguments = read != nullptr && read->is(NodeKind::function_call);
  Node* name = has_arguments ? read->first : read;
  bool is_name = name != nullptr && name->is(has_arguments ? NodeKind::object_name : NodeKind::column_reference);
  if (!is_name || name->child(Role::qualifier) != nullptr) {
    fail();
    return nullptr;
  }
  Node* argument = has_arguments ? name->next : nullptr;
  Production made(*this, NodeKind::cursor_operation, static_cast<std::uint16_t>(K::open), Role::cursor, name->first);
  while (argument != nullptr) {
    if (argument->role != Role::argument || argument->is(NodeKind::named_argument)) {
      fail();
    }
    Node* next = argument->next;
    made.add(Role::argument, argument);
    argument = next;
  }
  return made.done();
}

// FOR i IN [REVERSE] 1..10 DO ... END FOR; FOR r IN c DO, c (1, 2) DO, (SELECT ...) DO.
Node* Parser::for_loop(Node* label) {
  Production made(*this, NodeKind::for_loop, 0, Role::label, label);
  expect(K::for_);
  made.add(Role::name, identifier_leaf());
  expect(K::in);
  if (accept(K::reverse)) {
    made.set(node_flag::reverse);
  }
  if (is(Symbol::parenthesis_open)) {
    made.add(Role::query, subquery());
  } else {
    Node* first = expression();
    if (accept(Symbol::dot_dot)) {
      made.add(Role::low, first);
      made.add(Role::high, expression());
    } else {
      made.add(Role::cursor, opened_cursor(first));
    }
  }
  expect(K::do_);
  made.add(Role::body, statements_before({K::end}));
  expect(K::end, K::for_);
  end_label(made, label);
  return made.done();
}

Node* Parser::return_statement() {
  Production made(*this, NodeKind::return_);
  expect(K::return_);
  made.add(Role::value, expression());
  return made.done();
}

// LEAVE and ITERATE.
Node* Parser::jump() {
  Production made(*this, NodeKind::jump, current().keyword);
  advance();
  if (!is_label_name()) {
    fail();
  }
  made.add(Role::label, identifier_leaf());
  return made.done();
}

Node* Parser::local_variable() {
  Production made(*this, NodeKind::column_reference);
  made.add(Role::name, identifier_leaf());
  return made.done();
}

// OPEN c [(1, 2)], FETCH [[NEXT] FROM] c INTO a, b, CLOSE c; FETCH GROUP NEXT ROW of MariaDB's aggregates.
Node* Parser::cursor_operation() {
  Keyword operation = current().keyword;
  Production made(*this, NodeKind::cursor_operation, operation);
  advance();
  if (operation == K::fetch) {
    if (is_mariadb() && accept(K::group, K::next)) {
      made.variant(K::group);
      expect(K::row);
      return made.done();
    }
    if (!accept(K::from)) {
      accept(K::next, K::from);
    }
  }
  made.add(Role::cursor, identifier_leaf());
  if (operation == K::open && is_mariadb() && accept(Symbol::parenthesis_open)) {
    expression_list(made, Role::argument);
    expect(Symbol::parenthesis_close);
  }
  if (operation == K::fetch) {
    expect(K::into);
    comma_list(made, Role::target, [&] { return local_variable(); });
  }
  return made.done();
}

}  // namespace sallyport::sql
