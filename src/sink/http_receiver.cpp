#include "sink/http_receiver.h"

#include <curl/curl.h>

#include <algorithm>
#include <mutex>

#include "base/check.h"

namespace sallyport::sink {
namespace {

constexpr long connect_timeout_ms = 10'000;

std::size_t leave(char* /*bytes*/, std::size_t /*size*/, std::size_t count, void* /*nothing*/) {
  return count;
}

int look_at_halt(void* halt, curl_off_t /*total*/, curl_off_t /*now*/, curl_off_t /*up_total*/, curl_off_t /*up_now*/) {
  return static_cast<const Halt*>(halt)->is_due() ? 1 : 0;
}

DeliveryError error_of(CURLcode code) {
  bool set_up_wrong = code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE ||
                      code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_URL_MALFORMAT;
  return {.kind = set_up_wrong ? DeliveryError::Kind::refused : DeliveryError::Kind::unreachable,
          .text = curl_easy_strerror(code),
          .retry_after = {}};
}

}  // namespace

Delivered outcome_of(long status, std::optional<Seconds> retry_after) {
  if (status >= 200 && status < 300) {
    return Unit{};
  }
  if (status == 413) {
    return Unexpected(DeliveryError{.kind = DeliveryError::Kind::too_large,
                                    .text = "it is too large for the server (status 413)",
                                    .retry_after = {}});
  }
  bool asks_for_patience = status == 408 || status == 425 || status == 429 || status >= 500;
  return Unexpected(
      DeliveryError{.kind = asks_for_patience ? DeliveryError::Kind::unreachable : DeliveryError::Kind::refused,
                    .text = "the server answers with status " + std::to_string(status),
                    .retry_after = asks_for_patience ? retry_after : std::nullopt});
}

// A connection that is kept from request to request.
class HttpReceiver::Handle {
 public:
  Handle(const HttpSettings& settings, const Halt& halt);
  ~Handle() {
    curl_slist_free_all(headers_);
    curl_easy_cleanup(curl_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  Delivered post(const std::string& body);

 private:
  void add_header(const std::string& line) { headers_ = curl_slist_append(headers_, line.c_str()); }
  void set_tls(const TlsSettings& tls);

  CURL* curl_;
  curl_slist* headers_ = nullptr;
};

HttpReceiver::Handle::Handle(const HttpSettings& settings, const Halt& halt) : curl_(curl_easy_init()) {
  SALLYPORT_CHECK(curl_ != nullptr);
  curl_easy_setopt(curl_, CURLOPT_URL, settings.url.c_str());
  curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "https,http");  // the configuration allows http to loopback only
  curl_easy_setopt(curl_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms);
  curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>(settings.timeout.count()));
  curl_easy_setopt(curl_, CURLOPT_USERAGENT, "sallyport");
  curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, leave);
  curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl_, CURLOPT_XFERINFOFUNCTION, look_at_halt);
  curl_easy_setopt(curl_, CURLOPT_XFERINFODATA, static_cast<const void*>(&halt));
  curl_easy_setopt(curl_, CURLOPT_QUICK_EXIT, 1L);  // a lookup that hangs is not waited for
  set_tls(settings.tls);
  add_header("Content-Type: application/x-ndjson");
  add_header("Expect:");
  for (const HttpHeader& header : settings.headers) {
    Secret line(header.name + ": " + std::string(header.value.reveal()));
    add_header(std::string(line.reveal()));
  }
  curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers_);
}

void HttpReceiver::Handle::set_tls(const TlsSettings& tls) {
  curl_easy_setopt(curl_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!tls.ca_file.empty()) {
    curl_easy_setopt(curl_, CURLOPT_CAINFO, tls.ca_file.c_str());
    curl_easy_setopt(curl_, CURLOPT_CAPATH, nullptr);
  }
  if (!tls.certificate_file.empty()) {
    curl_easy_setopt(curl_, CURLOPT_SSLCERT, tls.certificate_file.c_str());
    curl_easy_setopt(curl_, CURLOPT_SSLKEY, tls.key_file.c_str());
  }
}

Delivered HttpReceiver::Handle::post(const std::string& body) {
  curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  if (CURLcode code = curl_easy_perform(curl_); code != CURLE_OK) {
    return Unexpected(error_of(code));
  }
  long status = 0;
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  curl_off_t wait = 0;
  curl_easy_getinfo(curl_, CURLINFO_RETRY_AFTER, &wait);
  return outcome_of(status, wait > 0 ? std::optional(Seconds{wait}) : std::nullopt);
}

HttpReceiver::HttpReceiver(HttpSettings settings, const Halt& halt) : settings_(std::move(settings)), halt_(halt) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

HttpReceiver::~HttpReceiver() = default;

Delivered HttpReceiver::deliver(const std::vector<Message>& messages) {
  body_.clear();
  for (const Message& message : messages) {
    body_.append(message.text).append("\n");
  }
  if (handle_ == nullptr) {
    handle_ = std::make_unique<Handle>(settings_, halt_);
  }
  auto done = handle_->post(body_);
  if (!done) {
    handle_.reset();
  }
  return done;
}

}  // namespace sallyport::sink
