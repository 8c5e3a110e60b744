// The JWS signature algorithms that can be allowed for an issuer (RFC 7518 section 3.1, RFC 8037).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::crypto {

// HMAC algorithms and "none" are absent on purpose: a shared secret can't authenticate an issuer.
enum class JwsAlgorithm : std::uint8_t { rs256, rs384, rs512, ps256, ps384, ps512, es256, es384, es512, eddsa };

struct JwsAlgorithmName {
  JwsAlgorithm algorithm;
  std::string_view name;
};

inline constexpr std::array<JwsAlgorithmName, 10> jws_algorithm_names{{{JwsAlgorithm::rs256, "RS256"},
                                                                       {JwsAlgorithm::rs384, "RS384"},
                                                                       {JwsAlgorithm::rs512, "RS512"},
                                                                       {JwsAlgorithm::ps256, "PS256"},
                                                                       {JwsAlgorithm::ps384, "PS384"},
                                                                       {JwsAlgorithm::ps512, "PS512"},
                                                                       {JwsAlgorithm::es256, "ES256"},
                                                                       {JwsAlgorithm::es384, "ES384"},
                                                                       {JwsAlgorithm::es512, "ES512"},
                                                                       {JwsAlgorithm::eddsa, "EdDSA"}}};

// Names are case-sensitive, as in the JOSE header; nothing for any other name.
constexpr std::optional<JwsAlgorithm> jws_algorithm_from_name(std::string_view name) {
  for (const auto& entry : jws_algorithm_names) {
    if (entry.name == name) {
      return entry.algorithm;
    }
  }
  return std::nullopt;
}

constexpr std::string_view name_of(JwsAlgorithm algorithm) {
  return jws_algorithm_names[static_cast<std::size_t>(algorithm)].name;
}

}  // namespace sallyport::crypto
