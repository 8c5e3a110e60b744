// What a server's schemas hold, as a value: never changed once made, so that an analysis and what it is kept for agree.
//
// Names are as the server has them. How they compare is Names' business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/names.h"

namespace sallyport::catalog {

struct Column {
  std::string name;
  std::string type;  // as information_schema has it: "varchar(20)", "int unsigned"
  std::string collation{};
  bool nullable = true;
  bool invisible = false;  // not in *
  // The expression of a generated column, as text; empty where it may not be seen.
  std::optional<std::string> generated_from{};
  bool operator==(const Column&) const = default;
};

struct Key {
  std::string name;
  bool unique = false;
  std::vector<std::string> columns{};
  std::vector<std::string> expressions{};  // of MySQL's functional key parts, as text
  bool operator==(const Key&) const = default;
};

struct ForeignKey {
  std::vector<std::string> columns;
  std::string schema;  // of the table referred to
  std::string table;
  std::vector<std::string> referred_columns;
  bool cascades = false;  // a change of the other table changes rows here: CASCADE, SET NULL, SET DEFAULT
  bool operator==(const ForeignKey&) const = default;
};

struct Trigger {
  std::string name;
  std::string event;  // INSERT, UPDATE, DELETE
  std::string body;   // the statement behind FOR EACH ROW; empty where it may not be seen
  std::string sql_mode;
  bool operator==(const Trigger&) const = default;
};

struct Table {
  enum class Kind : std::uint8_t { base, view, sequence };
  std::string schema;
  std::string name;
  Kind kind = Kind::base;
  std::vector<Column> columns{};
  std::vector<Key> keys{};
  std::vector<ForeignKey> foreign_keys{};
  std::vector<Trigger> triggers{};
  // Of a view: its query, with all names in full, as information_schema.VIEWS has it. Empty where it may not be seen,
  // and for what is of a kind that is not known: nothing can be said of what that reads. A view has no columns where
  // the login can't open it, or nobody can: then they are those of its query.
  std::string view_query{};
  std::string sql_mode{};
  bool operator==(const Table&) const = default;

  const Column* find_column(std::string_view name) const;
};

struct Routine {
  enum class Kind : std::uint8_t { function, procedure };
  std::string schema;
  std::string name;
  Kind kind = Kind::function;
  std::vector<std::string> parameters{};  // their names
  std::optional<std::string> body{};      // nothing where it may not be seen
  std::string sql_mode{};
  bool operator==(const Routine&) const = default;
};

// A snapshot.
class Catalogue {
 public:
  struct Content {
    TableNames table_names = TableNames::sensitive;
    // Whether all that the server has is here. Else schemas, tables, columns of tables that are here, and routines may
    // be missing and be there all the same.
    bool complete = true;
    std::vector<std::string> schemas{};
    std::vector<Table> tables{};
    std::vector<Routine> routines{};
    bool operator==(const Content&) const = default;
  };
  Catalogue(Content content, std::uint64_t version);

  std::uint64_t version() const { return version_; }
  TableNames table_names() const { return content_.table_names; }
  bool complete() const { return content_.complete; }
  const Content& content() const { return content_; }
  const std::vector<Table>& tables() const { return content_.tables; }
  const std::vector<Routine>& routines() const { return content_.routines; }

  bool has_schema(std::string_view name) const;
  // Null where there is none of that name. The pointers live as long as this.
  const Table* find_table(std::string_view schema, std::string_view name) const;
  // The tables with foreign keys to that one.
  std::vector<const Table*> referring_to(const Table& table) const;
  const Routine* find_routine(Routine::Kind kind, std::string_view schema, std::string_view name) const;

 private:
  std::string table_key(std::string_view schema, std::string_view name) const;

  Content content_;
  std::uint64_t version_;
  std::map<std::string, std::size_t, std::less<>> tables_;
  std::map<std::string, std::size_t, std::less<>> routines_;
  std::multimap<std::string, std::size_t, std::less<>> referring_;  // by the table referred to
};

}  // namespace sallyport::catalog
