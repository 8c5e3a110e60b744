// Bodies of stored functions: what they read.
#include <algorithm>
#include <utility>

#include "lineage/in_text.h"
#include "lineage/query_analyzer.h"

namespace sallyport::lineage {

using sql::Node;
using sql::NodeKind;
using sql::Role;

std::optional<Lineage> QueryAnalyzer::read_body(const catalog::Routine& routine) {
  if (auto known = bodies_.find(&routine); known != bodies_.end()) {
    return known->second;
  }
  bodies_[&routine] = std::nullopt;  // where it calls itself
  if (!routine.body || depth_ >= nesting_max) {
    return std::nullopt;
  }
  ProgramText program({.head = "CREATE FUNCTION f() RETURNS INT ",
                       .body = *routine.body,
                       .sql_mode = routine.sql_mode,
                       .schema = routine.schema},
                      input_.dialect);
  const Node* body = program.body();
  if (body == nullptr) {
    return std::nullopt;
  }
  InText in(*this, program.text());
  Scope variables;
  Relation names;
  for (const std::string& parameter : routine.parameters) {
    names.columns.push_back({.name = parameter, .lineage = {}});
  }
  collect_variables(*body, names);
  variables.relations.push_back(std::move(names));
  variables.end_visible = 1;
  SourceSet reads = std::exchange(facts_.reads, {});
  std::size_t doubts_before = facts_.doubts.size();
  Lineage found;
  bool followed = follow(*body, variables, found);
  found.copied.add(facts_.reads);
  found.certain = found.certain && facts_.doubts.size() == doubts_before;
  facts_.reads.add(reads);
  if (!followed) {
    return std::nullopt;
  }
  bodies_[&routine] = found;
  return found;
}

void QueryAnalyzer::collect_variables(const Node& node, Relation& into) const {
  for (const Node& child : sql::children(node)) {
    if (node.is(NodeKind::declare_variable) && child.role == Role::name) {
      into.columns.push_back({.name = name_of(child), .lineage = {}});
    }
    collect_variables(child, into);
  }
}

bool QueryAnalyzer::is_among(const Node& target, const Scope& variables) const {
  const Node* name = target.is(NodeKind::variable_name) && target.child(Role::qualifier) == nullptr
                         ? target.child(Role::name)
                         : nullptr;
  return name != nullptr &&
         std::any_of(variables.relations.begin(), variables.relations.end(), [&](const Relation& relation) {
           return std::any_of(relation.columns.begin(), relation.columns.end(), [&](const RelationColumn& column) {
             return catalog::same_name(column.name, name_of(*name));
           });
         });
}

// False where it does more than read.
bool QueryAnalyzer::follow(const Node& node, const Scope& variables, Lineage& into) {
  if (is_query(node)) {
    for (const RelationColumn& column : query(node, &variables)) {
      into.add(column.lineage);
    }
    return true;
  }
  switch (node.kind) {
    case NodeKind::column_reference:
    case NodeKind::function_call:
    case NodeKind::user_variable:
      into.add(expression(node, variables));
      return true;
    case NodeKind::insert:
    case NodeKind::replace:
    case NodeKind::update:
    case NodeKind::delete_:
    case NodeKind::create:
    case NodeKind::alter:
    case NodeKind::drop:
    case NodeKind::truncate:
    case NodeKind::call:
    case NodeKind::load:
    case NodeKind::handler:
    case NodeKind::prepare:
    case NodeKind::execute:
    case NodeKind::execute_immediate:
    case NodeKind::signal:
      return false;
    case NodeKind::variable_assignment:
      // Of a variable of its own.
      if (const Node* target = node.child(Role::target); target == nullptr || !is_among(*target, variables)) {
        return false;
      }
      break;
    default:
      break;
  }
  for (const Node& child : sql::children(node)) {
    if (!follow(child, variables, into)) {
      return false;
    }
  }
  return true;
}

}  // namespace sallyport::lineage
