// Text to syntax tree, for sql/parse.h: a function for each production, in files by subject (parser_*.cpp).
//
// A function for a production stands at its first token when called and behind its last one when it returns. Where the
// text is not of the grammar the first complaint is kept, and from then on no token matches any more: so loops end, and
// what the functions return then is never looked at.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "sql/ast.h"
#include "sql/lexer.h"
#include "sql/parse.h"

namespace sallyport::sql {

class Production;

class Parser {
 public:
  Parser(std::string_view text, const Dialect& dialect, ParseFor purpose, Arena& arena);

  // The whole text is one statement, or none: then an `empty` node.
  Result<const Node*, ParseError> parse_text();

 private:
  using K = Keyword;
  friend class Production;

  // --- tokens (parser.cpp)

  struct Lexeme {
    Token token;
    Keyword keyword = Keyword::no_keyword;  // of a word
  };
  struct Position {
    Lexer lexer;
    std::array<Lexeme, 4> ring;
    std::uint8_t ring_at;
    std::uint8_t ring_count;
    std::uint32_t previous_end;
  };

  const Lexeme& current() const { return at_.ring[at_.ring_at]; }
  // 1: the token behind the current one; at most 3.
  const Lexeme& peek(std::size_t ahead);
  void read_ahead();
  void advance();
  Position mark() const { return at_; }
  // Not out of an error, behind which no token may match.
  void go_back(const Position& to) {
    if (!failed()) {
      at_ = to;
    }
  }
  std::string_view text_of_current() const { return current().token.in(text_); }
  // Nothing lies between the current token and the one before it.
  bool is_adjacent() const { return current().token.begin == at_.previous_end; }
  bool at_end() const { return current().token.kind == TokenKind::end || current().token.kind == TokenKind::error; }

  // Or of a statement of a stored program.
  bool at_statement_end() const { return at_end() || is(Symbol::semicolon); }

  bool is(Keyword keyword) const { return current().keyword == keyword; }
  bool is(Symbol symbol) const { return current().token.is(symbol); }
  bool is(TokenKind kind) const { return current().token.kind == kind; }
  bool is_one_of(std::initializer_list<Keyword> keywords) const;
  bool next_is(Keyword keyword, std::size_t ahead = 1) { return peek(ahead).keyword == keyword; }
  bool next_is(Symbol symbol, std::size_t ahead = 1) { return peek(ahead).token.is(symbol); }
  // A word of the grammar that is no keyword of the servers' lists.
  bool is_word(std::string_view word) const;
  template <typename T>
  bool accept(T what) {
    bool found = is(what);
    if (found) {
      advance();
    }
    return found;
  }
  // Both or none.
  bool accept(Keyword first, Keyword second);
  bool accept_one_of(std::initializer_list<Keyword> keywords);
  bool accept_word(std::string_view word);
  template <typename T>
  void expect(T what) {
    if (!accept(what)) {
      fail();
    }
  }
  void expect(Keyword first, Keyword second) {
    expect(first);
    expect(second);
  }
  void expect_one_of(std::initializer_list<Keyword> keywords);
  // The current token is not of the grammar.
  void fail(ParseErrorCode code = ParseErrorCode::syntax);
  bool failed() const { return error_.has_value(); }

  // Whether "(" is behind the current token, with nothing between them, or perhaps blanks where the mode has it so.
  bool calls_directly();
  // "(" of a query: "(", perhaps several, and then SELECT, WITH, VALUES or TABLE.
  bool is_parenthesised_query();
  bool is_query_start() const;

  bool is_mysql() const { return dialect_.server == Server::mysql; }
  bool is_mariadb() const { return dialect_.server == Server::mariadb; }
  // The server is a MySQL of that version or later; a version that is not known is the latest.
  bool is_mysql_since(std::uint32_t version) const {
    return is_mysql() && (dialect_.version == 0 || dialect_.version >= version);
  }
  bool is_mysql_before(std::uint32_t version) const { return is_mysql() && !is_mysql_since(version); }
  bool is_mariadb_since(std::uint32_t version) const {
    return is_mariadb() && (dialect_.version == 0 || dialect_.version >= version);
  }
  bool has_mode(SqlMode mode) const { return (dialect_.mode & mode) != 0; }

