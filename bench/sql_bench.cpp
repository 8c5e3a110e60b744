// Statements read: tokens, tree, facts.
#include <benchmark/benchmark.h>

#include <string>

#include "lineage/analyzer.h"
#include "lineage/definitions.h"
#include "session/statement_reader.h"
#include "sql/lexer.h"
#include "sql/parse.h"
#include "sql/printer.h"

namespace sallyport::bench {
namespace {

constexpr sql::Dialect dialect{.server = sql::Server::mysql, .version = 90704};
constexpr std::string_view point_select = "SELECT c FROM sbtest1 WHERE id=4711";
constexpr std::string_view range_select = "SELECT DISTINCT c FROM sbtest1 WHERE id BETWEEN 100 AND 199 ORDER BY c";
constexpr std::string_view update = "UPDATE sbtest1 SET k=k+1 WHERE id=4711";
constexpr std::string_view report =
    "WITH sales AS (SELECT o.person, p.name, SUM(o.price) AS total, COUNT(*) AS orders, MAX(o.price) AS largest FROM "
    "orders o JOIN people p "
    "ON p.id = o.person LEFT JOIN notes n ON n.person = p.id AND n.kind IN ('call', 'mail', 'visit') WHERE o.day "
    "BETWEEN '2026-01-01' AND "
    "'2026-03-31' AND o.state NOT IN ('open', 'void') AND (p.region = 'north' OR p.region = 'south' AND p.age > 30) "
    "GROUP BY o.person, p.name "
    "HAVING SUM(o.price) > 1000) SELECT s.name, s.total, s.orders, s.largest, RANK() OVER (PARTITION BY q.region ORDER "
    "BY s.total DESC) AS place, "
    "CASE WHEN s.total > 10000 THEN 'gold' WHEN s.total > 5000 THEN 'silver' ELSE CONCAT('rank ', CAST(s.orders AS "
    "CHAR(10))) END AS class, "
    "(SELECT COUNT(*) FROM orders o2 WHERE o2.person = s.person AND o2.state = 'void') AS cancelled, COALESCE(q.email, "
    "q.phone, 'none') AS contact "
    "FROM sales s JOIN people q ON q.id = s.person WHERE EXISTS (SELECT 1 FROM notes n2 WHERE n2.person = q.id AND "
    "n2.text LIKE '%renew%') AND "
    "s.total / s.orders > (SELECT AVG(price) FROM orders WHERE state = 'paid') UNION ALL SELECT p.name, 0, 0, NULL, "
    "NULL, 'new', 0, p.email FROM "
    "people p WHERE p.id NOT IN (SELECT person FROM orders) AND p.joined > '2026-01-01' UNION ALL SELECT "
    "CONCAT(p.name, ' (', p.region, ')'), "
    "SUM(IF(o.state = 'paid', o.price, 0)), COUNT(DISTINCT o.id), MAX(o.price), NULL, CASE p.region WHEN 'north' THEN "
    "'n' WHEN 'south' THEN 's' "
    "ELSE LOWER(LEFT(p.region, 1)) END, SUM(o.state = 'void'), IFNULL(p.phone, p.email) FROM people p JOIN orders o ON "
    "o.person = p.id AND o.day > "
    "p.joined LEFT JOIN (SELECT n.person, COUNT(*) AS calls, MAX(n.text) AS latest FROM notes n WHERE n.kind = 'call' "
    "GROUP BY n.person) c ON "
    "c.person = p.id WHERE (c.calls > 3 OR c.latest LIKE '%urgent%' OR p.age BETWEEN 18 AND 25) AND o.price * 2 - 1 > "
    "(SELECT AVG(o3.price) FROM "
    "orders o3 WHERE o3.person = p.id AND o3.day < o.day) GROUP BY p.name, p.region, p.phone, p.email HAVING COUNT(*) "
    "> 1 AND SUM(o.price) > 100 "
    "ORDER BY total DESC, name LIMIT 100";

const catalog::Catalogue& catalogue() {
  static const catalog::Catalogue made(
      lineage::read_definitions(
          "CREATE TABLE sbtest1 (id INT PRIMARY KEY, k INT, c CHAR(120), pad CHAR(60));"
          "CREATE TABLE orders (id INT PRIMARY KEY, person INT, price INT, day DATE, state VARCHAR(9));"
          "CREATE TABLE people (id INT PRIMARY KEY, name TEXT, region TEXT, age INT, email TEXT, phone TEXT, joined "
          "DATE);"
          "CREATE TABLE notes (id INT PRIMARY KEY, person INT, kind TEXT, text TEXT)",
          dialect, "d")
          .content,
      1);
  return made;
}

void analysed(benchmark::State& state, std::string_view text) {
  sql::Arena arena;
  for (auto _ : state) {
    arena.clear();
    auto root = sql::parse(text, dialect, sql::ParseFor::executing, arena);
    SALLYPORT_CHECK(root.has_value());
    auto facts =
        lineage::analyze({.root = **root, .text = text, .dialect = dialect, .database = "d", .catalogue = catalogue()});
    SALLYPORT_CHECK(facts.certain());
    benchmark::DoNotOptimize(facts);
  }
}
BENCHMARK_CAPTURE(analysed, point_select, point_select);
BENCHMARK_CAPTURE(analysed, range_select, range_select);
BENCHMARK_CAPTURE(analysed, update, update);
BENCHMARK_CAPTURE(analysed, report_of_2_kb, report);

void parsed(benchmark::State& state, std::string_view text) {
  sql::Arena arena;
  for (auto _ : state) {
    arena.clear();
    auto root = sql::parse(text, dialect, sql::ParseFor::executing, arena);
    benchmark::DoNotOptimize(root);
  }
}
BENCHMARK_CAPTURE(parsed, point_select, point_select);
BENCHMARK_CAPTURE(parsed, report_of_2_kb, report);

// As a session has it: known from before, or with another literal each time.
void statement_read(benchmark::State& state, bool is_known) {
  LoopCounters counters;
  session::StatementReader reader(counters);
  sql::Dialects dialects;
  dialects.add(dialect);
  std::string text(point_select);
  std::uint32_t number = 1000;
  for (auto _ : state) {
    if (!is_known) {
      number = number == 9999 ? 1000 : number + 1;
      text.replace(text.size() - 4, 4, std::to_string(number));
    }
    auto reading = reader.read(text, dialects, sql::ParseFor::executing, {}, std::size_t{1} << 20);
    SALLYPORT_CHECK(reading && *reading);
    benchmark::DoNotOptimize(reading);
  }
}
BENCHMARK_CAPTURE(statement_read, known, true);
BENCHMARK_CAPTURE(statement_read, new_literal, false);

std::string bulk_insert() {
  std::string text = "INSERT INTO t VALUES ";
  while (text.size() < 1U << 20) {
    text += "(1234, 'some text of a row', 3.25, NULL),";
  }
  text.back() = ' ';
  return text;
}

void bulk_insert_lexed(benchmark::State& state) {
  std::string text = bulk_insert();
  for (auto _ : state) {
    sql::Lexer lexer(text, dialect);
    std::size_t tokens = 0;
    while (lexer.next().kind != sql::TokenKind::end) {
      ++tokens;
    }
    benchmark::DoNotOptimize(tokens);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(bulk_insert_lexed);

void bulk_insert_parsed(benchmark::State& state) {
  std::string text = bulk_insert();
  sql::Arena arena;
  for (auto _ : state) {
    arena.clear();
    SALLYPORT_CHECK(sql::parse(text, dialect, sql::ParseFor::executing, arena).has_value());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.counters["memory_per_byte"] = static_cast<double>(arena.bytes()) / static_cast<double>(text.size());
}
BENCHMARK(bulk_insert_parsed);

}  // namespace
}  // namespace sallyport::bench
