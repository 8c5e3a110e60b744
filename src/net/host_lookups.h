// Looks up the addresses of servers that are given by name.
//
// A lookup can't be ended, and takes as long as the resolver's configuration says. So each name has a thread of its own
// while it is looked up, and all who ask meanwhile share what that finds: a name that gets no answer is in nobody's
// way.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace sallyport::net {

class HostLookups {
 public:
  using Endpoints = std::vector<boost::asio::generic::stream_protocol::endpoint>;
  // At least one address, as getaddrinfo(3) sorts them; the error is the resolver's.
  using Found = Result<Endpoints, std::string>;
  using Done = std::function<void(const Found&)>;
  using LookUp = std::function<Found(const std::string& host, std::uint16_t port)>;

  // By getaddrinfo(3).
  HostLookups();
  explicit HostLookups(LookUp look_up);
  // Whoever still waits is told nothing any more.
  ~HostLookups();
  HostLookups(const HostLookups&) = delete;
  HostLookups& operator=(const HostLookups&) = delete;

  // From any thread. `done` is called once, on another thread, and must neither block nor call this.
  void find(const std::string& host, std::uint16_t port, Done done);

 private:
  struct State;

  std::shared_ptr<State> state_;  // with the threads, which may outlive this
};

}  // namespace sallyport::net
