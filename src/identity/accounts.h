// From principal to service account to grant.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/principal.h"
#include "identity/settings.h"

namespace sallyport::identity {

enum class AccountError : std::uint8_t { account_unknown, account_ambiguous, account_disabled, connection_not_granted };

// The stable code of records and metrics: "account_unknown".
std::string_view reason_code(AccountError error);
// One sentence for the client: what was wrong and what to do.
std::string_view explain(AccountError error);

// What a client asked for with its user name: `connection` or `connection.role`. Borrowed from that name.
struct ConnectionRequest {
  std::string_view connection;
  std::string_view role;  // empty: the first grant of the connection
};

// The part before the first dot, and after it. Error: connection_not_granted for an empty part or a name that is
// longer than 256 bytes.
Result<ConnectionRequest, AccountError> parse_client_user(std::string_view user);

// Whether a pattern (`*` any run of characters but '/', `**` any run, `?` one but '/') matches a whole text.
// Time at most proportional to the product of the lengths.
bool glob_matches(std::string_view pattern, std::string_view text);

bool matches(const ClaimMatcher& matcher, const JsonValue& claims);

// Immutable; what it returns is borrowed from it.
class AccountDirectory {
 public:
  explicit AccountDirectory(std::vector<ServiceAccount> accounts);

  // The one account with a rule that matches. Errors: account_unknown (none), account_ambiguous (several, disabled
  // ones counted), account_disabled.
  Result<const ServiceAccount*, AccountError> resolve(const Principal& principal) const;

  // The account's grant for a request. Error: connection_not_granted.
  static Result<const Grant*, AccountError> grant_for(const ServiceAccount& account, const ConnectionRequest& request);

  // Null when there is no account of that name; to end sessions of accounts that a reload removed.
  const ServiceAccount* find(std::string_view name) const;

 private:
  std::vector<ServiceAccount> accounts_;
};

}  // namespace sallyport::identity
