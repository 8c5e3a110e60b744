#include "crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>

#include "base/check.h"

namespace sallyport::crypto {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

template <std::size_t Size>
std::array<std::uint8_t, Size> digest(const EVP_MD* algorithm, std::initializer_list<Bytes> parts) {
  const Context context{EVP_MD_CTX_new()};
  SALLYPORT_CHECK(context != nullptr);
  SALLYPORT_CHECK(EVP_DigestInit_ex(context.get(), algorithm, nullptr) == 1);
  for (const Bytes part : parts) {
    SALLYPORT_CHECK(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
  }
  std::array<std::uint8_t, Size> result{};
  unsigned int length = 0;
  SALLYPORT_CHECK(EVP_DigestFinal_ex(context.get(), result.data(), &length) == 1 && length == Size);
  return result;
}

}  // namespace

Sha1Digest sha1(std::initializer_list<Bytes> parts) {
  return digest<20>(EVP_sha1(), parts);
}
Sha512Digest sha512(std::initializer_list<Bytes> parts) {
  return digest<64>(EVP_sha512(), parts);
}

bool equal_in_constant_time(Bytes left, Bytes right) {
  return left.size() == right.size() && (left.empty() || CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0);
}

}  // namespace sallyport::crypto
