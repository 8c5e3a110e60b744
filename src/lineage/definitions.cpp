#include "lineage/definitions.h"

#include <algorithm>
#include <utility>

#include "lineage/analyzer.h"
#include "sql/parse.h"
#include "sql/statement_splitter.h"

namespace sallyport::lineage {
namespace {

using sql::Keyword;
using sql::Node;
using sql::NodeKind;
using sql::Role;

class Reader {
 public:
  Reader(const sql::Dialect& dialect, std::string database) : dialect_(dialect), database_(std::move(database)) {
    if (!database_.empty()) {
      content_.schemas.push_back(database_);
    }
  }

  void statement(const Node& root, std::string_view text) {
    text_ = text;
    if (root.is(NodeKind::use)) {
      database_ = name(*root.child(Role::schema));
    } else if (root.is(NodeKind::create)) {
      create(root);
    }
  }
  catalog::Catalogue::Content take() { return std::move(content_); }

 private:
  std::string name(const Node& node) const { return sql::identifier(node, text_); }
  std::string text(const Node& node) const { return std::string(node.in(text_)); }

  struct FullName {
    std::string schema;
    std::string name;
  };
  FullName full_name(const Node& object) const {
    const Node* qualifier = object.child(Role::qualifier);
    return {qualifier != nullptr ? name(*qualifier) : database_, name(*object.child(Role::name))};
  }

  void create(const Node& root);
  void table(const Node& root, FullName named);
  void column(const Node& node, catalog::Table& table) const;
  void constraint(const Node& node, catalog::Table& table) const;
  void view(const Node& root, FullName named);
  void trigger(const Node& root);
  void routine(const Node& root, FullName named, catalog::Routine::Kind kind);
  // The columns that a query gives, each nullable and of no known type.
  std::vector<catalog::Column> columns_of(const Node& query) const;
  catalog::Table* find(const FullName& named) {
    auto found = std::find_if(content_.tables.begin(), content_.tables.end(), [&](const catalog::Table& one) {
      return one.schema == named.schema && one.name == named.name;
    });
    return found == content_.tables.end() ? nullptr : &*found;
  }
  void put(catalog::Table table) {
    if (catalog::Table* known = find({table.schema, table.name})) {
      *known = std::move(table);
    } else {
      content_.tables.push_back(std::move(table));
    }
  }

