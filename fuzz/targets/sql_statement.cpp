// The parser, the printer and the analyser: children lie in order within their parent, canonical text parses to a tree
// that says the same and is its own canonical text, and so does the text without comments, which has none. The analyser
// says the same of the canonical text. A text that is quoted and prepared is the text that runs, and changes the login
// just as it does when it is sent. Where any numbers do, others are as good.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/check.h"
#include "fuzz/targets.h"
#include "lineage/analyzer.h"
#include "lineage/definitions.h"
#include "sql/dynamic_text.h"
#include "sql/lexer.h"
#include "sql/login_change.h"
#include "sql/number_shape.h"
#include "sql/parse.h"
#include "sql/printer.h"
#include "sql/statement_splitter.h"

namespace sallyport::fuzz {
namespace {

void check_order(const sql::Node& node) {
  std::uint32_t at = node.begin;
  for (const sql::Node& child : sql::children(node)) {
    SALLYPORT_CHECK(child.begin >= at && child.end >= child.begin && child.end <= node.end);
    at = child.end;
    check_order(child);
  }
}

void check_without_comments(std::string_view text, const sql::Dialect& dialect) {
  sql::Lexer lexer(text, dialect);
  for (sql::Token token = lexer.next(); token.kind != sql::TokenKind::end; token = lexer.next()) {
    SALLYPORT_CHECK(token.kind != sql::TokenKind::error && token.kind != sql::TokenKind::comment &&
                    token.kind != sql::TokenKind::code_begin);
  }
}

void check_prepared(const sql::Node& root, std::string_view text, const sql::Dialect& dialect) {
  sql::LoginChange change = sql::login_change(root, text);
  bool has_escapes = (dialect.mode & sql::sql_mode::no_backslash_escapes) == 0;
  std::string quoted = "PREPARE s FROM '";
  for (char byte : text) {
    bool is_doubled = byte == '\'' || (byte == '\\' && has_escapes);
    quoted.append(is_doubled ? 2 : 1, byte);
  }
  quoted += '\'';
  bool is_ascii =
      std::all_of(text.begin(), text.end(), [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
  sql::Arena arena;
  auto prepare = sql::parse(quoted, dialect, sql::ParseFor::executing, arena);
  if (!is_ascii || !prepare) {
    return;
  }
  auto runs = sql::dynamic_text(**prepare, quoted, dialect);
  SALLYPORT_CHECK(runs && runs->source == sql::DynamicText::Source::literal && runs->text == text);
  sql::Arena inner_arena;
  auto inner = sql::parse(runs->text, dialect, sql::ParseFor::preparing, inner_arena);
  SALLYPORT_CHECK(inner && sql::login_change(**inner, runs->text) == change);
}

constexpr std::string_view definitions =
    "CREATE DATABASE db; USE db;"
    "CREATE TABLE t (a INT PRIMARY KEY, b INT, c TEXT, d INT AS (b + 1), UNIQUE (b, a), UNIQUE (d));"
    "CREATE TABLE u (a INT, e TEXT, FOREIGN KEY (a) REFERENCES t (a) ON DELETE CASCADE);"
    "CREATE VIEW v AS SELECT a, CONCAT(c) AS x FROM t WHERE b > 1;"
    "CREATE FUNCTION f(n INT) RETURNS TEXT RETURN (SELECT c FROM t WHERE a = n);"
    "CREATE FUNCTION w(n INT) RETURNS INT BEGIN UPDATE u SET e = n; SET @k = n; RETURN w(n) + w(n); END;"
    "CREATE PROCEDURE p(OUT o INT) BEGIN UPDATE u SET e = 'x'; SELECT b INTO o FROM t; END;"
    "CREATE TRIGGER g BEFORE INSERT ON u FOR EACH ROW INSERT INTO t (a, c) VALUES (NEW.a, NEW.e)";

const catalog::Catalogue& known() {
  static const lineage::Definitions read =
      lineage::read_definitions(definitions, {.server = sql::Server::mysql, .version = 90'704}, "db");
  SALLYPORT_CHECK(!read.mistake);
  static const catalog::Catalogue catalogue(read.content, 1);
  return catalogue;
}

// The facts that do not depend on how the statement is written.
std::string said_of(const sql::Node& root, std::string_view text, const sql::Dialect& dialect) {
  lineage::Facts facts =
      lineage::analyze({.root = root, .text = text, .dialect = dialect, .database = "db", .catalogue = known()});
  SALLYPORT_CHECK(!facts.kind.empty());
  std::string said = facts.kind + (facts.certain() ? " certain " : " uncertain ") +
                     std::to_string(facts.output.size()) + "/" + std::to_string(facts.flows.size());
  for (bool is : {facts.has_where, facts.where_restricts, facts.has_limit}) {
    said += is ? " yes" : " no";
  }
  for (const lineage::SourceSet* sources : {&facts.reads, &facts.writes, &facts.influences}) {
    std::vector<std::string> names;
    for (const lineage::Source& source : *sources) {
      names.push_back(lineage::text_of(source));
    }
    std::sort(names.begin(), names.end());
    said += " |";
    for (const std::string& name : names) {
      said += " " + name;
    }
  }
  return said;
}

void check_other_numbers(const sql::Node& root, std::string_view text, const sql::Dialect& dialect) {
  std::string shape;
  std::size_t numbers = sql::number_shape(text, shape);
  if (numbers == 0 || !sql::any_numbers_do(root, numbers)) {
    return;
  }
  constexpr std::array<std::string_view, 5> others{"0", "999999999999999999", "1", "007", "1"};
  std::string other_text;
  std::size_t marks = 0;
  for (char byte : shape) {
    other_text += byte == sql::number_mark ? others[marks++ % others.size()] : std::string_view(&byte, 1);
  }
  SALLYPORT_CHECK(marks == numbers);
  sql::Arena arena;
  auto other = sql::parse(other_text, dialect, sql::ParseFor::preparing, arena);
  SALLYPORT_CHECK(other &&
                  sql::normalised_text(**other, other_text, dialect) == sql::normalised_text(root, text, dialect));
  SALLYPORT_CHECK(said_of(**other, other_text, dialect) == said_of(root, text, dialect));
  std::string other_shape;
  SALLYPORT_CHECK(sql::number_shape(other_text, other_shape) == numbers && other_shape == shape);
}

}  // namespace

void fuzz_sql_statement(Bytes input) {
  ByteReader reader{input};
  std::uint8_t flags = reader.u8();
  constexpr std::array<std::uint32_t, 4> versions{101119, 90704, 80034, 110805};
  sql::Dialect dialect{.server = (flags & 1) != 0 ? sql::Server::mysql : sql::Server::mariadb,
                       .version = versions[(flags >> 1) & 3],
                       .mode = reader.u8(),
                       .charset = static_cast<sql::Charset>(reader.u8() % 8)};
  std::string_view text = sql::statement_text(text_of(reader.rest()));
  sql::Arena arena;
  auto root = sql::parse(text, dialect, sql::ParseFor::preparing, arena);
  if (!root) {
    SALLYPORT_CHECK(root.error().offset <= text.size());
    return;
  }
  check_order(**root);
  check_prepared(**root, text, dialect);
  check_other_numbers(**root, text, dialect);
  std::string canonical = sql::canonical_text(**root, text, dialect);
  sql::Arena again;
  auto parsed = sql::parse(canonical, dialect, sql::ParseFor::preparing, again);
  SALLYPORT_CHECK(parsed && sql::says_the_same(**root, text, **parsed, canonical));
  SALLYPORT_CHECK(sql::canonical_text(**parsed, canonical, dialect) == canonical);
  auto made = sql::without_comments(text, dialect);
  if (made && *made) {
    const std::string& bare = **made;
    check_without_comments(bare, dialect);
    sql::Arena third;
    auto other = sql::parse(bare, dialect, sql::ParseFor::preparing, third);
    SALLYPORT_CHECK(other && sql::says_the_same(**root, text, **other, bare));
  }
  if (auto sent = sql::text_to_send(**root, text, dialect); sent && *sent) {
    sql::Arena fourth;
    auto other = sql::parse(**sent, dialect, sql::ParseFor::preparing, fourth);
    SALLYPORT_CHECK(other && (*other)->kind == (*root)->kind);
  }
  SALLYPORT_CHECK(said_of(**root, text, dialect) == said_of(**parsed, canonical, dialect));
}

}  // namespace sallyport::fuzz
