#include "net/key_fetcher.h"

#include "base/thread_name.h"
#include "net/http_exchange.h"

namespace sallyport::net {
namespace {

using identity::FetchError;

constexpr std::size_t thread_count = 3;  // a slow issuer holds up no other
constexpr Milliseconds fetch_timeout{10'000};

FetchError error_of(HttpError::Kind kind) {
  switch (kind) {
    case HttpError::Kind::unreachable:
      return FetchError::unreachable;
    case HttpError::Kind::timed_out:
      return FetchError::timed_out;
    case HttpError::Kind::tls_failed:
      return FetchError::tls_failed;
    case HttpError::Kind::too_large:
      return FetchError::too_large;
  }
  return FetchError::unreachable;
}

}  // namespace

Result<std::string, FetchError> fetch_url(const identity::FetchRequest& request) {
  auto answer = exchange({.url = request.url,
                          .ca_file = request.ca_file,
                          .timeout = fetch_timeout,
                          .answer_bytes_max = request.bytes_max});
  if (!answer) {
    return Unexpected(error_of(answer.error().kind));
  }
  if (answer->status != 200) {
    return Unexpected(FetchError::bad_status);
  }
  return std::move(answer->body);
}

KeyFetcher::KeyFetcher() {
  for (std::size_t i = 0; i < thread_count; ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

KeyFetcher::~KeyFetcher() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

void KeyFetcher::fetch(identity::FetchRequest request, Done done) {
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back({.request = std::move(request), .done = std::move(done)});
  }
  wake_.notify_one();
}

void KeyFetcher::work() {
  name_this_thread("key-fetcher");
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) {
      return;
    }
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job.done(fetch_url(job.request));
    lock.lock();
  }
}

}  // namespace sallyport::net
