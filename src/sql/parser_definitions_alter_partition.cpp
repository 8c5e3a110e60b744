// What ALTER TABLE does with partitions and tablespaces, which stands alone.
#include "sql/parser.h"

namespace sallyport::sql {

bool Parser::is_standalone_action() {
  switch (current().keyword) {
    case K::add:
    case K::drop:
    case K::rebuild:
    case K::optimize:
    case K::analyze:
    case K::check:
    case K::repair:
    case K::coalesce:
    case K::truncate:
    case K::reorganize:
    case K::exchange:
      return next_is(K::partition);
    case K::convert:
      return is_mariadb_since(100701) && (next_is(K::partition) || next_is(K::table));
    case K::discard:
    case K::import:
      return next_is(K::tablespace) || (is_mysql() && next_is(K::partition));
    case K::secondary_load:
    case K::secondary_unload:
      return is_mysql_since(80013);
    default:
      return false;
  }
}

Node* Parser::standalone_action() {
  Production made(*this, NodeKind::alter_action, current().keyword);
  Keyword verb = current().keyword;
  advance();
  switch (verb) {
    case K::secondary_load:
    case K::secondary_unload:
      if (is(K::partition)) {
        made.add(Role::partition, partition_selection());
      }
      if (is(K::guided)) {
        Production guided(*this, NodeKind::option, K::guided);
        advance();
        guided.add(Role::value, switch_word());
        made.add(Role::option, guided.done());
      }
      return made.done();
    case K::discard:
    case K::import:
      if (is(K::partition)) {
        partition_names(made);
      }
      expect(K::tablespace);
      return made.done();
    case K::convert:
      return convert_partition(made);
    default:
      return partition_action(made, verb);
  }
}

// PARTITION a, b | ALL.
void Parser::partition_names(Production& into) {
  expect(K::partition);
  not_logged(into);
  if (is(K::all)) {
    into.add(Role::partition, keyword_leaf());
    return;
  }
  comma_list(into, Role::partition, [&] { return local_name(K::partition); });
}

// [NO_WRITE_TO_BINLOG | LOCAL].
void Parser::not_logged(Production& into) {
  if (accept_one_of({K::no_write_to_binlog, K::local})) {
    into.set(node_flag::not_logged);
  }
}

Node* Parser::partition_action(Production& made, Keyword verb) {
  switch (verb) {
    case K::add:
      advance();
      if (is_mariadb()) {
        if_not_exists(made);
      }
      not_logged(made);
      if (accept(K::partitions)) {
        made.add(Role::count, integer_number());
      } else if (!at_end()) {
        partition_definitions(made);
      }
      return made.done();
    case K::coalesce:
      advance();
      not_logged(made);
      made.add(Role::count, integer_number());
      return made.done();
    case K::reorganize:
      advance();
      not_logged(made);
      if (is_identifier()) {
        comma_list(made, Role::target, [&] { return local_name(K::partition); });
        expect(K::into);
        partition_definitions(made);
      }
      return made.done();
    case K::exchange:
      advance();
      made.add(Role::partition, local_name(K::partition));
      expect(K::with, K::table);
      made.add(Role::table, object_name(K::table));
      if (is_one_of({K::with, K::without}) && (is_mysql() || is_mariadb_since(110400))) {
        made.add(Role::option, validation());
      }
      return made.done();
    case K::drop:
      advance();
      if (is_mariadb()) {
        if_exists(made);
      }
      comma_list(made, Role::partition, [&] { return local_name(K::partition); });
      return made.done();
    default:
      partition_names(made);
      table_check_options(made, verb);
      return made.done();
  }
}

// What CHECK and REPAIR look at.
void Parser::table_check_options(Production& into, Keyword verb) {
  if (verb == K::optimize && is_mariadb()) {
    not_logged(into);
  }
  while (verb == K::check || verb == K::repair) {
    if (verb == K::check && is(K::for_)) {
      advance();
      if (!is(K::upgrade)) {
        fail();
      }
      into.add(Role::option, flag_option());
    } else if (verb == K::check ? is_one_of({K::quick, K::fast, K::medium, K::extended, K::changed})
                                : is_one_of({K::quick, K::extended, K::use_frm})) {
      into.add(Role::option, flag_option());
    } else {
      return;
    }
  }
}

// CONVERT PARTITION p TO TABLE t, CONVERT TABLE t TO PARTITION p ....
Node* Parser::convert_partition(Production& made) {
  if (accept(K::partition)) {
    made.add(Role::partition, local_name(K::partition));
    expect(K::to, K::table);
    made.add(Role::into, object_name(K::table));
    return made.done();
  }
  expect(K::table);
  made.add(Role::table, object_name(K::table));
  expect(K::to);
  made.add(Role::partition, partition_definition());
  if (is_one_of({K::with, K::without}) && is_mariadb_since(110400)) {
    made.add(Role::option, validation());
  }
  return made.done();
}

}  // namespace sallyport::sql
