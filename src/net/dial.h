// Opens a connection to a backend: finds its addresses and tries them in turn, the next one as soon as the one before
// fails or keeps it waiting. The first that answers is taken.
#pragma once

#include <functional>
#include <list>
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
  // Connections under way. A watch is destroyed before the socket that it watches.
  struct Attempt {
    Descriptor socket;
    std::optional<Reactor::Watch> watch;
  };
  using Attempts = std::list<Attempt>;

  void connect_next();
  void begin_attempt(Descriptor socket);
  void on_ready(Attempts::iterator attempt);
  void failed(int error);
  void finish(Result<Descriptor, std::string> result);

  Loop& loop_;
  Done done_;
  std::vector<Endpoint> endpoints_;
  std::size_t next_endpoint_ = 0;
  Attempts attempts_;
};

}  // namespace sallyport::net
