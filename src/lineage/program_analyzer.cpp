// What stored programs do, and what changes with a table: procedures, triggers, cascades.
#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "lineage/in_text.h"
#include "lineage/statement_analyzer.h"

namespace sallyport::lineage {
namespace {

using sql::Keyword;
using sql::Node;
using sql::NodeKind;
using sql::Role;

constexpr int programs_max = 64;  // of those that a statement runs
constexpr int depth_max = 16;     // of programs that run others
constexpr Access row_changes = access::insert | access::update | access::remove;

struct Event {
  Access change;
  std::string_view name;
};
constexpr std::array<Event, 3> events{
    {{access::insert, "INSERT"}, {access::update, "UPDATE"}, {access::remove, "DELETE"}}};

bool has_name(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& one) { return catalog::same_name(one, name); });
}

bool has_into(const Node& query) {
  const Node* body = query.child(Role::body);
  return query.child(Role::into) != nullptr || (body != nullptr && body->child(Role::into) != nullptr);
}

// Names of variables, cursors' parameters among them: they hide no table, and stand for anything that was read.
void collect_names(const Node& node, const QueryAnalyzer& queries, Relation& into) {
  for (const Node& child : sql::children(node)) {
    bool is_declared =
        child.role == Role::name &&
        (node.is(NodeKind::declare_variable) || node.is(NodeKind::routine_parameter) || node.is(NodeKind::for_loop));
    if (is_declared) {
      into.columns.push_back({.name = queries.name_of(child), .lineage = {}});
    }
    collect_names(child, queries, into);
  }
}

}  // namespace

std::optional<Lineage> StatementAnalyzer::run(Program program) {
  auto give_up = [&](std::string_view why) {
    queries_.doubt(program.what + std::string(why), 0);
    facts_.influences_certain = false;
    return std::nullopt;
  };
  if (program.source.body.empty()) {
    return give_up(" can't be seen");
  }
  if (++programs_ > programs_max || queries_.depth() >= depth_max) {
    return give_up(" is not followed: too many programs run others");
  }
  ProgramText text(program.source, input_.dialect);
  const Node* body = text.body();
  if (body == nullptr) {
    return give_up(" is not understood");
  }
  InText in(queries_, text.text());
  Scope names;
  names.relations = std::move(program.names);
  Relation variables;
  collect_names(*body, queries_, variables);
  names.relations.push_back(std::move(variables));
  names.end_visible = names.relations.size();
  // What belongs to the statement alone stays as it is.
  std::vector<OutputColumn> output = std::exchange(facts_.output, {});
  bool has_where = facts_.has_where;
  bool where_restricts = facts_.where_restricts;
  bool has_limit = facts_.has_limit;
  const Scope* outer = std::exchange(outer_, nullptr);
  SourceSet reads_before = std::exchange(facts_.reads, {});
  std::size_t first_flow = facts_.flows.size();
  bool followed = follow(*body, names);
  facts_.computed.add(facts_.reads);  // what it was given may have met these
  Lineage all = std::move(program.given);
  all.copied.add(facts_.reads);
  for (OutputColumn& column : std::exchange(facts_.output, std::move(output))) {  // of RETURNING
    facts_.output_certain = false;
    facts_.flows.push_back({"result set", std::move(column.lineage)});
  }
  for (std::size_t i = first_flow; i < facts_.flows.size(); ++i) {
    facts_.flows[i].lineage.add(all);
  }
  facts_.reads.add(reads_before);
  facts_.has_where = has_where;
  facts_.where_restricts = where_restricts;
  facts_.has_limit = has_limit;
  outer_ = outer;
  if (!followed) {
    return give_up(" does what is not followed");
  }
  return all;
}

std::optional<Lineage> StatementAnalyzer::run_function(std::string what, const catalog::Routine& function,
                                                       Lineage given) {
  Relation parameters;
  for (const std::string& parameter : function.parameters) {
    parameters.columns.push_back({.name = parameter, .lineage = {}});
  }
  return run({.what = std::move(what),
              .source = {.head = "CREATE FUNCTION f() RETURNS INT ",
                         .body = *function.body,
                         .sql_mode = function.sql_mode,
                         .schema = function.schema},
              .names = {std::move(parameters)},
              .given = std::move(given)});
}

