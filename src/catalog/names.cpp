#include "catalog/names.h"

#include <algorithm>

namespace sallyport::catalog {
namespace {

char lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character + ('a' - 'A')) : character;
}

}  // namespace

std::string folded(std::string_view name) {
  std::string found(name);
  std::transform(found.begin(), found.end(), found.begin(), lower);
  return found;
}

bool same_name(std::string_view one, std::string_view other) {
  return one.size() == other.size() &&
         std::equal(one.begin(), one.end(), other.begin(), [](char a, char b) { return lower(a) == lower(b); });
}

bool same_table_name(std::string_view one, std::string_view other, TableNames how) {
  return how == TableNames::sensitive ? one == other : same_name(one, other);
}

bool is_doubtful(std::string_view name) {
  return std::any_of(name.begin(), name.end(),
                     [](char byte) { return (static_cast<unsigned char>(byte) & 0x80) != 0; });
}

}  // namespace sallyport::catalog
