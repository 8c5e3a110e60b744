#include "lineage/query_analyzer.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "lineage/in_text.h"
#include "sql/column_name.h"
#include "sql/parse.h"
#include "sql/printer.h"

namespace sallyport::lineage {

using sql::Keyword;
using sql::Node;
using sql::NodeKind;
using sql::Role;

bool is_query(const Node& node) {
  return node.is(NodeKind::query) || node.is(NodeKind::select) || node.is(NodeKind::set_operation) ||
         node.is(NodeKind::values_query) || node.is(NodeKind::table_query) || node.is(NodeKind::subquery);
}

QueryAnalyzer::QueryAnalyzer(const AnalysisInput& input, RunFunction run_function)
    : input_(input),
      run_function_(std::move(run_function)),
      at_{.text = input.text, .dialect = input.dialect, .database = std::string(input.database)} {}

std::string QueryAnalyzer::name_of(const Node& name) const {
  return sql::identifier(name, at_.text);
}

ColumnName QueryAnalyzer::column_name(const Node& reference) const {
  ColumnName name;
  for (const Node& part : sql::children(reference)) {
    if (part.role == Role::qualifier) {
      name.schema = std::exchange(name.table, name_of(part));
    } else if (part.role == Role::name) {
      name.column = name_of(part);
    }
  }
  return name;
}

void QueryAnalyzer::doubt(std::string what, std::uint32_t offset) {
  facts_.doubts.push_back({std::move(what), depth_ == 0 ? offset : 0});
}

void QueryAnalyzer::influence(const Lineage& lineage) {
  facts_.influences.add(lineage.copied);
  facts_.influences.add(lineage.derived);
  facts_.influences_certain = facts_.influences_certain && lineage.certain;
}

void QueryAnalyzer::influence(const Node& node, const Scope& scope) {
  influence(expression(node, scope));
}

QueryAnalyzer::Columns QueryAnalyzer::query(const Node& node, const Scope* outer) {
  std::size_t withs_before = withs_.size();
  if (const Node* clause = node.child(Role::with)) {
    with(*clause, outer);
  }
  Columns columns = query_block(node, outer);
  withs_.resize(withs_before);
  return columns;
}

QueryAnalyzer::Columns QueryAnalyzer::query_block(const Node& node, const Scope* outer) {
  switch (node.kind) {
    case NodeKind::query: {
      const Node* body = node.child(Role::body);
      if (body->is(NodeKind::select)) {
        return select(*body, outer, &node);
      }
      Columns columns = query(*body, outer);
      Scope scope{.outer = outer, .relations = {}, .joined = {}};
      tail(node, scope, columns);
      return columns;
    }
    case NodeKind::subquery:
      return query(*node.child(Role::query), outer);
    case NodeKind::select:
      return select(node, outer, nullptr);
    case NodeKind::set_operation:
      return set_operation(node, outer);
    case NodeKind::values_query:
      return values(node, outer);
    case NodeKind::table_query:
      return table_command(node);
    default:
      doubt("a query of an unknown form", node.begin);
      facts_.output_certain = false;
      return {};
  }
}

void QueryAnalyzer::with(const Node& node, const Scope* outer) {
  bool recursive = node.has(sql::node_flag::recursive);
  for (const Node& element : sql::children(node)) {
    withs_.push_back({name_of(*element.child(Role::name)), common_table(element, outer, recursive)});
  }
}

// Names given behind the table's take the place of the query's own.
static void rename_columns(const Node& list_of, QueryAnalyzer& analyzer, QueryAnalyzer::Columns& columns) {
  std::size_t at = 0;
  for (const Node& child : sql::children(list_of)) {
    if (child.role == Role::column && at < columns.size()) {
      columns[at++].name = analyzer.name_of(child);
    }
  }
}

// A table that refers to itself is read until nothing new comes of it.
QueryAnalyzer::Columns QueryAnalyzer::common_table(const Node& node, const Scope* outer, bool recursive) {
  const Node& inner = *node.child(Role::query);
  if (!recursive) {
    Columns columns = query(inner, outer);
    rename_columns(node, *this, columns);
    return columns;
  }
  Columns known;
  std::string name = name_of(*node.child(Role::name));
  bool first = true;
  while (true) {
    std::size_t doubts_before = facts_.doubts.size();
    withs_.push_back({name, known});
    Columns columns = query(inner, outer);
    withs_.pop_back();
    rename_columns(node, *this, columns);
    bool grew = first && !columns.empty();
    for (std::size_t i = 0; i < columns.size() && i < known.size(); ++i) {
      grew |= known[i].lineage.add(columns[i].lineage);
    }
    if (first) {
      // Before the first round its columns are not known: what was doubted for that is asked again.
      facts_.doubts.resize(doubts_before);
      known = std::move(columns);
      for (RelationColumn& column : known) {
        column.lineage.certain = true;
      }
      first = false;
      continue;
    }
    if (!grew) {
      return known;
    }
    facts_.doubts.resize(doubts_before);
  }
}

QueryAnalyzer::Columns QueryAnalyzer::set_operation(const Node& node, const Scope* outer) {
  Columns columns;
  bool first = true;
  for (const Node& operand : sql::children(node)) {
    Columns more = query(operand, outer);
    if (first) {
      columns = std::move(more);
      first = false;
      continue;
    }
    facts_.output_certain = facts_.output_certain && more.size() == columns.size();
    bool removes = node.keyword() != Keyword::union_;
    for (std::size_t i = 0; i < columns.size() && i < more.size(); ++i) {
      // What EXCEPT takes away decides which rows are left, and is not among them.
      if (removes || !node.has(sql::node_flag::all)) {
        influence(more[i].lineage);
      }
      columns[i].lineage.add(more[i].lineage);
    }
  }
  if (!node.has(sql::node_flag::all) || node.keyword() != Keyword::union_) {
    for (const RelationColumn& column : columns) {
      influence(column.lineage);
    }
  }
  return columns;
}

QueryAnalyzer::Columns QueryAnalyzer::values(const Node& node, const Scope* outer) {
  Scope scope{.outer = outer, .relations = {}, .joined = {}};
  Columns columns;
  for (const Node& row : sql::children(node)) {
    std::size_t at = 0;
    for (const Node& cell : sql::children(row)) {
      if (at == columns.size()) {
        bool is_mysql = at_.dialect.server == sql::Server::mysql;
        columns.push_back(
            {.name = is_mysql ? "column_" + std::to_string(at) : item_name(nullptr, cell), .lineage = {}});
      }
      if (!cell.is(NodeKind::keyword)) {
        columns[at].lineage.add(value(cell, scope));
      }
      ++at;
    }
  }
  return columns;
}

QueryAnalyzer::Columns QueryAnalyzer::table_command(const Node& node) {
  Scope scope;
  const Node& name = *node.child(Role::table);
  scope.relations.push_back(relation_of(name, access::read));
  scope.end_visible = 1;
  if (scope.relations[0].open_table != nullptr) {
    facts_.output_certain = false;
  }
  Columns columns = std::move(scope.relations[0].columns);
  std::erase_if(columns, [](const RelationColumn& column) { return column.invisible; });
  return columns;
}

QueryAnalyzer::Columns QueryAnalyzer::select(const Node& node, const Scope* outer, const Node* tail_of) {
  Scope scope{.outer = outer, .relations = {}, .joined = {}};
  if (const Node* references = node.child(Role::from)) {
    from(*references, scope);
  }
  Columns columns;
  select_items(node, scope, columns);
  if (const Node* where = node.child(Role::where)) {
    if (&node == whole_) {
      facts_.where_restricts = restricts(*where, scope);
    }
    influence(*where, scope);
  }
  if (const Node* having = node.child(Role::having)) {
    order_or_group(*having, scope, columns);
  }
  if (const Node* group = node.child(Role::group_by)) {
    order_or_group(*group, scope, columns);
  }
  if (const Node* qualify = node.child(Role::qualify)) {
    order_or_group(*qualify, scope, columns);
  }
  for (const Node& child : sql::children(node)) {
    if (child.role == Role::window) {
      window(*child.child(Role::window), scope);
    } else if (child.role == Role::into) {
      tail(node, scope, columns);
    }
  }
  if (node.has(sql::node_flag::distinct)) {
    for (const RelationColumn& column : columns) {
      influence(column.lineage);
    }
  }
  if (tail_of != nullptr) {
    tail(*tail_of, scope, columns);
  }
  return columns;
}

// ORDER BY, LIMIT, locking, INTO, PROCEDURE.
void QueryAnalyzer::tail(const Node& node, const Scope& scope, const Columns& columns) {
  for (const Node& child : sql::children(node)) {
    switch (child.role) {
      case Role::order_by:
        order_or_group(child, scope, columns);
        break;
      case Role::limit:
        facts_.has_limit = facts_.has_limit || depth_ == 0;
        break;
      case Role::locking:
        facts_.locks_rows = true;
        break;
      case Role::procedure:
        // PROCEDURE ANALYSE gives values of every column, in columns of its own.
        facts_.output_certain = false;
        for (const RelationColumn& column : columns) {
          influence(column.lineage);
        }
        break;
      case Role::into: {
        std::size_t at = 0;
        for (const Node& target : sql::children(child)) {
          if (target.role == Role::target) {
            std::string name = std::string(target.in(at_.text));
            Lineage lineage = at < columns.size() ? columns[at].lineage : Lineage{};
            ++at;
            if (target.is(NodeKind::user_variable)) {
              assigned_[catalog::folded(name)].add(lineage);
              facts_.variables_written.push_back(name);
            }
            if (depth_ == 0 || target.is(NodeKind::user_variable)) {  // else a routine's own
              facts_.flows.push_back({std::move(name), std::move(lineage)});
            }
          } else if (target.role == Role::file) {
            std::string name = std::string(target.in(at_.text));
            facts_.files_written.push_back(name);
            Lineage all;
            for (const RelationColumn& column : columns) {
              all.add(column.lineage);
            }
            facts_.flows.push_back({"file " + name, std::move(all)});
          }
        }
        break;
      }
      default:
        break;
    }
  }
}

constexpr std::uint64_t any_position = 0;

// Of what names no column: the column it stands for, if the number is plain. In parentheses and braces, with signs and
// as a truth value or a parameter it stands for one too, more or less by server and version. 0 and a text stand for
// none.
static std::optional<std::uint64_t> position_in(const Node& item, std::string_view text) {
  const Node* node = &item;
  while (!node->is(NodeKind::literal) && !node->is(NodeKind::parameter)) {
    const Node* inner = sql::in_parentheses(*node);
    if (inner == nullptr && (node->is(NodeKind::unary) || node->is(NodeKind::odbc_escape))) {
      inner = node->child(Role::operand);
    }
    if (inner == nullptr) {
      return std::nullopt;
    }
    node = inner;
  }
  if (node->is(NodeKind::literal)) {
    auto kind = node->as<sql::LiteralKind>();
    if (kind == sql::LiteralKind::text || kind == sql::LiteralKind::national_text ||
        kind == sql::LiteralKind::introduced) {
      return std::nullopt;
    }
    std::string_view digits = node->in(text);
    std::uint64_t position = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), position);
    if (node == &item && kind == sql::LiteralKind::integer && error == std::errc{} && position != 0) {
      return position;
    }
  }
  return any_position;
}

