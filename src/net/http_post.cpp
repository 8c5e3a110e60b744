#include "net/http_post.h"

#include <curl/curl.h>

#include <memory>

namespace sallyport::net {
namespace {

struct Answer {
  std::string body;
  std::size_t bytes_max = 0;
};

std::size_t take(char* bytes, std::size_t /*size*/, std::size_t count, void* pointer) {
  auto& answer = *static_cast<Answer*>(pointer);
  if (answer.body.size() + count > answer.bytes_max) {
    return 0;
  }
  answer.body.append(bytes, count);
  return count;
}

}  // namespace

Result<PostAnswer, std::string> post(const PostRequest& request) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  if (ready != CURLE_OK || !curl) {
    return Unexpected(std::string("no memory"));
  }
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
      curl_slist_append(nullptr, ("Content-Type: " + request.content_type).c_str()), curl_slist_free_all);
  Answer answer{.body = {}, .bytes_max = request.answer_bytes_max};
  curl_easy_setopt(curl.get(), CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "https,http");
  curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "sallyport");
  curl_easy_setopt(curl.get(), CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, request.body.data());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  std::string ca_file = request.ca_file.string();
  if (!ca_file.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_CAINFO, ca_file.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_CAPATH, nullptr);
  }
  CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_WRITE_ERROR) {
    return Unexpected(std::string("the answer is too long"));
  }
  if (code != CURLE_OK) {
    return Unexpected(std::string(curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return PostAnswer{.status = static_cast<std::uint16_t>(status), .body = std::move(answer.body)};
}

}  // namespace sallyport::net
