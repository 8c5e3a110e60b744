#include "net/host_lookups.h"

#include <netdb.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "base/thread_name.h"

namespace sallyport::net {
namespace {

using Found = HostLookups::Found;

Found ask_resolver(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  int fault = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (fault != 0) {
    return Unexpected(std::string(fault == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(fault)));
  }
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(list, ::freeaddrinfo);
  HostLookups::Endpoints endpoints;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    endpoints.emplace_back(at->ai_addr, at->ai_addrlen);
  }
  return endpoints.empty() ? Found(Unexpected(std::string("it has no address"))) : Found(std::move(endpoints));
}

}  // namespace

struct HostLookups::State {
  using Name = std::pair<std::string, std::uint16_t>;

  void settle(const Name& name, const Found& found) {
    std::lock_guard lock(mutex);
    auto waiting = under_way.extract(name);
    if (!waiting.empty()) {
      for (const Done& done : waiting.mapped()) {
        done(found);
      }
    }
  }

  LookUp look_up;
  std::mutex mutex;
  std::map<Name, std::vector<Done>> under_way;
};

HostLookups::HostLookups() : HostLookups(ask_resolver) {}

HostLookups::HostLookups(LookUp look_up) : state_(std::make_shared<State>()) {
  state_->look_up = std::move(look_up);
}

HostLookups::~HostLookups() {
  std::lock_guard lock(state_->mutex);
  state_->under_way.clear();
}

void HostLookups::find(const std::string& host, std::uint16_t port, Done done) {
  State::Name name{host, port};
  {
    std::lock_guard lock(state_->mutex);
    auto [entry, is_first] = state_->under_way.try_emplace(name);
    entry->second.push_back(std::move(done));
    if (!is_first) {
      return;
    }
  }
  try {
    std::thread([state = state_, name] {
      name_this_thread("lookup");
      state->settle(name, state->look_up(name.first, name.second));
    }).detach();
  } catch (const std::system_error& error) {
    state_->settle(name, Unexpected(std::string("no thread to look it up: ") + error.what()));
  }
}

}  // namespace sallyport::net
