// How many sessions each service account has, and how fast it logs in, over all event loops. Used from any thread, at a
// session's begin and end only.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/rate_limit.h"
#include "base/result.h"
#include "identity/settings.h"
#include "session/reason.h"

namespace sallyport::session {

class AccountLedger {
 public:
  // One session's place among those of its account; given back when it is destroyed. The ledger must outlive it.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept : ledger_(other.ledger_), account_(std::move(other.account_)) {
      other.ledger_ = nullptr;
    }
    Place& operator=(Place&& other) noexcept {
      std::swap(ledger_, other.ledger_);
      std::swap(account_, other.account_);
      return *this;
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() {
      if (ledger_ != nullptr) {
        ledger_->leave(account_);
      }
    }

   private:
    friend class AccountLedger;
    Place(AccountLedger& ledger, std::string_view account) : ledger_(&ledger), account_(account) {}

    AccountLedger* ledger_ = nullptr;
    std::string account_;
  };

  // Counts one login. Errors: too_many_account_sessions, account_login_rate.
  Result<Place, Reason> admit(std::string_view account, const identity::AccountLimits& limits, MonoTime now);

 private:
  struct Entry {
    std::uint32_t sessions = 0;
    RateLimit logins;
  };
  void leave(const std::string& account);

  std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> accounts_;  // as many as configurations have named
};

}  // namespace sallyport::session
