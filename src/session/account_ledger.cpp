#include "session/account_ledger.h"

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
  if (limits.logins_per_second_max != 0 && !entry.logins.take(limits.logins_per_second_max, now)) {
    return Unexpected(Reason::account_login_rate);
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
