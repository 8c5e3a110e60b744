#include "identity/key_set.h"

#include <algorithm>
#include <utility>

#include "identity/json.h"

namespace sallyport::identity {
namespace {

// Why a key is left out; nothing when it is a key for signatures as far as its members say.
std::optional<std::string_view> fault_of_purpose(const JsonValue& key) {
  const JsonValue* const use = key.member("use");
  if (use != nullptr && (use->as_string() == nullptr || *use->as_string() != "sig")) {
    return "its use is not sig";
  }
  if (const JsonValue* const operations = key.member("key_ops")) {
    const JsonArray* const names = operations->as_array();
    const auto is_verify = [](const JsonValue& name) { return name.as_string() && *name.as_string() == "verify"; };
    if (names == nullptr || std::none_of(names->begin(), names->end(), is_verify)) {
      return "its key_ops lack verify";
    }
  }
  if (key.member("d") != nullptr || key.member("k") != nullptr) {
    return "it is a private or a shared key, which is public now";
  }
  return std::nullopt;
}

// The string of that name, empty when there is none; nothing when it is no string.
std::optional<std::string> text_member(const JsonValue& object, std::string_view name) {
  const JsonValue* const value = object.member(name);
  if (value == nullptr) {
    return std::string();
  }
  const std::string* const text = value->as_string();
  return text == nullptr ? std::nullopt : std::optional(*text);
}

Result<KeySet::Key, std::string> read_key(const JsonValue& value) {
  if (!value.is_object()) {
    return Unexpected(std::string("it is not an object"));
  }
  if (const auto fault = fault_of_purpose(value)) {
    return Unexpected(std::string(*fault));
  }
  const auto id = text_member(value, "kid");
  const auto algorithm_name = text_member(value, "alg");
  auto kty = text_member(value, "kty");
  auto crv = text_member(value, "crv");
  auto n = text_member(value, "n");
  auto e = text_member(value, "e");
  auto x = text_member(value, "x");
  auto y = text_member(value, "y");
  if (!id || !algorithm_name || !kty || !crv || !n || !e || !x || !y) {
    return Unexpected(std::string("a member that must be a string is not"));
  }
  auto key = crypto::PublicKey::from_jwk({.kty = std::move(*kty),
                                          .crv = std::move(*crv),
                                          .n = std::move(*n),
                                          .e = std::move(*e),
                                          .x = std::move(*x),
                                          .y = std::move(*y)});
  if (!key) {
    return Unexpected("it is " + std::string(crypto::describe(key.error())));
  }
  std::optional<crypto::JwsAlgorithm> algorithm;
  if (value.member("alg") != nullptr) {
    algorithm = crypto::jws_algorithm_from_name(*algorithm_name);
    if (!algorithm || !crypto::fits(*algorithm, key->type())) {
      return Unexpected(std::string("its alg is no signature algorithm of its type"));
    }
  }
  return KeySet::Key{*id, algorithm, std::move(*key)};
}

}  // namespace

std::string_view describe(KeySetError error) {
  switch (error) {
    case KeySetError::too_large:
      return "larger than 256 KiB";
    case KeySetError::too_many_keys:
      return "of more than 100 keys";
    case KeySetError::malformed:
      return "not a JWK set";
    case KeySetError::no_usable_key:
      return "without a key that can verify signatures";
  }
  return "unknown";
}

Result<KeySet, KeySetError> KeySet::parse(std::string_view jwks) {
  const auto document = parse_json(jwks, {.bytes_max = jwks_bytes_max});
  if (!document) {
    return Unexpected(document.error() == JsonError::too_large ? KeySetError::too_large : KeySetError::malformed);
  }
  const JsonValue* const member = document->member("keys");
  const JsonArray* const values = member == nullptr ? nullptr : member->as_array();
  if (values == nullptr) {
    return Unexpected(KeySetError::malformed);
  }
  if (values->size() > jwks_keys_max) {
    return Unexpected(KeySetError::too_many_keys);
  }
  KeySet set;
  for (std::size_t i = 0; i < values->size(); ++i) {
    auto key = read_key((*values)[i]);
    std::string fault;
    if (!key) {
      fault = key.error();
    } else if (!key->id.empty() && std::any_of(set.keys_.begin(), set.keys_.end(), [&](const Key& other) {
                 return other.id == key->id && other.key.type() == key->key.type();
               })) {
      fault = "another key of its type has the same kid";
    }
    if (fault.empty()) {
      set.keys_.push_back(std::move(*key));
      continue;
    }
    const auto id = text_member((*values)[i], "kid");
    set.notes_.push_back("Key " + std::to_string(i) + (id && !id->empty() ? " (kid " + printable(*id) + ")" : "") +
                         " is left out: " + fault + ".");
  }
  if (set.keys_.empty()) {
    return Unexpected(KeySetError::no_usable_key);
  }
  return set;
}

const KeySet::Key* KeySet::find(std::optional<std::string_view> key_id, crypto::JwsAlgorithm algorithm) const {
  const Key* found = nullptr;
  for (const Key& key : keys_) {
    if ((key_id && key.id != *key_id) || !crypto::fits(algorithm, key.key.type()) ||
        (key.algorithm && *key.algorithm != algorithm)) {
      continue;
    }
    if (found != nullptr) {
      return nullptr;
    }
    found = &key;
  }
  return found;
}

std::string printable(std::string_view text) {
  constexpr std::size_t characters_max = 64;
  std::string result(text.substr(0, characters_max));
  for (char& character : result) {
    if (character < ' ' || character > '~') {
      character = '?';
    }
  }
  return result;
}

}  // namespace sallyport::identity
