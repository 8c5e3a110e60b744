// How a table is divided into partitions.
#include <array>

#include "sql/parser.h"

namespace sallyport::sql {
namespace {

// Functions whose value is another each time or in each session.
constexpr auto unsteady_functions = std::to_array<std::string_view>(
    {"CONNECTION_ID", "CURDATE",      "CURRENT_DATE",   "CURRENT_ROLE", "CURRENT_TIME", "CURRENT_TIMESTAMP",
     "CURRENT_USER",  "CURTIME",      "DATABASE",       "FOUND_ROWS",   "GET_LOCK",     "LAST_INSERT_ID",
     "LOAD_FILE",     "LOCALTIME",    "LOCALTIMESTAMP", "NOW",          "RAND",         "ROW_COUNT",
     "SCHEMA",        "SESSION_USER", "SLEEP",          "SYSDATE",      "SYSTEM_USER",  "USER",
     "UTC_DATE",      "UTC_TIME",     "UTC_TIMESTAMP",  "UUID",         "UUID_SHORT",   "BENCHMARK",
     "IS_FREE_LOCK",  "ENCRYPT"});

bool is_unsteady(const Node& call, std::string_view text) {
  const Node* name = call.child(Role::function);
  while (name != nullptr && name->first != nullptr) {
    if (name->child(Role::qualifier) != nullptr) {
      return true;  // a stored function
    }
    name = name->child(Role::name);
  }
  return name != nullptr &&
         std::any_of(unsteady_functions.begin(), unsteady_functions.end(),
                     [&](std::string_view one) { return equals_ignoring_case(one, name->in(text)); });
}

// No variables, functions with the same value each time, and in MySQL no queries. As deep as the parser went.
bool can_divide(const Node& node, std::string_view text, Server server) {
  switch (node.kind) {
    case NodeKind::user_variable:
    case NodeKind::system_variable:
      return false;
    case NodeKind::subquery:
      return server == Server::mariadb;
    case NodeKind::function_call:
      if (is_unsteady(node, text)) {
        return false;
      }
      break;
    default:
      break;
  }
  bool can = true;
  for (const Node& child : children(node)) {
    can = can && can_divide(child, text, server);
  }
  return can;
}

}  // namespace

// PARTITION BY method [PARTITIONS 2] [SUBPARTITION BY method [SUBPARTITIONS 2]] [(partitions)].
Node* Parser::partitioning() {
  Production made(*this, NodeKind::partitioning);
  expect(K::partition, K::by);
  switch (current().keyword) {
    case K::range:
    case K::list:
      made.variant(current().keyword);
      advance();
      if (accept(K::columns)) {
        made.set(node_flag::by_columns);
        partition_columns(made);
      } else {
        partition_operand(made);
      }
      break;
    case K::system_time:
      system_time_partitioning(made);
      break;
    default:
      partition_hash(made);
  }
  if (accept(K::partitions)) {
    made.add(Role::count, integer_number());
  }
  if (is(K::subpartition)) {
    Production sub(*this, NodeKind::partitioning);
    advance();
    expect(K::by);
    partition_hash(sub);
    if (accept(K::subpartitions)) {
      sub.add(Role::count, integer_number());
    }
    made.add(Role::partition_by, sub.done());
  }
  if (is(Symbol::parenthesis_open)) {
    partition_definitions(made);
  }
  return made.done();
}

// [LINEAR] HASH (x) | [LINEAR] KEY [ALGORITHM = 1] (a, b).
void Parser::partition_hash(Production& into) {
  if (accept(K::linear)) {
    into.set(node_flag::linear);
  }
  into.variant(current().keyword);
  if (accept(K::hash)) {
    partition_operand(into);
    return;
  }
  expect(K::key);
  if (is(K::algorithm)) {
    Production algorithm(*this, NodeKind::option, K::algorithm);
    advance();
    expect(Symbol::equal);
    if (text_of_current() != "1" && text_of_current() != "2") {
      fail();
    }
    algorithm.add(Role::value, unsigned_number());
    into.add(Role::option, algorithm.done());
  }
  partition_columns(into);
}

void Parser::partition_operand(Production& into) {
  expect(Symbol::parenthesis_open);
  into.add(Role::operand, partition_expression());
  expect(Symbol::parenthesis_close);
}

Node* Parser::partition_expression() {
  Node* found = bit_expression();
  if (found != nullptr && !can_divide(*found, text_, dialect_.server)) {
    fail();
  }
  return found;
}

void Parser::partition_columns(Production& into) {
  expect(Symbol::parenthesis_open);
  if (!is(Symbol::parenthesis_close)) {
    name_list(into, Role::column);
  }
  expect(Symbol::parenthesis_close);
}

// MariaDB's SYSTEM_TIME [INTERVAL 1 DAY [STARTS x] | LIMIT 10] [AUTO].
void Parser::system_time_partitioning(Production& into) {
  if (!is_mariadb()) {
    fail();
    return;
  }
  into.variant(K::system_time);
  advance();
  if (is(K::interval)) {
    into.add(Role::interval, interval_term());
    if (accept(K::starts)) {
      into.add(Role::starts, bit_expression());
    }
  } else if (accept(K::limit)) {
    into.add(Role::limit, unsigned_number());
  }
  if (is_mariadb_since(100901) && is(K::auto_)) {
    into.add(Role::option, keyword_leaf());
  }
}

void Parser::partition_definitions(Production& into) {
  expect(Symbol::parenthesis_open);
  comma_list(into, Role::partition, [&] { return partition_definition(); });
  expect(Symbol::parenthesis_close);
}

// PARTITION p [VALUES ...] options [(subpartitions)].
Node* Parser::partition_definition() {
  Production made(*this, NodeKind::partition_definition);
  if (!(accept(K::partition) || is_mariadb())) {
    fail();
  }
  made.add(Role::name, identifier_leaf());
  if (accept(K::values)) {
    made.add(Role::values, partition_values());
  } else if (is_mariadb() && is_one_of({K::default_, K::history, K::current})) {
    made.add(Role::values, keyword_leaf());
  }
  partition_options(made);
  if (accept(Symbol::parenthesis_open)) {
    comma_list(made, Role::partition, [&] {
      Production sub(*this, NodeKind::partition_definition, K::subpartition);
      expect(K::subpartition);
      sub.add(Role::name, identifier_or_text());
      partition_options(sub);
      return sub.done();
    });
    expect(Symbol::parenthesis_close);
  }
  return made.done();
}

// LESS THAN (1, MAXVALUE) | LESS THAN MAXVALUE | IN (1, 2) | IN ((1, 2), (3, 4)).
Node* Parser::partition_values() {
  Production made(*this, NodeKind::partition_values, current().keyword);
  auto bound = [&] { return is(K::maxvalue) ? keyword_leaf() : partition_expression(); };
  if (accept(K::less)) {
    expect_one_of({K::than});
    if (is(K::maxvalue)) {
      made.add(Role::element, keyword_leaf());
      return made.done();
    }
    expect(Symbol::parenthesis_open);
    comma_list(made, Role::element, bound);
    expect(Symbol::parenthesis_close);
    return made.done();
  }
  expect(K::in);
  expect(Symbol::parenthesis_open);
  comma_list(made, Role::element, [&] { return partition_expression(); });
  expect(Symbol::parenthesis_close);
  return made.done();
}

void Parser::partition_options(Production& into) {
  while (!failed()) {
    switch (current().keyword) {
      case K::storage:
        if (!next_is(K::engine)) {
          return;
        }
        advance();
        break;
      case K::engine:
      case K::max_rows:
      case K::min_rows:
      case K::comment:
      case K::data:
      case K::index:
        break;
      case K::tablespace:
      case K::nodegroup:
        into.add(Role::option, valued_option(is(K::nodegroup) ? OptionValue::number : OptionValue::name));
        continue;
      default:
        if (!is_mariadb() || !is_identifier() || !(is(K::connection) || next_is(Symbol::equal))) {
          return;
        }
    }
    Node* option = table_option();
    if (option == nullptr) {
      fail();
    }
    into.add(Role::option, option);
  }
}

}  // namespace sallyport::sql
