#include "store/scan_pool.h"

#include <algorithm>
#include <utility>

namespace sallyport::store {
namespace {

constexpr std::size_t scans_per_thread_max = 4;

}  // namespace

ScanPool::ScanPool(unsigned threads) {
  for (unsigned i = 0; i < std::max(threads, 1U); ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

ScanPool::~ScanPool() {
  {
    std::lock_guard lock(mutex_);
    ends_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

void ScanPool::work() {
  while (true) {
    std::packaged_task<audit::RecordScan()> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return ends_ || !tasks_.empty(); });
      if (tasks_.empty()) {
        return;
      }
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

void ScanPool::take_first() {
  Step step = std::move(steps_.front());
  steps_.pop_front();
  if (step.scan.valid()) {
    --scans_;
    step.taker(step.scan.get());
  } else {
    step.taker({});
  }
}

void ScanPool::scan(std::string lines, std::uint64_t first, std::vector<std::uint64_t> cuts, Taker taker) {
  while (scans_ >= scans_per_thread_max * threads_.size()) {
    take_first();
  }
  std::packaged_task<audit::RecordScan()> task(
      [text = std::move(lines), first, at = std::move(cuts)] { return audit::scan_records(text, first, at); });
  steps_.push_back({.scan = task.get_future(), .taker = std::move(taker)});
  ++scans_;
  {
    std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void ScanPool::then(std::function<void()> step) {
  steps_.push_back({.scan = {}, .taker = [call = std::move(step)](const audit::RecordScan&) { call(); }});
}

void ScanPool::finish() {
  while (!steps_.empty()) {
    take_first();
  }
}

}  // namespace sallyport::store
