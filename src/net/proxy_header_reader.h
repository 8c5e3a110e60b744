// Reads a load balancer's header from a connection, and not one byte more.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/loop.h"
#include "net/proxy_protocol.h"

namespace sallyport::net {

class ProxyHeaderReader : public std::enable_shared_from_this<ProxyHeaderReader> {
 public:
  // The client's address as proxied_client() tells it, or why there is none: a sentence for the log.
  using Done = std::function<void(const std::shared_ptr<ProxyHeaderReader>& reader, Descriptor socket,
                                  const Result<std::string, std::string>& client)>;

  // The socket does not block.
  ProxyHeaderReader(Loop& loop, Descriptor socket, Done done);
  // Calls `done` once, after `timeout` at the latest; never from here, nor when the reader is destroyed before.
  void start(Milliseconds timeout);

 private:
  void on_ready();
  bool read_part(MutableBytes part);
  void finish(const Result<std::string, std::string>& client);

  Loop& loop_;
  Descriptor socket_;
  std::optional<Reactor::Watch> watch_;  // until done; destroyed before the socket that it watches
  Done done_;
  std::array<std::uint8_t, proxy_head_bytes> head_{};
  std::optional<std::vector<std::uint8_t>> rest_;  // once the head is there
  std::size_t received_ = 0;                       // of the part at hand
};

}  // namespace sallyport::net
