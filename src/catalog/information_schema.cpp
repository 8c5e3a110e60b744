#include "catalog/information_schema.h"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "base/json_text.h"

namespace sallyport::catalog {
namespace {

using Kind = CatalogueMistake::Kind;
using Query = CatalogueQuery;

constexpr std::size_t name_bytes_max = 256;  // 64 characters
constexpr char separator = '\0';             // no name has it

// Reads the cells of a row; ok() tells whether all that were asked for are what they have to be.
class Cells {
 public:
  explicit Cells(CatalogueRow row) : row_(row) {}

  std::optional<std::string_view> optional_text(std::size_t place) {
    if (place >= row_.size()) {
      ok_ = false;
      return std::nullopt;
    }
    if (row_[place]) {
      ok_ = ok_ && is_utf8(*row_[place]);
      bytes_ += row_[place]->size();
    }
    return row_[place];
  }
  std::string_view text(std::size_t place) {
    auto cell = optional_text(place);
    ok_ = ok_ && cell.has_value();
    return cell.value_or(std::string_view{});
  }
  std::string_view name(std::size_t place) {
    std::string_view cell = text(place);
    ok_ = ok_ && !cell.empty() && cell.size() <= name_bytes_max && cell.find(separator) == std::string_view::npos;
    return cell;
  }
  std::uint32_t number(std::size_t place) {
    std::string_view cell = text(place);
    std::uint32_t value = 0;
    auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    ok_ = ok_ && error == std::errc{} && end == cell.data() + cell.size();
    return value;
  }
  bool ok() const { return ok_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  CatalogueRow row_;
  bool ok_ = true;
  std::uint64_t bytes_ = 0;
};

Unexpected<CatalogueMistake> malformed(Query query, std::string_view what = "a row is not what it has to be") {
  return Unexpected(
      CatalogueMistake{.kind = Kind::malformed, .what = std::string(name_of(query)) + ": " + std::string(what)});
}
Unexpected<CatalogueMistake> too_much(std::string_view limit) {
  return Unexpected(CatalogueMistake{.kind = Kind::too_much, .what = "more than " + std::string(limit)});
}

void append_quoted(std::string& text, std::string_view name) {
  text += '`';
  for (char c : name) {
    text.append(c == '`' ? 2 : 1, c);
  }
  text += '`';
}

// The privileges of a line of SHOW GRANTS that is for everything; else none.
std::string_view global_privileges(std::string_view line) {
  constexpr std::string_view begin = "GRANT ";
  constexpr std::string_view middle = " ON ";
  constexpr std::string_view everything = "*.* TO ";
  if (!line.starts_with(begin)) {
    return {};
  }
  line.remove_prefix(begin.size());
  std::size_t end = line.find(middle);
  if (end == std::string_view::npos || !line.substr(end + middle.size()).starts_with(everything)) {
    return {};
  }
  std::string_view privileges = line.substr(0, end);
  bool of_words = std::all_of(privileges.begin(), privileges.end(),
                              [](char c) { return (c >= 'A' && c <= 'Z') || c == '_' || c == ' ' || c == ','; });
  return of_words ? privileges : std::string_view{};  // else there are columns or roles, whose names may be anything
}

bool lists(std::string_view privileges, std::string_view wanted) {
  constexpr std::string_view between = ", ";
  while (!privileges.empty()) {
    std::size_t end = privileges.find(between);
    std::string_view one = privileges.substr(0, end);
    if (one == wanted || one == "ALL PRIVILEGES") {
      return true;
    }
    privileges.remove_prefix(end == std::string_view::npos ? privileges.size() : end + between.size());
  }
  return false;
}

// MySQL shows what it has printed as if it were to be put between single quotes (String::append_for_single_quote()):
// every quote and backslash of it with a backslash before. Nothing where the text is not so: a string literal then
// begins with a bare quote.
std::optional<std::string> without_escapes(std::string_view shown) {
  std::string text;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (shown[i] == '\'') {
      return std::nullopt;
    }
    if (shown[i] != '\\') {
      text += shown[i];
      continue;
    }
    if (++i == shown.size()) {
      return std::nullopt;
    }
    constexpr std::string_view letters = "\\'nrZ";
    constexpr std::string_view meant = "\\'\n\r\x1A";
    std::size_t which = letters.find(shown[i]);
    if (which == std::string_view::npos) {
      return std::nullopt;
    }
    text += meant[which];
  }
  return text;
}

bool changes_rows(std::string_view rule) {
  return rule != "RESTRICT" && rule != "NO ACTION";
}

bool has_words(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

}  // namespace

CatalogueBuilder::Added CatalogueBuilder::add(CatalogueQuery query, CatalogueRow row) {
  Added added = dispatch(query, row);
  if (!added) {
    return added;
  }
  if (content_.tables.size() > limits_.tables_max || content_.schemas.size() > limits_.tables_max) {
    return too_much(std::to_string(limits_.tables_max) + " tables");
  }
  if (columns_ > limits_.columns_max) {
    return too_much(std::to_string(limits_.columns_max) + " columns");
  }
  if (routines_and_triggers_ > limits_.routines_max) {
    return too_much(std::to_string(limits_.routines_max) + " routines and triggers");
  }
  if (text_bytes_ > limits_.text_bytes_max) {
    return too_much(std::to_string(limits_.text_bytes_max) + " bytes of names and texts");
  }
  return added;
}

CatalogueBuilder::Added CatalogueBuilder::dispatch(CatalogueQuery query, CatalogueRow row) {
  switch (query) {
    case Query::session:
      return malformed(query);
    case Query::name_rules:
      return add_name_rule(row);
    case Query::grants:
      return add_grant(row);
    case Query::schemas:
      return add_schema(row);
    case Query::tables:
      return add_table(row);
    case Query::columns:
      return add_column(row);
    case Query::keys:
      return add_key(row);
    case Query::foreign_keys:
      return add_foreign_key(row);
    case Query::foreign_key_columns:
      return add_foreign_key_column(row);
    case Query::views:
      return add_view(row);
    case Query::routines:
      return add_routine(row);
    case Query::parameters:
      return add_parameter(row);
    case Query::triggers:
      return add_trigger(row);
  }
  return malformed(query);
}

// A login that does not see everything may see what belongs to something that it does not see. Else that was made
// meanwhile.
CatalogueBuilder::Added CatalogueBuilder::without_owner(CatalogueQuery query, std::string_view schema,
                                                        std::string_view name) const {
  if (!sees_everything()) {
    return Unit{};
  }
  return Unexpected(CatalogueMistake{.kind = Kind::changed,
                                     .what = std::string(name_of(query)) + " has " + std::string(schema) + "." +
                                             std::string(name) + ", which was not there before"});
}

std::string CatalogueBuilder::expression(std::string_view shown) const {
  switch (server_) {
    case ServerKind::mysql:
      return without_escapes(shown).value_or(std::string(shown));
    case ServerKind::mariadb:
      break;
  }
  return std::string(shown);
}

std::string CatalogueBuilder::key_of(std::string_view schema, std::string_view name) const {
  std::string key(schema);
  key += separator;
  key += name;
  return content_.table_names == TableNames::sensitive ? key : folded(key);
}

std::string CatalogueBuilder::routine_key(std::string_view type, std::string_view schema, std::string_view name) const {
  return std::string(type) + separator + key_of(schema, {}) + folded(name);
}

Table* CatalogueBuilder::find_table(std::string_view schema, std::string_view name) {
  auto found = tables_.find(key_of(schema, name));
  return found == tables_.end() ? nullptr : &content_.tables[found->second];
}

CatalogueBuilder::Added CatalogueBuilder::add_name_rule(CatalogueRow row) {
  Cells cells(row);
  std::string_view value = cells.text(0);
  if (value == "0") {
    content_.table_names = TableNames::sensitive;
  } else if (value == "1") {
    content_.table_names = TableNames::lower_case;
  } else if (value == "2") {
    content_.table_names = TableNames::insensitive;
  } else {
    return malformed(Query::name_rules);
  }
  return Unit{};
}

CatalogueBuilder::Added CatalogueBuilder::add_grant(CatalogueRow row) {
  Cells cells(row);
  std::string_view line = cells.text(0);
  if (!cells.ok()) {
    return malformed(Query::grants);
  }
  std::string_view privileges = global_privileges(line);
  sees_tables_ = sees_tables_ || lists(privileges, "SELECT");
  sees_views_ = sees_views_ || lists(privileges, "SHOW VIEW");
  sees_triggers_ = sees_triggers_ || lists(privileges, "TRIGGER");
  has_revocations_ = has_revocations_ || line.starts_with("REVOKE ");
  return Unit{};
}

CatalogueBuilder::Added CatalogueBuilder::add_schema(CatalogueRow row) {
  Cells cells(row);
  std::string_view name = cells.name(0);
  if (!cells.ok()) {
    return malformed(Query::schemas);
  }
  text_bytes_ += cells.bytes();
  content_.schemas.emplace_back(name);
  return Unit{};
}

CatalogueBuilder::Added CatalogueBuilder::add_table(CatalogueRow row) {
  Cells cells(row);
  Table made{.schema = std::string(cells.name(0)), .name = std::string(cells.name(1))};
  std::string_view type = cells.text(2);
  if (!cells.ok()) {
    return malformed(Query::tables);
  }
  if (!tables_.emplace(key_of(made.schema, made.name), content_.tables.size()).second) {
    return malformed(Query::tables, made.schema + "." + made.name + " is there twice");
  }
  if (type == "SEQUENCE") {
    made.kind = Table::Kind::sequence;
  } else if (type != "BASE TABLE" && type != "SYSTEM VERSIONED" && type != "SYSTEM VIEW") {
    made.kind = Table::Kind::view;  // or something that is not known
  }
  text_bytes_ += cells.bytes();
  content_.tables.push_back(std::move(made));
  ordinals_.push_back(0);
  return Unit{};
}

CatalogueBuilder::Added CatalogueBuilder::add_column(CatalogueRow row) {
  Cells cells(row);
  std::string_view schema = cells.name(0);
  std::string_view table_name = cells.name(1);
  std::uint32_t ordinal = cells.number(2);
  Column made{.name = std::string(cells.name(3)), .type = std::string(cells.text(4))};
  made.collation = cells.optional_text(5).value_or(std::string_view{});
  std::string_view nullable = cells.text(6);
  std::string_view extra = cells.text(7);
  std::string_view generated = cells.optional_text(8).value_or(std::string_view{});
  if (!cells.ok() || (nullable != "YES" && nullable != "NO")) {
    return malformed(Query::columns);
  }
  Table* table = find_table(schema, table_name);
  if (table == nullptr) {
    return without_owner(Query::columns, schema, table_name);
  }
  std::uint32_t& last = ordinals_[static_cast<std::size_t>(table - content_.tables.data())];
  if (ordinal <= std::exchange(last, ordinal)) {
    return malformed(Query::columns, table->schema + "." + table->name + " has a column out of its order");
  }
  made.nullable = nullable == "YES";
  made.invisible = has_words(extra, "INVISIBLE");
  if (has_words(extra, "VIRTUAL GENERATED") || has_words(extra, "STORED GENERATED")) {
    made.generated_from = expression(generated);
  }
  text_bytes_ += cells.bytes();
  ++columns_;
  table->columns.push_back(std::move(made));
  return Unit{};
}

CatalogueBuilder::Added CatalogueBuilder::add_key(CatalogueRow row) {
  Cells cells(row);
  std::string_view schema = cells.name(0);
  std::string_view table_name = cells.name(1);
  std::string_view name = cells.name(2);
  std::uint32_t place = cells.number(3);
  std::string_view non_unique = cells.text(4);
  auto column = cells.optional_text(5);
  auto computed = cells.optional_text(6);
  if (!cells.ok() || (non_unique != "0" && non_unique != "1") || (!column && !computed)) {
    return malformed(Query::keys);
  }
  Table* table = find_table(schema, table_name);
  if (table == nullptr) {
    return without_owner(Query::keys, schema, table_name);
  }
  if (place == 1) {
    table->keys.push_back({.name = std::string(name), .unique = non_unique == "0"});
  }
  if (table->keys.empty() || table->keys.back().name != name ||
      place != table->keys.back().columns.size() + table->keys.back().expressions.size() + 1) {
    return malformed(Query::keys, table->schema + "." + table->name + " has a key part out of its order");
  }
  if (column) {
    table->keys.back().columns.emplace_back(*column);
  } else {
    table->keys.back().expressions.push_back(expression(*computed));
  }
  text_bytes_ += cells.bytes();
  ++columns_;
  return Unit{};
}

CatalogueBuilder::Added CatalogueBuilder::add_foreign_key(CatalogueRow row) {
  Cells cells(row);
  std::string_view schema = cells.name(0);
  std::string_view table_name = cells.name(1);
  std::string_view name = cells.name(2);
  ForeignKey made{
      .columns = {}, .schema = std::string(cells.name(3)), .table = std::string(cells.name(4)), .referred_columns = {}};
  made.cascades = changes_rows(cells.text(5));
  made.cascades = changes_rows(cells.text(6)) || made.cascades;
  if (!cells.ok()) {
    return malformed(Query::foreign_keys);
  }
  Table* table = find_table(schema, table_name);
  if (table == nullptr) {
    return without_owner(Query::foreign_keys, schema, table_name);
  }
  std::string key = key_of(schema, table_name) + separator + folded(name);
  if (!foreign_keys_.emplace(std::move(key), table->foreign_keys.size()).second) {
    return malformed(Query::foreign_keys, "a constraint of " + table->schema + "." + table->name + " is there twice");
  }
  text_bytes_ += cells.bytes();
  ++columns_;
  table->foreign_keys.push_back(std::move(made));
  return Unit{};
}

CatalogueBuilder::Added CatalogueBuilder::add_foreign_key_column(CatalogueRow row) {
  Cells cells(row);
  std::string_view schema = cells.name(0);
  std::string_view table_name = cells.name(1);
  std::string_view name = cells.name(2);
  std::uint32_t place = cells.number(3);
  std::string_view column = cells.name(4);
  std::string_view referred = cells.name(5);
  if (!cells.ok()) {
    return malformed(Query::foreign_key_columns);
  }
  Table* table = find_table(schema, table_name);
  auto found = foreign_keys_.find(key_of(schema, table_name) + separator + folded(name));
  if (table == nullptr || found == foreign_keys_.end()) {
    return without_owner(Query::foreign_key_columns, schema, table_name);
  }
  ForeignKey& key = table->foreign_keys[found->second];
  if (place != key.columns.size() + 1) {
    return malformed(Query::foreign_key_columns,
                     table->schema + "." + table->name + " has a column of a constraint out of its order");
  }
  key.columns.emplace_back(column);
  key.referred_columns.emplace_back(referred);
  text_bytes_ += cells.bytes();
  ++columns_;
  return Unit{};
}

CatalogueBuilder::Added CatalogueBuilder::add_view(CatalogueRow row) {
  Cells cells(row);
  std::string_view schema = cells.name(0);
  std::string_view name = cells.name(1);
  std::string_view query = cells.optional_text(2).value_or(std::string_view{});
  if (!cells.ok()) {
    return malformed(Query::views);
  }
  Table* table = find_table(schema, name);
  if (table == nullptr || table->kind != Table::Kind::view) {
    return without_owner(Query::views, schema, name);
  }
  text_bytes_ += cells.bytes();
  table->view_query = query;
  return Unit{};
}

CatalogueBuilder::Added CatalogueBuilder::add_routine(CatalogueRow row) {
  Cells cells(row);
  Routine made{.schema = std::string(cells.name(0)), .name = std::string(cells.name(1))};
  std::string_view type = cells.text(2);
  std::string_view language = cells.text(3);
  made.sql_mode = cells.text(4);
  if (!cells.ok() || (type != "FUNCTION" && type != "PROCEDURE")) {
    return malformed(Query::routines);
  }
  made.kind = type == "FUNCTION" ? Routine::Kind::function : Routine::Kind::procedure;
  if (!routines_.emplace(routine_key(type, made.schema, made.name), content_.routines.size()).second) {
    return malformed(Query::routines, made.schema + "." + made.name + " is there twice");
  }
  if (language != "SQL") {
    external_.insert(content_.routines.size());
  }
  text_bytes_ += cells.bytes();
  ++routines_and_triggers_;
  content_.routines.push_back(std::move(made));
  return Unit{};
}

CatalogueBuilder::Added CatalogueBuilder::add_parameter(CatalogueRow row) {
  Cells cells(row);
  std::string_view schema = cells.name(0);
  std::string_view name = cells.name(1);
  std::string_view type = cells.text(2);
  std::uint32_t place = cells.number(3);
  std::string_view parameter = cells.name(4);
  if (!cells.ok()) {
    return malformed(Query::parameters);
  }
  auto found = routines_.find(routine_key(type, schema, name));
  if (found == routines_.end()) {
    return without_owner(Query::parameters, schema, name);
  }
  Routine& routine = content_.routines[found->second];
  if (place != routine.parameters.size() + 1) {
    return malformed(Query::parameters, routine.schema + "." + routine.name + " has a parameter out of its order");
  }
  text_bytes_ += cells.bytes();
  ++columns_;
  routine.parameters.emplace_back(parameter);
  return Unit{};
}

CatalogueBuilder::Added CatalogueBuilder::add_trigger(CatalogueRow row) {
  Cells cells(row);
  std::string_view schema = cells.name(0);
  std::string_view table_name = cells.name(1);
  std::string_view trigger_schema = cells.name(2);
  Trigger made{.name = std::string(cells.name(3)), .event = std::string(cells.text(4)), .body = {}, .sql_mode = {}};
  made.sql_mode = cells.text(5);
  if (!cells.ok() || trigger_schema != schema) {
    return malformed(Query::triggers);
  }
  Table* table = find_table(schema, table_name);
  if (table == nullptr) {
    return without_owner(Query::triggers, schema, table_name);
  }
  text_bytes_ += cells.bytes();
  ++routines_and_triggers_;
  table->triggers.push_back(std::move(made));
  return Unit{};
}

std::vector<CatalogueDefinition> CatalogueBuilder::definitions() const {
  std::vector<CatalogueDefinition> definitions;
  auto add = [&](CatalogueDefinition::Of of, std::string_view words, const std::string& schema,
                 const std::string& name) -> CatalogueDefinition& {
    std::string query = "SHOW CREATE ";
    query += words;
    append_quoted(query, schema);
    query += '.';
    append_quoted(query, name);
    definitions.push_back({.of = of, .query = std::move(query), .sql_mode = {}});
    return definitions.back();
  };
  for (std::size_t i = 0; i < content_.routines.size(); ++i) {
    const Routine& routine = content_.routines[i];
    if (external_.contains(i)) {
      continue;
    }
    bool is_function = routine.kind == Routine::Kind::function;
    auto& made = add(is_function ? CatalogueDefinition::Of::function : CatalogueDefinition::Of::procedure,
                     is_function ? "FUNCTION " : "PROCEDURE ", routine.schema, routine.name);
    made.sql_mode = routine.sql_mode;
    made.index = i;
  }
  for (std::size_t i = 0; i < content_.tables.size(); ++i) {
    const Table& table = content_.tables[i];
    for (std::size_t place = 0; place < table.triggers.size(); ++place) {
      auto& made = add(CatalogueDefinition::Of::trigger, "TRIGGER ", table.schema, table.triggers[place].name);
      made.sql_mode = table.triggers[place].sql_mode;
      made.table = i;
      made.index = place;
    }
  }
  return definitions;
}

CatalogueBuilder::Added CatalogueBuilder::set_body(const CatalogueDefinition& definition, std::string_view body) {
  text_bytes_ += body.size();
  if (text_bytes_ > limits_.text_bytes_max) {
    return too_much(std::to_string(limits_.text_bytes_max) + " bytes of names and texts");
  }
  switch (definition.of) {
    case CatalogueDefinition::Of::function:
    case CatalogueDefinition::Of::procedure:
      content_.routines[definition.index].body = std::string(body);
      break;
    case CatalogueDefinition::Of::trigger:
      content_.tables[definition.table].triggers[definition.index].body = body;
      break;
  }
  return Unit{};
}

Catalogue::Content CatalogueBuilder::take() {
  content_.complete = sees_everything();
  for (Table& table : content_.tables) {
    if (table.columns.empty() && table.kind == Table::Kind::base) {
      table.kind = Table::Kind::view;  // its columns can't be seen, or it is damaged
    }
  }
  std::sort(content_.tables.begin(), content_.tables.end(), [](const Table& one, const Table& other) {
    return std::tie(one.schema, one.name) < std::tie(other.schema, other.name);
  });
  std::sort(content_.routines.begin(), content_.routines.end(), [](const Routine& one, const Routine& other) {
    return std::tie(one.schema, one.name, one.kind) < std::tie(other.schema, other.name, other.kind);
  });
  return std::move(content_);
}

}  // namespace sallyport::catalog
