#include "audit/note.h"

#include <gtest/gtest.h>

#include "crypto/base64.h"

namespace sallyport::audit {
namespace {

// The example of Go's golang.org/x/mod/sumdb/note: another implementation's key, text and signature.
constexpr std::string_view example_verifier = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view example_private_key = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
constexpr std::string_view example_text =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
constexpr std::string_view example_note =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    "\n"
    "\xE2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

NoteSigner signer_of(std::uint8_t seed_byte, std::string_view name) {
  std::vector<std::uint8_t> seed(32, seed_byte);
  return std::move(NoteSigner::make(std::move(crypto::PrivateKey::ed25519_from_seed(seed).value()), name).value());
}

std::vector<NoteKey> keys_of(std::initializer_list<const NoteSigner*> signers) {
  std::vector<NoteKey> keys;
  for (const NoteSigner* signer : signers) {
    keys.push_back(std::move(NoteKey::parse(signer->verifier_key().to_line()).value()));
  }
  return keys;
}

std::string signed_by_all(std::string_view text, std::initializer_list<const NoteSigner*> signers) {
  std::vector<const NoteSigner*> list(signers);
  return sign_note(text, list);
}

TEST(Note, OfGosExampleIsReadAndVerified) {
  auto key = NoteKey::parse(example_verifier);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->name(), "PeterNeumann");
  EXPECT_EQ(text_of(key->id()), "c74f20a3");
  EXPECT_EQ(key->to_line(), example_verifier);
  auto note = parse_note(example_note);
  ASSERT_TRUE(note);
  EXPECT_EQ(note->text, example_text);
  EXPECT_EQ(signed_by(*note, *key), SignedBy::valid);
  EXPECT_TRUE(verify_note(*note, {&*key, 1}));
}

TEST(Note, OfGosExampleIsSignedByteForByte) {
  auto encoded = crypto::base64_decode(example_private_key);
  ASSERT_TRUE(encoded);
  auto key = crypto::PrivateKey::ed25519_from_seed(Bytes(*encoded).subspan(1));
  ASSERT_TRUE(key);
  auto signer = NoteSigner::make(std::move(*key), "PeterNeumann");
  ASSERT_TRUE(signer);
  EXPECT_EQ(signed_by_all(example_text, {&*signer}), example_note);
}

TEST(Note, WithAnyByteChangedIsNotVerified) {
  std::vector<NoteKey> keys;
  keys.push_back(std::move(NoteKey::parse(example_verifier).value()));
  for (std::size_t i = 0; i < example_note.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed(example_note);
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      auto note = parse_note(changed);
      EXPECT_FALSE(note && verify_note(*note, keys)) << i << " " << bit;
    }
  }
}

TEST(Note, TakesAnyOfTheKnownKeysAndNoFalseSignatureOfOne) {
  NoteSigner old_signer = signer_of(1, "log.example");
  NoteSigner new_signer = signer_of(2, "log.example");
  NoteSigner stranger = signer_of(3, "log.example");
  NoteSigner other_log = signer_of(1, "other.example");
  std::string by_both = signed_by_all("text\n", {&old_signer, &new_signer});
  auto verified = [&](std::string_view text, const std::vector<NoteKey>& keys) {
    return verify_note(parse_note(text).value(), keys);
  };
  EXPECT_TRUE(verified(by_both, keys_of({&old_signer})));
  EXPECT_TRUE(verified(by_both, keys_of({&new_signer, &stranger})));
  EXPECT_EQ(verified(by_both, keys_of({&stranger})).error(), NoteError::unknown_signers);
  EXPECT_EQ(verified(by_both, keys_of({&other_log})).error(), NoteError::unknown_signers);
  // The new key's signature is that of another text.
  std::string mixed = signed_by_all("text\n", {&old_signer});
  new_signer.append_signature(mixed, "other text\n");
  EXPECT_TRUE(verified(mixed, keys_of({&old_signer})));
  EXPECT_EQ(verified(mixed, keys_of({&old_signer, &new_signer})).error(), NoteError::invalid_signature);
}

