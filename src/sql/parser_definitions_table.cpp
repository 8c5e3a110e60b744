// CREATE TABLE and the options of a table.
#include <limits>

#include "sql/parser.h"

namespace sallyport::sql {

// TABLE [IF NOT EXISTS] t and what it is made of.
Node* Parser::create_table(Production& made) {
  made.variant(K::table);
  expect(K::table);
  if_not_exists(made);
  made.add(Role::name, object_name(K::table));
  if (accept(K::like)) {
    made.add(Role::like, object_name(K::table));
    return made.done();
  }
  if (is(Symbol::parenthesis_open) && next_is(K::like)) {
    advance();
    advance();
    made.add(Role::like, object_name(K::table));
    expect(Symbol::parenthesis_close);
    return made.done();
  }
  if (is(Symbol::parenthesis_open) && !is_parenthesised_query()) {
    table_elements(made);
  }
  table_options(made);
  if (is(K::partition)) {
    made.add(Role::partition_by, partitioning());
  }
  bool has_query = is_one_of({K::ignore, K::replace});
  if (has_query) {
    made.add(Role::on_duplicate, keyword_leaf());
  }
  if (accept(K::as) || has_query || is_query_start() || is(Symbol::parenthesis_open)) {
    made.add(Role::query, source_query());
    if (is_mariadb() && is(K::with)) {
      made.add(Role::option, system_versioning());
    }
  }
  return made.done();
}

void Parser::table_elements(Production& into) {
  Production elements(*this, NodeKind::table_elements);
  expect(Symbol::parenthesis_open);
  comma_list(elements, Role::element, [&] { return table_element(); });
  expect(Symbol::parenthesis_close);
  into.add(Role::columns, elements.done());
}

// With or without commas between them.
void Parser::table_options(Production& into) {
  Node* option = table_option();
  while (option != nullptr) {
    into.add(Role::option, option);
    bool goes_on = accept(Symbol::comma);
    option = table_option();
    if (goes_on && option == nullptr) {
      fail();
    }
  }
}

// The keyword alone says it.
Node* Parser::flag_option() {
  Production made(*this, NodeKind::option, current().keyword);
  advance();
  return made.done();
}

// NAME [=] value.
Node* Parser::valued_option(OptionValue value) {
  Production made(*this, NodeKind::option, current().keyword);
  advance();
  accept(Symbol::equal);
  made.add(Role::value, option_value(value));
  return made.done();
}

// NAME [=] 1, or DEFAULT where 0 is none of its values.
Node* Parser::number_option(std::uint64_t low, std::uint64_t high) {
  Production made(*this, NodeKind::option, current().keyword);
  advance();
  accept(Symbol::equal);
  made.add(Role::value, is(K::default_) && low > 0 ? keyword_leaf() : number_within(low, high));
  return made.done();
}

Node* Parser::option_value(OptionValue value) {
  switch (value) {
    case OptionValue::number:
      return unsigned_number();
    case OptionValue::number_or_default:
      return is(K::default_) ? keyword_leaf() : unsigned_number();
    case OptionValue::switch_or_default:
      if (!is(K::default_) && text_of_current() != "0" && text_of_current() != "1") {
        fail();
      }
      return is(K::default_) ? keyword_leaf() : unsigned_number();
    case OptionValue::size:
      return is_identifier() ? identifier_leaf() : unsigned_number();
    case OptionValue::text:
      return text_token();
    case OptionValue::name:
      return identifier_leaf();
    case OptionValue::name_or_text:
      return identifier_or_text();
    case OptionValue::word_or_default:
      return is(K::default_) ? keyword_leaf() : identifier_leaf();
  }
  return nullptr;
}

// ON | OFF.
Node* Parser::switch_word() {
  if (!is_one_of({K::on, K::off})) {
    fail();
  }
  return keyword_leaf();
}

// Decimal or hexadecimal.
Node* Parser::integer_number() {
  if (!is(TokenKind::integer) && !is(TokenKind::hexadecimal)) {
    fail();
  }
  return unsigned_number();
}

// One token, where adjacent texts are not joined.
// MariaDB's engines and plugins name their own: name = value.
Node* Parser::named_option() {
  Production made(*this, NodeKind::option);
  made.add(Role::name, identifier_leaf());
  expect(Symbol::equal);
  if (is(K::default_)) {
    made.add(Role::value, keyword_leaf());
  } else {
    made.add(Role::value, is_identifier() || is_text() ? identifier_or_text() : integer_number());
  }
  return made.done();
}

// WITH | WITHOUT SYSTEM VERSIONING.
Node* Parser::system_versioning() {
  Production made(*this, NodeKind::option, K::versioning);
  if (is(K::without)) {
    made.set(node_flag::negated);
  }
  expect_one_of({K::with, K::without});
  expect(K::system, K::versioning);
  return made.done();
}

// [DEFAULT] CHARACTER SET [=] x, [DEFAULT] COLLATE [=] x; nothing where none begins.
Node* Parser::charset_option() {
  std::size_t at = is(K::default_) ? 1 : 0;
  bool is_charset =
      next_is(K::charset, at) || ((next_is(K::character, at) || next_is(K::char_, at)) && next_is(K::set, at + 1));
  if (!is_charset && !next_is(K::collate, at)) {
    return nullptr;
  }
  Production made(*this, NodeKind::option, is_charset ? K::charset : K::collate);
  accept(K::default_);
  if (!accept_one_of({K::charset, K::collate})) {
    advance();  // CHARACTER
    advance();  // SET
  }
  accept(Symbol::equal);
  bool is_default = is(K::default_) && is_mariadb();
  made.add(Role::value, is_default ? keyword_leaf() : charset_name());
  return made.done();
}

// Nothing where none begins.
Node* Parser::table_option() {
  if (Node* option = charset_option()) {
    return option;
  }
  switch (current().keyword) {
    case K::engine:
      return valued_option(OptionValue::name_or_text);
    case K::avg_row_length:
      return is_mysql() ? number_option(0, std::numeric_limits<std::uint32_t>::max())
                        : valued_option(OptionValue::number);
    case K::key_block_size:
      return is_mysql() ? number_option(0, std::numeric_limits<std::uint16_t>::max())
                        : valued_option(OptionValue::number);
    case K::max_rows:
    case K::min_rows:
    case K::auto_increment:
    case K::checksum:
    case K::table_checksum:
    case K::delay_key_write:
      return valued_option(OptionValue::number);
    case K::pack_keys:
    case K::stats_auto_recalc:
    case K::stats_persistent:
      return valued_option(OptionValue::switch_or_default);
    case K::stats_sample_pages:
      return number_option(1, std::numeric_limits<std::uint16_t>::max());
    case K::comment:
      return valued_option(OptionValue::text);
    case K::password:
    case K::connection: {  // 'mysql://user:password@host/db'
      Production made(*this, NodeKind::option, current().keyword);
      advance();
      accept(Symbol::equal);
      made.add(Role::secret, text_token());
      return made.done();
    }
    case K::row_format:
      if (is_mariadb()) {
        return keyword_option({K::default_, K::fixed, K::dynamic, K::compressed, K::redundant, K::compact, K::page});
      }
      return keyword_option({K::default_, K::fixed, K::dynamic, K::compressed, K::redundant, K::compact});
    case K::insert_method:
      return keyword_option({K::no, K::first, K::last});
    case K::data:
    case K::index:
      return next_is(K::directory) ? directory_option() : nullptr;
    case K::union_:
      return next_is(Symbol::equal) || next_is(Symbol::parenthesis_open) ? union_option() : nullptr;
    case K::storage: {
      Production made(*this, NodeKind::option, K::storage);
      advance();
      if (!is_one_of({K::disk, K::memory})) {
        fail();
      }
      made.add(Role::value, keyword_leaf());
      return made.done();
    }
    default:
      return is_mysql() ? mysql_table_option() : mariadb_table_option();
  }
}

// DATA | INDEX DIRECTORY [=] 'x'.
Node* Parser::directory_option() {
  Production made(*this, NodeKind::option, current().keyword);
  advance();
  advance();
  accept(Symbol::equal);
  made.add(Role::file, text_token());
  return made.done();
}

// UNION [=] (t, u).
Node* Parser::union_option() {
  Production made(*this, NodeKind::option, K::union_);
  advance();
  accept(Symbol::equal);
  expect(Symbol::parenthesis_open);
  if (!is(Symbol::parenthesis_close)) {
    comma_list(made, Role::table, [&] { return object_name(K::table); });
  }
  expect(Symbol::parenthesis_close);
  return made.done();
}

Node* Parser::mysql_table_option() {
  switch (current().keyword) {
    case K::secondary_engine: {
      Production made(*this, NodeKind::option, K::secondary_engine);
      advance();
      accept(Symbol::equal);
      made.add(Role::value, is(K::null) ? keyword_leaf() : identifier_or_text());
      return made.done();
    }
    case K::engine_attribute:
    case K::secondary_engine_attribute:
    case K::compression:
    case K::encryption:
      return valued_option(OptionValue::text);
    case K::autoextend_size:
      return valued_option(OptionValue::size);
    case K::tablespace:
      return valued_option(OptionValue::name);
    case K::start: {
      Production made(*this, NodeKind::option, K::start);
      advance();
      expect(K::transaction);
      return made.done();
    }
    case K::allow_missing_files:
    case K::auto_refresh:
    case K::strict_load:
    case K::verify_key_constraints:
      return valued_option(OptionValue::switch_or_default);
    case K::auto_refresh_source: {
      Production made(*this, NodeKind::option, K::auto_refresh_source);
      advance();
      accept(Symbol::equal);
      made.add(Role::value, is(K::none) ? keyword_leaf() : text_token());
      return made.done();
    }
    case K::file_format:
      return external_format();
    case K::files:
      return external_files();
    default:
      return nullptr;
  }
}

Node* Parser::mariadb_table_option() {
  switch (current().keyword) {
    case K::page_checksum:
    case K::transactional:
      return valued_option(OptionValue::switch_or_default);
    case K::sequence:
      return valued_option(OptionValue::number_or_default);
    case K::tablespace: {
      Production made(*this, NodeKind::option, K::tablespace);
      advance();
      made.add(Role::value, identifier_leaf());
      return made.done();
    }
    case K::autoextend_size:
      return nullptr;
    case K::with:
      return next_is(K::system) && next_is(K::versioning, 2) ? system_versioning() : nullptr;
    default:
      return is_identifier() && next_is(Symbol::equal) ? named_option() : nullptr;
  }
}

// FILE_FORMAT [=] (FORMAT csv HEADER ON FIELDS TERMINATED BY ',' ...): how the files of a table of MySQL's are written.
Node* Parser::external_format() {
  Production made(*this, NodeKind::option, K::file_format);
  advance();
  accept(Symbol::equal);
  expect(Symbol::parenthesis_open);
  while (!failed() && !is(Symbol::parenthesis_close)) {
    if (is_one_of({K::fields, K::columns, K::lines})) {
      export_options(made);
    } else if (is_one_of({K::charset, K::character, K::char_})) {
      charset_and_collation(made);
    } else {
      made.add(Role::option, external_format_option());
    }
  }
  expect(Symbol::parenthesis_close);
  return made.done();
}

Node* Parser::external_format_option() {
  Production made(*this, NodeKind::option, current().keyword);
  switch (current().keyword) {
    case K::format:
      advance();
      made.add(Role::value, identifier_or_text());
      return made.done();
    case K::compression:
      advance();
      made.add(Role::value, text_token());
      return made.done();
    case K::header:
      advance();
      made.add(Role::value, switch_word());
      return made.done();
    case K::ignore:
      advance();
      made.add(Role::value, unsigned_number());
      expect_one_of({K::lines, K::rows});
      return made.done();
    default:
      fail();
      return nullptr;
  }
}

// FILES [=] (URI = 'x' FILE_NAME = 'y', ...).
Node* Parser::external_files() {
  Production made(*this, NodeKind::option, K::files);
  advance();
  accept(Symbol::equal);
  expect(Symbol::parenthesis_open);
  comma_list(made, Role::file, [&] {
    Production file(*this, NodeKind::external_file);
    do {
      switch (current().keyword) {
        case K::uri:
        case K::url:
        case K::file_name:
        case K::file_pattern:
        case K::file_prefix:
          file.add(Role::option, valued_option(OptionValue::text));
          break;
        case K::allow_missing_files:
        case K::strict_load:
          file.add(Role::option, valued_option(OptionValue::switch_or_default));
          break;
        default:
          fail();
      }
    } while (!failed() && !is(Symbol::comma) && !is(Symbol::parenthesis_close));
    return file.done();
  });
  expect(Symbol::parenthesis_close);
  return made.done();
}

}  // namespace sallyport::sql
