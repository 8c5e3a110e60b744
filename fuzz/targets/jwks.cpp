// Key sets: never more keys than the limit or the text can hold; the key found is one that was asked for.
#include "base/check.h"
#include "fuzz/targets.h"
#include "identity/key_set.h"

namespace sallyport::fuzz {

void fuzz_jwks(Bytes input) {
  auto keys = identity::KeySet::parse(text_of(input));
  if (!keys) {
    SALLYPORT_CHECK(!identity::describe(keys.error()).empty());
    return;
  }
  SALLYPORT_CHECK(input.size() <= identity::jwks_bytes_max);
  SALLYPORT_CHECK(keys->size() >= 1 && keys->size() <= identity::jwks_keys_max);
  SALLYPORT_CHECK(keys->size() * 2 <= input.size());
  for (auto algorithm : {crypto::JwsAlgorithm::rs256, crypto::JwsAlgorithm::es256, crypto::JwsAlgorithm::eddsa}) {
    const identity::KeySet::Key* found = keys->find(std::string_view("a"), algorithm);
    SALLYPORT_CHECK(found == nullptr || found->id == "a");
    SALLYPORT_CHECK(found == nullptr || !found->algorithm || *found->algorithm == algorithm);
  }
}

}  // namespace sallyport::fuzz
