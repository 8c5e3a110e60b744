// Signatures that were found valid lately, so that a token that comes again isn't verified again.
//
// What is kept is a fact that nothing can end: that this key signed this text with this algorithm. All that may change
// is judged anew at each login, by others: whether the key is the issuer's, is published still and may be used with the
// algorithm, and every claim. See docs/adr/0024-verified-signatures.md.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "crypto/hash.h"
#include "crypto/key.h"

namespace sallyport::identity {

// For one thread.
class VerifiedSignatures {
 public:
  // Of the key itself, not of the name that it goes by, and of the whole token: signing input, dot and signature.
  static crypto::Sha256Digest digest_of(const crypto::PublicKey& key, crypto::JwsAlgorithm algorithm,
                                        std::string_view token);

  // Room for so many; none: nothing is kept, and each signature is verified. Forgets those that there are, unless the
  // number is the same.
  void keep_at_most(std::size_t count);
  bool keep_any() const { return !places_.empty(); }

  bool contains(const crypto::Sha256Digest& digest) const;
  // Of a signature that was verified just now. May drive out another.
  void add(const crypto::Sha256Digest& digest);

 private:
  // Each digest has one place; no digest is all zeroes.
  std::size_t place_of(const crypto::Sha256Digest& digest) const;

  std::vector<crypto::Sha256Digest> places_;
};

}  // namespace sallyport::identity