  // One more level of nesting, for as long as it lives. False: too deep, which is an error then.
  class Level {
   public:
    explicit Level(Parser& parser) : parser_(parser) {
      if (++parser_.level_ > nesting_max) {
        parser_.fail(ParseErrorCode::nesting_too_deep);
      }
    }
    ~Level() { --parser_.level_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    explicit operator bool() const { return !parser_.failed(); }

   private:
    Parser& parser_;
  };

  // What is read while it lives is a query in another.
  class InnerQuery {
   public:
    explicit InnerQuery(Parser& parser) : parser_(parser) { ++parser_.inner_queries_; }
    ~InnerQuery() { --parser_.inner_queries_; }
    InnerQuery(const InnerQuery&) = delete;
    InnerQuery& operator=(const InnerQuery&) = delete;

   private:
    Parser& parser_;
  };

  // --- names and other leaves (parser_names.cpp)

  NameUse name_use() const { return name_use_of(current().keyword, dialect_); }
  bool is_identifier() const;
  bool is_reserved_in_oracle_mode() const;
  bool is_label_name() const;
  // Whether both servers take the word for a function of theirs where "(" follows directly, and for a name else.
  static bool is_function_when_called(Keyword keyword);
  // The name of a function as the servers' lexers see it before a "(": no identifier there.
  bool is_called_name();
  bool is_text() const { return is(TokenKind::text); }
  // One token, whatever it is.
  Node* leaf(NodeKind kind, std::uint16_t variant = 0);
  // A word, as a leaf that carries its Keyword.
  Node* keyword_leaf();
  Node* identifier_leaf();
  Node* identifier_or_text();
  // An identifier, or a keyword as it may stand behind a dot.
  Node* identifier_behind_dot();
  // [db.]name. `types` of the object, in the variant, is the Keyword: K::table, K::procedure, ...
  Node* object_name(Keyword type);
  // (a, b, c) without the parentheses.
  template <typename Element>
  void comma_list(Production& into, Role role, Element element);
  void name_list(Production& into, Role role);
  Node* alias();
  bool is_alias_start() const;
  Node* text_literal();
  // One text, without those behind it.
  Node* text_token();
  Node* literal();
  bool is_literal() const;
  Node* unsigned_number();
  Node* number_within(std::uint64_t low, std::uint64_t high);
  Node* signed_number();
  Node* number_or_parameter();
  Node* parameter();
  Node* variable();
  Node* account();
  Node* account_host();
  Node* charset_name();
  Node* collation_name();

  // --- expressions (parser_expression.cpp, parser_function.cpp, parser_function_forms.cpp, parser_window.cpp,
  // parser_types.cpp)

  Node* expression();
  Node* logical_expression(int precedence_min);
  // The rest of an expression whose first operand was read already.
  Node* expression_from(Node* left);
  Node* logical_from(Node* left, int precedence_min);
  Node* not_expression();
  Node* boolean_from(Node* left);
  Node* is_test(Node* left);
  Node* predicate();
  Node* predicate_from(Node* left);
  Node* negatable_predicate(Node* left);
  Node* bit_expression(int precedence_min = 0);
  Node* bit_from(Node* left, int precedence_min);
  Node* interval();
  Node* interval_term();
  Node* interval_primary();
  Node* simple_expression();
  Node* simple_from(Node* left);
  Node* primary();
  Node* prefix(NodeKind kind, Operator op);
  Node* parenthesised();
  Node* column_or_function();
  Node* column_or_qualified_call();
  Node* column_reference();
  Node* case_expression();
  Node* exists();
  Node* row_constructor();
  Node* match_against();
  Node* odbc_escape();
  Node* subquery();
  void expression_list(Production& into, Role role);

  Node* function_call();
  Node* generic_call(Node* name, Keyword keyword);
  Node* current_value(Keyword keyword);
  Node* window_function(Keyword keyword);
  Node* counting_argument();
  Node* keyword_function(Keyword keyword);
  Node* cast();
  Node* convert();
  Node* extract();
  Node* position();
  Node* substring();
  Node* trim();
  Node* char_function();
  Node* date_arithmetic(Keyword keyword);
  Node* get_format();
  Node* timestamp_difference(Keyword keyword);
  Node* weight_string();
  Node* json_value();
  Node* dynamic_column(Keyword keyword);
  Node* group_concat();
  Node* aggregate(Keyword keyword);
  Node* percentile(Keyword keyword);
  Node* values_function();
  Node* default_function();
  Node* sequence_function(Keyword keyword);
  void arguments(Production& into);
  void over_clause(Production& into, Keyword function);
  Node* window_specification();
  Node* window_frame();
  Node* frame_bound();
  Node* interval_unit();
  enum class JsonOf : std::uint8_t { value, table };
  void json_on_response(Production& into, JsonOf of);

