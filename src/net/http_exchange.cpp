#include "net/http_exchange.h"

#include <curl/curl.h>

#include <memory>

namespace sallyport::net {
namespace {

constexpr long connect_timeout_ms = 4000;

using Curl = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

struct Body {
  std::string bytes;
  std::size_t bytes_max = 0;
  bool too_large = false;
};

std::size_t take(char* bytes, std::size_t /*size*/, std::size_t count, void* pointer) {
  auto& body = *static_cast<Body*>(pointer);
  if (body.bytes.size() + count > body.bytes_max) {
    body.too_large = true;
    return 0;
  }
  body.bytes.append(bytes, count);
  return count;
}

HttpError error_of(CURLcode code) {
  bool tls_failed = code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
                    code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE;
  return {.kind = code == CURLE_OPERATION_TIMEDOUT ? HttpError::Kind::timed_out
                  : tls_failed                     ? HttpError::Kind::tls_failed
                                                   : HttpError::Kind::unreachable,
          .text = curl_easy_strerror(code)};
}

}  // namespace

Result<HttpAnswer, HttpError> exchange(const HttpRequest& request) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  Curl curl(ready == CURLE_OK ? curl_easy_init() : nullptr, curl_easy_cleanup);
  if (!curl) {
    return Unexpected(HttpError{.kind = HttpError::Kind::unreachable, .text = "no memory"});
  }
  curl_easy_setopt(curl.get(), CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "https,http");
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "sallyport");
  curl_easy_setopt(curl.get(), CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  Body body{.bytes_max = request.answer_bytes_max};
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  std::string ca_file = request.ca_file.string();
  if (!ca_file.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_CAINFO, ca_file.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_CAPATH, nullptr);
  }
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr, curl_slist_free_all);
  if (request.posted) {
    headers.reset(curl_slist_append(nullptr, ("Content-Type: " + request.posted->type).c_str()));
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, request.posted->bytes.data());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.posted->bytes.size()));
  }
  CURLcode code = curl_easy_perform(curl.get());
  if (body.too_large) {
    return Unexpected(HttpError{.kind = HttpError::Kind::too_large, .text = "the answer is too long"});
  }
  if (code != CURLE_OK) {
    return Unexpected(error_of(code));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return HttpAnswer{.status = static_cast<std::uint16_t>(status), .body = std::move(body.bytes)};
}

}  // namespace sallyport::net
