#include "identity/verified_signatures.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace sallyport::identity {

crypto::Sha256Digest VerifiedSignatures::digest_of(const crypto::PublicKey& key, crypto::JwsAlgorithm algorithm,
                                                   std::string_view token) {
  const std::array<std::uint8_t, 1> algorithm_byte{static_cast<std::uint8_t>(algorithm)};
  return crypto::sha256({key.fingerprint(), algorithm_byte, bytes_of(token)});
}

void VerifiedSignatures::keep_at_most(std::size_t count) {
  if (count != places_.size()) {
    places_.assign(count, crypto::Sha256Digest{});
    places_.shrink_to_fit();
  }
}

bool VerifiedSignatures::contains(const crypto::Sha256Digest& digest) const {
  return !places_.empty() && places_[place_of(digest)] == digest;
}

void VerifiedSignatures::add(const crypto::Sha256Digest& digest) {
  if (!places_.empty()) {
    places_[place_of(digest)] = digest;
  }
}

std::size_t VerifiedSignatures::place_of(const crypto::Sha256Digest& digest) const {
  std::uint64_t number = 0;
  std::memcpy(&number, digest.data(), sizeof number);
  return number % places_.size();
}

}  // namespace sallyport::identity
