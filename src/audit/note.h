// Signed notes: a text and signatures under it. C2SP signed-note, https://c2sp.org/signed-note, with Ed25519 only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/key.h"

namespace sallyport::audit {

inline constexpr std::size_t note_bytes_max = 64U << 10;
inline constexpr std::size_t note_signatures_max = 64;
inline constexpr std::size_t key_name_bytes_max = 255;

// Whether a text can be a log's and a key's name: UTF-8, 1 to key_name_bytes_max bytes, no "+", no control character
// and no space of Unicode's.
bool is_key_name(std::string_view text);

using KeyId = std::array<std::uint8_t, 4>;
// Eight hexadecimal digits, as a verifier key's line has them.
std::string text_of(const KeyId& id);

enum class NoteError : std::uint8_t {
  too_large,          // more than note_bytes_max, or more than note_signatures_max signatures
  malformed_note,     // not a text, an empty line and signature lines
  malformed_key,      // no verifier key, or not its name or its key id
  unsupported_key,    // a key of another kind than Ed25519
  unknown_signers,    // no signature is of a key that is known
  invalid_signature,  // one that claims to be of a known key is not
};

// A phrase in lower case.
std::string_view describe(NoteError error);

// A verifier key's line, NAME+ID+KEY, in its parts: of an Ed25519 key whose first byte is `type`. The views borrow the
// line. Whether the id is the key's is not looked at.
struct KeyLine {
  std::string_view name;
  std::string_view id;
  crypto::PublicKey key;
};
Result<KeyLine, NoteError> parse_key_line(std::string_view line, std::uint8_t type);

// A public key that signs notes, with the name it signs as.
class NoteKey {
 public:
  // A verifier key's line, "NAME+KEYID+KEY", with or without its line end.
  static Result<NoteKey, NoteError> parse(std::string_view line);
  // A "PUBLIC KEY" block; `name` is that of the log.
  static Result<NoteKey, NoteError> from_pem(std::string_view pem, std::string_view name);
  static Result<NoteKey, NoteError> make(crypto::PublicKey key, std::string_view name);

  const std::string& name() const { return name_; }
  const KeyId& id() const { return id_; }
  const crypto::PublicKey& key() const { return key_; }
  // Without a line end.
  std::string to_line() const;
  // The same key of the same name.
  friend bool operator==(const NoteKey& left, const NoteKey& right);

 private:
  NoteKey(crypto::PublicKey key, std::string_view name);

  crypto::PublicKey key_;
  std::string name_;
  KeyId id_;
};

// A private key that signs notes.
class NoteSigner {
 public:
  // Error: unsupported_key, or malformed_key where the name can't be one.
  static Result<NoteSigner, NoteError> make(crypto::PrivateKey key, std::string_view name);

  const std::string& name() const { return verifier_key_.name(); }
  const NoteKey& verifier_key() const { return verifier_key_; }
  // Appends a signature line, with its line end. `text` ends with LF.
  void append_signature(std::string& out, std::string_view text) const;

 private:
  NoteSigner(crypto::PrivateKey key, NoteKey verifier_key)
      : key_(std::move(key)), verifier_key_(std::move(verifier_key)) {}

  crypto::PrivateKey key_;
  NoteKey verifier_key_;
};

struct NoteSignature {
  std::string name;
  KeyId id;
  std::vector<std::uint8_t> bytes;  // without the key id
};

// A note that is read, and not trusted yet.
struct Note {
  std::string text;  // with its last line end, without the empty line behind it
  std::vector<NoteSignature> signatures;
};

// Errors: too_large, malformed_note.
Result<Note, NoteError> parse_note(std::string_view note);
// `text` ends with LF. Signatures are in the order of `signers`, of which there is at least one.
std::string sign_note(std::string_view text, std::span<const NoteSigner* const> signers);

// Which signatures claim to be of a key (by name and id), and whether they are.
enum class SignedBy : std::uint8_t { absent, valid, invalid };
SignedBy signed_by(const Note& note, const NoteKey& key);

// Whether at least one of the keys signed, and no signature that claims to be of one of them is false. Errors:
// unknown_signers, invalid_signature.
Result<Unit, NoteError> verify_note(const Note& note, std::span<const NoteKey> keys);

}  // namespace sallyport::audit