// In these a name may be that of an output column or of one of FROM, as the servers have it by clause and version: what
// either carries has its influence.
void QueryAnalyzer::order_or_group(const Node& list, const Scope& scope, const Columns& columns) {
  Scope with_aliases{.outer = &scope, .relations = {}, .joined = {}};
  Relation aliases;
  aliases.columns = columns;
  with_aliases.relations.push_back(std::move(aliases));
  with_aliases.end_visible = 1;
  with_aliases.output_aliases = true;
  auto read = [&](const Node& node) {
    if (auto position = position_in(node, at_.text)) {
      for (std::size_t i = 0; i < columns.size(); ++i) {
        if (*position == any_position || *position == i + 1) {
          influence(columns[i].lineage);
        }
      }
    } else {
      influence(node, with_aliases);
    }
  };
  if (!list.is(NodeKind::order_by) && !list.is(NodeKind::group_by)) {
    read(list);
    return;
  }
  for (const Node& item : sql::children(list)) {
    read(*item.child(Role::operand));
  }
}

std::string QueryAnalyzer::item_name(const Node* before, const Node& item) const {
  return sql::column_name(before, item, at_.text, at_.dialect);
}

// Nobody may ask for it: `x = 1` has been computed all the same.
Lineage QueryAnalyzer::value(const Node& node, const Scope& scope) {
  Lineage found = expression(node, scope);
  if (depth_ == 0) {
    facts_.computed.add(found.derived);
  }
  return found;
}

