// How the servers compare names.
//
// Columns, routines and aliases of columns compare without regard to case, by tables of Unicode that differ between the
// servers and their versions: MySQL takes the Kelvin sign for a k. So beyond ASCII only equal bytes are equal here, and
// a name that is not found but has other bytes is one that can't be told: is_doubtful().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::catalog {

// The variable lower_case_table_names: how names of schemas and tables, and aliases of tables, compare.
enum class TableNames : std::uint8_t {
  sensitive,   // 0: by their bytes
  lower_case,  // 1: stored in lower case, and compared so
  insensitive  // 2: stored as given, compared in lower case
};

// ASCII letters in lower case, all other bytes as they are.
std::string folded(std::string_view name);

// As for columns, routines, and the aliases of columns.
bool same_name(std::string_view one, std::string_view other);
bool same_table_name(std::string_view one, std::string_view other, TableNames how);

// Whether the server may find a name where same_name() doesn't.
bool is_doubtful(std::string_view name);

}  // namespace sallyport::catalog