  Node* data_type();
  void type_attributes(Production& into);
  Node* cast_type();
  Node* mysql_cast_type();
  Node* mariadb_cast_type();
  void cast_text_type(Production& into);
  void plugin_cast_type(Production& into);
  enum class TypeLength : std::uint8_t { one, one_or_two, two };
  void type_length(Production& into, TypeLength form);
  void geometry_type(Production& into);
  Node* numeric_type(Production& made);
  Node* text_type(Production& made);
  Node* other_type(Production& made);
  void compressed(Production& into);
  void collate_clause(Production& into);
  void charset_and_collation(Production& into);

  // --- queries (parser_query.cpp, parser_select.cpp, parser_table_reference.cpp)

  // With its WITH, set operations, ORDER BY, LIMIT, locking and INTO.
  Node* query_expression();
  Node* query_from(Node* body);
  Node* query_body();
  Node* set_operation_from(Node* left, int precedence_min);
  Node* query_primary();
  Node* source_query();
  Node* parenthesised_query();
  void query_tail(Production& into);
  Node* with_clause();
  Node* common_table_expression();
  Node* select();
  void select_options(Production& into);
  Node* select_item();
  Node* values_query();
  Node* table_query();
  Node* into_clause();
  void refuse_in_inner_query();
  void export_options(Production& into);
  Node* group_by();
  Node* order_by();
  Node* order_item();
  Node* group_item();
  Node* grouping_set();
  Node* limit();
  Node* row_limit();
  Node* locking_clause();
  Node* window_definition();
  Node* procedure_clause();

  Node* table_references();
  Node* joined_table();
  Node* joined_table_from(Node* left);
  Node* join_leftmost(Production& join, Node* left, Node* right);
  void join_condition(Production& into);
  Node* table_factor();
  Node* parenthesised_table_factor();
  Node* base_table();
  Node* derived_table(Node* query);
  Node* json_table();
  Node* json_table_columns();
  Node* json_table_column();
  Node* json_path();
  Node* index_hint();
  Node* system_time();
  Node* end_of_table_list(Production& list);
  bool begins_table_alias() const;
  Node* table_alias();
  Node* partition_selection();

  // --- statements (parser_statement.cpp and those below)

  Node* statement();
  Node* query_statement();

  // Data (parser_dml.cpp).
  Node* insert();
  void insert_source(Production& into);
  void value_row(Production& into, Role role);
  Node* value_or_default();
  Node* assignment();
  Node* on_duplicate();
  Node* update();
  Node* period_portion();
  Node* delete_();
  void returning(Production& into);
  Node* do_();
  Node* call();
  Node* load();
  Node* handler();
  Node* explain();
  Node* truncate();

  // Definitions of objects that hold data (parser_definitions*.cpp): tables, indexes, views, databases and the like;
  // and whose part the rest of CREATE, ALTER and DROP is. Those take the node that these began, its variant the
  // keyword of the object, at which the parser stands.
  Node* create();
  Node* alter();
  Node* drop();
  struct ObjectPrefix {
    bool has_definer = false;
    bool has_view_attribute = false;  // ALGORITHM, SQL SECURITY
  };
  ObjectPrefix object_prefix(Production& into);
  void if_exists(Production& of);
  void if_not_exists(Production& of);
  Node* create_data_object(Production& made);
  Node* alter_data_object(Production& made);
  Node* drop_data_object(Production& made);
  Node* drop_names(Production& made, Keyword type);
  Node* local_name(Keyword type);

  // Options: NAME [=] value.
  enum class OptionValue : std::uint8_t {
    number,
    number_or_default,
    switch_or_default,  // 0, 1 or DEFAULT
    size,               // 16M
    text,
    name,
    name_or_text,
    word_or_default
  };
  Node* valued_option(OptionValue value);
  Node* number_option(std::uint64_t low, std::uint64_t high);
  Node* option_value(OptionValue value);
  Node* keyword_option(std::initializer_list<Keyword> values);
  Node* flag_option();
  Node* switch_word();
  Node* integer_number();
  Node* named_option();
  Node* charset_option();
  void lock_wait(Production& into);