void QueryAnalyzer::select_items(const Node& node, const Scope& scope, Columns& columns) {
  const Node* before = nullptr;
  for (const Node& item : sql::children(node)) {
    if (item.role != Role::item) {
      continue;
    }
    const Node* item_before = std::exchange(before, &item);
    if (item.is(NodeKind::star)) {
      expand_star(item, scope, columns);
      continue;
    }
    const Node& operand = *item.child(Role::operand);
    const Node* alias = item.child(Role::alias);
    columns.push_back({.name = alias != nullptr ? name_of(*alias) : item_name(item_before, operand),
                       .lineage = value(operand, scope)});
  }
}

void QueryAnalyzer::expand_star(const Node& star, const Scope& scope, Columns& columns) {
  auto add = [&](const Relation& relation) {
    facts_.output_certain = facts_.output_certain && relation.open_table == nullptr;
    for (const RelationColumn& column : relation.columns) {
      if (!column.invisible) {
        columns.push_back(column);
      }
    }
  };
  if (star.first != nullptr) {
    ColumnName name;
    for (const Node& part : sql::children(star)) {
      name.schema = std::exchange(name.table, name_of(part));
    }
    bool found = false;
    for (const Relation& relation : scope.relations) {
      if (is_named(relation, name)) {
        add(relation);
        found = true;
      }
    }
    if (!found) {
      doubt("table " + name.table + " is not found", star.begin);
      facts_.output_certain = false;
    }
    return;
  }
  if (scope.joined.empty()) {
    for (const Relation& relation : scope.relations) {
      add(relation);
    }
    return;
  }
  for (const JoinedColumn& column : shape(scope, 0, scope.relations.size())) {
    Lineage lineage;
    bool invisible = false;
    for (const ColumnPlace& place : column.places) {
      const RelationColumn& one = scope.relations[place.relation].columns[place.column];
      lineage.add(one.lineage);
      invisible = invisible || one.invisible;
    }
    if (!invisible) {
      columns.push_back({.name = column.name, .lineage = std::move(lineage)});
    }
  }
  for (const Relation& relation : scope.relations) {
    facts_.output_certain = facts_.output_certain && relation.open_table == nullptr;
  }
}

