#include "sql/column_name.h"

#include <gtest/gtest.h>

#include "sql/parse.h"

namespace sallyport::sql {
namespace {

constexpr Dialect mysql{.server = Server::mysql, .version = 90'700};
constexpr Dialect mariadb{.server = Server::mariadb, .version = 101'100};

// Of the last select item.
std::string name(std::string_view items, const Dialect& dialect) {
  std::string text = "SELECT " + std::string(items);
  Arena arena;
  auto root = parse(text, dialect, ParseFor::executing, arena);
  if (!root) {
    return "no statement";
  }
  const Node* before = nullptr;
  const Node* last = nullptr;
  for (const Node& item : children(*(*root)->child(Role::body))) {
    if (item.role == Role::item) {
      before = std::exchange(last, &item);
    }
  }
  return column_name(before, *last->child(Role::operand), text, dialect);
}

struct Case {
  std::string_view items;
  std::string_view name;
  std::string_view mariadb_name = name;
};

// Asked of both servers.
constexpr Case cases[] = {
    {"1, /* c */ -1", "-1", "/* c */ -1"},
    {"1, /* c */ X'7E'", "X'7E'", "/* c */ X'7E'"},
    {"1, /* c */ 0x7E", "0x7E", "/* c */ 0x7E"},
    {"1, /* c */ _binary/* i */X'7E'", "_binary/* i */X'7E'", "/* c */ _binary/* i */X'7E'"},
    {"1, /* c */ 12", "12"},
    {"1, /* c */ null", "NULL"},
    {"1, /* c */ true", "TRUE"},
    {"(true)", "(true)", "TRUE"},
    {"(/* f */12)", "12"},
    {"+/* f */12", "12"},
    {"((/* f */ 1.50))", "1.50"},
    {"(/* g */ X'41')", "(/* g */ X'41')"},
    {"+ /* d */ (`a``b`)", "a`b"},
    {"(/* d */ t.a)", "a"},
    {"+/* f */-a", "+/* f */-a"},
    {"'a' /* k */ 'b'", "a", "ab"},
    {"'it''s'", "it's"},
    {"(N'c')", "c"},
    {"_utf8mb4 /* c */ 'z'", "z"},
    {"'  lead '", "lead "},
    {"' '", ""},
    {"{foo /* d */'x'}", "x"},
    {"{foo /* b */ (a)}", "a"},
    {"{foo {bar 'x'}}", "x"},
    {"{d a}", "a"},
    {"{foo /* b */ -1}", "{foo /* b */ -1}"},
    {"{d /* x */ '2020-01-01'}", "{d /* x */ '2020-01-01'}"},
    {"{ts ('2020-01-01 00:00:00')}", "{ts ('2020-01-01 00:00:00')}"},
    {"{ /* e */ date /* f */ '2020-01-01' }", "2020-01-01"},
    {"{TS ('2020-01-01 00:00:00')}", "2020-01-01 00:00:00"},
    {"DATE'2020-01-01'", "DATE'2020-01-01'"},
    {"(SELECT /* c */ 1)", "(SELECT /* c */ 1)"},
};

TEST(ColumnName, IsWhatTheServersSay) {
  for (const Case& one : cases) {
    EXPECT_EQ(name(one.items, mysql), one.name) << one.items;
    EXPECT_EQ(name(one.items, mariadb), one.mariadb_name) << one.items;
  }
}

}  // namespace
}  // namespace sallyport::sql
