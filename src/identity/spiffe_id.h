// SPIFFE IDs (SPIFFE-ID standard, section 2): "spiffe://trust.domain/path".
#pragma once

#include <optional>
#include <string_view>

namespace sallyport::identity {

// Both borrowed from the text.
struct SpiffeId {
  std::string_view trust_domain;  // with the scheme: "spiffe://trust.domain"
  std::string_view path;          // with its leading '/'; empty for the ID of the trust domain itself
};

// Nothing unless the text is a SPIFFE ID to the letter: at most 2048 bytes, a lower-case trust domain of at most 255,
// no port, user, query, fragment, percent-encoding, empty or dot segment.
std::optional<SpiffeId> parse_spiffe_id(std::string_view text);

}  // namespace sallyport::identity
