#include "crypto/certificate.h"

#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "crypto/key_impl.h"
#include "crypto/random.h"

namespace sallyport::crypto {
namespace {

bool is_address(const std::string& name) {
  const std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>> address{a2i_IPADDRESS(name.c_str())};
  return address != nullptr;
}

// Narrow, so that a name can't carry OpenSSL's configuration syntax into the extension.
bool is_dns_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  };
  return !name.empty() && name.size() <= 253 && std::all_of(name.begin(), name.end(), allowed) && name[0] != '.' &&
         name[0] != '-';
}

// The value of subjectAltName in OpenSSL's notation; nothing when a name is neither DNS name nor address.
std::optional<std::string> alternative_names(const std::vector<std::string>& host_names) {
  std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};
  for (const std::string& name : host_names) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(name);
    }
  }
  std::string value;
  for (const std::string& name : names) {
    const bool address = is_address(name);
    if (!address && !is_dns_name(name)) {
      return std::nullopt;
    }
    value.append(value.empty() ? "" : ",").append(address ? "IP:" : "DNS:").append(name);
  }
  return value;
}

bool add_extension(X509* certificate, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const ExtensionPointer extension{X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str())};
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
  std::array<std::uint8_t, 16> serial{};
  random_bytes(serial);
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7f) | 0x40);  // positive, of fixed length
  const BignumPointer number{BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr)};
  return number != nullptr && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_validity(X509* certificate, WallTime not_before, WallTime not_after) {
  const auto seconds = [](WallTime time) {
    return static_cast<std::time_t>(std::chrono::floor<Seconds>(time).time_since_epoch().count());
  };
  return ASN1_TIME_set(X509_getm_notBefore(certificate), seconds(not_before)) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), seconds(not_after)) != nullptr;
}

bool set_name(X509* certificate) {
  X509_NAME* name = X509_get_subject_name(certificate);
  constexpr std::string_view common_name = "Sallyport development certificate";
  return X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, bytes_of(common_name).data(),
                                    static_cast<int>(common_name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1;
}

}  // namespace

Result<DevelopmentCertificate, KeyError> make_development_certificate(const DevelopmentCertificateRequest& request) {
  const ErrorQueueScope scope;
  const std::optional<std::string> names = alternative_names(request.host_names);
  if (!names || request.not_after <= request.not_before) {
    return Unexpected(KeyError::malformed);
  }
  const KeyPointer key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "prime256v1")};
  const CertificatePointer certificate{X509_new()};
  const BioPointer certificate_text{BIO_new(BIO_s_mem())};
  const BioPointer key_text{BIO_new(BIO_s_secmem())};
  if (key == nullptr || certificate == nullptr || certificate_text == nullptr || key_text == nullptr) {
    return Unexpected(KeyError::operation_failed);
  }
  X509* const x509 = certificate.get();
  const bool made =
      X509_set_version(x509, X509_VERSION_3) == 1 && set_serial(x509) &&
      set_validity(x509, request.not_before, request.not_after) && set_name(x509) &&
      X509_set_pubkey(x509, key.get()) == 1 && add_extension(x509, NID_basic_constraints, "critical,CA:TRUE") &&
      add_extension(x509, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
      add_extension(x509, NID_ext_key_usage, "serverAuth") && add_extension(x509, NID_subject_alt_name, *names) &&
      add_extension(x509, NID_subject_key_identifier, "hash") && X509_sign(x509, key.get(), EVP_sha256()) > 0 &&
      PEM_write_bio_X509(certificate_text.get(), x509) == 1 &&
      PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  if (!made) {
    return Unexpected(KeyError::operation_failed);
  }
  return DevelopmentCertificate{std::string(text_in(certificate_text.get())),
                                Secret(std::string(text_in(key_text.get())))};
}

}  // namespace sallyport::crypto