bool StatementAnalyzer::follow(const Node& node, const Scope& names) {
  if (is_query(node)) {
    return follow_query(node, names);
  }
  switch (node.kind) {
    case NodeKind::block:
    case NodeKind::statements:
    case NodeKind::if_:
    case NodeKind::loop:
    case NodeKind::case_statement:
    case NodeKind::for_loop:
    case NodeKind::declare_handler:
    case NodeKind::declare_variable:
    case NodeKind::declare_cursor:
    case NodeKind::cursor_operation:
    case NodeKind::return_:
    case NodeKind::do_:
    case NodeKind::transaction:
      return follow_children(node, names);
    case NodeKind::declare_condition:
    case NodeKind::jump:
      return true;
    case NodeKind::set:
      return follow_set(node, names);
    case NodeKind::insert:
    case NodeKind::replace:
    case NodeKind::update:
    case NodeKind::delete_:
    case NodeKind::call:
      return follow_changing(node, names);
    case NodeKind::signal:
      for (const Node& option : sql::children(node)) {
        if (const Node* value = option.child(Role::value)) {
          facts_.flows.push_back({"message", queries_.expression(*value, names)});
        }
      }
      return true;
    default:
      return false;
  }
}

// Statements within it, and what it looks at to decide.
bool StatementAnalyzer::follow_children(const Node& node, const Scope& names) {
  for (const Node& child : sql::children(node)) {
    switch (child.role) {
      case Role::statement:
      case Role::body:
      case Role::otherwise:
      case Role::declaration:
        if (!follow(child, names)) {
          return false;
        }
        break;
      case Role::query: {
        Lineage row;
        const Node& query = child.is(NodeKind::subquery) ? *child.child(Role::query) : child;
        for (const RelationColumn& column : queries_.query(query, &names)) {
          row.add(column.lineage);
        }
        queries_.influence(row);  // whether there is one
        break;
      }
      case Role::cursor:
        if (child.is(NodeKind::cursor_operation) && !follow(child, names)) {
          return false;
        }
        break;
      case Role::condition:
      case Role::operand:
      case Role::value:
      case Role::argument:
      case Role::low:
      case Role::high:
        queries_.influence(child, names);
        break;
      case Role::item:
        if (const Node* operand = child.child(Role::operand)) {
          queries_.influence(*operand, names);
        }
        break;
      default:
        break;  // names, labels, types, targets of FETCH
    }
  }
  return true;
}

void StatementAnalyzer::result_set(const QueryAnalyzer::Columns& columns) {
  facts_.output_certain = false;
  for (const RelationColumn& column : columns) {
    facts_.flows.push_back({"result set", column.lineage});
  }
}

bool StatementAnalyzer::follow_query(const Node& node, const Scope& names) {
  auto columns = queries_.query(node, &names);
  if (!has_into(node)) {
    result_set(columns);
  }
  return true;
}

// SET v = 1, NEW.a = 2, @x = 3.
bool StatementAnalyzer::follow_set(const Node& node, const Scope& names) {
  for (const Node& item : sql::children(node)) {
    const Node* target = item.child(Role::target);
    const Node* value = item.child(Role::value);
    if (!item.is(NodeKind::variable_assignment) || target == nullptr || value == nullptr) {
      return false;
    }
    Lineage lineage = value->is(NodeKind::keyword) ? Lineage{} : queries_.expression(*value, names);
    std::string written(target->in(queries_.text()));
    if (target->is(NodeKind::user_variable)) {
      facts_.variables_written.push_back(written);
      facts_.flows.push_back({std::move(written), std::move(lineage)});
      continue;
    }
    const Node* qualifier = target->child(Role::qualifier);
    std::string row = qualifier == nullptr ? std::string{} : catalog::folded(queries_.name_of(*qualifier));
    auto has_it = [&](const Relation& relation) {
      return !relation.is_row &&
             std::any_of(relation.columns.begin(), relation.columns.end(), [&](const RelationColumn& column) {
               return catalog::same_name(column.name, queries_.name_of(*target->child(Role::name)));
             });
    };
    bool is_variable = target->is(NodeKind::variable_name) && qualifier == nullptr &&
                       std::any_of(names.relations.begin(), names.relations.end(), has_it);
    if (row == "new") {
      auto column = queries_.column_name(*target);
      Lineage place = queries_.resolve(column, names, target->begin);
      if (place.copied.size() != 1) {
        return false;
      }
      write({}, *place.copied.begin(), std::move(lineage));
    } else if (!is_variable) {
      facts_.changes_session = true;  // a variable of the server's, or what SET has besides
      facts_.flows.push_back({std::move(written), std::move(lineage)});
      return false;
    }
  }
  return true;
}

bool StatementAnalyzer::follow_changing(const Node& node, const Scope& names) {
  const Scope* outer = std::exchange(outer_, &names);
  switch (node.kind) {
    case NodeKind::update:
      update(node);
      break;
    case NodeKind::delete_:
      remove(node);
      break;
    case NodeKind::call:
      call(node, names);
      break;
    default:
      insert(node);
  }
  outer_ = outer;
  return true;
}

