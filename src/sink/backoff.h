// How long a sink waits before it tries again. Pure; time is counted by whoever asks.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"
#include "sink/receiver.h"

namespace sallyport::sink {

inline constexpr Milliseconds retry_pause_min{200};
inline constexpr Milliseconds retry_pause_max{10'000};
inline constexpr Milliseconds refused_pause{30'000};
inline constexpr Seconds retry_after_max{600};  // a receiver that asks for more is asked again after this

class Backoff {
 public:
  void succeeded() { failures_ = 0; }
  // `chance`: any number. The pause doubles with each failure in a row, and is half of that at least, so that many
  // gateways do not come back at the same time.
  Milliseconds failed(const DeliveryError& error, std::uint64_t chance) {
    failures_ = std::min(failures_ + 1, 16U);
    if (error.retry_after) {
      return std::min(*error.retry_after, retry_after_max);
    }
    Milliseconds pause = error.kind != DeliveryError::Kind::unreachable
                             ? refused_pause
                             : std::min(retry_pause_min * (1U << (failures_ - 1)), retry_pause_max);
    auto half = static_cast<std::uint64_t>(pause.count() / 2);
    return Milliseconds{static_cast<std::int64_t>(half + chance % (half + 1))};
  }

 private:
  unsigned failures_ = 0;
};

}  // namespace sallyport::sink
