#include "net/key_fetcher.h"

#include <curl/curl.h>

#include <memory>

namespace sallyport::net {
namespace {

using identity::FetchError;

constexpr std::size_t thread_count = 3;  // a slow issuer holds up no other
constexpr long connect_timeout_ms = 4000;
constexpr long total_timeout_ms = 10'000;

struct Answer {
  std::string body;
  std::size_t bytes_max = 0;
  bool too_large = false;
};

std::size_t take(char* bytes, std::size_t /*size*/, std::size_t count, void* pointer) {
  auto& answer = *static_cast<Answer*>(pointer);
  if (answer.body.size() + count > answer.bytes_max) {
    answer.too_large = true;
    return 0;
  }
  answer.body.append(bytes, count);
  return count;
}

FetchError error_of(CURLcode code) {
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return FetchError::timed_out;
  }
  bool tls_failed = code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
                    code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE;
  return tls_failed ? FetchError::tls_failed : FetchError::unreachable;
}

}  // namespace

Result<std::string, FetchError> fetch_url(const identity::FetchRequest& request) {
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) {
    return Unexpected(FetchError::unreachable);
  }
  Answer answer{.bytes_max = request.bytes_max};
  curl_easy_setopt(curl.get(), CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "https,http");  // IssuerKeys allows http to loopback only
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, total_timeout_ms);
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "sallyport");
  curl_easy_setopt(curl.get(), CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  std::string ca_file = request.ca_file.string();
  if (!ca_file.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_CAINFO, ca_file.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_CAPATH, nullptr);
  }
  CURLcode code = curl_easy_perform(curl.get());
  if (answer.too_large) {
    return Unexpected(FetchError::too_large);
  }
  if (code != CURLE_OK) {
    return Unexpected(error_of(code));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) {
    return Unexpected(FetchError::bad_status);
  }
  return std::move(answer.body);
}

KeyFetcher::KeyFetcher() {
  curl_global_init(CURL_GLOBAL_DEFAULT);
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
