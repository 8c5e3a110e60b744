// FROM: which relations a query block sees, and what their columns carry.
#include <algorithm>
#include <utility>

#include "lineage/query_analyzer.h"

namespace sallyport::lineage {

using sql::Keyword;
using sql::Node;
using sql::NodeKind;
using sql::Role;

void QueryAnalyzer::from(const Node& references, Scope& scope) {
  for (const Node& element : sql::children(references)) {
    joined_table(element, scope);
  }
  scope.first_visible = 0;
  scope.end_visible = scope.relations.size();
}

void QueryAnalyzer::joined_table(const Node& node, Scope& scope) {
  switch (node.kind) {
    case NodeKind::table:
      add_table(node, scope);
      break;
    case NodeKind::join:
      join(node, scope);
      break;
    case NodeKind::derived_table:
      derived_table(node, scope);
      break;
    case NodeKind::json_table:
      json_table(node, scope);
      break;
    case NodeKind::table_references:
      for (const Node& element : sql::children(node)) {
        joined_table(element, scope);
      }
      break;
    case NodeKind::odbc_join:
      joined_table(*node.child(Role::operand), scope);
      break;
    default:
      doubt("a table of an unknown form", node.begin);
      facts_.output_certain = false;
  }
}

void QueryAnalyzer::add_relation(Scope& scope, Relation relation) {
  scope.star_order.push_back(scope.relations.size());
  scope.relations.push_back(std::move(relation));
}

void QueryAnalyzer::add_table(const Node& table, Scope& scope) {
  Relation relation = relation_of(*table.child(Role::name), access::read);
  if (const Node* alias = table.child(Role::alias)) {
    relation.schema.clear();
    relation.name = name_of(*alias);
  }
  add_relation(scope, std::move(relation));
  if (const Node* time = table.child(Role::system_time)) {
    for (const Node& point : sql::children(*time)) {
      influence(point, scope);
    }
  }
}

void QueryAnalyzer::join(const Node& node, Scope& scope) {
  std::size_t first = scope.relations.size();
  const Node& left = *node.child(Role::operand);
  joined_table(left, scope);
  std::size_t middle = scope.relations.size();
  joined_table(*left.next, scope);
  std::size_t end = scope.relations.size();
  std::vector<std::string> shared;
  for (const Node& child : sql::children(node)) {
    if (child.role == Role::column) {
      shared.push_back(name_of(child));
    } else if (child.role == Role::on) {
      scope.first_visible = first;
      scope.end_visible = end;
      influence(child, scope);
    }
  }
  bool is_natural = node.has(sql::node_flag::natural);
  if (is_natural || !shared.empty()) {
    join_by_name(is_natural ? std::nullopt : std::optional(std::move(shared)), node, scope, {first, middle, end});
  }
}

// USING, or NATURAL where no names are given. The columns come in the order that the first side has them in, which of a
// RIGHT JOIN is the right one.
void QueryAnalyzer::join_by_name(std::optional<std::vector<std::string>> names, const Node& node, Scope& scope,
                                 const Sides& sides) {
  bool is_right = node.keyword() == Keyword::right;
  auto one = is_right ? shape(scope, sides.middle, sides.end) : shape(scope, sides.first, sides.middle);
  auto other = is_right ? shape(scope, sides.first, sides.middle) : shape(scope, sides.middle, sides.end);
  auto has = [](const auto& columns, std::string_view name) {
    return std::any_of(columns.begin(), columns.end(),
                       [&](const JoinedColumn& column) { return catalog::same_name(column.name, name); });
  };
  std::vector<std::string> shared;
  for (const JoinedColumn& column : one) {
    bool is_shared = names ? std::any_of(names->begin(), names->end(),
                                         [&](const std::string& name) { return catalog::same_name(name, column.name); })
                           : has(other, column.name);
    if (is_shared) {
      shared.push_back(column.name);
    }
  }
  for (const std::string& name : names.value_or(std::vector<std::string>{})) {
    if (!has(one, name)) {
      shared.push_back(name);
    }
  }
  ++scope.joins;
  for (const std::string& name : shared) {
    coalesce(name, scope, sides, node.begin);
  }
  if (is_right) {
    // What this join has read stands at the end.
    std::stable_partition(scope.star_order.begin() + static_cast<std::ptrdiff_t>(sides.first), scope.star_order.end(),
                          [&](std::size_t relation) { return relation >= sides.middle; });
  }
}

// One column of the left side and one of the right are one from now on; whether they are equal decides which rows there
// are.
void QueryAnalyzer::coalesce(std::string_view name, Scope& scope, const Sides& sides, std::uint32_t offset) {
  auto find = [&](std::size_t from, std::size_t to) -> std::vector<ColumnPlace> {
    for (const JoinedColumn& column : shape(scope, from, to)) {
      if (catalog::same_name(column.name, name)) {
        return column.places;
      }
    }
    for (std::size_t i = from; i < to; ++i) {
      Relation& relation = scope.relations[i];
      if (relation.open_table != nullptr) {
        auto source = find_base_column(relation, name);
        RelationColumn made{.name = std::string(name), .lineage = {}};
        made.lineage.copied.add(*source);
        made.lineage.certain = false;
        relation.columns.push_back(std::move(made));
        return {{i, relation.columns.size() - 1}};
      }
    }
    return {};
  };
  std::vector<ColumnPlace> places = find(sides.first, sides.middle);
  std::vector<ColumnPlace> more = find(sides.middle, sides.end);
  if (places.empty() || more.empty()) {
    doubt("column " + std::string(name) + " of USING is not found", offset);
    return;
  }
  places.insert(places.end(), more.begin(), more.end());
  for (const ColumnPlace& place : places) {
    influence(scope.relations[place.relation].columns[place.column].lineage);
    facts_.reads.add(scope.relations[place.relation].columns[place.column].lineage.copied);
  }
  std::erase_if(scope.joined, [&](const JoinedColumn& column) {
    return catalog::same_name(column.name, name) && column.places.front().relation >= sides.first;
  });
  scope.joined.push_back({std::string(name), std::move(places), scope.joins});
}

// The columns of * over a range of relations: those that joins have made one first, the outer join's before others.
std::vector<JoinedColumn> QueryAnalyzer::shape(const Scope& scope, std::size_t first, std::size_t end) const {
  std::vector<JoinedColumn> columns;
  auto taken = [&](const ColumnPlace& place) {
    return std::any_of(columns.begin(), columns.end(), [&](const JoinedColumn& column) {
      return std::find(column.places.begin(), column.places.end(), place) != column.places.end();
    });
  };
  for (const JoinedColumn& column : scope.joined) {
    if (column.places.front().relation >= first && column.places.back().relation < end) {
      columns.push_back(column);
    }
  }
  std::stable_sort(columns.begin(), columns.end(),
                   [](const JoinedColumn& one, const JoinedColumn& other) { return one.join > other.join; });
  for (std::size_t i : scope.star_order) {
    if (i < first || i >= end) {
      continue;
    }
    for (std::size_t j = 0; j < scope.relations[i].columns.size(); ++j) {
      if (!taken({i, j})) {
        columns.push_back({scope.relations[i].columns[j].name, {{i, j}}, 0});
      }
    }
  }
  return columns;
}

void QueryAnalyzer::derived_table(const Node& node, Scope& scope) {
  // Without LATERAL it does not see its neighbours.
  Scope before = scope;
  before.first_visible = 0;
  before.end_visible = before.relations.size();
  bool lateral = node.has(sql::node_flag::lateral);
  Relation relation;
  relation.columns = query(*node.child(Role::query), lateral ? &before : scope.outer);
  std::size_t at = 0;
  for (const Node& child : sql::children(node)) {
    if (child.role == Role::column && at < relation.columns.size()) {
      relation.columns[at++].name = name_of(child);
    } else if (child.role == Role::alias) {
      relation.name = name_of(child);
    }
  }
  add_relation(scope, std::move(relation));
}

void QueryAnalyzer::json_table(const Node& node, Scope& scope) {
  Scope before = scope;
  before.first_visible = 0;
  before.end_visible = before.relations.size();
  Lineage lineage = expression(*node.child(Role::operand), before);
  influence(lineage);  // how many rows there are
  Relation relation;
  relation.name = name_of(*node.child(Role::alias));
  json_columns(*node.child(Role::columns), lineage, relation.columns);
  add_relation(scope, std::move(relation));
}

void QueryAnalyzer::json_columns(const Node& node, const Lineage& lineage, Columns& columns) {
  for (const Node& column : sql::children(node)) {
    if (column.keyword() == Keyword::nested) {
      json_columns(*column.child(Role::columns), lineage, columns);
    } else if (column.keyword() == Keyword::ordinality) {
      columns.push_back({.name = name_of(*column.child(Role::name)), .lineage = {}});
    } else {
      columns.push_back({.name = name_of(*column.child(Role::name)), .lineage = lineage});
    }
  }
}

bool QueryAnalyzer::is_named(const Relation& relation, const ColumnName& name) const {
  auto how = input_.catalogue.table_names();
  if (relation.is_row) {
    return name.schema.empty() && catalog::same_name(relation.name, name.table);
  }
  if (!catalog::same_table_name(relation.name, name.table, how)) {
    return false;
  }
  return name.schema.empty() || catalog::same_table_name(relation.schema, name.schema, how);
}

std::optional<Lineage> QueryAnalyzer::find_joined(const Scope& scope, const ColumnName& name) const {
  if (!name.table.empty()) {
    return std::nullopt;
  }
  for (const JoinedColumn& column : scope.joined) {
    bool visible =
        column.places.front().relation >= scope.first_visible && column.places.back().relation < scope.end_visible;
    if (visible && catalog::same_name(column.name, name.column)) {
      Lineage lineage;
      for (const ColumnPlace& place : column.places) {
        lineage.add(scope.relations[place.relation].columns[place.column].lineage);
      }
      return lineage;
    }
  }
  return std::nullopt;
}

std::optional<Lineage> QueryAnalyzer::find_in(const Scope& scope, const ColumnName& name, bool& ambiguous) {
  if (auto joined = find_joined(scope, name)) {
    return joined;
  }
  std::optional<Lineage> found;
  std::vector<const Relation*> open;
  for (std::size_t i = scope.first_visible; i < scope.end_visible; ++i) {
    const Relation& relation = scope.relations[i];
    if (!name.table.empty() && !is_named(relation, name)) {
      continue;
    }
    bool is_here = false;
    for (const RelationColumn& column : relation.columns) {
      if (catalog::same_name(column.name, name.column)) {
        ambiguous = ambiguous || (found && !scope.output_aliases);
        Lineage both = found.value_or(Lineage{});
        both.add(column.lineage);
        found = std::move(both);
        is_here = true;
      }
    }
    if (!is_here && relation.open_table != nullptr) {
      open.push_back(&relation);
    }
  }
  if (found) {
    return found;
  }
  // It may be in any of the tables that are not known.
  for (const Relation* relation : open) {
    if (!found) {
      found.emplace();
      found->certain = false;
    }
    found->copied.add(*find_base_column(*relation, name.column));
  }
  return found;
}

Lineage QueryAnalyzer::resolve(const ColumnName& name, const Scope& scope, std::uint32_t offset) {
  for (const Scope* at = &scope; at != nullptr; at = at->outer) {
    bool ambiguous = false;
    auto found = find_in(*at, name, ambiguous);
    if (!found) {
      continue;
    }
    if (ambiguous) {
      doubt("column " + name.column + " is in several tables", offset);
      found->certain = false;
    }
    if (at->output_aliases) {
      // The alias, or a column of FROM: either may be meant.
      bool again = false;
      if (auto hidden = find_in(*at->outer, name, again)) {
        found->add(*hidden);
      }
    }
    facts_.reads.add(found->copied);
    return *found;
  }
  doubt("column " + (name.table.empty() ? "" : name.table + ".") + name.column + " is not found", offset);
  Lineage unknown;
  unknown.certain = false;
  return unknown;
}

}  // namespace sallyport::lineage
