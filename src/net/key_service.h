// Keeps issuers' keys fresh: drives identity::IssuerKeys on the supervisor's thread and hands snapshots to the loops.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/counters.h"
#include "identity/issuer_keys.h"
#include "net/key_fetcher.h"
#include "net/log.h"
#include "net/runtime.h"

namespace sallyport::net {

// On the thread of the context given.
class KeyService {
 public:
  using Publish = std::function<void(KeySnapshot)>;
  KeyService(boost::asio::io_context& context, Log& log, LoopCounters& counters, Publish publish);
  ~KeyService();
  KeyService(const KeyService&) = delete;
  KeyService& operator=(const KeyService&) = delete;

  // Begins anew with these issuers, unless they are the ones at work. Publishes at once, without keys at first.
  void set_issuers(std::vector<identity::IssuerSettings> issuers);

  // Calls `done` once a fetch has ended that began after now, or at once when no fetch can help; what was fetched is
  // published before. The issuer's name: a loop may still have another list of issuers. Where the issuers are changed
  // meanwhile, a fetch of the new one of that name is waited for.
  void wait_for_keys(const std::string& issuer, std::function<void()> done);

  std::size_t issuer_count() const { return keys_ ? keys_->issuers().size() : 0; }
  const identity::IssuerSettings& issuer(std::size_t index) const { return keys_->issuers()[index]; }
  identity::IssuerStatus status(std::size_t index) const { return keys_->status(index); }

 private:
  struct Waiter {
    std::string issuer;
    std::optional<identity::KeyWait> wait;  // nothing: no fetch can help
    std::function<void()> done;
  };
  std::optional<identity::KeyWait> begin_wait(const std::string& issuer);
  void carry_out(std::vector<identity::FetchRequest> requests);
  std::vector<identity::FetchRequest> read_file(const identity::FetchRequest& request);
  void finished(std::uint64_t generation, std::size_t issuer, const Result<std::string, identity::FetchError>& answer);
  void after_event();
  void publish_if_new();

  boost::asio::io_context& context_;
  Log& log_;
  LoopCounters& counters_;
  Publish publish_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<identity::IssuerKeys> keys_;
  std::shared_ptr<const std::vector<identity::IssuerSettings>> issuers_;
  std::uint64_t generation_ = 0;  // of keys_; answers to an earlier one's requests are dropped
  std::optional<std::uint64_t> published_version_;
  std::vector<Waiter> waiters_;
  std::map<std::size_t, std::filesystem::file_time_type> file_times_;
  KeyFetcher fetcher_;
};

}  // namespace sallyport::net
