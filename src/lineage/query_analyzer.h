// Queries to the lineage of their columns, for analyzer.h.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lineage/analyzer.h"
#include "lineage/functions.h"
#include "lineage/scope.h"

namespace sallyport::lineage {

// One text with its tree: that of the statement, of a view, of an expression of a generated column.
struct SourceText {
  std::string_view text;
  sql::Dialect dialect;
  std::string database;
};

// What QueryAnalyzer::query() takes.
bool is_query(const sql::Node& node);

class QueryAnalyzer {
 public:
  // Follows a function that does more than read, and says what it has read; nothing where that can't be done, which is
  // noted then.
  using RunFunction = std::function<std::optional<Lineage>(std::string what, const catalog::Routine&, Lineage given)>;
  QueryAnalyzer(const AnalysisInput& input, RunFunction run_function);

  Facts& facts() { return facts_; }
  using Columns = std::vector<RelationColumn>;

  // A query of any form, with what it sees from outside.
  Columns query(const sql::Node& node, const Scope* outer);
  Lineage expression(const sql::Node& node, const Scope& scope);
  // Reads it for what it decides, not for what it gives.
  void influence(const sql::Node& node, const Scope& scope);
  void influence(const Lineage& lineage);
  // FROM, into a scope whose outer one is set already.
  void from(const sql::Node& references, Scope& scope);
  void add_table(const sql::Node& table, Scope& scope);
  // Columns of a target: of INSERT, without more around it.
  Relation relation_of(const sql::Node& object_name, Access access);
  Columns columns_of(const catalog::Table& table);
  std::optional<Source> find_base_column(const Relation& relation, std::string_view name);

  std::string name_of(const sql::Node& name) const;
  ColumnName column_name(const sql::Node& reference) const;
  Lineage resolve(const ColumnName& name, const Scope& scope, std::uint32_t offset);
  Object& note_object(ObjectType type, std::string_view type_name, const sql::Node& object_name, Access access);
  void doubt(std::string what, std::uint32_t offset);
  std::string_view text() const { return at_.text; }
  // Names without one are of this schema from now on; returns which they were of.
  std::string set_database(std::string database) { return std::exchange(at_.database, std::move(database)); }
  // Of texts in texts: views, programs.
  int depth() const { return depth_; }
  void with(const sql::Node& node, const Scope* outer);
  // Those of SELECT, and of RETURNING.
  void select_items(const sql::Node& node, const Scope& scope, Columns& columns);
  // Whether a condition keeps rows of the scope out.
  bool restricts(const sql::Node& condition, const Scope& scope);
  // The select whose condition is the statement's; null for none.
  void set_whole(const sql::Node* select) { whole_ = select; }

  struct With {
    std::string name;
    Columns columns;
  };

 private:
  friend class InText;

  Columns query_block(const sql::Node& node, const Scope* outer);
  Columns select(const sql::Node& node, const Scope* outer, const sql::Node* tail);
  Columns set_operation(const sql::Node& node, const Scope* outer);
  Columns values(const sql::Node& node, const Scope* outer);
  Columns table_command(const sql::Node& node);
  Columns common_table(const sql::Node& node, const Scope* outer, bool recursive);
  void tail(const sql::Node& node, const Scope& scope, const Columns& columns);
  void order_or_group(const sql::Node& list, const Scope& scope, const Columns& columns);
  Lineage value(const sql::Node& node, const Scope& scope);
  void expand_star(const sql::Node& star, const Scope& scope, Columns& columns);
  // `before`: the select item before this one, null for the first.
  std::string item_name(const sql::Node* before, const sql::Node& item) const;

  void joined_table(const sql::Node& node, Scope& scope);
  void join(const sql::Node& node, Scope& scope);
  void derived_table(const sql::Node& node, Scope& scope);
  void json_table(const sql::Node& node, Scope& scope);
  void json_columns(const sql::Node& node, const Lineage& lineage, Columns& columns);
  // The relations of a join's two sides: from `first` to `middle`, and from there to `end`.
  struct Sides {
    std::size_t first;
    std::size_t middle;
    std::size_t end;
  };
  static void add_relation(Scope& scope, Relation relation);
  void join_by_name(std::optional<std::vector<std::string>> names, const sql::Node& node, Scope& scope,
                    const Sides& sides);
  void coalesce(std::string_view name, Scope& scope, const Sides& sides, std::uint32_t offset);
  std::vector<JoinedColumn> shape(const Scope& scope, std::size_t first, std::size_t end) const;

  Columns view_columns(const catalog::Table& view);
  Lineage generated(const catalog::Table& table, std::string_view expression);
  Relation open_relation(std::string schema, std::string name);

  Lineage function_call(const sql::Node& node, const Scope& scope);
  Lineage stored_function(const sql::Node& name, const sql::Node& call, const Scope& scope);
  // Everything that the body reads; nothing where it can't be followed.
  std::optional<Lineage> read_body(const catalog::Routine& routine);
  bool follow(const sql::Node& node, const Scope& variables, Lineage& into);
  bool is_among(const sql::Node& target, const Scope& variables) const;
  void collect_variables(const sql::Node& node, Relation& into) const;
  Lineage arguments(const sql::Node& node, const Scope& scope);
  void window(const sql::Node& node, const Scope& scope);
  Lineage subquery(const sql::Node& node, const Scope& scope);
  Lineage branches(const sql::Node& node, const Scope& scope);
  Lineage variable(const sql::Node& node);
  std::optional<Lineage> find_in(const Scope& scope, const ColumnName& name, bool& ambiguous);
  std::optional<Lineage> find_joined(const Scope& scope, const ColumnName& name) const;
  bool is_named(const Relation& relation, const ColumnName& name) const;

  const AnalysisInput& input_;
  RunFunction run_function_;
  SourceText at_;
  Facts facts_;
  const sql::Node* whole_ = nullptr;
  std::vector<With> withs_;  // innermost last
  std::map<const catalog::Table*, Columns> views_;
  std::map<std::string, Lineage> assigned_;  // user variables, in this statement
  std::map<const catalog::Routine*, std::optional<Lineage>> bodies_;
  int depth_ = 0;
};

}  // namespace sallyport::lineage
