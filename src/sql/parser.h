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
  bool is_label_name() const;
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
  Node* signed_number();
  Node* number_or_parameter();
  Node* parameter();
  Node* variable();
  Node* account();
  Node* account_host();
  Node* charset_name();
  Node* collation_name();

  // --- expressions (parser_expression.cpp, parser_function.cpp, parser_types.cpp)

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
  void json_on_response(Production& into);

  Node* data_type();
  void type_attributes(Production& into);
  Node* cast_type();
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
  Node* limit();
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
  Node* index_hint();
  Node* system_time();
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

  // What the other files hold is declared there in parts, so that each subject reads as a whole.
#include "sql/parser_administration.inc"
#include "sql/parser_definitions.inc"
#include "sql/parser_programs.inc"

  std::string_view text_;
  Dialect dialect_;
  ParseFor purpose_;
  Arena& arena_;
  Position at_;
  std::optional<ParseError> error_;
  int level_ = 0;
  int inner_queries_ = 0;
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
                                  .next = nullptr})) {}

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
