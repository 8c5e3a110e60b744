// One POST over HTTP, on the calling thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace sallyport::net {

struct PostRequest {
  std::string url;  // https, or http to a loopback address
  std::string content_type;
  std::string body;
  std::filesystem::path ca_file;  // empty: the system's store
  Milliseconds timeout{5000};     // of the whole exchange
  std::size_t answer_bytes_max = 64U << 10;
};

struct PostAnswer {
  std::uint16_t status = 0;
  std::string body;
};

// No redirect is followed; certificates are verified, TLS is 1.2 or newer. The error is a phrase: "timed out".
Result<PostAnswer, std::string> post(const PostRequest& request);

}  // namespace sallyport::net
