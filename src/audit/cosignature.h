// Witnesses of logs: their keys, and cosignatures of checkpoints. C2SP tlog-cosignature
// (https://c2sp.org/tlog-cosignature), cosignature/v1 with Ed25519.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/note.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/key.h"

namespace sallyport::audit {

// Of a cosignature, behind the key's id: the time and an Ed25519 signature.
inline constexpr std::size_t cosignature_bytes = 8 + 64;

// A public key that cosigns, with the witness' name. Its id is another than that of the same key as one that signs
// notes.
class WitnessKey {
 public:
  // "NAME+KEYID+KEY", with or without its line end, of signature type 0x04. Errors: malformed_key, unsupported_key.
  static Result<WitnessKey, NoteError> parse(std::string_view line);
  static Result<WitnessKey, NoteError> make(crypto::PublicKey key, std::string_view name);

  const std::string& name() const { return name_; }
  const KeyId& id() const { return id_; }
  // Without a line end.
  std::string to_line() const;

  // When the witness cosigned the note's text, in seconds since 1970: of several the latest. Nothing when no signature
  // claims to be of this key, or when one that does is not.
  std::optional<std::uint64_t> cosigned_at(const Note& note) const;

 private:
  WitnessKey(crypto::PublicKey key, std::string_view name);

  crypto::PublicKey key_;
  std::string name_;
  KeyId id_;
};

// A private key that cosigns. Nothing else may be signed with it.
class Cosigner {
 public:
  // Errors: unsupported_key, or malformed_key where the name can't be one.
  static Result<Cosigner, NoteError> make(crypto::PrivateKey key, std::string_view name);

  const WitnessKey& witness_key() const { return witness_key_; }
  // A signature line with its line end. `text` is a checkpoint's, and ends with LF.
  std::string cosign(std::string_view text, WallTime now) const;

 private:
  Cosigner(crypto::PrivateKey key, WitnessKey witness_key)
      : key_(std::move(key)), witness_key_(std::move(witness_key)) {}

  crypto::PrivateKey key_;
  WitnessKey witness_key_;
};

}  // namespace sallyport::audit
