// The functions that are built in to the servers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sql/dialect.h"

namespace sallyport::lineage {

// What a built-in function does beside computing a value from its arguments: a set.
using FunctionTraits = std::uint8_t;
namespace function_trait {
inline constexpr FunctionTraits passes_value = 1;  // the result is one of the arguments, as it is
inline constexpr FunctionTraits aggregate = 2;     // of many rows
inline constexpr FunctionTraits side_effect = 4;   // locks, waits, sets something
inline constexpr FunctionTraits reads_file = 8;
inline constexpr FunctionTraits compares = 16;  // with passes_value: which argument it is tells of all of them
}  // namespace function_trait

// Nothing for a name that is none of `server`: a stored or a loadable function, or none at all.
std::optional<FunctionTraits> find_builtin(std::string_view name, sql::Server server);

}  // namespace sallyport::lineage
