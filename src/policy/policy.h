// Policy: who may do what. The port that sessions ask before anything is forwarded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "identity/principal.h"
#include "identity/settings.h"

namespace sallyport::policy {

enum class Verdict : std::uint8_t { allow, deny };

// What is asked. Borrowed for the call.
struct Request {
  const identity::Principal& principal;
  const identity::ServiceAccount& account;
  const identity::Grant& grant;
  std::string_view command;  // name of the protocol command
  std::string_view text;     // statement text, empty for commands without one
};

struct Decision {
  Verdict verdict = Verdict::deny;
  std::string rule;         // that decided; on record
  std::string explanation;  // for the client, when denied
};

class Policy {
 public:
  Policy() = default;
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;
  virtual ~Policy() = default;
  virtual Decision decide(const Request& request) const = 0;
};

// Allows all that the MySQL role of the grant can do: the server's privileges are the only limit.
class AllowWithinRole final : public Policy {
 public:
  Decision decide(const Request& request) const override;
};

}  // namespace sallyport::policy
