// Scans of records by several threads, taken in the order in which they were asked for.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "audit/log_scan.h"

namespace sallyport::store {

class ScanPool {
 public:
  // A function of its own for each scan, called on the thread that asks, in order.
  using Taker = std::function<void(const audit::RecordScan&)>;

  explicit ScanPool(unsigned threads);
  ~ScanPool();
  ScanPool(const ScanPool&) = delete;
  ScanPool& operator=(const ScanPool&) = delete;

  // Waits while more than a few scans for each thread are not taken.
  void scan(std::string lines, std::uint64_t first, std::vector<std::uint64_t> cuts, Taker taker);
  // Called in order with the scans.
  void then(std::function<void()> step);
  // Returns when everything asked for was taken.
  void finish();

 private:
  struct Step {
    std::future<audit::RecordScan> scan;  // not valid: none
    std::function<void(const audit::RecordScan&)> taker;
  };

  void work();
  void take_first();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::packaged_task<audit::RecordScan()>> tasks_;
  bool ends_ = false;
  std::deque<Step> steps_;  // of the thread that asks
  std::size_t scans_ = 0;   // in steps_
  std::vector<std::thread> threads_;
};

}  // namespace sallyport::store
