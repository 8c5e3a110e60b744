// What is known of a statement once it is analysed. A value: it is made once and never changed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lineage/sources.h"

namespace sallyport::lineage {

// Of a routine or table that the statement names.
enum class ObjectType : std::uint8_t {
  schema,
  table,  // or view
  function,
  procedure,
  other  // Object::type_name says which
};
// What a statement does to an object: a set.
using Access = std::uint8_t;
namespace access {
inline constexpr Access read = 1;
inline constexpr Access insert = 2;
inline constexpr Access update = 4;
inline constexpr Access remove = 8;  // rows
inline constexpr Access create = 16;
inline constexpr Access alter = 32;
inline constexpr Access drop = 64;
inline constexpr Access execute = 128;
}  // namespace access

// By bit, from the lowest.
inline constexpr std::array<std::string_view, 8> access_names{"read",   "insert", "update", "delete",
                                                              "create", "alter",  "drop",   "execute"};

struct Object {
  ObjectType type = ObjectType::table;
  std::string type_name;  // "table", "procedure", "user", ...
  std::string schema;     // empty where the type has none, or there is no default schema
  std::string name;
  Access access = 0;
  bool known = true;  // it is in the catalogue
};

struct OutputColumn {
  std::string name;
  Lineage lineage;
};

// A target of a write and what flows into it.
struct Flow {
  std::string target;  // "db.t.c", "@v", "file"
  Lineage lineage;
};

// A name that could not be resolved, or not for certain.
struct Doubt {
  std::string what;  // "column x is not found"
  std::uint32_t offset = 0;
};

struct Facts {
  std::string kind;  // of the closed list in docs/sql-analysis.md
  std::vector<Object> objects;
  SourceSet reads;
  SourceSet writes;
  std::vector<OutputColumn> output;
  bool output_certain = true;  // the columns are these, and no more
  SourceSet influences;
  bool influences_certain = true;
  SourceSet computed;  // with these, in queries within it and in programs, whether or not it has influence
  SourceSet defines;   // by CREATE TABLE, of defined_tables
  std::vector<Flow> flows;
  bool has_where = false;
  bool where_restricts = false;
  bool has_limit = false;
  bool locks_rows = false;
  bool dynamic_sql = false;
  bool implicit_commit = false;
  bool changes_session = false;
  std::vector<std::string> functions;         // built in
  std::vector<std::string> marked_functions;  // of these, those with side effects or access to files
  std::vector<std::string> variables_read;    // "@v", "@@session.sql_mode"
  std::vector<std::string> variables_written;
  std::vector<std::string> files_read;
  std::vector<std::string> files_written;
  std::vector<Doubt> doubts;
  // Tables named by the statement that the catalogue lacks: sources refer to them.
  std::vector<std::shared_ptr<catalog::Table>> unknown_tables;
  std::vector<std::shared_ptr<const catalog::Table>> defined_tables;

  bool certain() const;
};

}  // namespace sallyport::lineage
