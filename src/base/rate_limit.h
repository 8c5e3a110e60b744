// Admits so many events a second on average, and at most as many at once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace sallyport {

class RateLimit {
 public:
  // Whether one more is admitted now; one that is not costs nothing. `per_second` > 0.
  bool take(std::uint32_t per_second, MonoTime now) {
    MonoTime paid_until = std::max(paid_until_, now) + Nanoseconds{Seconds{1}} / per_second;
    if (paid_until > now + Seconds{1}) {
      return false;
    }
    paid_until_ = paid_until;
    return true;
  }

 private:
  // When events at the permitted rate, one after the other, would be as many as there were.
  MonoTime paid_until_;
};

}  // namespace sallyport
