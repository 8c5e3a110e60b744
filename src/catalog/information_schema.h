// What to ask a server for its catalogue, and its answers to the catalogue's content.
//
// Sources: MySQL and MariaDB reference manuals, "INFORMATION_SCHEMA Tables"; what each column holds was tried on MySQL
// 9.7 and MariaDB 10.11.
//
// All schemas are read, the servers' own too: a query on information_schema or performance_schema is one like any
// other, and the views of sys lead to tables that are to be known. They are some 3,600 columns.
//
// Bodies of routines and triggers are not taken from information_schema: MySQL's texts there lack the escapes of
// string literals, so that 'it''s' becomes 'it's', and what is a literal becomes code and the reverse. They are taken
// from SHOW CREATE, which has them as they were written; whoever asks takes the body out of the definition.
// MySQL's texts of generated columns and functional key parts have escapes too many, which are taken out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "catalog/catalogue.h"

namespace sallyport::catalog {

enum class ServerKind : std::uint8_t { mysql, mariadb };

// Beyond any of these there is no catalogue.
struct CatalogueLimits {
  std::size_t tables_max = 100'000;                   // views and sequences included; of schemas as many
  std::size_t columns_max = 1'000'000;                // those of keys and foreign keys, and parameters, included
  std::size_t routines_max = 50'000;                  // triggers included
  std::uint64_t text_bytes_max = 256ULL << 20;        // of all names and texts that are kept
  std::uint64_t answer_bytes_max = 1ULL << 30;        // of all answers
  std::size_t row_bytes_max = std::size_t{16} << 20;  // of one row
};

// What is asked, in the order in which it is.
enum class CatalogueQuery : std::uint8_t {
  session,     // a statement without rows: how the session reads texts and writes results from there on
  name_rules,  // @@lower_case_table_names
  grants,      // of the login, which say whether it sees everything
  schemas,
  tables,
  columns,
  keys,
  foreign_keys,
  foreign_key_columns,
  views,
  routines,
  parameters,
  triggers
};

// What it reads: "COLUMNS".
std::string_view name_of(CatalogueQuery query);

struct CatalogueQueryText {
  CatalogueQuery query;
  std::string_view text;
  std::size_t columns;  // of each row; 0: none, the answer is OK
};

// Each text is ASCII and reads the same whatever the session's state. Rows come in UTF-8, and no value depends on
// sql_mode, once the first query was answered.
std::span<const CatalogueQueryText> catalogue_queries(ServerKind server);

// A cell that is NULL is nothing. Borrowed for the call.
using CatalogueRow = std::span<const std::optional<std::string_view>>;

struct CatalogueMistake {
  enum class Kind : std::uint8_t {
    malformed,  // not what the server is known to answer
    changed,    // refers to what an earlier answer lacks, to a login that sees everything: it was made meanwhile
    too_much    // beyond a limit
  };
  Kind kind = Kind::malformed;
  std::string what;  // for logs: names the query, the object or the limit
};

// A routine or trigger whose definition is to be asked for.
struct CatalogueDefinition {
  enum class Of : std::uint8_t { function, procedure, trigger };
  Of of = Of::function;
  std::string query;      // "SHOW CREATE FUNCTION `s`.`f`"
  std::string sql_mode;   // under which the definition is read
  std::size_t table = 0;  // of a trigger
  std::size_t index = 0;  // of the routine, or of the trigger in its table
};
// The rows of these answers: how many columns at least, and which of them has the definition.
inline constexpr std::size_t definition_columns_min = 3;
inline constexpr std::size_t definition_column = 2;

// Takes the rows of each query in order, the queries in theirs; then the bodies, and gives the content. After a mistake
// it is of no more use.
class CatalogueBuilder {
 public:
  CatalogueBuilder(ServerKind server, const CatalogueLimits& limits) : server_(server), limits_(limits) {}

  Result<Unit, CatalogueMistake> add(CatalogueQuery query, CatalogueRow row);

  // After the last query's rows.
  std::vector<CatalogueDefinition> definitions() const;
  // Without a call the body stays unknown.
  Result<Unit, CatalogueMistake> set_body(const CatalogueDefinition& definition, std::string_view body);

  // Tables and routines come in the order of their names' bytes.
  Catalogue::Content take();

 private:
  using Added = Result<Unit, CatalogueMistake>;
  Added dispatch(CatalogueQuery query, CatalogueRow row);
  Added add_name_rule(CatalogueRow row);
  Added add_grant(CatalogueRow row);
  Added add_schema(CatalogueRow row);
  Added add_table(CatalogueRow row);
  Added add_column(CatalogueRow row);
  Added add_key(CatalogueRow row);
  Added add_foreign_key(CatalogueRow row);
  Added add_foreign_key_column(CatalogueRow row);
  Added add_view(CatalogueRow row);
  Added add_routine(CatalogueRow row);
  Added add_parameter(CatalogueRow row);
  Added add_trigger(CatalogueRow row);

  std::string key_of(std::string_view schema, std::string_view name) const;
  // Null where there is none.
  Table* find_table(std::string_view schema, std::string_view name);
  std::string routine_key(std::string_view type, std::string_view schema, std::string_view name) const;

  std::string expression(std::string_view shown) const;
  Added without_owner(CatalogueQuery query, std::string_view schema, std::string_view name) const;
  bool sees_everything() const { return sees_tables_ && sees_views_ && sees_triggers_ && !has_revocations_; }

  ServerKind server_;
  CatalogueLimits limits_;
  Catalogue::Content content_;
  std::unordered_map<std::string, std::size_t> tables_;
  std::unordered_map<std::string, std::size_t> routines_;
  std::vector<std::uint32_t> ordinals_;                        // of each table, that of its last column
  std::unordered_map<std::string, std::size_t> foreign_keys_;  // the place in the table's list
  std::unordered_set<std::size_t> external_;                   // routines in another language than SQL
  std::size_t columns_ = 0;
  std::size_t routines_and_triggers_ = 0;
  std::uint64_t text_bytes_ = 0;
  bool sees_tables_ = false;  // by the grants
  bool sees_views_ = false;
  bool sees_triggers_ = false;
  bool has_revocations_ = false;  // MySQL's partial revokes
};

}  // namespace sallyport::catalog