void StatementAnalyzer::call(const Node& root, const Scope& scope) {
  const Node& name = *root.child(Role::routine);
  Object object = queries_.note_object(ObjectType::procedure, "procedure", name, access::execute);
  const auto* routine = input_.catalogue.find_routine(catalog::Routine::Kind::procedure, object.schema, object.name);
  std::string what = "procedure " + object.schema + (object.schema.empty() ? "" : ".") + object.name;
  Relation parameters;
  Lineage given;
  std::vector<std::string> targets;  // that OUT parameters may be written to
  std::size_t at = 0;
  for (const Node& child : sql::children(root)) {
    if (child.role != Role::argument) {
      continue;
    }
    given.add(queries_.expression(child, scope));
    if (child.is(NodeKind::user_variable)) {
      targets.emplace_back(child.in(queries_.text()));
    } else if (child.is(NodeKind::parameter)) {
      facts_.output_certain = false;  // the client is given it
      targets.emplace_back("parameter " + std::to_string(at + 1));
    }
    ++at;
  }
  if (routine == nullptr || !routine->body || routine->parameters.size() != at) {
    queries_.doubt(what + (routine == nullptr ? " is not in the catalogue" : " can't be followed"), name.begin);
    facts_.output_certain = facts_.influences_certain = false;
    queries_.influence(given);
    return;
  }
  for (const std::string& parameter : routine->parameters) {
    parameters.columns.push_back({.name = parameter, .lineage = {}});
  }
  auto all = run({.what = what,
                  .source = {.head = "CREATE PROCEDURE p() ",
                             .body = *routine->body,
                             .sql_mode = routine->sql_mode,
                             .schema = routine->schema},
                  .names = {std::move(parameters)},
                  .given = given});
  if (!all) {
    facts_.output_certain = false;
    all = std::move(given);
    all->certain = false;
  }
  for (std::string& target : targets) {
    if (target.front() == '@') {
      facts_.variables_written.push_back(target);
    }
    facts_.flows.push_back({std::move(target), *all});
  }
}

void StatementAnalyzer::follow_changes(const Node& root) {
  std::set<std::pair<const catalog::Table*, Access>> done;
  // What is followed may change more.
  for (std::size_t i = 0; i < facts_.objects.size(); ++i) {
    Object object = facts_.objects[i];
    const catalog::Table* table =
        object.type == ObjectType::table && (object.access & (row_changes | access::alter)) != 0
            ? input_.catalogue.find_table(object.schema, object.name)
            : nullptr;
    if (table == nullptr) {
      continue;
    }
    // Without an index no row is too much.
    bool checks_rows = (object.access & access::alter) != 0 && !root.is(NodeKind::drop);
    if (checks_rows && done.insert({table, access::alter}).second) {
      follow_rows(*table);
    }
    for (const Event& event : events) {
      if ((object.access & event.change) == 0 || !done.insert({table, event.change}).second) {
        continue;
      }
      follow_cascades(*table, event.change);
      follow_keys(*table, event.change);
      follow_triggers(*table, event.name, root.begin);
      i = static_cast<std::size_t>(-1);  // once more from the start
    }
  }
}

// What the statement has written there so far.
Lineage StatementAnalyzer::flows_into(const catalog::Table& table) const {
  std::string prefix = table.schema + "." + table.name + ".";
  Lineage found;
  for (const Flow& flow : facts_.flows) {
    if (flow.target.starts_with(prefix)) {
      found.add(flow.lineage);
    }
  }
  return found;
}

void StatementAnalyzer::follow_triggers(const catalog::Table& table, std::string_view event, std::uint32_t offset) {
  if (table.kind == catalog::Table::Kind::view) {
    // Which of the tables behind it is written is not asked.
    for (const Object& object : std::vector<Object>(facts_.objects)) {
      const catalog::Table* behind = input_.catalogue.find_table(object.schema, object.name);
      if (object.type == ObjectType::table && behind != nullptr && !behind->triggers.empty()) {
        queries_.doubt("triggers of " + object.name + " are not followed, as it is written through a view", offset);
      }
    }
    return;
  }
  for (const catalog::Trigger& trigger : table.triggers) {
    if (!catalog::same_name(trigger.event, event)) {
      continue;
    }
    Relation new_row{.schema = {}, .name = "NEW", .columns = {}, .is_row = true};
    for (std::uint32_t i = 0; i < table.columns.size(); ++i) {
      RelationColumn column{.name = table.columns[i].name, .lineage = {}};
      column.lineage.copied.add({&table, i});
      new_row.columns.push_back(std::move(column));
    }
    Relation old_row = new_row;
    old_row.name = "OLD";
    run({.what = "trigger " + table.schema + "." + trigger.name,
         .source = {.head = "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW ",
                    .body = trigger.body,
                    .sql_mode = trigger.sql_mode,
                    .schema = table.schema},
         .names = {std::move(new_row), std::move(old_row)},
         .given = flows_into(table)});
  }
}

