#include "lineage/analyzer.h"

#include <algorithm>
#include <utility>

#include "lineage/statement_analyzer.h"

namespace sallyport::lineage {
namespace {

using sql::Keyword;
using sql::Node;
using sql::NodeKind;
using sql::Role;

std::string lower(std::string_view text) {
  return catalog::folded(text);
}

bool has_body(Keyword created) {
  return created == Keyword::trigger || created == Keyword::procedure || created == Keyword::function ||
         created == Keyword::event;
}

constexpr const char* body_not_followed = "what its body does is not followed";
constexpr const char* moves = "what was read by one name may be read by another now";

// While it lives, names without a schema are of that one, if there is one.
class InSchema {
 public:
  InSchema(QueryAnalyzer& queries, const Node* schema) : queries_(queries) {
    if (schema != nullptr) {
      before_ = queries.set_database(queries.name_of(*schema));
    }
  }
  ~InSchema() {
    if (before_) {
      queries_.set_database(*std::move(before_));
    }
  }
  InSchema(const InSchema&) = delete;
  InSchema& operator=(const InSchema&) = delete;

 private:
  QueryAnalyzer& queries_;
  std::optional<std::string> before_;
};

bool names_table(const Node& node) {
  return node.is(NodeKind::object_name) && node.keyword() == Keyword::table;
}

// Those that a statement means that names none.
std::vector<std::string> visible_columns(const Relation& target) {
  std::vector<std::string> names;
  for (const RelationColumn& column : target.columns) {
    if (!column.invisible) {
      names.push_back(column.name);
    }
  }
  return names;
}

}  // namespace

void StatementAnalyzer::output(QueryAnalyzer::Columns columns) {
  for (RelationColumn& column : columns) {
    facts_.output.push_back({std::move(column.name), std::move(column.lineage)});
  }
}

void StatementAnalyzer::statement(const Node& root) {
  if (is_query(root)) {
    const Node* select = root.child(Role::body);
    const Node* condition = select == nullptr ? nullptr : select->child(Role::where);
    facts_.has_where = condition != nullptr;
    queries_.set_whole(select);
    output(queries_.query(root, nullptr));
    return;
  }
  switch (root.kind) {
    case NodeKind::insert:
    case NodeKind::replace:
      insert(root);
      break;
    case NodeKind::update:
      update(root);
      break;
    case NodeKind::delete_:
      remove(root);
      break;
    case NodeKind::load:
      load(root);
      break;
    case NodeKind::call:
      call(root, Scope{});
      break;
    case NodeKind::do_: {
      Scope scope;
      for (const Node& item : sql::children(root)) {
        if (const Node* value = item.child(Role::operand)) {
          queries_.influence(*value, scope);
        }
      }
      break;
    }
    case NodeKind::prepare:
    case NodeKind::execute:
    case NodeKind::execute_immediate:
      facts_.dynamic_sql = true;
      facts_.output_certain = facts_.influences_certain = false;
      other(root, access::execute);
      break;
    case NodeKind::explain:
      // What it tells of the values, constants of the optimizer among it, can't be told apart.
      facts_.output_certain = false;
      if (const Node* explained = root.child(Role::statement)) {
        InSchema in_schema(queries_, root.child(Role::schema));
        statement(*explained);
        for (OutputColumn& column : std::exchange(facts_.output, {})) {
          queries_.influence(column.lineage);
        }
      } else {
        other(root, access::read);
      }
      break;
    case NodeKind::create:
      facts_.implicit_commit = true;
      other(root, access::create);
      if (root.keyword() == Keyword::index) {
        queries_.relation_of(*root.child(Role::table), access::alter);
      } else if (root.keyword() == Keyword::table) {
        define_columns(root);
      }
      if (has_body(root.keyword())) {
        queries_.doubt(body_not_followed, root.begin);
      }
      break;
    case NodeKind::alter:
      facts_.implicit_commit = true;
      if (root.keyword() == Keyword::table) {
        alter_table(root);
      }
      other(root, access::alter);
      if (root.keyword() == Keyword::event && root.child(Role::body) != nullptr) {
        queries_.doubt(body_not_followed, root.begin);
      }
      break;
    case NodeKind::rename:
      facts_.implicit_commit = true;
      other(root, access::alter);
      for (const Node& pair : sql::children(root)) {
        if (const Node* from = pair.child(Role::from); from != nullptr && names_table(*from)) {
          queries_.doubt(moves, pair.begin);
        }
      }
      break;
    case NodeKind::drop:
      facts_.implicit_commit = true;
      other(root, access::drop);
      if (root.keyword() == Keyword::index) {
        queries_.relation_of(*root.child(Role::table), access::alter);
      }
      break;
    case NodeKind::truncate:
      facts_.implicit_commit = true;
      queries_.relation_of(*root.child(Role::table), access::remove | access::drop);
      break;
    case NodeKind::set:
    case NodeKind::set_statement:
      set(root);
      break;
    case NodeKind::set_names:
    case NodeKind::set_charset:
    case NodeKind::set_role:
    case NodeKind::set_transaction:
    case NodeKind::use:
      facts_.changes_session = true;
      other(root, access::read);
      break;
    case NodeKind::show: {
      // SHOW COLUMNS FROM t FROM s
      facts_.output_certain = false;
      const Node* table = root.child(Role::table);
      const Node* schema = root.child(Role::schema);
      if (table != nullptr && schema != nullptr && table->child(Role::qualifier) != nullptr) {
        queries_.doubt("the table is said to be of two schemas", root.begin);
      }
      InSchema in_schema(queries_, schema);
      other(root, access::read);
      break;
    }
    default:
      facts_.output_certain = false;
      other(root, access::read);
  }
}

void StatementAnalyzer::where(const Node& root, const Scope& scope) {
  const Node* condition = root.child(Role::where);
  facts_.has_where = condition != nullptr;
  facts_.where_restricts = condition != nullptr && queries_.restricts(*condition, scope);
  if (condition != nullptr) {
    queries_.influence(*condition, scope);
  }
}

void StatementAnalyzer::order(const Node& root, const Scope& scope) {
  facts_.has_limit = root.child(Role::limit) != nullptr;
  if (const Node* list = root.child(Role::order_by)) {
    for (const Node& item : sql::children(*list)) {
      queries_.influence(*item.child(Role::operand), scope);
    }
  }
}

void StatementAnalyzer::write(const std::string& target, const std::optional<Source>& source, Lineage lineage) {
  if (source) {
    facts_.writes.add(*source);
  }
  facts_.flows.push_back({source ? text_of(*source) : target, std::move(lineage)});
}

// Through a view it is the table behind it that is written.
void StatementAnalyzer::note_write(const Source& source, Access how) {
  for (Object& object : facts_.objects) {
    if (object.schema == source.table->schema && object.name == source.table->name) {
      object.access |= how;
    }
  }
}

// a = x: what x carries flows into a.
void StatementAnalyzer::assign(const Node& assignment, const Scope& targets, const Scope& values, Access how) {
  const Node& target = *assignment.child(Role::target);
  const Node& value = *assignment.child(Role::value);
  Lineage lineage = value.is(NodeKind::keyword) ? Lineage{} : queries_.expression(value, values);
  Lineage place = queries_.resolve(queries_.column_name(target), targets, target.begin);
  for (const Source& source : place.copied) {
    note_write(source, how);
    write({}, source, lineage);
  }
  if (place.copied.empty()) {
    write(std::string(target.in(queries_.text())), std::nullopt, std::move(lineage));
  }
}

void StatementAnalyzer::returning(const Node& root, const Scope& scope) {
  QueryAnalyzer::Columns columns;
  queries_.select_items(root, scope, columns);
  output(std::move(columns));
}

// Through a view into the columns that it shows.
void StatementAnalyzer::write_named(const Relation& target, const std::string& name, Access how, Lineage lineage) {
  auto column = std::find_if(target.columns.begin(), target.columns.end(), [&](const RelationColumn& one) {
    return catalog::same_name(one.name, name) && !one.lineage.copied.empty();
  });
  if (column != target.columns.end()) {
    for (const Source& source : column->lineage.copied) {
      note_write(source, how);
      write({}, source, lineage);
    }
    return;
  }
  write(target.name + "." + name, queries_.find_base_column(target, name), std::move(lineage));
}

void StatementAnalyzer::insert(const Node& root) {
  const Node& table = *root.child(Role::table);
  Access how = root.is(NodeKind::replace) ? access::insert | access::remove : access::insert;
  Scope scope{.outer = outer_, .relations = {}, .joined = {}};
  scope.relations.push_back(queries_.relation_of(table, static_cast<Access>(how)));
  scope.end_visible = 1;
  const Relation& target = scope.relations[0];
  std::vector<std::string> names;
  if (const Node* list = root.child(Role::columns)) {
    for (const Node& column : sql::children(*list)) {
      names.push_back(queries_.column_name(column).column);
    }
  }
  if (names.empty()) {
    names = visible_columns(target);
  }
  auto flow = [&](std::size_t at, Lineage lineage) {
    write_named(target, at < names.size() ? names[at] : "column " + std::to_string(at + 1), how, std::move(lineage));
  };
  if (const Node* values = root.child(Role::values)) {
    for (const Node& row : sql::children(*values)) {
      std::size_t at = 0;
      for (const Node& cell : sql::children(row)) {
        flow(at++, cell.is(NodeKind::keyword) ? Lineage{} : queries_.expression(cell, scope));
      }
    }
  }
  if (const Node* query = root.child(Role::query)) {
    std::size_t at = 0;
    for (RelationColumn& column : queries_.query(*query, outer_)) {
      flow(at++, std::move(column.lineage));
    }
  }
  for (const Node& child : sql::children(root)) {
    if (child.role == Role::assignment) {
      assign(child, scope, scope, access::insert);
    } else if (child.role == Role::on_duplicate) {
      // Whether a key of the table is taken decides what happens.
      for (const RelationColumn& column : target.columns) {
        facts_.influences.add(column.lineage.copied);
      }
      Scope both = scope;
      if (const Node* alias = root.child(Role::alias)) {
        Relation row{.schema = {}, .name = queries_.name_of(*alias->child(Role::name)), .columns = target.columns};
        both.relations.push_back(std::move(row));
        both.end_visible = 2;
      }
      for (const Node& assignment : sql::children(child)) {
        assign(assignment, scope, both, access::update);
      }
    }
  }
  returning(root, scope);
}

void StatementAnalyzer::update(const Node& root) {
  if (const Node* with = root.child(Role::with)) {
    queries_.with(*with, outer_);
  }
  Scope scope{.outer = outer_, .relations = {}, .joined = {}};
  queries_.from(*root.child(Role::from), scope);
  for (const Node& child : sql::children(root)) {
    if (child.role == Role::assignment) {
      assign(child, scope, scope, access::update);
    }
  }
  where(root, scope);
  order(root, scope);
}

void StatementAnalyzer::remove(const Node& root) {
  if (const Node* with = root.child(Role::with)) {
    queries_.with(*with, outer_);
  }
  Scope scope{.outer = outer_, .relations = {}, .joined = {}};
  queries_.from(*root.child(Role::from), scope);
  for (Object& object : facts_.objects) {
    // Which of several is named by an alias perhaps: all may be meant.
    object.access |= object.type == ObjectType::table ? access::remove : 0;
  }
  where(root, scope);
  order(root, scope);
  returning(root, scope);
}

void StatementAnalyzer::load(const Node& root) {
  const Node& file = *root.child(Role::file);
  facts_.files_read.emplace_back(file.in(queries_.text()));
  Scope scope;
  const Node* option = root.child(Role::option);
  bool replaces = option != nullptr && option->keyword() == Keyword::replace;
  Access how = replaces ? access::insert | access::remove : access::insert;
  scope.relations.push_back(queries_.relation_of(*root.child(Role::table), how));
  scope.end_visible = 1;
  const Relation& target = scope.relations[0];
  if (const Node* list = root.child(Role::columns)) {
    for (const Node& place : sql::children(*list)) {
      if (place.is(NodeKind::user_variable)) {
        std::string name(place.in(queries_.text()));
        facts_.variables_written.push_back(name);
        facts_.flows.push_back({std::move(name), {}});
      } else {
        write_named(target, queries_.column_name(place).column, how, {});
      }
    }
  } else {
    for (const std::string& name : visible_columns(target)) {
      write_named(target, name, how, {});
    }
  }
  for (const Node& child : sql::children(root)) {
    if (child.role == Role::assignment) {
      assign(child, scope, scope, access::insert);
    }
  }
}

// Rows, or a column's values, can become those of a table or a column of another name.
void StatementAnalyzer::alter_table(const Node& root) {
  queries_.relation_of(*root.child(Role::name), access::alter);
  for (const Node& action : sql::children(root)) {
    for (const Node& child : sql::children(action)) {
      bool is_other = (child.role == Role::table || child.role == Role::into) &&
                      (names_table(child) || (child.is(NodeKind::object_name) && child.keyword() == Keyword::column));
      bool is_changed = child.is(NodeKind::column_definition) && action.child(Role::column) != nullptr &&
                        !catalog::same_name(queries_.name_of(*action.child(Role::column)),
                                            queries_.name_of(*child.child(Role::name)));
      if (is_other || is_changed) {
        queries_.doubt(moves, action.begin);
      }
      if (is_other && child.role == Role::table) {
        queries_.relation_of(child, access::alter);
      }
    }
  }
}

// SET, and SET STATEMENT with what runs under it.
void StatementAnalyzer::set(const Node& root) {
  facts_.changes_session = true;
  for (const Node& child : sql::children(root)) {
    if (child.is(NodeKind::variable_assignment)) {
      set_variable(child);
    } else if (child.role == Role::statement) {
      statement(child);
    } else {
      other(child, access::read);
    }
  }
}

void StatementAnalyzer::set_variable(const Node& assignment) {
  const Node& target = *assignment.child(Role::target);
  const Node& value = *assignment.child(Role::value);
  std::string name(target.in(queries_.text()));
  if (!target.is(NodeKind::variable_name)) {
    facts_.variables_written.push_back(name);
  }
  // ON and utf8mb4 are words, not names of columns.
  bool is_word = value.is(NodeKind::keyword) || value.is(NodeKind::column_reference);
  Lineage lineage = is_word ? Lineage{} : queries_.expression(value, Scope{});
  if (value.is(NodeKind::user_variable) && target.is(NodeKind::variable_name)) {
    lineage.certain = true;  // no more than what the variable holds
  }
  facts_.flows.push_back({std::move(name), std::move(lineage)});
}

// A column that is defined by what the statement says, its default or where it is kept, has been told of.
void StatementAnalyzer::define_columns(const Node& table) {
  Object object = queries_.note_object(ObjectType::table, "table", *table.child(Role::name), access::create);
  auto made = std::make_shared<catalog::Table>(catalog::Table{.schema = object.schema, .name = object.name});
  collect_columns(table, *made);
  for (std::uint32_t i = 0; i < made->columns.size(); ++i) {
    facts_.defines.add(Source{made.get(), i});
  }
  facts_.defined_tables.push_back(std::move(made));
}

void StatementAnalyzer::collect_columns(const Node& node, catalog::Table& into) const {
  for (const Node& child : sql::children(node)) {
    bool is_defined = node.is(NodeKind::column_definition) && child.role == Role::name;
    bool is_selected = node.is(NodeKind::select_item) && child.role == Role::alias;
    bool is_named = child.is(NodeKind::name) && (child.role == Role::column || node.is(NodeKind::column_reference));
    if (is_defined || is_selected || is_named) {
      into.columns.push_back({.name = queries_.name_of(child), .type = {}});
    } else {
      collect_columns(child, into);
    }
  }
}

// Which objects are named anywhere, with the queries in it.
void StatementAnalyzer::other(const Node& node, Access on_object) {
  Scope scope;
  for (const Node& child : sql::children(node)) {
    if (child.role == Role::statement) {
      queries_.doubt("what runs within it is not followed", child.begin);
    }
    if (is_query(child)) {
      for (RelationColumn& column : queries_.query(child, nullptr)) {
        facts_.flows.push_back({column.name, std::move(column.lineage)});
      }
    } else if (child.is(NodeKind::object_name)) {
      auto type = child.keyword() == Keyword::function                                    ? ObjectType::function
                  : child.keyword() == Keyword::procedure                                 ? ObjectType::procedure
                  : child.keyword() == Keyword::table || child.keyword() == Keyword::view ? ObjectType::table
                                                                                          : ObjectType::other;
      if (child.child(Role::name) != nullptr) {
        bool is_object = child.role == Role::name || child.role == Role::from;
        Access access = is_object                                                ? on_object
                        : child.role == Role::into && on_object == access::alter ? access::create
                                                                                 : access::read;
        queries_.note_object(type, lower(sql::text_of(child.keyword())), child, access);
      }
    } else if (child.is(NodeKind::user_variable) || child.is(NodeKind::system_variable)) {
      bool is_target = child.role == Role::target;
      (is_target ? facts_.variables_written : facts_.variables_read).emplace_back(child.in(queries_.text()));
    } else {
      other(child, on_object);
    }
  }
}

bool Facts::certain() const {
  return output_certain && influences_certain && doubts.empty() &&
         std::all_of(output.begin(), output.end(), [](const OutputColumn& column) { return column.lineage.certain; }) &&
         std::all_of(flows.begin(), flows.end(), [](const Flow& flow) { return flow.lineage.certain; });
}

std::string kind_of(const Node& root) {
  if (is_query(root)) {
    return "select";
  }
  std::string kind(sql::name_of(root.kind));
  bool has_object = root.is(NodeKind::create) || root.is(NodeKind::alter) || root.is(NodeKind::drop);
  if (has_object && root.keyword() != Keyword::no_keyword) {
    kind += "_" + lower(sql::text_of(root.keyword()));
  }
  return kind;
}

Facts analyze(const AnalysisInput& input) {
  return StatementAnalyzer{input}.analyze(input.root);
}

}  // namespace sallyport::lineage
