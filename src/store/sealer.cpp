#include "store/sealer.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/random.h"

namespace sallyport::store {
namespace {

crypto::Aes256Gcm::Nonce nonce_of(std::uint64_t counter) {
  constexpr std::size_t counter_at = 4;
  crypto::Aes256Gcm::Nonce nonce{};
  for (std::size_t i = 0; i < sizeof counter; ++i) {
    nonce[counter_at + i] = static_cast<std::uint8_t>(counter >> (8 * i));
  }
  return nonce;
}

MutableBytes bytes_in(std::string& text, std::size_t from) {
  return {reinterpret_cast<std::uint8_t*>(text.data()) + from, text.size() - from};
}

}  // namespace

SealHead parse_seal_head(Bytes bytes) {
  ByteReader reader{bytes};
  SealHead head;
  std::ranges::copy(reader.take(head.key.size()), head.key.begin());
  std::ranges::copy(reader.take(head.salt.size()), head.salt.begin());
  head.counter = reader.u64();
  SALLYPORT_CHECK(reader.exhausted());
  return head;
}

Sealer::Sealer(audit::AnswersKey key, audit::AnswersKey::Use use, Limits limits)
    : key_(std::move(key)), use_(use), limits_(limits) {
  head_.key = key_.id();
  renew();
}

void Sealer::renew() {
  crypto::random_bytes(head_.salt);
  cipher_ = key_.data_key(use_, head_.salt);
  head_.counter = 0;
  sealed_bytes_ = 0;
}

void Sealer::append(std::string& out, std::size_t begin, Bytes text) {
  if (head_.counter == limits_.pieces || sealed_bytes_ > limits_.bytes) {
    renew();
  }
  out += text_of(head_.key);
  out += text_of(head_.salt);
  for (std::size_t i = 0; i < sizeof head_.counter; ++i) {
    out.push_back(static_cast<char>(head_.counter >> (8 * i)));
  }
  std::size_t clear_end = out.size();
  out.resize(clear_end + text.size() + crypto::Aes256Gcm::tag_bytes);
  Bytes clear = bytes_of(std::string_view(out).substr(begin, clear_end - begin));
  cipher_->seal(nonce_of(head_.counter), clear, text, bytes_in(out, clear_end));
  ++head_.counter;
  sealed_bytes_ += text.size();
}

bool Opener::has(const audit::AnswersKey::Id& key) const {
  return std::ranges::any_of(keys_, [&](const audit::AnswersKey& one) { return one.id() == key; });
}

std::optional<Bytes> Opener::open(Bytes clear, const SealHead& head, Bytes sealed) {
  auto key = std::ranges::find_if(keys_, [&](const audit::AnswersKey& one) { return one.id() == head.key; });
  if (key == keys_.end() || sealed.size() < crypto::Aes256Gcm::tag_bytes) {
    return std::nullopt;
  }
  if (!cipher_ || cipher_of_.key != head.key || cipher_of_.salt != head.salt) {
    cipher_ = key->data_key(use_, head.salt);
    cipher_of_ = head;
  }
  text_.resize(sealed.size() - crypto::Aes256Gcm::tag_bytes);
  if (!cipher_->open(nonce_of(head.counter), clear, sealed, text_)) {
    return std::nullopt;
  }
  return Bytes(text_);
}

}  // namespace sallyport::store