  // Tables.
  Node* create_table(Production& made);
  void table_elements(Production& into);
  void table_options(Production& into);
  Node* table_option();
  Node* directory_option();
  Node* union_option();
  Node* mysql_table_option();
  Node* mariadb_table_option();
  Node* external_format();
  Node* external_format_option();
  Node* external_files();
  Node* system_versioning();

  // Columns, indexes and constraints.
  Node* table_element();
  Node* column_definition();
  void column_name(Production& into, Role role);
  void column_body(Production& into);
  bool is_column_attribute(const Node& type, Keyword generated) const;
  void column_constraints(Production& into, Keyword generated);
  Node* generated_column();
  Node* column_attribute();
  Node* mysql_column_attribute(Production& made);
  Node* mariadb_column_attribute(Production& made);
  Node* column_default();
  Node* constraint_name();
  Node* check_constraint(Production& made);
  Node* table_constraint();
  void index_tail(Production& into, Keyword type);
  Node* index_type();
  void key_parts(Production& into, Keyword type);
  Node* key_part(Keyword type);
  void index_options(Production& into, Keyword type);
  Node* index_option(Keyword type);
  Node* references();
  Node* referential_action();
  Node* period_definition();
  Node* period_name();

  // Partitions.
  Node* partitioning();
  void partition_hash(Production& into);
  void partition_operand(Production& into);
  Node* partition_expression();
  void partition_columns(Production& into);
  void system_time_partitioning(Production& into);
  void partition_definitions(Production& into);
  Node* partition_definition();
  Node* partition_values();
  void partition_options(Production& into);

  // ALTER TABLE.
  Node* alter_table(Production& made);
  bool is_partitioning();
  void alter_actions(Production& into);
  Node* alter_modifier();
  Node* validation();
  Node* alter_action();
  Node* alter_add(Production& made);
  void column_place(Production& into);
  Node* alter_drop(Production& made);
  Node* alter_alter(Production& made);
  Node* alter_rename(Production& made);
  Node* convert_charset(Production& made);
  bool is_standalone_action();
  Node* standalone_action();
  void partition_names(Production& into);
  void not_logged(Production& into);
  Node* partition_action(Production& made, Keyword verb);
  void table_check_options(Production& into, Keyword verb);
  Node* convert_partition(Production& made);

  // Other objects. `statement`: K::create, K::alter, K::drop.
  Node* view_statement(Production& made, Keyword statement);
  Node* json_duality_object();
  Node* create_masking_policy(Production& made);
  Node* masking_policy();
  Node* create_index(Production& made);
  Node* drop_index(Production& made);
  void algorithm_and_lock(Production& into);
  Node* create_database(Production& made);
  Node* alter_database(Production& made);
  void read_only_option(Production& into);
  void database_options(Production& into);
  Node* sequence_statement(Production& made, Keyword statement);
  Node* sequence_option(Keyword statement);
  Node* sequence_number();
  Node* server_name();
  Node* server_statement(Production& made, Keyword statement);
  Node* rename_table();
  Node* tablespace_statement(Production& made, Keyword statement);
  Node* alter_tablespace(Production& made);
  void tablespace_file(Production& into, Keyword keyword);
  void all_tablespace_options(Production& into);
  void tablespace_options(Production& into, std::initializer_list<Keyword> known);
  Node* reference_system_statement(Production& made, Keyword statement);
  Node* import_table();

  // Stored programs and what only they hold, prepared statements, transactions, locks (parser_programs*.cpp).

  // [AGGREGATE] FUNCTION, PROCEDURE, TRIGGER, EVENT, PACKAGE [BODY], LIBRARY; DROP PREPARE.
  Node* create_routine_trigger_or_event(Production& made);
  Node* alter_routine_or_event(Production& made);
  Node* drop_program(Production& made);
  Node* create_routine(Production& made);
  Node* loadable_function(Production& made, Node* name);
  Node* create_trigger(Production& made);
  Node* create_event(Production& made);
  Node* create_library(Production& made);
  Node* create_package(Production& made);
  Node* packaged_routine(Keyword package);
  void refuse_unless_packaged();
  Node* program_name(Keyword type);
  void program_if_not_exists(Production& of);
  void routine_signature(Production& into, Keyword type);
  Node* routine_parameter(Keyword routine);
  Node* routine_body(Keyword type);
  enum class RoutineLanguage : std::uint8_t { sql, external };
  // `statement`: K::create or K::alter, which has fewer. What language the body is of.
  RoutineLanguage characteristics(Production& into, Keyword statement);
  Node* characteristic(Keyword statement);
  Node* language_option();
  Node* used_libraries(Keyword statement);
  Node* single_text();
  Node* text_option(Keyword keyword);
  Node* external_code();
  Node* event_schedule();
  void event_clauses(Production& into, Keyword statement);

