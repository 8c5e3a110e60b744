// Opens a connection to a backend: finds its addresses and tries them one after the other.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/loop.h"
#include "session/settings.h"

namespace sallyport::net {

class Dial : public std::enable_shared_from_this<Dial> {
 public:
  // Given a connected socket that does not block, or what an operator should read.
  using Done = std::function<void(Result<Descriptor, std::string>)>;

  // Calls `done` once on the loop's thread, never from here; not at all when the dial is destroyed before.
  static std::shared_ptr<Dial> start(Loop& loop, const session::ServerSettings& server, Done done);
  // To this very address.
  static std::shared_ptr<Dial> start(Loop& loop, const Endpoint& endpoint, Done done);
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

 private:
  Dial(Loop& loop, Done done) : loop_(loop), done_(std::move(done)) {}
  void resolve(const session::ServerSettings& server);
  void connect_next();
  void failed(int error);
  void on_ready();
  void finish(Result<Descriptor, std::string> result);

  Loop& loop_;
  Done done_;
  std::vector<Endpoint> endpoints_;
  std::size_t next_endpoint_ = 0;
  Descriptor socket_;
  std::optional<Reactor::Watch> watch_;  // destroyed before the socket that it watches
};

}  // namespace sallyport::net
