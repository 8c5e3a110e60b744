// The texts that a server is asked for its catalogue with.
#include <array>

#include "catalog/information_schema.h"

namespace sallyport::catalog {
namespace {

using Query = CatalogueQuery;

// MariaDB prints generated columns as the session would write them, and SHOW writes names so.
constexpr std::string_view session_text =
    "SET NAMES utf8mb4, SESSION sql_mode = '', SESSION sql_quote_show_create = 1, SESSION sql_select_limit = "
    "18446744073709551615";
constexpr std::string_view name_rules_text = "SELECT @@lower_case_table_names";
// MySQL adds the privileges of the roles that the session has, MariaDB does not.
constexpr std::string_view grants_text = "SHOW GRANTS FOR CURRENT_USER()";
constexpr std::string_view schemas_text = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME";
constexpr std::string_view tables_text =
    "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES ORDER BY TABLE_SCHEMA, TABLE_NAME";
constexpr std::string_view columns_text =
    "SELECT TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION, COLUMN_NAME, COLUMN_TYPE, COLLATION_NAME, IS_NULLABLE, EXTRA, "
    "GENERATION_EXPRESSION FROM information_schema.COLUMNS ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION";
constexpr std::string_view mysql_keys_text =
    "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, NON_UNIQUE, COLUMN_NAME, EXPRESSION FROM "
    "information_schema.STATISTICS ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX";
constexpr std::string_view mariadb_keys_text =
    "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, NON_UNIQUE, COLUMN_NAME, NULL FROM "
    "information_schema.STATISTICS ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX";
constexpr std::string_view foreign_keys_text =
    "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME, "
    "UPDATE_RULE, DELETE_RULE FROM information_schema.REFERENTIAL_CONSTRAINTS ORDER BY CONSTRAINT_SCHEMA, TABLE_NAME, "
    "CONSTRAINT_NAME";
constexpr std::string_view foreign_key_columns_text =
    "SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION, COLUMN_NAME, REFERENCED_COLUMN_NAME FROM "
    "information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_COLUMN_NAME IS NOT NULL ORDER BY TABLE_SCHEMA, TABLE_NAME, "
    "CONSTRAINT_NAME, ORDINAL_POSITION";
// Views are read without the modes that change how a text is read (sql/sql_view.cc of both servers), and printed so.
constexpr std::string_view views_text =
    "SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS ORDER BY TABLE_SCHEMA, TABLE_NAME";
constexpr std::string_view routines_text =
    "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, ROUTINE_BODY, SQL_MODE FROM information_schema.ROUTINES WHERE "
    "ROUTINE_TYPE IN ('FUNCTION', 'PROCEDURE') ORDER BY ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE";
// The one at place 0 is what a function returns.
constexpr std::string_view parameters_text =
    "SELECT SPECIFIC_SCHEMA, SPECIFIC_NAME, ROUTINE_TYPE, ORDINAL_POSITION, PARAMETER_NAME FROM "
    "information_schema.PARAMETERS WHERE ROUTINE_TYPE IN ('FUNCTION', 'PROCEDURE') AND ORDINAL_POSITION > 0 ORDER BY "
    "SPECIFIC_SCHEMA, SPECIFIC_NAME, ROUTINE_TYPE, ORDINAL_POSITION";
constexpr std::string_view triggers_text =
    "SELECT EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_MANIPULATION, SQL_MODE FROM "
    "information_schema.TRIGGERS ORDER BY EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, TRIGGER_NAME";

constexpr std::array<CatalogueQueryText, 13> queries_for(std::string_view keys_text) {
  return {{{Query::session, session_text, 0},
           {Query::name_rules, name_rules_text, 1},
           {Query::grants, grants_text, 1},
           {Query::schemas, schemas_text, 1},
           {Query::tables, tables_text, 3},
           {Query::columns, columns_text, 9},
           {Query::keys, keys_text, 7},
           {Query::foreign_keys, foreign_keys_text, 7},
           {Query::foreign_key_columns, foreign_key_columns_text, 6},
           {Query::views, views_text, 3},
           {Query::routines, routines_text, 5},
           {Query::parameters, parameters_text, 5},
           {Query::triggers, triggers_text, 6}}};
}
constexpr auto mysql_queries = queries_for(mysql_keys_text);
constexpr auto mariadb_queries = queries_for(mariadb_keys_text);

}  // namespace

std::string_view name_of(Query query) {
  switch (query) {
    case Query::session:
      return "the session's settings";
    case Query::name_rules:
      return "lower_case_table_names";
    case Query::grants:
      return "SHOW GRANTS";
    case Query::schemas:
      return "SCHEMATA";
    case Query::tables:
      return "TABLES";
    case Query::columns:
      return "COLUMNS";
    case Query::keys:
      return "STATISTICS";
    case Query::foreign_keys:
      return "REFERENTIAL_CONSTRAINTS";
    case Query::foreign_key_columns:
      return "KEY_COLUMN_USAGE";
    case Query::views:
      return "VIEWS";
    case Query::routines:
      return "ROUTINES";
    case Query::parameters:
      return "PARAMETERS";
    case Query::triggers:
      return "TRIGGERS";
  }
  return {};
}

std::span<const CatalogueQueryText> catalogue_queries(ServerKind server) {
  switch (server) {
    case ServerKind::mysql:
      return mysql_queries;
    case ServerKind::mariadb:
      return mariadb_queries;
  }
  return {};
}

}  // namespace sallyport::catalog
