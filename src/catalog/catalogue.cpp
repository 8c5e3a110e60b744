#include "catalog/catalogue.h"

#include <algorithm>
#include <utility>

namespace sallyport::catalog {
namespace {

constexpr char separator = '\0';  // no name has it

// The servers take the names of information_schema and of its tables without regard to case, however
// lower_case_table_names is set.
bool is_information_schema(std::string_view schema) {
  return same_name(schema, "information_schema");
}

std::string routine_key(Routine::Kind kind, const std::string& schema, std::string_view name) {
  return std::string(kind == Routine::Kind::function ? "f" : "p") + schema + separator + folded(name);
}

}  // namespace

const Column* Table::find_column(std::string_view column) const {
  auto found =
      std::find_if(columns.begin(), columns.end(), [&](const Column& one) { return same_name(one.name, column); });
  return found == columns.end() ? nullptr : &*found;
}

Catalogue::Catalogue(Content content, std::uint64_t version) : content_(std::move(content)), version_(version) {
  for (std::size_t i = 0; i < content_.tables.size(); ++i) {
    tables_.emplace(table_key(content_.tables[i].schema, content_.tables[i].name), i);
    for (const ForeignKey& key : content_.tables[i].foreign_keys) {
      referring_.emplace(table_key(key.schema, key.table), i);
    }
  }
  for (std::size_t i = 0; i < content_.routines.size(); ++i) {
    const Routine& routine = content_.routines[i];
    routines_.emplace(routine_key(routine.kind, table_key(routine.schema, {}), routine.name), i);
  }
}

std::string Catalogue::table_key(std::string_view schema, std::string_view name) const {
  std::string key(schema);
  key += separator;
  key += name;
  bool sensitive = content_.table_names == TableNames::sensitive && !is_information_schema(schema);
  return sensitive ? key : folded(key);
}

bool Catalogue::has_schema(std::string_view name) const {
  return std::any_of(content_.schemas.begin(), content_.schemas.end(), [&](const std::string& one) {
    return same_table_name(one, name, content_.table_names) ||
           (is_information_schema(one) && is_information_schema(name));
  });
}

std::vector<const Table*> Catalogue::referring_to(const Table& table) const {
  std::vector<const Table*> found;
  auto [begin, end] = referring_.equal_range(table_key(table.schema, table.name));
  for (auto at = begin; at != end; ++at) {
    const Table* one = &content_.tables[at->second];
    if (std::find(found.begin(), found.end(), one) == found.end()) {
      found.push_back(one);
    }
  }
  return found;
}

const Table* Catalogue::find_table(std::string_view schema, std::string_view name) const {
  auto found = tables_.find(table_key(schema, name));
  return found == tables_.end() ? nullptr : &content_.tables[found->second];
}

const Routine* Catalogue::find_routine(Routine::Kind kind, std::string_view schema, std::string_view name) const {
  auto found = routines_.find(routine_key(kind, table_key(schema, {}), name));
  return found == routines_.end() ? nullptr : &content_.routines[found->second];
}

}  // namespace sallyport::catalog
