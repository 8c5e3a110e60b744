#include "session/account_ledger.h"

#include <algorithm>

#include "base/check.h"

namespace sallyport::session {

Result<AccountLedger::Place, Reason> AccountLedger::admit(std::string_view account,
                                                          const identity::AccountLimits& limits, MonoTime now) {
  std::lock_guard lock(mutex_);
  auto found = accounts_.find(account);
  if (found == accounts_.end()) {
    found = accounts_.emplace(account, Entry{}).first;
  }
  Entry& entry = found->second;
  if (limits.sessions_max != 0 && entry.sessions >= limits.sessions_max) {
    return Unexpected(Reason::too_many_account_sessions);
  }
  if (limits.logins_per_second_max != 0) {
    MonoTime paid_until = std::max(entry.paid_until, now) + Nanoseconds{Seconds{1}} / limits.logins_per_second_max;
    if (paid_until > now + Seconds{1}) {
      return Unexpected(Reason::account_login_rate);
    }
    entry.paid_until = paid_until;
  }
  ++entry.sessions;
  return Place(*this, account);
}

void AccountLedger::leave(const std::string& account) {
  std::lock_guard lock(mutex_);
  auto found = accounts_.find(account);
  SALLYPORT_CHECK(found != accounts_.end() && found->second.sessions > 0);
  --found->second.sessions;
}

}  // namespace sallyport::session