bool StatementAnalyzer::writes(const catalog::Table& table, std::string_view column) const {
  return std::any_of(facts_.writes.begin(), facts_.writes.end(), [&](const Source& source) {
    return source.table == &table && catalog::same_name(source.definition().name, column);
  });
}

// ALTER TABLE and CREATE INDEX go over all rows: "Duplicate entry 'x' for key", "Incorrect integer value: 'x'".
void StatementAnalyzer::follow_rows(const catalog::Table& table) {
  if (table.kind == catalog::Table::Kind::base) {
    for (const RelationColumn& column : queries_.columns_of(table)) {
      queries_.influence(column.lineage);
    }
  }
}

void StatementAnalyzer::influence_named(const catalog::Table& table, const std::vector<std::string>& names) {
  for (const RelationColumn& column : queries_.columns_of(table)) {
    if (has_name(names, column.name)) {
      queries_.influence(column.lineage);
    }
  }
}

// Whether another row has the key; the error of one that is changed in part has all of it.
void StatementAnalyzer::follow_keys(const catalog::Table& table, Access change) {
  if (table.kind != catalog::Table::Kind::base || change == access::remove) {
    return;
  }
  QueryAnalyzer::Columns columns = queries_.columns_of(table);
  for (const catalog::Key& key : table.keys) {
    // Which columns an expression has is not asked.
    bool is_hit = change == access::insert || !key.expressions.empty();
    for (std::size_t i = 0; i < columns.size() && !is_hit; ++i) {
      is_hit =
          has_name(key.columns, columns[i].name) && (writes(table, columns[i].name) || table.columns[i].generated_from);
    }
    for (const RelationColumn& column : columns) {
      if (key.unique && is_hit && (has_name(key.columns, column.name) || !key.expressions.empty())) {
        queries_.influence(column.lineage);
      }
    }
  }
  for (const catalog::ForeignKey& key : table.foreign_keys) {
    bool is_hit = change == access::insert || std::any_of(key.columns.begin(), key.columns.end(),
                                                          [&](const std::string& one) { return writes(table, one); });
    if (const catalog::Table* parent = is_hit ? input_.catalogue.find_table(key.schema, key.table) : nullptr) {
      influence_named(*parent, key.referred_columns);
    }
  }
}

// Rows that refer to those that change change with them.
void StatementAnalyzer::follow_cascades(const catalog::Table& table, Access change) {
  if (change == access::insert) {
    return;
  }
  for (const catalog::Table* other : input_.catalogue.referring_to(table)) {
    for (const catalog::ForeignKey& key : other->foreign_keys) {
      bool is_of_table = catalog::same_table_name(key.schema, table.schema, input_.catalogue.table_names()) &&
                         catalog::same_table_name(key.table, table.name, input_.catalogue.table_names());
      if (!is_of_table) {
        continue;
      }
      auto changes = [&](const std::string& name) { return writes(table, name); };
      if (change == access::update && std::none_of(key.referred_columns.begin(), key.referred_columns.end(), changes)) {
        continue;
      }
      influence_named(*other, key.columns);  // a row there can be in the way
      if (!key.cascades) {
        continue;
      }
      auto known = std::find_if(facts_.objects.begin(), facts_.objects.end(), [&](const Object& object) {
        return object.type == ObjectType::table && object.schema == other->schema && object.name == other->name;
      });
      Access how = change == access::update ? access::update : access::update | access::remove;
      if (known == facts_.objects.end()) {
        facts_.objects.push_back({.type = ObjectType::table,
                                  .type_name = "table",
                                  .schema = other->schema,
                                  .name = other->name,
                                  .access = how});
      } else {
        known->access |= how;
      }
      for (std::uint32_t i = 0; i < other->columns.size(); ++i) {
        const std::string& column = other->columns[i].name;
        if (std::find(key.columns.begin(), key.columns.end(), column) != key.columns.end()) {
          write({}, Source{.table = other, .column = i}, flows_into(table));
        }
      }
    }
  }
}

}  // namespace sallyport::lineage
