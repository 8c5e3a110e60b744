// Queries and expressions: what binds to what, and what is refused.
#include <gtest/gtest.h>

#include <string>

#include "sql/parse.h"

namespace sallyport::sql {
namespace {

constexpr Dialect mariadb{.server = Server::mariadb, .version = 101119};
constexpr Dialect mysql{.server = Server::mysql, .version = 90704};

std::string outline(const Node& node, std::string_view text) {
  std::string said(name_of(node.kind));
  if (node.kind == NodeKind::literal || node.kind == NodeKind::name) {
    return std::string(node.in(text));
  }
  if (node.kind == NodeKind::column_reference && node.first->next == nullptr) {
    return outline(*node.first, text);
  }
  said += '(';
  for (const Node& child : children(node)) {
    said += (said.back() == '(' ? "" : " ") + outline(child, text);
  }
  return said + ")";
}

// The first expression of a SELECT.
std::string expression(std::string_view text, Dialect dialect = mysql, SqlMode mode = 0) {
  dialect.mode = mode;
  std::string query = "SELECT " + std::string(text);
  Arena arena;
  auto root = parse(query, dialect, ParseFor::executing, arena);
  if (!root) {
    return std::string(name_of(root.error().code)) + " at " + std::to_string(root.error().offset - 7);
  }
  return outline(*(*root)->child(Role::body)->child(Role::item)->child(Role::operand), query);
}

std::string from(std::string_view text, const Dialect& dialect = mysql) {
  std::string query = "SELECT 1 FROM " + std::string(text);
  Arena arena;
  auto root = parse(query, dialect, ParseFor::executing, arena);
  return root ? outline(*(*root)->child(Role::body)->child(Role::from), query) : "no syntax";
}

TEST(Expressions, bind_as_the_servers_bind_them) {
  EXPECT_EQ(expression("a OR b AND c"), "binary(a binary(b c))");
  EXPECT_EQ(expression("a + b * c - d"), "binary(binary(a binary(b c)) d)");
  EXPECT_EQ(expression("a + b + c"), "binary(a b c)") << "a chain of one operator is one node";
  EXPECT_EQ(expression("NOT 1 BETWEEN 2 AND 3"), "unary(between(1 2 3))");
  EXPECT_EQ(expression("NOT 1 BETWEEN 2 AND 3", mysql, sql_mode::high_not_precedence), "between(unary(1) 2 3)");
  EXPECT_EQ(expression("a || b"), "binary(a b)");
  EXPECT_EQ(expression("a || b = c", mysql, sql_mode::pipes_as_concat), "binary(binary(a b) c)");
  EXPECT_EQ(expression("a = b IS NULL"), "is_test(binary(a b))");
  EXPECT_EQ(expression("-a ^ b"), "binary(unary(a) b)");
  EXPECT_EQ(expression("a IN (SELECT 1)"), "in(a subquery(query(select(select_item(1)))))");
  EXPECT_EQ(expression("((SELECT 1) + 1)"), "parentheses(binary(subquery(query(select(select_item(1)))) 1))");
  EXPECT_EQ(expression("a + INTERVAL 1 DAY"), "binary(a interval(1 keyword()))");
  EXPECT_EQ(expression("INTERVAL(1, 2)"), "function_call(INTERVAL 1 2)");
  EXPECT_EQ(expression("INTERVAL (1) DAY + a"), "binary(interval(parentheses(1) keyword()) a)");
}

TEST(Expressions, are_refused_where_the_server_refuses_them) {
  EXPECT_EQ(expression("count (*)"), "syntax at 7");
  EXPECT_EQ(expression("a.b.c.d"), "syntax at 5");
  EXPECT_EQ(expression("?"), "syntax at 0") << "a parameter, where nothing is prepared";
  EXPECT_EQ(expression("a ->> '$.b'", mariadb), "syntax at 3");
  EXPECT_EQ(expression("1 MEMBER OF (a)", mariadb), "syntax at 9");
  EXPECT_EQ(expression("select"), "syntax at 0");
}

TEST(Joins, keep_the_side_that_their_condition_is_of) {
  EXPECT_EQ(from("a JOIN b JOIN c ON 1 ON 2"),
            "table_references(join(table(object_name(a)) join(table(object_name(b)) table(object_name(c)) 1) 2))");
  EXPECT_EQ(from("a JOIN b JOIN c ON 1"),
            "table_references(join(join(table(object_name(a)) table(object_name(b))) table(object_name(c)) 1))");
  EXPECT_EQ(from("a, b LEFT JOIN c ON 1"),
            "table_references(table(object_name(a)) join(table(object_name(b)) table(object_name(c)) 1))");
  EXPECT_EQ(from("a LEFT JOIN b"), "no syntax");
  EXPECT_EQ(from("((SELECT 1) UNION SELECT 2) x"),
            "table_references(derived_table(subquery(query(set_operation(subquery(query(select(select_item(1)))) "
            "select(select_item(2))))) x))");
}

TEST(Nesting, is_bounded_and_parsing_is_linear) {
  Arena arena;
  std::string deep = "SELECT " + std::string(10'000, '(') + "1" + std::string(10'000, ')');
  auto root = parse(deep, mysql, ParseFor::executing, arena);
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().code, ParseErrorCode::nesting_too_deep);
  std::string joins = "SELECT 1 FROM a";
  std::string intervals = "SELECT ";
  for (int i = 0; i < 300; ++i) {
    joins += " JOIN a";
    intervals += "INTERVAL(1, ";
  }
  EXPECT_TRUE(parse(joins, mysql, ParseFor::executing, arena).has_value());
  EXPECT_FALSE(parse(intervals, mysql, ParseFor::executing, arena).has_value());
  arena.clear();
  std::string list = "SELECT a IN (1";
  for (int i = 0; i < 1'000'000; ++i) {
    list += ",1";
  }
  ASSERT_TRUE(parse(list + ")", mysql, ParseFor::executing, arena).has_value());
  EXPECT_LT(arena.bytes(), 17 * list.size());
}

}  // namespace
}  // namespace sallyport::sql