  // Blocks and what stands in them.
  Node* begin();
  Node* program_statement();
  Node* compound_statement();
  bool is_compound_start() const;
  Node* block(Node* label);
  Node* declaration();
  Node* declare_variable(Production& made);
  Node* declare_condition(Production& made);
  Node* declare_handler(Production& made);
  Node* declare_cursor(Production& made);
  Node* variable_type();
  Node* program_data_type();
  Node* row_type_element();
  Node* statements_before(std::initializer_list<Keyword> ends);
  Node* if_statement();
  Node* case_statement();
  Node* loop(Node* label);
  Node* for_loop(Node* label);
  Node* opened_cursor(Node* read);
  void end_label(Production& into, const Node* label);
  Node* return_statement();
  Node* jump();
  Node* cursor_operation();
  Node* local_variable();

  // Conditions.
  Node* handled_condition();
  Node* named_or_numbered_condition();
  Node* sqlstate();
  Node* signal();
  Node* signal_item();
  Node* simple_value();
  Node* get_diagnostics();
  bool is_condition_item() const;
  // `of`: K::condition, or K::statement.
  Node* diagnostics_item(Keyword of);

  // Prepared statements, transactions, locks.
  Node* keyword_phrase(Keyword meaning, std::initializer_list<Keyword> words);
  Node* user_variable();
  Node* prepare();
  Node* execute();
  Node* deallocate();
  Node* start_transaction();
  Node* end_transaction();
  Node* savepoint();
  Node* xa();
  void transaction_identifier(Production& into);
  Node* lock();
  Node* unlock();
  Node* locked_table();
  bool is_set_for_statement();
  Node* set_for_statement();
  Node* statement_assignment();

  // Variables (parser_set.cpp).
  Node* set_statement();
  Node* lone_set_item();
  Node* set_item();
  bool is_assigned();
  void expect_assign();
  Node* set_assignment();
  Node* variable_name();
  Node* variable_value();
  Node* set_names();
  Node* set_transaction();
  Node* isolation_level();
  Node* set_password();
  Node* set_role();
  void active_roles(Production& into);
  Node* set_resource_group();

  // USER, ROLE, RESOURCE GROUP; ALTER INSTANCE (parser_accounts.cpp, parser_resources.cpp).
  Node* create_account_object(Production& made);
  Node* alter_account_object(Production& made);
  Node* drop_account_object(Production& made);
  Node* role_name();
  Node* rename_user();
  Node* user_specification();
  void mariadb_authentication(Production& into);
  Node* authentication();
  void current_password(Production& into);
  Node* altered_user();
  void factor_changes(Production& into);
  Node* factor_registration();
  void account_options(Production& into);
  void require_clause(Production& into);
  bool is_resource_limit() const;
  Node* resource_limit();
  Node* password_option();
  Node* resource_group(Production& made, Keyword verb);
  Node* keyword_option_of(Keyword name, std::initializer_list<Keyword> values);
  Node* cpu_list();
  Node* alter_instance(Production& made);

  // Privileges (parser_grants.cpp).
  enum class Granted : std::uint8_t { privileges, roles };
  Node* grant();
  void grant_options(Production& into);
  Node* revoke();
  bool is_everything();
  Node* granted_user();
  Node* option_of(std::initializer_list<Keyword> words);
  Granted granted(Production& into);
  Node* privilege_or_role();
  Node* compound_privilege(Production& made);
  Node* mariadb_privilege_or_role();
  Node* grant_object();

  // SHOW (parser_show.cpp).
  Node* show();
  void like_or_where(Production& into);
  void from_schema(Production& into);
  void show_options(Production& into);
  Node* show_objects(Production& made);
  Node* show_routines(Production& made);
  Node* show_create(Production& made);
  Node* show_diagnostics(Production& made);
  Node* show_profile(Production& made);
  Node* show_grants(Production& made);
  Node* show_variables(Production& made);
  Node* show_replication(Production& made);
  Node* show_replica(Production& made, Keyword word);
  Node* show_log_events(Production& made);
  Node* show_named(Production& made);
  Node* show_of_mariadb(Production& made);
  Node* show_plugin_table(Production& made);

