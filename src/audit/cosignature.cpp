#include "audit/cosignature.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/check.h"
#include "crypto/base64.h"

namespace sallyport::audit {
namespace {

// C2SP's signature type of Ed25519 cosignatures.
constexpr std::uint8_t cosignature_type = 4;
constexpr std::size_t timestamp_bytes = 8;
constexpr std::string_view em_dash = "\xE2\x80\x94";

std::array<std::uint8_t, 33> type_and_key_of(const crypto::PublicKey& key) {
  std::array<std::uint8_t, 33> encoded{cosignature_type};
  std::ranges::copy(key.ed25519_bytes(), encoded.begin() + 1);
  return encoded;
}

KeyId key_id_of(std::string_view name, const crypto::PublicKey& key) {
  crypto::Sha256Digest digest = crypto::sha256({bytes_of(name), bytes_of("\n"), type_and_key_of(key)});
  KeyId id{};
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

std::string message_of(std::string_view text, std::uint64_t time) {
  return "cosignature/v1\ntime " + std::to_string(time) + "\n" + std::string(text);
}

}  // namespace

WitnessKey::WitnessKey(crypto::PublicKey key, std::string_view name)
    : key_(std::move(key)), name_(name), id_(key_id_of(name_, key_)) {}

Result<WitnessKey, NoteError> WitnessKey::make(crypto::PublicKey key, std::string_view name) {
  if (key.type() != crypto::KeyType::ed25519) {
    return Unexpected(NoteError::unsupported_key);
  }
  if (!is_key_name(name)) {
    return Unexpected(NoteError::malformed_key);
  }
  return WitnessKey(std::move(key), name);
}

Result<WitnessKey, NoteError> WitnessKey::parse(std::string_view line) {
  auto parts = parse_key_line(line, cosignature_type);
  if (!parts) {
    return Unexpected(parts.error());
  }
  auto made = make(std::move(parts->key), parts->name);
  if (made && text_of(made->id()) != parts->id) {
    return Unexpected(NoteError::malformed_key);
  }
  return made;
}

std::string WitnessKey::to_line() const {
  return name_ + "+" + text_of(id_) + "+" + crypto::base64_encode(type_and_key_of(key_));
}

std::optional<std::uint64_t> WitnessKey::cosigned_at(const Note& note) const {
  std::optional<std::uint64_t> latest;
  for (const NoteSignature& signature : note.signatures) {
    if (signature.name != name_ || signature.id != id_) {
      continue;
    }
    if (signature.bytes.size() != cosignature_bytes) {
      return std::nullopt;
    }
    std::uint64_t time = 0;
    for (std::size_t i = 0; i < timestamp_bytes; ++i) {
      time = time << 8 | signature.bytes[i];
    }
    bool is_valid = time <= INT64_MAX && key_.verify(crypto::JwsAlgorithm::eddsa, bytes_of(message_of(note.text, time)),
                                                     Bytes(signature.bytes).subspan(timestamp_bytes));
    if (!is_valid) {
      return std::nullopt;
    }
    latest = std::max(latest.value_or(0), time);
  }
  return latest;
}

Result<Cosigner, NoteError> Cosigner::make(crypto::PrivateKey key, std::string_view name) {
  if (key.type() != crypto::KeyType::ed25519) {
    return Unexpected(NoteError::unsupported_key);
  }
  auto public_key = crypto::PublicKey::from_pem(key.public_pem());
  SALLYPORT_CHECK(public_key.has_value());
  auto witness_key = WitnessKey::make(std::move(*public_key), name);
  if (!witness_key) {
    return Unexpected(witness_key.error());
  }
  return Cosigner(std::move(key), std::move(*witness_key));
}

std::string Cosigner::cosign(std::string_view text, WallTime now) const {
  auto time = static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::floor<Seconds>(now.time_since_epoch()).count()));
  auto signature = key_.sign(crypto::JwsAlgorithm::eddsa, bytes_of(message_of(text, time)));
  SALLYPORT_CHECK(signature.has_value());
  std::vector<std::uint8_t> bytes(witness_key_.id().begin(), witness_key_.id().end());
  for (std::size_t i = timestamp_bytes; i-- > 0;) {
    bytes.push_back(static_cast<std::uint8_t>(time >> (8 * i)));
  }
  bytes.insert(bytes.end(), signature->begin(), signature->end());
  return std::string(em_dash) + " " + witness_key_.name() + " " + crypto::base64_encode(bytes) + "\n";
}

}  // namespace sallyport::audit
