// What MySQL alone stores by name: tablespaces, groups of log files, spatial reference systems, imported tables.
#include "sql/parser.h"

namespace sallyport::sql {

// CREATE, ALTER and DROP of [UNDO] TABLESPACE and LOGFILE GROUP.
Node* Parser::tablespace_statement(Production& made, Keyword statement) {
  Keyword type = current().keyword;
  advance();
  if (type == K::undo) {
    expect(K::tablespace);
  } else if (type == K::logfile) {
    expect(K::group);
  }
  made.add(Role::name, local_name(type));
  if (statement == K::drop) {
    tablespace_options(made, {K::engine, K::wait, K::no_wait});
    return made.done();
  }
  if (type == K::undo) {
    if (statement == K::create) {
      expect(K::add);
      tablespace_file(made, K::datafile);
    } else {
      expect(K::set);
      if (!is_one_of({K::active, K::inactive})) {
        fail();
      }
      made.add(Role::option, flag_option());
    }
    tablespace_options(made, {K::engine});
    return made.done();
  }
  if (type == K::logfile) {
    expect(K::add);
    tablespace_file(made, K::undofile);
    tablespace_options(made, {K::initial_size, K::undo_buffer_size, K::redo_buffer_size, K::nodegroup, K::engine,
                              K::wait, K::no_wait, K::comment});
    return made.done();
  }
  if (statement == K::alter) {
    return alter_tablespace(made);
  }
  if (accept(K::add)) {
    tablespace_file(made, K::datafile);
  }
  if (accept(K::use)) {
    expect(K::logfile, K::group);
    made.add(Role::from, local_name(K::logfile));
  }
  all_tablespace_options(made);
  return made.done();
}

// ADD DATAFILE 'x' | DROP DATAFILE 'x' | RENAME TO s | options.
Node* Parser::alter_tablespace(Production& made) {
  if (accept(K::rename)) {
    expect(K::to);
    made.add(Role::into, local_name(K::tablespace));
    return made.done();
  }
  if (is_one_of({K::add, K::drop})) {
    made.add(Role::action, keyword_leaf());
    tablespace_file(made, K::datafile);
  } else if (at_end()) {
    fail();
  }
  all_tablespace_options(made);
  return made.done();
}

// DATAFILE 'x'.
void Parser::tablespace_file(Production& into, Keyword keyword) {
  expect(keyword);
  into.add(Role::file, text_token());
}

void Parser::all_tablespace_options(Production& into) {
  tablespace_options(into, {K::initial_size, K::autoextend_size, K::max_size, K::extent_size, K::nodegroup, K::engine,
                            K::wait, K::no_wait, K::comment, K::file_block_size, K::encryption, K::engine_attribute});
}

// With or without commas between them.
void Parser::tablespace_options(Production& into, std::initializer_list<Keyword> known) {
  bool goes_on = false;
  while (!failed()) {
    if (is(K::storage) && next_is(K::engine)) {
      advance();
    }
    if (!is_one_of(known)) {
      if (goes_on) {
        fail();
      }
      return;
    }
    switch (current().keyword) {
      case K::engine:
        into.add(Role::option, valued_option(OptionValue::name_or_text));
        break;
      case K::comment:
      case K::encryption:
      case K::engine_attribute:
        into.add(Role::option, valued_option(OptionValue::text));
        break;
      case K::nodegroup:
        into.add(Role::option, valued_option(OptionValue::number));
        break;
      case K::wait:
      case K::no_wait:
        into.add(Role::option, flag_option());
        break;
      default:
        into.add(Role::option, valued_option(OptionValue::size));
    }
    goes_on = accept(Symbol::comma);
  }
}

// CREATE and DROP of SPATIAL REFERENCE SYSTEM 1 [NAME 'x' ...].
Node* Parser::reference_system_statement(Production& made, Keyword statement) {
  made.variant(K::reference);
  expect(K::spatial, K::reference);
  expect(K::system);
  if (statement == K::drop) {
    if_exists(made);
    made.add(Role::name, integer_number());
    return made.done();
  }
  if_not_exists(made);
  made.add(Role::name, integer_number());
  while (is_one_of({K::name, K::definition, K::organization, K::description})) {
    Production option(*this, NodeKind::option, current().keyword);
    bool is_organization = is(K::organization);
    advance();
    option.add(Role::value, text_token());
    if (is_organization) {
      expect(K::identified, K::by);
      option.add(Role::value, integer_number());
    }
    made.add(Role::option, option.done());
  }
  return made.done();
}

// IMPORT TABLE FROM 'x', 'y'.
Node* Parser::import_table() {
  Production made(*this, NodeKind::import_);
  if (!is_mysql()) {
    fail();
  }
  expect(K::import, K::table);
  expect(K::from);
  comma_list(made, Role::file, [&] { return text_token(); });
  return made.done();
}

}  // namespace sallyport::sql