  sql::Dialect dialect_;
  std::string database_;
  std::string_view text_;
  catalog::Catalogue::Content content_;
};

void Reader::create(const Node& root) {
  const Node* object = root.child(Role::name);
  if (object == nullptr || !object->is(NodeKind::object_name)) {
    return;
  }
  switch (root.keyword()) {
    case Keyword::database:
    case Keyword::schema:
      content_.schemas.push_back(full_name(*object).name);
      break;
    case Keyword::table:
      table(root, full_name(*object));
      break;
    case Keyword::view:
      view(root, full_name(*object));
      break;
    case Keyword::trigger:
      trigger(root);
      break;
    case Keyword::function:
      routine(root, full_name(*object), catalog::Routine::Kind::function);
      break;
    case Keyword::procedure:
      routine(root, full_name(*object), catalog::Routine::Kind::procedure);
      break;
    default:
      break;
  }
}

void Reader::table(const Node& root, FullName named) {
  catalog::Table made{.schema = std::move(named.schema), .name = std::move(named.name)};
  if (const Node* like = root.child(Role::like)) {
    if (const catalog::Table* other = find(full_name(*like))) {
      made.columns = other->columns;
      made.keys = other->keys;
    }
  }
  if (const Node* elements = root.child(Role::columns)) {
    for (const Node& element : sql::children(*elements)) {
      if (element.is(NodeKind::column_definition)) {
        column(element, made);
      } else if (element.is(NodeKind::table_constraint)) {
        constraint(element, made);
      }
    }
  }
  if (const Node* query = root.child(Role::query)) {
    for (catalog::Column& column : columns_of(*query)) {
      if (made.find_column(column.name) == nullptr) {
        made.columns.push_back(std::move(column));
      }
    }
  }
  put(std::move(made));
}

void Reader::column(const Node& node, catalog::Table& table) const {
  catalog::Column made{.name = name(*node.child(Role::name)), .type = {}};
  if (const Node* type = node.child(Role::type)) {
    made.type = catalog::folded(text(*type));
  }
  if (const Node* generated = node.child(Role::generated)) {
    if (const Node* value = generated->child(Role::value)) {
      made.generated_from = text(*value);
    }
  }
  for (const Node& attribute : sql::children(node)) {
    if (attribute.role != Role::attribute) {
      continue;
    }
    std::string said = catalog::folded(text(attribute));
    bool is_primary = said.starts_with("primary") || said == "key";
    made.nullable = made.nullable && !is_primary && !(said.starts_with("not") && said.ends_with("null"));
    made.invisible = made.invisible || said == "invisible";
    if (is_primary || said.starts_with("unique")) {
      table.keys.push_back({.name = is_primary ? "PRIMARY" : made.name, .unique = true, .columns = {made.name}});
    }
  }
  table.columns.push_back(std::move(made));
}

void Reader::constraint(const Node& node, catalog::Table& table) const {
  std::vector<std::string> columns;
  if (const Node* parts = node.child(Role::columns)) {
    for (const Node& part : sql::children(*parts)) {
      if (const Node* column = part.child(Role::name)) {
        columns.push_back(name(*column));
      }
    }
  }
  if (const Node* references = node.child(Role::references)) {
    FullName other = full_name(*references->child(Role::table));
    catalog::ForeignKey made{.columns = columns, .schema = other.schema, .table = other.name, .referred_columns = {}};
    for (const Node& child : sql::children(*references)) {
      if (child.role == Role::column) {
        made.referred_columns.push_back(name(child));
      } else if (child.is(NodeKind::referential_action)) {
        const Node* action = child.child(Role::action);
        bool harmless =
            action != nullptr && (action->keyword() == Keyword::restrict || action->keyword() == Keyword::action);
        made.cascades = made.cascades || !harmless;
      }
    }
    table.foreign_keys.push_back(std::move(made));
    return;
  }
  bool is_primary = node.keyword() == Keyword::primary;
  bool is_unique = is_primary || node.keyword() == Keyword::unique;
  if (is_primary) {
    for (catalog::Column& column : table.columns) {
      for (const std::string& part : columns) {
        column.nullable = column.nullable && !catalog::same_name(column.name, part);
      }
    }
  }
  const Node* index = node.child(Role::index);
  std::string key_name = is_primary ? "PRIMARY" : index != nullptr ? full_name(*index).name : std::string{};
  table.keys.push_back({.name = std::move(key_name), .unique = is_unique, .columns = std::move(columns)});
}

std::vector<catalog::Column> Reader::columns_of(const Node& query) const {
  catalog::Catalogue known(content_, 0);
  std::vector<catalog::Column> columns;
  Facts facts = analyze({.root = query, .text = text_, .dialect = dialect_, .database = database_, .catalogue = known});
  for (OutputColumn& column : facts.output) {
    columns.push_back({.name = std::move(column.name), .type = {}});
  }
  return columns;
}

void Reader::view(const Node& root, FullName named) {
  const Node* query = root.child(Role::query);
  if (query == nullptr) {
    return;
  }
  catalog::Table made{.schema = std::move(named.schema), .name = std::move(named.name)};
  made.kind = catalog::Table::Kind::view;
  made.view_query = text(*query);
  made.columns = columns_of(*query);
  std::size_t at = 0;
  for (const Node& child : sql::children(root)) {
    if (child.role == Role::column && at < made.columns.size()) {
      made.columns[at++].name = name(child);
    }
  }
  put(std::move(made));
}

void Reader::trigger(const Node& root) {
  const Node* on = root.child(Role::table);
  catalog::Table* table = on == nullptr ? nullptr : find(full_name(*on));
  const Node* event = root.child(Role::event);
  const Node* body = root.child(Role::body);
  if (table != nullptr && event != nullptr && body != nullptr) {
    table->triggers.push_back({.name = full_name(*root.child(Role::name)).name,
                               .event = std::string(sql::text_of(event->keyword())),
                               .body = text(*body),
                               .sql_mode = {}});
  }
}

void Reader::routine(const Node& root, FullName named, catalog::Routine::Kind kind) {
  catalog::Routine made{.schema = std::move(named.schema), .name = std::move(named.name), .kind = kind};
  for (const Node& child : sql::children(root)) {
    if (child.role == Role::parameter) {
      made.parameters.push_back(name(*child.child(Role::name)));
    } else if (child.role == Role::body) {
      made.body = text(child);
    }
  }
  content_.routines.push_back(std::move(made));
}

}  // namespace

Definitions read_definitions(std::string_view text, const sql::Dialect& dialect, std::string database) {
  Reader reader(dialect, std::move(database));
  std::string_view rest = sql::statement_text(text);
  auto offset_of = [&](std::string_view part) { return static_cast<std::size_t>(part.data() - text.data()); };
  while (!rest.empty()) {
    auto first = sql::first_statement(rest, dialect);
    if (!first) {
      return {reader.take(), DefinitionMistake{offset_of(rest), "it can't be told where the statement ends"}};
    }
    sql::Arena arena;
    auto root = sql::parse(first->text, dialect, sql::ParseFor::executing, arena);
    if (!root) {
      return {reader.take(), DefinitionMistake{offset_of(first->text) + root.error().offset,
                                               "not understood: " + std::string(sql::name_of(root.error().code))}};
    }
    reader.statement(**root, first->text);
    rest = first->rest;
  }
  return {reader.take(), std::nullopt};
}

}  // namespace sallyport::lineage
