// JWK sets (RFC 7517): the keys that an issuer signs with.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/key.h"

namespace sallyport::identity {

inline constexpr std::size_t jwks_bytes_max = 256U << 10;
inline constexpr std::size_t jwks_keys_max = 100;

enum class KeySetError : std::uint8_t {
  too_large,      // jwks_bytes_max
  too_many_keys,  // jwks_keys_max
  malformed,      // not strict JSON, or not an object with an array `keys`
  no_usable_key
};

// A phrase in lower case: "larger than 256 KiB".
std::string_view describe(KeySetError error);

// Immutable; may be used from several threads at once.
class KeySet {
 public:
  struct Key {
    std::string id;                                 // `kid`; empty when the key has none
    std::optional<crypto::JwsAlgorithm> algorithm;  // `alg`: the only one that the key may be used with
    crypto::PublicKey key;
  };

  // Keys that can't verify signatures (another `use` or `key_ops`, unknown type, too short, a second key of the same
  // `kid` and type) are left out with a note.
  static Result<KeySet, KeySetError> parse(std::string_view jwks);

  // The key for a token with this `kid` and algorithm; without a `kid`, the only key that fits the algorithm.
  // Null when there is none or more than one.
  const Key* find(std::optional<std::string_view> key_id, crypto::JwsAlgorithm algorithm) const;

  std::size_t size() const { return keys_.size(); }
  // One sentence for each key left out, with its printable `kid`; for the log.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::vector<Key> keys_;
  std::vector<std::string> notes_;
};

// The key sets of all issuers at one moment, in the order of the settings; null where an issuer's are unavailable.
using KeySets = std::vector<std::shared_ptr<const KeySet>>;

// At most 64 characters of a text that a peer chose, '?' for each that is not printable ASCII; for records and logs.
std::string printable(std::string_view text);

}  // namespace sallyport::identity