TEST(Note, ThatIsMalformedIsRefused) {
  NoteSigner signer = signer_of(1, "log.example");
  std::string good = signed_by_all("one\n\ntwo\n", {&signer});
  ASSERT_TRUE(parse_note(good));
  EXPECT_EQ(parse_note(good)->text, "one\n\ntwo\n");
  std::string line = good.substr(good.find("\xE2"));
  const std::string cases[] = {
      "",
      "\n",
      "\n\n",
      "text\n",
      "text\n\n",
      line,
      "text\n" + line,                               // no empty line
      good.substr(0, good.size() - 1),               // no line end
      good + "\n",                                   // an empty line behind the signatures
      good + "- " + line.substr(4),                  // another dash
      good + "\xE2\x80\x94 log.example\n",           // no signature
      good + "\xE2\x80\x94 log.example AAAA\n",      // a key id that is too short
      good + "\xE2\x80\x94 log.example AAAAAA==\n",  // a key id and nothing
      good + "\xE2\x80\x94 log.example AAAAAAA\n",   // no base64
      good + "\xE2\x80\x94 a+b AAAAAAA=\n",          // no name
      good + "\xE2\x80\x94  AAAAAAA=\n",
      "te\rxt\n\n" + line,
      "te\txt\n\n" + line,
      "te\xFFxt\n\n" + line,
      std::string("te\0xt\n\n", 7) + line,
  };
  for (const std::string& note : cases) {
    ASSERT_FALSE(parse_note(note)) << note;
    EXPECT_EQ(parse_note(note).error(), NoteError::malformed_note) << note;
  }
  std::string many = good;
  for (std::size_t i = 1; i < note_signatures_max; ++i) {
    many += line;
  }
  EXPECT_TRUE(parse_note(many));
  EXPECT_EQ(parse_note(many + line).error(), NoteError::too_large);
  EXPECT_EQ(parse_note(std::string(note_bytes_max, 'x') + good).error(), NoteError::too_large);
}

TEST(NoteKey, IsReadStrictly) {
  std::string line(example_verifier);
  EXPECT_TRUE(NoteKey::parse(line + "\n"));
  for (std::size_t begin = 0; begin <= line.size(); ++begin) {
    for (std::size_t end = begin; end <= line.size(); ++end) {
      if (begin != 0 || end != line.size()) {
        EXPECT_FALSE(NoteKey::parse(line.substr(begin, end - begin))) << begin << " " << end;
      }
    }
  }
  for (std::size_t i = 0; i < line.size(); ++i) {
    std::string changed = line;
    ++changed[i];
    EXPECT_FALSE(NoteKey::parse(changed)) << changed;
  }
  EXPECT_FALSE(NoteKey::parse("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"));
  EXPECT_FALSE(NoteKey::parse(line + "\n\n"));
  // A witness' key, of type 4.
  EXPECT_EQ(NoteKey::parse("remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2").error(),
            NoteError::unsupported_key);
  // The neutral point of the curve, for which anyone can sign.
  NoteSigner signer = signer_of(1, "log.example");
  EXPECT_FALSE(NoteKey::parse("x+00000000+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
}

TEST(NoteKey, IsReadFromPemToo) {
  auto key = crypto::PrivateKey::generate(crypto::KeyType::ed25519);
  auto from_pem = NoteKey::from_pem(key->public_pem(), "log.example");
  ASSERT_TRUE(from_pem);
  EXPECT_EQ(from_pem->to_line(), NoteKey::parse(from_pem->to_line())->to_line());
  EXPECT_TRUE(*from_pem == *NoteKey::parse(from_pem->to_line()));
  EXPECT_EQ(NoteKey::from_pem(key->public_pem(), "a b").error(), NoteError::malformed_key);
  EXPECT_EQ(NoteKey::from_pem("nothing", "log.example").error(), NoteError::malformed_key);
  auto rsa = crypto::PrivateKey::generate(crypto::KeyType::ec_p256);
  EXPECT_EQ(NoteKey::from_pem(rsa->public_pem(), "log.example").error(), NoteError::unsupported_key);
  EXPECT_EQ(NoteSigner::make(std::move(*rsa), "log.example").error(), NoteError::unsupported_key);
}

TEST(KeyName, HasNoSpaceNoPlusAndNoControlCharacter) {
  EXPECT_TRUE(is_key_name("sallyport.example/gateway-1"));
  EXPECT_TRUE(is_key_name("\xC3\xA9"));
  EXPECT_TRUE(is_key_name(std::string(key_name_bytes_max, 'x')));
  for (std::string_view name :
       {"", "a b", "a+b", "a\nb", "a\x7F", "a\xFF", "a\xC2\xA0", "\xE2\x80\xA8", "\xE3\x80\x80"}) {
    EXPECT_FALSE(is_key_name(name)) << name;
  }
  EXPECT_FALSE(is_key_name(std::string(key_name_bytes_max + 1, 'x')));
}

}  // namespace
}  // namespace sallyport::audit
