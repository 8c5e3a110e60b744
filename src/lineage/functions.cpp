#include "lineage/functions.h"

#include <algorithm>
#include <array>

namespace sallyport::lineage {
namespace {

using namespace function_trait;
constexpr std::uint8_t mariadb = 1;
constexpr std::uint8_t mysql = 2;

struct Entry {
  std::string_view name;
  std::uint8_t servers;
  FunctionTraits traits;
};

constexpr auto entries = std::to_array<Entry>({
#define SALLYPORT_FUNCTION(name, servers, traits) {name, servers, traits},
#include "lineage/functions.inc"
#undef SALLYPORT_FUNCTION
});
static_assert(std::ranges::is_sorted(entries, {}, &Entry::name));

constexpr std::size_t name_bytes_max = 64;

}  // namespace

std::optional<FunctionTraits> find_builtin(std::string_view name, sql::Server server) {
  if (name.size() > name_bytes_max) {
    return std::nullopt;
  }
  std::array<char, name_bytes_max> buffer;
  std::transform(name.begin(), name.end(), buffer.begin(), [](char character) {
    return character >= 'a' && character <= 'z' ? static_cast<char>(character - ('a' - 'A')) : character;
  });
  std::string_view upper{buffer.data(), name.size()};
  const auto* found = std::ranges::lower_bound(entries, upper, {}, &Entry::name);
  bool is_there = found != entries.end() && found->name == upper &&
                  (found->servers & (server == sql::Server::mysql ? mysql : mariadb)) != 0;
  return is_there ? std::optional(found->traits) : std::nullopt;
}

}  // namespace sallyport::lineage
