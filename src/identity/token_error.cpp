// What the outcomes of a verification are called.
#include "identity/token.h"

namespace sallyport::identity {

std::string_view reason_code(TokenError error) {
  switch (error) {
    case TokenError::malformed:
      return "token_malformed";
    case TokenError::too_large:
      return "token_too_large";
    case TokenError::algorithm_not_allowed:
      return "token_algorithm_not_allowed";
    case TokenError::key_unknown:
      return "token_key_unknown";
    case TokenError::signature_invalid:
      return "token_signature_invalid";
    case TokenError::issuer_unknown:
      return "token_issuer_unknown";
    case TokenError::audience_mismatch:
      return "token_audience_mismatch";
    case TokenError::expired:
      return "token_expired";
    case TokenError::not_yet_valid:
      return "token_not_yet_valid";
    case TokenError::lifetime_too_long:
      return "token_lifetime_too_long";
    case TokenError::type_not_allowed:
      return "token_type_not_allowed";
    case TokenError::subject_not_machine:
      return "token_subject_not_machine";
    case TokenError::claim_invalid:
      return "token_claim_invalid";
    case TokenError::header_not_allowed:
      return "token_header_not_allowed";
    case TokenError::issuer_keys_unavailable:
      return "issuer_keys_unavailable";
  }
  return "unknown";
}

std::string_view explain(TokenError error) {
  switch (error) {
    case TokenError::malformed:
      return "The password is not a signed JWT; give the access token itself as the password.";
    case TokenError::too_large:
      return "The token is larger than the gateway accepts; ask the identity provider for one with fewer claims.";
    case TokenError::algorithm_not_allowed:
      return "The token's signature algorithm is not allowed for its issuer; ask the operator which ones are.";
    case TokenError::key_unknown:
      return "The token is signed with a key that its issuer does not publish; get a new token and try again.";
    case TokenError::signature_invalid:
      return "The token's signature is not valid; give the token unchanged, as the identity provider issued it.";
    case TokenError::issuer_unknown:
      return "The token's issuer is not one that the gateway trusts; get a token from a configured identity provider.";
    case TokenError::audience_mismatch:
      return "The token is meant for another service; request one whose audience is this gateway.";
    case TokenError::expired:
      return "The token has expired; get a new one and log in again.";
    case TokenError::not_yet_valid:
      return "The token is not valid yet; check the clocks of the identity provider and the gateway.";
    case TokenError::lifetime_too_long:
      return "The token is valid for longer than the gateway accepts; request one with a shorter lifetime.";
    case TokenError::type_not_allowed:
      return "The token is not an access token; give an access token, not an ID or refresh token.";
    case TokenError::subject_not_machine:
      return "The token was issued on behalf of a person; get one with the client credentials grant.";
    case TokenError::claim_invalid:
      return "The token lacks a required claim or has one of a wrong form; check what the identity provider issues.";
    case TokenError::header_not_allowed:
      return "The token's header has a member that the gateway does not accept; check what the identity provider "
             "issues.";
    case TokenError::issuer_keys_unavailable:
      return "The keys of the token's issuer can't be fetched at the moment; try again later.";
  }
  return "The token was refused.";
}

}  // namespace sallyport::identity