QueryAnalyzer::Columns QueryAnalyzer::columns_of(const catalog::Table& table) {
  if (table.kind == catalog::Table::Kind::view) {
    return view_columns(table);
  }
  Columns columns;
  columns.reserve(table.columns.size());
  for (std::uint32_t i = 0; i < table.columns.size(); ++i) {
    const catalog::Column& column = table.columns[i];
    RelationColumn made{.name = column.name, .lineage = {}, .invisible = column.invisible};
    made.lineage.copied.add({&table, i});
    if (column.generated_from) {
      made.lineage.add(generated(table, *column.generated_from));
    }
    columns.push_back(std::move(made));
  }
  return columns;
}

// What a generated column is computed from.
Lineage QueryAnalyzer::generated(const catalog::Table& table, std::string_view expression_text) {
  Lineage unknown;
  unknown.certain = false;
  if (depth_ >= nesting_max) {
    return unknown;
  }
  std::string query_text = "SELECT " + std::string(expression_text);
  sql::Dialect dialect = input_.dialect;
  dialect.mode = sql::parse_sql_mode(table.sql_mode);
  sql::Arena arena;
  auto parsed = sql::parse(query_text, dialect, sql::ParseFor::executing, arena);
  if (!parsed) {
    return unknown;
  }
  InText in(*this, {.text = query_text, .dialect = dialect, .database = table.schema});
  Scope scope;
  Relation relation{.schema = table.schema, .name = table.name, .columns = {}};
  for (std::uint32_t i = 0; i < table.columns.size(); ++i) {
    RelationColumn made{.name = table.columns[i].name, .lineage = {}};
    made.lineage.copied.add({&table, i});
    relation.columns.push_back(std::move(made));
  }
  scope.relations.push_back(std::move(relation));
  scope.end_visible = 1;
  const Node* select_node = (*parsed)->child(Role::body);
  const Node* item = select_node == nullptr ? nullptr : select_node->child(Role::item);
  if (item == nullptr) {
    return unknown;
  }
  // It is read where the column is asked for, not where the table is named.
  SourceSet reads = facts_.reads;
  Lineage found = expression(*item->child(Role::operand), scope);
  facts_.reads = std::move(reads);
  return found;
}

