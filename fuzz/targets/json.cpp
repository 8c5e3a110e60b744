// JSON of tokens and key sets: what is accepted is accepted again when written, as the same tree. A number that is no
// integer may differ in its last digits: the library's parser rounds it more than once.
#include "identity/json.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "fuzz/targets.h"

namespace sallyport::fuzz {
namespace {

using identity::JsonArray;
using identity::JsonMember;
using identity::JsonObject;
using identity::JsonValue;

bool alike(const JsonValue& a, const JsonValue& b);

bool alike(const double& a, const double& b) {
  return a == b || std::abs(a - b) <= 1e-14 * std::max(std::abs(a), std::abs(b));
}
bool alike(const JsonMember& a, const JsonMember& b) {
  return a.first == b.first && alike(a.second, b.second);
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the parser allows
bool alike(const JsonValue& a, const JsonValue& b) {
  if (a.content().index() != b.content().index()) {
    return false;
  }
  auto same = [](const auto& x, const auto& y) { return alike(x, y); };
  if (const auto* number = std::get_if<double>(&a.content())) {
    return alike(*number, std::get<double>(b.content()));
  }
  if (const JsonArray* elements = a.as_array()) {
    return std::equal(elements->begin(), elements->end(), b.as_array()->begin(), b.as_array()->end(), same);
  }
  if (const JsonObject* members = a.as_object()) {
    return std::equal(members->begin(), members->end(), b.as_object()->begin(), b.as_object()->end(), same);
  }
  return identity::to_json(a) == identity::to_json(b);
}

}  // namespace

void fuzz_json(Bytes input) {
  auto first = identity::parse_json(text_of(input), {.bytes_max = 4096, .depth_max = 8});
  if (!first) {
    return;
  }
  SALLYPORT_CHECK(input.size() <= 4096);
  auto second = identity::parse_json(identity::to_json(*first), {});
  SALLYPORT_CHECK(second.has_value());
  SALLYPORT_CHECK(alike(*first, *second));
}

}  // namespace sallyport::fuzz
