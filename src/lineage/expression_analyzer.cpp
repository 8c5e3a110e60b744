// Expressions: what their values can carry.
#include <algorithm>
#include <array>
#include <utility>

#include "lineage/query_analyzer.h"
#include "lineage/restriction.h"
#include "sql/parse.h"

namespace sallyport::lineage {

using sql::Keyword;
using sql::Node;
using sql::NodeKind;
using sql::Operator;
using sql::Role;

Lineage QueryAnalyzer::expression(const Node& node, const Scope& scope) {
  switch (node.kind) {
    case NodeKind::literal:
    case NodeKind::temporal_literal:
    case NodeKind::parameter:
    case NodeKind::star:
    case NodeKind::keyword:
    case NodeKind::interval:
      return node.is(NodeKind::interval) ? expression(*node.child(Role::operand), scope) : Lineage{};
    case NodeKind::column_reference:
      return resolve(column_name(node), scope, node.begin);
    case NodeKind::default_of:
    case NodeKind::values_of:
      return resolve(column_name(*node.child(Role::column)), scope, node.begin);
    case NodeKind::user_variable:
    case NodeKind::system_variable:
      return variable(node);
    case NodeKind::assignment_expression: {
      Lineage value = expression(*node.child(Role::value), scope);
      std::string name(node.child(Role::target)->in(at_.text));
      assigned_[catalog::folded(name)].add(value);
      facts_.variables_written.push_back(name);
      facts_.flows.push_back({std::move(name), value});
      return value;
    }
    case NodeKind::subquery:
      return subquery(node, scope);
    case NodeKind::exists: {
      subquery(*node.child(Role::query), scope);
      return {};
    }
    case NodeKind::parentheses:
      if (node.first != nullptr && node.first->next == nullptr) {
        return expression(*node.first, scope);
      }
      break;
    case NodeKind::collate:
    case NodeKind::odbc_escape:
      return expression(*node.child(Role::operand), scope);
    case NodeKind::unary:
      if (node.as<Operator>() == Operator::plus || node.as<Operator>() == Operator::binary) {
        return expression(*node.child(Role::operand), scope);
      }
      break;
    case NodeKind::case_:
      return branches(node, scope);
    case NodeKind::function_call:
      return function_call(node, scope);
    case NodeKind::in:
    case NodeKind::quantified_comparison:
      if (const Node* query_node = node.child(Role::query)) {
        Lineage tested = expression(*node.child(Role::operand), scope);
        Lineage found;
        found.add_derived(tested);
        found.add_derived(subquery(*query_node, scope));
        return found;
      }
      break;
    case NodeKind::sequence_value:
      note_object(ObjectType::table, "sequence", *node.child(Role::sequence), access::read | access::update);
      return {};
    default:
      break;
  }
  // Anything else computes from what is in it.
  Lineage found;
  for (const Node& child : sql::children(node)) {
    if (child.role != Role::function && child.role != Role::name && child.role != Role::type) {
      found.add_derived(expression(child, scope));
    }
  }
  return found;
}

// CASE: the values pass, the conditions decide.
Lineage QueryAnalyzer::branches(const Node& node, const Scope& scope) {
  Lineage found;
  for (const Node& child : sql::children(node)) {
    if (child.role == Role::value || child.role == Role::otherwise) {
      found.add(expression(child, scope));
    } else {
      influence(child, scope);
    }
  }
  return found;
}

Lineage QueryAnalyzer::subquery(const Node& node, const Scope& scope) {
  Lineage found;
  for (const RelationColumn& column : query(node, &scope)) {
    found.add(column.lineage);
  }
  return found;
}

Lineage QueryAnalyzer::variable(const Node& node) {
  std::string name(node.in(at_.text));
  facts_.variables_read.push_back(name);
  Lineage found;
  if (node.is(NodeKind::system_variable)) {
    return found;
  }
  // What earlier statements have set is not seen here; and those of one statement are set in no certain order.
  found.variables = true;
  found.certain = false;
  for (const auto& [other, lineage] : assigned_) {
    found.add(lineage);
  }
  return found;
}

Lineage QueryAnalyzer::arguments(const Node& node, const Scope& scope) {
  Lineage found;
  for (const Node& child : sql::children(node)) {
    if (child.role == Role::argument) {
      found.add(expression(child.is(NodeKind::named_argument) ? *child.child(Role::value) : child, scope));
    } else if (child.role == Role::order_by) {
      for (const Node& item : sql::children(child)) {
        influence(*item.child(Role::operand), scope);
      }
    } else if (child.role == Role::window && child.is(NodeKind::window)) {
      window(child, scope);
    }
  }
  return found;
}

void QueryAnalyzer::window(const Node& node, const Scope& scope) {
  for (const Node& child : sql::children(node)) {
    if (child.role == Role::partition_by || child.role == Role::order_by) {
      for (const Node& item : sql::children(child)) {
        influence(*item.child(Role::operand), scope);
      }
    } else if (child.role == Role::frame) {
      for (const Node& bound : sql::children(child)) {
        if (const Node* operand = bound.child(Role::operand)) {
          influence(*operand, scope);
        }
      }
    }
  }
}

Lineage QueryAnalyzer::function_call(const Node& node, const Scope& scope) {
  const Node& name = *node.child(Role::function);
  bool is_plain_name = name.is(NodeKind::name);
  std::string text = is_plain_name ? name_of(name) : name_of(*name.child(Role::name));
  bool qualified = !is_plain_name && name.child(Role::qualifier) != nullptr;
  auto builtin = qualified ? std::nullopt : find_builtin(text, at_.dialect.server);
  // A name with a blank behind it that is a keyword of the lexer's only without one.
  bool is_blank_call = !is_plain_name && node.keyword() == Keyword::no_keyword && builtin &&
                       sql::find_keyword(text) != Keyword::no_keyword;
  if (!builtin || is_blank_call) {
    return stored_function(name, node, scope);
  }
  if (std::find(facts_.functions.begin(), facts_.functions.end(), text) == facts_.functions.end()) {
    facts_.functions.push_back(text);
    if ((*builtin & (function_trait::side_effect | function_trait::reads_file)) != 0) {
      facts_.marked_functions.push_back(text);
    }
  }
  if (node.keyword() == Keyword::if_ || catalog::same_name(text, "NVL2")) {
    // The first one decides.
    Lineage found;
    bool first = true;
    for (const Node& child : sql::children(node)) {
      if (child.role == Role::argument) {
        Lineage one = expression(child, scope);
        if (first) {
          influence(one);
        } else {
          found.add(one);
        }
        first = false;
      }
    }
    return found;
  }
  Lineage passed = arguments(node, scope);
  if ((*builtin & function_trait::passes_value) != 0) {
    if ((*builtin & function_trait::compares) != 0) {
      passed.add_derived(Lineage(passed));
    }
    return passed;
  }
  Lineage found;
  found.add_derived(passed);
  if (node.child(Role::argument) != nullptr && catalog::same_name(text, "LAST_INSERT_ID")) {
    // The session keeps it, as it does a user variable.
    facts_.flows.push_back({"LAST_INSERT_ID()", found});
  }
  return found;
}

// Everything that its body reads may be in its value, and so may its arguments.
Lineage QueryAnalyzer::stored_function(const Node& name, const Node& call, const Scope& scope) {
  Lineage found = arguments(call, scope);
  if (!name.is(NodeKind::object_name)) {
    found.certain = false;
    return found;
  }
  Object& object = note_object(ObjectType::function, "function", name, access::execute);
  std::string full_name = object.schema + (object.schema.empty() ? "" : ".") + object.name;
  const auto* routine = input_.catalogue.find_routine(catalog::Routine::Kind::function, object.schema, object.name);
  object.known = routine != nullptr;
  if (routine == nullptr || !routine->body) {
    found.certain = false;
    doubt("function " + full_name + (routine == nullptr ? " is not in the catalogue" : " can't be seen"), call.begin);
    return found;
  }
  auto read = read_body(*routine);
  if (!read) {
    read = run_function_("function " + full_name, *routine, found);
  }
  if (!read) {
    found.certain = false;
    return found;
  }
  if (call.child(Role::argument) != nullptr) {
    facts_.computed.add(read->copied);  // an argument may have met it there
  }
  found.add(*read);
  return found;
}

bool QueryAnalyzer::restricts(const Node& condition, const Scope& scope) {
  return lineage::restricts(condition, at_.text, [&](const Node& reference) -> const catalog::Column* {
    bool ambiguous = false;
    auto found = find_in(scope, column_name(reference), ambiguous);
    bool is_one = found && !ambiguous && found->certain && found->copied.size() == 1 && found->derived.empty();
    // Behind an outer join a column can be NULL whatever its definition says.
    return is_one && scope.relations.size() == 1 ? &found->copied.begin()->definition() : nullptr;
  });
}

}  // namespace sallyport::lineage