QueryAnalyzer::Columns QueryAnalyzer::view_columns(const catalog::Table& view) {
  if (auto found = views_.find(&view); found != views_.end()) {
    return found->second;
  }
  Columns columns;
  for (const catalog::Column& column : view.columns) {
    columns.push_back({.name = column.name, .lineage = {}});
    columns.back().lineage.certain = false;
  }
  views_[&view] = columns;  // where it refers to itself
  sql::Dialect dialect = input_.dialect;
  dialect.mode = sql::parse_sql_mode(view.sql_mode);
  sql::Arena arena;
  auto parsed = sql::parse(view.view_query, dialect, sql::ParseFor::executing, arena);
  if (!parsed || depth_ >= nesting_max) {
    doubt("view " + view.schema + "." + view.name + " can't be read", 0);
    return columns;
  }
  InText in(*this, {.text = view.view_query, .dialect = dialect, .database = view.schema});
  Columns found = query(**parsed, nullptr);
  if (view.columns.empty() && !found.empty()) {
    columns = std::move(found);  // a view that the login of the catalogue can't open
  } else if (!found.empty() && found.size() == columns.size()) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      columns[i].lineage = found[i].lineage;
    }
  } else {
    doubt("view " + view.schema + "." + view.name + " has other columns than its query", 0);
  }
  views_[&view] = columns;
  return columns;
}

Object& QueryAnalyzer::note_object(ObjectType type, std::string_view type_name, const Node& object_name,
                                   Access access) {
  const Node* qualifier = object_name.child(Role::qualifier);
  std::string schema = qualifier != nullptr ? name_of(*qualifier) : at_.database;
  std::string name = name_of(*object_name.child(Role::name));
  for (Object& object : facts_.objects) {
    if (object.type == type && object.schema == schema && object.name == name) {
      object.access |= access;
      return object;
    }
  }
  facts_.objects.push_back({.type = type,
                            .type_name = std::string(type_name),
                            .schema = std::move(schema),
                            .name = std::move(name),
                            .access = access});
  return facts_.objects.back();
}

Relation QueryAnalyzer::relation_of(const Node& object_name, Access how) {
  const Node* qualifier = object_name.child(Role::qualifier);
  std::string name = name_of(*object_name.child(Role::name));
  if (qualifier == nullptr) {
    for (auto with = withs_.rbegin(); with != withs_.rend(); ++with) {
      // MySQL compares these as tables, MariaDB without regard to case.
      bool same = at_.dialect.server == sql::Server::mariadb
                      ? catalog::same_name(with->name, name)
                      : catalog::same_table_name(with->name, name, input_.catalogue.table_names());
      if (same) {
        return {.schema = {}, .name = std::move(name), .columns = with->columns};
      }
    }
  }
  Object& object = note_object(ObjectType::table, "table", object_name, how);
  const catalog::Table* table = input_.catalogue.find_table(object.schema, object.name);
  if (table != nullptr) {
    return {.schema = object.schema, .name = std::move(name), .columns = columns_of(*table)};
  }
  object.known = false;
  std::string schema = object.schema;
  return open_relation(std::move(schema), std::move(name));
}

// A table that is not known gets the columns that are asked for, each uncertain.
Relation QueryAnalyzer::open_relation(std::string schema, std::string name) {
  std::shared_ptr<catalog::Table> table;
  for (const auto& one : facts_.unknown_tables) {
    if (one->schema == schema && one->name == name) {
      table = one;
    }
  }
  if (!table) {
    doubt("table " + schema + (schema.empty() ? "" : ".") + name + " is not in the catalogue", 0);
    table = std::make_shared<catalog::Table>(catalog::Table{.schema = schema, .name = name});
    facts_.unknown_tables.push_back(table);
  }
  return {.schema = std::move(schema), .name = std::move(name), .columns = {}, .open_table = table.get()};
}

std::optional<Source> QueryAnalyzer::find_base_column(const Relation& relation, std::string_view name) {
  const catalog::Table* table = relation.open_table != nullptr
                                    ? relation.open_table
                                    : input_.catalogue.find_table(relation.schema, relation.name);
  if (table == nullptr) {
    return std::nullopt;
  }
  for (std::uint32_t i = 0; i < table->columns.size(); ++i) {
    if (catalog::same_name(table->columns[i].name, name)) {
      return Source{table, i};
    }
  }
  if (relation.open_table == nullptr) {
    return std::nullopt;
  }
  relation.open_table->columns.push_back({.name = std::string(name), .type = {}});
  return Source{table, static_cast<std::uint32_t>(table->columns.size() - 1)};
}

}  // namespace sallyport::lineage
