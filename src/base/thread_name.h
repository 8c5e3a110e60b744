// What /proc/PID/task/TID/comm, top -H and perf call the calling thread.
#pragma once

#include <pthread.h>

#include <string>

namespace sallyport {

// Linux keeps fifteen bytes of it.
inline void name_this_thread(std::string name) {
  constexpr std::size_t bytes_max = 15;
  if (name.size() > bytes_max) {
    name.resize(bytes_max);
  }
  ::pthread_setname_np(::pthread_self(), name.c_str());
}

}  // namespace sallyport
