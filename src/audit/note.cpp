#include "audit/note.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/hex.h"
#include "base/json_text.h"
#include "crypto/base64.h"

namespace sallyport::audit {
namespace {

// C2SP's signature type of Ed25519 signatures over the note's text.
constexpr std::uint8_t ed25519_type = 1;
constexpr std::size_t key_bytes = 32;
constexpr std::string_view em_dash = "\xE2\x80\x94";

// Unicode 15's White_Space beyond ASCII, in UTF-8.
constexpr std::string_view spaces[] = {"\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81",
                                       "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86",
                                       "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",
                                       "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

KeyId key_id_of(std::string_view name, Bytes type_and_key) {
  crypto::Sha256Digest digest = crypto::sha256({bytes_of(name), bytes_of("\n"), type_and_key});
  KeyId id{};
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

std::array<std::uint8_t, 1 + key_bytes> type_and_key_of(const crypto::PublicKey& key) {
  std::array<std::uint8_t, 1 + key_bytes> encoded{ed25519_type};
  std::ranges::copy(key.ed25519_bytes(), encoded.begin() + 1);
  return encoded;
}

// "— NAME BASE64", without the line end.
std::optional<NoteSignature> parse_signature_line(std::string_view line) {
  if (!line.starts_with(em_dash) || line.substr(em_dash.size(), 1) != " ") {
    return std::nullopt;
  }
  line.remove_prefix(em_dash.size() + 1);
  std::size_t space = line.find(' ');
  if (space == std::string_view::npos || !is_key_name(line.substr(0, space))) {
    return std::nullopt;
  }
  auto bytes = crypto::base64_decode(line.substr(space + 1));
  NoteSignature signature{.name = std::string(line.substr(0, space)), .id = {}, .bytes = {}};
  if (!bytes || bytes->size() <= signature.id.size()) {
    return std::nullopt;
  }
  auto behind_id = bytes->begin() + static_cast<std::ptrdiff_t>(signature.id.size());
  std::copy(bytes->begin(), behind_id, signature.id.begin());
  signature.bytes.assign(behind_id, bytes->end());
  return signature;
}

}  // namespace

bool is_key_name(std::string_view text) {
  auto has_space = [&](std::string_view space) { return text.find(space) != std::string_view::npos; };
  return !text.empty() && text.size() <= key_name_bytes_max && is_utf8(text) && std::ranges::none_of(text, [](char c) {
    auto byte = static_cast<std::uint8_t>(c);
    return byte <= 0x20 || byte == 0x7F || c == '+';
  }) && std::ranges::none_of(spaces, has_space);
}

std::string text_of(const KeyId& id) {
  return to_hex(id);
}

std::string_view describe(NoteError error) {
  switch (error) {
    case NoteError::too_large:
      return "longer than any that is written";
    case NoteError::malformed_note:
      return "not a signed note";
    case NoteError::malformed_key:
      return "not a verifier key";
    case NoteError::unsupported_key:
      return "a key of another kind than Ed25519";
    case NoteError::unknown_signers:
      return "not signed by the key that it is to be verified with";
    case NoteError::invalid_signature:
      return "its signature is not that of the key whose name and id it bears";
  }
  return "";
}

NoteKey::NoteKey(crypto::PublicKey key, std::string_view name)
    : key_(std::move(key)), name_(name), id_(key_id_of(name_, type_and_key_of(key_))) {}

Result<NoteKey, NoteError> NoteKey::make(crypto::PublicKey key, std::string_view name) {
  if (key.type() != crypto::KeyType::ed25519) {
    return Unexpected(NoteError::unsupported_key);
  }
  if (!is_key_name(name)) {
    return Unexpected(NoteError::malformed_key);
  }
  return NoteKey(std::move(key), name);
}

Result<NoteKey, NoteError> NoteKey::from_pem(std::string_view pem, std::string_view name) {
  auto key = crypto::PublicKey::from_pem(pem);
  if (!key) {
    bool other_kind = key.error() == crypto::KeyError::unsupported || key.error() == crypto::KeyError::too_short ||
                      key.error() == crypto::KeyError::too_long;
    return Unexpected(other_kind ? NoteError::unsupported_key : NoteError::malformed_key);
  }
  return make(std::move(*key), name);
}

Result<KeyLine, NoteError> parse_key_line(std::string_view line, std::uint8_t type) {
  if (line.ends_with('\n')) {
    line.remove_suffix(1);
  }
  // The base64 of the key may have a "+" too, the name and the id have none.
  std::size_t first = line.find('+');
  std::size_t second = first == std::string_view::npos ? first : line.find('+', first + 1);
  auto encoded = second == std::string_view::npos ? std::nullopt : crypto::base64_decode(line.substr(second + 1));
  if (!encoded || encoded->empty()) {
    return Unexpected(NoteError::malformed_key);
  }
  if (encoded->front() != type) {
    return Unexpected(NoteError::unsupported_key);
  }
  auto key = crypto::PublicKey::from_jwk(
      {.kty = "OKP", .crv = "Ed25519", .x = crypto::base64url_encode(Bytes(*encoded).subspan(1))});
  if (!key) {
    return Unexpected(NoteError::malformed_key);
  }
  return KeyLine{
      .name = line.substr(0, first), .id = line.substr(first + 1, second - first - 1), .key = std::move(*key)};
}

Result<NoteKey, NoteError> NoteKey::parse(std::string_view line) {
  auto parts = parse_key_line(line, ed25519_type);
  if (!parts) {
    return Unexpected(parts.error());
  }
  auto made = make(std::move(parts->key), parts->name);
  if (made && text_of(made->id()) != parts->id) {
    return Unexpected(NoteError::malformed_key);
  }
  return made;
}

std::string NoteKey::to_line() const {
  return name_ + "+" + text_of(id_) + "+" + crypto::base64_encode(type_and_key_of(key_));
}

bool operator==(const NoteKey& left, const NoteKey& right) {
  return left.name_ == right.name_ && left.key_.ed25519_bytes() == right.key_.ed25519_bytes();
}

Result<NoteSigner, NoteError> NoteSigner::make(crypto::PrivateKey key, std::string_view name) {
  if (key.type() != crypto::KeyType::ed25519) {
    return Unexpected(NoteError::unsupported_key);
  }
  auto verifier_key = NoteKey::from_pem(key.public_pem(), name);
  if (!verifier_key) {
    return Unexpected(verifier_key.error());
  }
  return NoteSigner(std::move(key), std::move(*verifier_key));
}

void NoteSigner::append_signature(std::string& out, std::string_view text) const {
  auto signature = key_.sign(crypto::JwsAlgorithm::eddsa, bytes_of(text));
  SALLYPORT_CHECK(signature.has_value());
  std::vector<std::uint8_t> bytes(verifier_key_.id().begin(), verifier_key_.id().end());
  bytes.insert(bytes.end(), signature->begin(), signature->end());
  out.append(em_dash).append(" ").append(name()).append(" ").append(crypto::base64_encode(bytes)).append("\n");
}

Result<Note, NoteError> parse_note(std::string_view note) {
  if (note.size() > note_bytes_max) {
    return Unexpected(NoteError::too_large);
  }
  bool has_controls =
      std::ranges::any_of(note, [](char c) { return static_cast<std::uint8_t>(c) < 0x20 && c != '\n'; });
  std::size_t empty_line = note.rfind("\n\n");
  if (has_controls || !is_utf8(note) || empty_line == std::string_view::npos || !note.ends_with('\n')) {
    return Unexpected(NoteError::malformed_note);
  }
  Note read{.text = std::string(note.substr(0, empty_line + 1)), .signatures = {}};
  std::string_view rest = note.substr(empty_line + 2);
  while (!rest.empty()) {
    std::size_t end = rest.find('\n');
    auto signature = parse_signature_line(rest.substr(0, end));
    if (!signature) {
      return Unexpected(NoteError::malformed_note);
    }
    if (read.signatures.size() == note_signatures_max) {
      return Unexpected(NoteError::too_large);
    }
    read.signatures.push_back(std::move(*signature));
    rest.remove_prefix(end + 1);
  }
  if (read.signatures.empty()) {
    return Unexpected(NoteError::malformed_note);
  }
  return read;
}

std::string sign_note(std::string_view text, std::span<const NoteSigner* const> signers) {
  SALLYPORT_CHECK(text.ends_with('\n') && !signers.empty());
  std::string note(text);
  note += '\n';
  for (const NoteSigner* signer : signers) {
    signer->append_signature(note, text);
  }
  return note;
}

SignedBy signed_by(const Note& note, const NoteKey& key) {
  SignedBy found = SignedBy::absent;
  for (const NoteSignature& signature : note.signatures) {
    if (signature.name != key.name() || signature.id != key.id()) {
      continue;
    }
    if (!key.key().verify(crypto::JwsAlgorithm::eddsa, bytes_of(note.text), signature.bytes)) {
      return SignedBy::invalid;
    }
    found = SignedBy::valid;
  }
  return found;
}

Result<Unit, NoteError> verify_note(const Note& note, std::span<const NoteKey> keys) {
  bool verified = false;
  for (const NoteKey& key : keys) {
    switch (signed_by(note, key)) {
      case SignedBy::absent:
        break;
      case SignedBy::valid:
        verified = true;
        break;
      case SignedBy::invalid:
        return Unexpected(NoteError::invalid_signature);
    }
  }
  if (!verified) {
    return Unexpected(NoteError::unknown_signers);
  }
  return Unit{};
}

}  // namespace sallyport::audit
