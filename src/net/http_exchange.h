// One exchange over HTTP, on the calling thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace sallyport::net {

struct HttpBody {
  std::string type;  // Content-Type
  std::string bytes;
};

struct HttpRequest {
  std::string url;                      // https, or http to a loopback address
  std::optional<HttpBody> posted = {};  // a POST; without, it is a GET
  std::filesystem::path ca_file = {};   // empty: the system's store
  Milliseconds timeout{5000};           // of the whole exchange; connecting has four seconds of it at most
  std::size_t answer_bytes_max = 64U << 10;
};

struct HttpAnswer {
  std::uint16_t status = 0;
  std::string body;
};

struct HttpError {
  enum class Kind : std::uint8_t { unreachable, timed_out, tls_failed, too_large };
  Kind kind = Kind::unreachable;
  std::string text;  // a phrase: "Couldn't connect to server"
};

// No redirect is followed; certificates are verified, TLS is 1.2 or newer.
Result<HttpAnswer, HttpError> exchange(const HttpRequest& request);

}  // namespace sallyport::net
