#include "crypto/key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/base64.h"

namespace sallyport::crypto {
namespace {

using Octets = std::vector<std::uint8_t>;

PrivateKey new_key(KeyType type) {
  auto key = PrivateKey::generate(type);
  SALLYPORT_CHECK(key.has_value());
  return std::move(key).value();
}

PublicKey public_of(const PrivateKey& key) {
  auto result = PublicKey::from_jwk(key.public_jwk());
  SALLYPORT_CHECK(result.has_value());
  return std::move(result).value();
}

KeyError fault(const JwkMembers& members) {
  const auto key = PublicKey::from_jwk(members);
  return key.error();
}

constexpr KeyType all_types[] = {KeyType::rsa, KeyType::ec_p256, KeyType::ec_p384, KeyType::ec_p521, KeyType::ed25519};

TEST(Key, SignsAndVerifiesWithTheAlgorithmsOfItsTypeAndNoOther) {
  const Bytes input = bytes_of("header.payload");
  for (const KeyType type : all_types) {
    const PrivateKey key = new_key(type);
    const PublicKey verifier = public_of(key);
    EXPECT_EQ(verifier.type(), type);
    int fitting = 0;
    for (const auto& [algorithm, name] : jws_algorithm_names) {
      const auto signature = key.sign(algorithm, input);
      ASSERT_EQ(signature.has_value(), fits(algorithm, type)) << name;
      if (!signature) {
        EXPECT_EQ(signature.error(), KeyError::algorithm_mismatch);
        continue;
      }
      ++fitting;
      EXPECT_TRUE(verifier.verify(algorithm, input, *signature)) << name;
      EXPECT_FALSE(verifier.verify(algorithm, bytes_of("header.payloae"), *signature)) << name;
      for (const auto& [other, other_name] : jws_algorithm_names) {
        EXPECT_EQ(verifier.verify(other, input, *signature), other == algorithm) << name << " as " << other_name;
      }
    }
    EXPECT_EQ(fitting, type == KeyType::rsa ? 6 : 1);
  }
}

TEST(Key, RefusesASignatureThatIsChangedShortenedOrLengthened) {
  const Bytes input = bytes_of("header.payload");
  for (const auto& [type, algorithm] : {std::pair{KeyType::rsa, JwsAlgorithm::rs256},
                                        {KeyType::rsa, JwsAlgorithm::ps256},
                                        {KeyType::ec_p256, JwsAlgorithm::es256},
                                        {KeyType::ec_p521, JwsAlgorithm::es512},
                                        {KeyType::ed25519, JwsAlgorithm::eddsa}}) {
    const PrivateKey key = new_key(type);
    const PublicKey verifier = public_of(key);
    const Octets good = *key.sign(algorithm, input);
    for (std::size_t i = 0; i < good.size(); i += 7) {
      Octets changed = good;
      changed[i] ^= 0x10;
      EXPECT_FALSE(verifier.verify(algorithm, input, changed)) << name_of(algorithm) << " byte " << i;
    }
    for (std::size_t length = 0; length < good.size(); length += 5) {
      EXPECT_FALSE(verifier.verify(algorithm, input, Bytes(good).first(length)));
    }
    Octets longer = good;
    longer.push_back(0);
    EXPECT_FALSE(verifier.verify(algorithm, input, longer));
    longer.insert(longer.begin(), 0);
    EXPECT_FALSE(verifier.verify(algorithm, input, longer));
  }
}

TEST(Key, RefusesThePsychicSignatureOfZeroes) {
  for (const auto& [type, algorithm, length] : {std::tuple{KeyType::ec_p256, JwsAlgorithm::es256, 64U},
                                                {KeyType::ec_p384, JwsAlgorithm::es384, 96U},
                                                {KeyType::ec_p521, JwsAlgorithm::es512, 132U},
                                                {KeyType::ed25519, JwsAlgorithm::eddsa, 64U}}) {
    const PublicKey verifier = public_of(new_key(type));
    EXPECT_FALSE(verifier.verify(algorithm, bytes_of("any"), Octets(length)));
    // DER of r = s = 0.
    EXPECT_FALSE(verifier.verify(algorithm, bytes_of("any"), Octets{0x30, 6, 2, 1, 0, 2, 1, 0}));
  }
}

TEST(Key, RefusesAnEcdsaSignatureInDer) {
  const PrivateKey key = new_key(KeyType::ec_p256);
  const Octets raw = *key.sign(JwsAlgorithm::es256, bytes_of("any"));
  Octets der{0x30, 70, 2, 33, 0};
  der.insert(der.end(), raw.begin(), raw.begin() + 32);
  der.insert(der.end(), {2, 33, 0});
  der.insert(der.end(), raw.begin() + 32, raw.end());
  EXPECT_FALSE(public_of(key).verify(JwsAlgorithm::es256, bytes_of("any"), der));
}

TEST(Key, AnotherKeysSignatureIsRefused) {
  for (const auto& [type, algorithm] : {std::pair{KeyType::rsa, JwsAlgorithm::ps512},
                                        {KeyType::ec_p384, JwsAlgorithm::es384},
                                        {KeyType::ed25519, JwsAlgorithm::eddsa}}) {
    const Octets signature = *new_key(type).sign(algorithm, bytes_of("any"));
    EXPECT_FALSE(public_of(new_key(type)).verify(algorithm, bytes_of("any"), signature));
  }
}

// RFC 8037 appendix A.4 (Ed25519) and RFC 7515 appendix A.3 (ES256).
TEST(Key, VerifiesTheExamplesOfTheStandards) {
  const auto edwards =
      PublicKey::from_jwk({.kty = "OKP", .crv = "Ed25519", .x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
  ASSERT_TRUE(edwards);
  EXPECT_TRUE(edwards->verify(
      JwsAlgorithm::eddsa, bytes_of("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"),
      *base64url_decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")));
  EXPECT_EQ(thumbprint({.kty = "OKP", .crv = "Ed25519", .x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");

  const auto elliptic = PublicKey::from_jwk({.kty = "EC",
                                             .crv = "P-256",
                                             .x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                                             .y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
  ASSERT_TRUE(elliptic);
  EXPECT_TRUE(elliptic->verify(
      JwsAlgorithm::es256,
      bytes_of(
          "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb29"
          "0Ijp0cnVlfQ"),
      *base64url_decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")));
}

TEST(Key, RefusesRsaKeysThatAreTooShortTooLongOrHaveABadExponent) {
  const PrivateKey small = std::move(PrivateKey::generate_rsa(1024)).value();
  EXPECT_EQ(fault(small.public_jwk()), KeyError::too_short);
  EXPECT_EQ(PublicKey::from_pem(small.public_pem()).error(), KeyError::too_short);

  Octets modulus(1025, 0xff);
  JwkMembers members{.kty = "RSA", .n = base64url_encode(modulus), .e = "AQAB"};
  EXPECT_EQ(fault(members), KeyError::too_long);
  members.n = base64url_encode(Octets(100'000, 0xff));
  EXPECT_EQ(fault(members), KeyError::too_long);

  members = new_key(KeyType::rsa).public_jwk();
  EXPECT_EQ(members.e, "AQAB");
  for (const Octets& exponent : {Octets{1}, Octets{2}, Octets{0}, Octets{1, 0, 0}, Octets(9, 0xff)}) {
    members.e = base64url_encode(exponent);
    EXPECT_EQ(fault(members), KeyError::invalid_exponent);
  }
  members.e = "Aw";
  EXPECT_TRUE(PublicKey::from_jwk(members));
  Octets even = *base64url_decode(members.n);
  even.back() &= 0xfe;
  members.n = base64url_encode(even);
  EXPECT_EQ(fault(members), KeyError::malformed);
}

TEST(Key, RefusesPointsThatAreNotOfTheirCurve) {
  for (const KeyType type : {KeyType::ec_p256, KeyType::ec_p384, KeyType::ec_p521}) {
    const JwkMembers good = new_key(type).public_jwk();
    Octets y = *base64url_decode(good.y);
    y.back() ^= 1;
    JwkMembers bad = good;
    bad.y = base64url_encode(y);
    EXPECT_EQ(fault(bad), KeyError::invalid_point);
    bad.x = bad.y = base64url_encode(Octets(y.size()));
    EXPECT_EQ(fault(bad), KeyError::invalid_point);
    bad = good;
    bad.x = base64url_encode(Octets(y.size() - 1, 7));
    EXPECT_EQ(fault(bad), KeyError::malformed);
  }
  // A point of another curve under this one's name.
  JwkMembers mixed = new_key(KeyType::ec_p384).public_jwk();
  mixed.crv = "P-256";
  EXPECT_EQ(fault(mixed), KeyError::malformed);
}

TEST(Key, RefusesEd25519PointsOfSmallOrder) {
  Octets identity(32);
  identity[0] = 1;
  EXPECT_EQ(fault({.kty = "OKP", .crv = "Ed25519", .x = base64url_encode(identity)}), KeyError::invalid_point);
  EXPECT_EQ(fault({.kty = "OKP", .crv = "Ed25519", .x = base64url_encode(Octets(32))}), KeyError::invalid_point);
  EXPECT_EQ(fault({.kty = "OKP", .crv = "Ed25519", .x = base64url_encode(Octets(31))}), KeyError::malformed);
}

TEST(Key, RefusesTypesAndCurvesThatItDoesNotKnow) {
  EXPECT_EQ(fault({}), KeyError::malformed);
  EXPECT_EQ(fault({.kty = "oct"}), KeyError::unsupported);
  EXPECT_EQ(fault({.kty = "rsa"}), KeyError::unsupported);
  EXPECT_EQ(fault({.kty = "EC", .crv = "secp256k1"}), KeyError::unsupported);
  EXPECT_EQ(fault({.kty = "OKP", .crv = "X25519"}), KeyError::unsupported);
  EXPECT_EQ(fault({.kty = "RSA", .n = "", .e = "AQAB"}), KeyError::malformed);
  EXPECT_EQ(fault({.kty = "RSA", .n = "a=b", .e = "AQAB"}), KeyError::malformed);
}

TEST(Key, ComesBackFromPem) {
  for (const KeyType type : all_types) {
    const PrivateKey key = new_key(type);
    const Secret pem = key.to_pem();
    EXPECT_THAT(std::string(pem.reveal()), testing::StartsWith("-----BEGIN PRIVATE KEY-----"));
    const auto again = PrivateKey::from_pem(pem.reveal());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->type(), type);
    EXPECT_EQ(again->public_pem(), key.public_pem());
    const auto verifier = PublicKey::from_pem(key.public_pem());
    ASSERT_TRUE(verifier);
    EXPECT_EQ(verifier->type(), type);
    EXPECT_EQ(verifier->bits(), public_of(key).bits());
  }
}

TEST(Key, RefusesPemThatIsNone) {
  for (const std::string_view text :
       {"", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3\n-----END ENCRYPTED PRIVATE "
        "KEY-----"}) {
    EXPECT_EQ(PublicKey::from_pem(text).error(), KeyError::malformed);
    EXPECT_EQ(PrivateKey::from_pem(text).error(), KeyError::malformed);
  }
  // secp256k1
  EXPECT_EQ(PublicKey::from_pem("-----BEGIN PUBLIC KEY-----\n"
                                "MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEeb5mfvncu6xVoGKVzocLBwKb/NstzijZ\n"
                                "WfKBWxb4F5hIOtp3JqPEZV2k+/wOEQio/Re0SKaFVBmcR9CP+xDUuA==\n"
                                "-----END PUBLIC KEY-----\n")
                .error(),
            KeyError::unsupported);
}

TEST(RsaOaep, IsReversedByThePrivateKey) {
  const PrivateKey key = new_key(KeyType::rsa);
  const auto verifier = public_of(key);
  for (const std::string& text : {std::string(), std::string("password\0", 9), std::string(214, 'x')}) {
    const auto ciphertext = verifier.rsa_oaep_encrypt(bytes_of(text));
    ASSERT_TRUE(ciphertext);
    EXPECT_EQ(ciphertext->size(), 256U);
    const auto plaintext = key.rsa_oaep_decrypt(*ciphertext);
    ASSERT_TRUE(plaintext);
    EXPECT_EQ(sallyport::text_of(*plaintext), text);
  }
}

TEST(RsaOaep, RefusesATextThatIsTooLongAndAKeyOfAnotherType) {
  EXPECT_EQ(public_of(new_key(KeyType::rsa)).rsa_oaep_encrypt(Octets(215)).error(), KeyError::plaintext_too_long);
  EXPECT_EQ(public_of(new_key(KeyType::ec_p256)).rsa_oaep_encrypt({}).error(), KeyError::algorithm_mismatch);
}

}  // namespace
}  // namespace sallyport::crypto
