// Carries out the fetches that identity::IssuerKeys asks for: HTTP on threads of its own, files in place.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "identity/issuer_keys.h"

namespace sallyport::net {

// GET of a URL: no redirect, HTTPS verified, an answer of 200 only. Blocks for ten seconds at most.
Result<std::string, identity::FetchError> fetch_url(const identity::FetchRequest& request);

class KeyFetcher {
 public:
  using Done = std::function<void(Result<std::string, identity::FetchError>)>;

  KeyFetcher();
  KeyFetcher(const KeyFetcher&) = delete;
  KeyFetcher& operator=(const KeyFetcher&) = delete;
  // Waits for the fetches under way.
  ~KeyFetcher();

  // `done` is called on one of the fetcher's threads.
  void fetch(identity::FetchRequest request, Done done);

 private:
  struct Job {
    identity::FetchRequest request;
    Done done;
  };
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace sallyport::net
