// The certificate that a listener serves when none is configured.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/key.h"

namespace sallyport::crypto {

struct DevelopmentCertificateRequest {
  std::vector<std::string> host_names = {};  // besides localhost, 127.0.0.1 and ::1; DNS names or numeric addresses
  WallTime not_before = {};
  WallTime not_after = {};
};

struct DevelopmentCertificate {
  std::string certificate_pem;
  Secret key_pem;  // PKCS #8
};

// A self-signed ECDSA P-256 certificate with a random serial number, marked as its own CA so that a client can
// trust the file itself. Errors: malformed (a host name that is neither DNS name nor address, or no validity),
// operation_failed.
Result<DevelopmentCertificate, KeyError> make_development_certificate(const DevelopmentCertificateRequest& request);

}  // namespace sallyport::crypto
