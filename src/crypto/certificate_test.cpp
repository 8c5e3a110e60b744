#include "crypto/certificate.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>

#include "crypto/openssl_pointers.h"

namespace sallyport::crypto {
namespace {

DevelopmentCertificateRequest request(std::vector<std::string> host_names) {
  return {.host_names = std::move(host_names),
          .not_before = wall_from_unix_seconds(1'700'000'000),
          .not_after = wall_from_unix_seconds(1'800'000'000)};
}

CertificatePointer read(const std::string& pem) {
  const BioPointer bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  return CertificatePointer{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
}

TEST(DevelopmentCertificate, NamesTheLoopbackAddressesAndTheHostsAsked) {
  const auto made = make_development_certificate(request({"db.example.org", "192.0.2.7", "localhost"}));
  ASSERT_TRUE(made);
  const CertificatePointer certificate = read(made->certificate_pem);
  ASSERT_NE(certificate, nullptr);
  for (const char* const name : {"localhost", "db.example.org"}) {
    EXPECT_EQ(X509_check_host(certificate.get(), name, 0, 0, nullptr), 1) << name;
  }
  EXPECT_EQ(X509_check_host(certificate.get(), "other.example.org", 0, 0, nullptr), 0);
  for (const char* const address : {"127.0.0.1", "::1", "192.0.2.7"}) {
    EXPECT_EQ(X509_check_ip_asc(certificate.get(), address, 0), 1) << address;
  }
}

TEST(DevelopmentCertificate, IsTrustedWhenItIsItsOwnAuthority) {
  const auto made = make_development_certificate(request({}));
  ASSERT_TRUE(made);
  const CertificatePointer certificate = read(made->certificate_pem);
  ASSERT_NE(certificate, nullptr);
  EXPECT_EQ(X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_SERVER, 0), 1);
  EXPECT_EQ(X509_check_ca(certificate.get()), 1);

  const std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>> store{X509_STORE_new()};
  ASSERT_EQ(X509_STORE_add_cert(store.get(), certificate.get()), 1);
  X509_VERIFY_PARAM* parameters = X509_STORE_get0_param(store.get());
  X509_VERIFY_PARAM_set_time(parameters, 1'750'000'000);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
  const std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>> context{X509_STORE_CTX_new()};
  ASSERT_EQ(X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), nullptr), 1);
  EXPECT_EQ(X509_verify_cert(context.get()), 1)
      << X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

TEST(DevelopmentCertificate, CarriesTheKeyThatItComesWith) {
  const auto made = make_development_certificate(request({}));
  ASSERT_TRUE(made);
  const auto key = PrivateKey::from_pem(made->key_pem.reveal());
  ASSERT_TRUE(key);
  EXPECT_EQ(key->type(), KeyType::ec_p256);
  const BioPointer bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_PUBKEY(bio.get(), X509_get0_pubkey(read(made->certificate_pem).get()));
  char* text = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &text);
  EXPECT_EQ(std::string(text, static_cast<std::size_t>(length)), key->public_pem());
}

TEST(DevelopmentCertificate, HasADifferentSerialNumberEachTime) {
  EXPECT_NE(make_development_certificate(request({}))->certificate_pem,
            make_development_certificate(request({}))->certificate_pem);
}

TEST(DevelopmentCertificate, RefusesNamesThatAreNoneAndAnEmptyValidity) {
  for (const char* const name : {"", "a b", "a,IP:1.2.3.4", "DNS:x", "@section", "-x", "a\nb"}) {
    EXPECT_EQ(make_development_certificate(request({name})).error(), KeyError::malformed) << name;
  }
  DevelopmentCertificateRequest reversed = request({});
  std::swap(reversed.not_before, reversed.not_after);
  EXPECT_EQ(make_development_certificate(reversed).error(), KeyError::malformed);
}

}  // namespace
}  // namespace sallyport::crypto
