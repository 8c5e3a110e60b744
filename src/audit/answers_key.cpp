#include "audit/answers_key.h"

#include <algorithm>

#include "crypto/base64.h"

namespace sallyport::audit {
namespace {

constexpr std::string_view id_info = "sallyport answers key id";
constexpr std::string_view answers_data_key_info = "sallyport answers data key";
constexpr std::string_view literals_data_key_info = "sallyport literals data key";

int digit_of(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Empty when they are none.
Secret from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    int high = digit_of(digits[i]);
    int low = digit_of(digits[i + 1]);
    if (high < 0 || low < 0) {
      return Secret();
    }
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return Secret(std::move(bytes));
}

Secret from_base64(std::string_view text) {
  auto bytes = crypto::base64_decode(text);
  if (!bytes) {
    return Secret();
  }
  Secret secret(std::string(bytes->begin(), bytes->end()));
  wipe(bytes->data(), bytes->size());
  return secret;
}

}  // namespace

AnswersKey::AnswersKey(Secret bytes) : bytes_(std::move(bytes)) {
  crypto::hkdf_sha256({.key = bytes_of(bytes_.reveal()), .salt = {}, .info = id_info}, id_);
}

Result<AnswersKey, std::string_view> AnswersKey::parse(std::string_view text) {
  if (text.ends_with('\n')) {
    text.remove_suffix(1);
    text.remove_suffix(text.ends_with('\r') ? 1 : 0);
  }
  Secret bytes = text.size() == 2 * key_bytes ? from_hex(text) : from_base64(text);
  if (bytes.reveal().size() != key_bytes) {
    return Unexpected(std::string_view("neither 64 hexadecimal digits nor base64 of 32 bytes"));
  }
  std::string_view raw = bytes.reveal();
  if (std::all_of(raw.begin(), raw.end(), [&](char c) { return c == raw.front(); })) {
    return Unexpected(std::string_view("32 bytes that are all the same, and so not random"));
  }
  return AnswersKey(std::move(bytes));
}

crypto::Aes256Gcm AnswersKey::data_key(Use use, const Salt& salt) const {
  std::array<std::uint8_t, crypto::Aes256Gcm::key_bytes> key{};
  std::string_view info = use == Use::answers ? answers_data_key_info : literals_data_key_info;
  crypto::hkdf_sha256({.key = bytes_of(bytes_.reveal()), .salt = salt, .info = info}, key);
  crypto::Aes256Gcm cipher(key);
  wipe(key.data(), key.size());
  return cipher;
}

}  // namespace sallyport::audit
