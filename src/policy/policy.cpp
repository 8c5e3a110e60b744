#include "policy/policy.h"

namespace sallyport::policy {

Decision AllowWithinRole::decide(const Request& /*request*/) const {
  return {.verdict = Verdict::allow, .rule = "within_role", .explanation = {}};
}

}  // namespace sallyport::policy