  // Replication (parser_replication.cpp).
  enum class SourceValue : std::uint8_t { none, text, text_or_null, secret, number, numbers, account, word };
  void for_channel(Production& into);
  Node* change();
  SourceValue source_value() const;
  SourceValue mariadb_source_value() const;
  SourceValue mysql_source_value() const;
  Node* source_option();
  void number_list(Production& into);
  Node* source_word(Keyword option);
  Node* change_filter(Production& made);
  Node* start_or_stop();
  void replica_threads(Production& into);
  Node* until_option();
  bool is_connection_option() const;
  Node* connection_option();

  // The server (parser_administration.cpp).
  Node* administration_statement();
  Node* use();
  Node* help();
  Node* kill();
  Node* reset();
  Node* reset_option();
  Node* purge();
  Node* binlog();
  Node* install();
  Node* component_assignment();
  Node* uninstall();
  Node* clone();
  Node* shutdown();
  Node* restart();
  Node* backup();

  // Tables as files, and caches (parser_maintenance.cpp).
  Node* table_maintenance();
  Node* view_maintenance(Production& made);
  Node* persistent_for();
  void name_list_or_none(Production& into, Role role);
  Node* histogram();
  Node* checksum();
  Node* index_cache();
  Node* cached_partitions();
  Node* flush();
  Node* flush_tables(Production& made);
  Node* flush_option();
  Node* mariadb_flush_option(Production& made);

  std::string_view text_;
  Dialect dialect_;
  ParseFor purpose_;
  Arena& arena_;
  Position at_;
  std::optional<ParseError> error_;
  int level_ = 0;
  int inner_queries_ = 0;
  int duplicate_update_at_ =
      -1;  // what inner_queries_ was where the UPDATE of ON DUPLICATE KEY began that is being read
};

// A node being made, with its children in order.
class Production {
 public:
  // Begins at the current token.
  Production(Parser& parser, NodeKind kind, std::uint16_t variant = 0)
      : Production(parser, kind, variant, parser.current().token.begin) {}
  Production(Parser& parser, NodeKind kind, Keyword keyword)
      : Production(parser, kind, static_cast<std::uint16_t>(keyword)) {}
  // Begins where its first child does.
  Production(Parser& parser, NodeKind kind, std::uint16_t variant, Role role, Node* first)
      : Production(parser, kind, variant, first == nullptr ? parser.current().token.begin : first->begin) {
    add(role, first);
  }

  void add(Role role, Node* child) {
    if (child == nullptr) {
      return;
    }
    child->role = role;
    (last_ == nullptr ? node_->first : last_->next) = child;
    last_ = child;
  }
  void set(std::uint8_t flag) { node_->flags |= flag; }
  void variant(std::uint16_t variant) { node_->variant = variant; }
  void variant(Keyword keyword) { node_->variant = static_cast<std::uint16_t>(keyword); }
  bool is_variant(Keyword keyword) const { return node_->keyword() == keyword; }
  bool has(std::uint8_t flag) const { return node_->has(flag); }
  const Node* child(Role role) const { return node_->child(role); }
  bool is_empty() const { return last_ == nullptr; }
  // Ends behind the token before the current one.
  Node* done() {
    node_->end = std::max(node_->begin, parser_.at_.previous_end);
    return node_;
  }

 private:
  Production(Parser& parser, NodeKind kind, std::uint16_t variant, std::uint32_t begin)
      : parser_(parser),
        node_(parser.arena_.make({.kind = kind,
                                  .role = Role::none,
                                  .flags = 0,
                                  .variant = variant,
                                  .begin = begin,
                                  .end = begin,
                                  .first = nullptr,
                                  .next = nullptr})) {
    if (parser.arena_.full()) {
      parser.fail(ParseErrorCode::too_large);
    }
  }

  Parser& parser_;
  Node* node_;
  Node* last_ = nullptr;
};

template <typename Element>
void Parser::comma_list(Production& into, Role role, Element element) {
  do {
    into.add(role, element());
  } while (accept(Symbol::comma));
}

}  // namespace sallyport::sql
