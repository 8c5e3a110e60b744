#include "net/key_service.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <fstream>
#include <sstream>

#include "crypto/random.h"
#include "net/loop.h"

namespace sallyport::net {
namespace {

identity::Jitter random_jitter() {
  std::array<std::uint8_t, 1> byte{};
  crypto::random_bytes(byte);
  return {.part = byte[0] / 255.0};
}

bool same_source(const identity::KeySource& left, const identity::KeySource& right) {
  if (left.index() != right.index()) {
    return false;
  }
  struct Text {
    std::string operator()(const identity::DiscoveryKeys& keys) const { return keys.url; }
    std::string operator()(const identity::JwksUrlKeys& keys) const { return keys.url; }
    std::string operator()(const identity::JwksFileKeys& keys) const { return keys.path.string(); }
    std::string operator()(const identity::InlineKeys& keys) const { return keys.jwks; }
  };
  return std::visit(Text{}, left) == std::visit(Text{}, right);
}

// Whether the keys fetched for one serve the other: anything else about an issuer may change without a fetch.
bool same_fetching(const std::vector<identity::IssuerSettings>& left,
                   const std::vector<identity::IssuerSettings>& right) {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(), [](const auto& a, const auto& b) {
           return a.name == b.name && a.issuer == b.issuer && a.kind == b.kind && a.ca_file == b.ca_file &&
                  a.refresh_every == b.refresh_every && a.stale_keys_max == b.stale_keys_max &&
                  same_source(a.keys, b.keys);
         });
}

}  // namespace

KeyService::KeyService(boost::asio::io_context& context, Log& log, LoopCounters& counters, Publish publish)
    : context_(context), log_(log), counters_(counters), publish_(std::move(publish)), timer_(context) {}

KeyService::~KeyService() = default;

void KeyService::set_issuers(std::vector<identity::IssuerSettings> issuers) {
  bool keep = keys_ && same_fetching(*issuers_, issuers);
  issuers_ = std::make_shared<const std::vector<identity::IssuerSettings>>(issuers);
  published_version_.reset();
  if (!keep) {
    ++generation_;
    file_times_.clear();
    keys_ = std::make_unique<identity::IssuerKeys>(std::move(issuers), read_clocks().mono);
    for (Waiter& waiter : waiters_) {
      waiter.wait = begin_wait(waiter.issuer);
    }
  }
  carry_out(keys_->tick(read_clocks().mono));
  after_event();
}

void KeyService::wait_for_keys(const std::string& issuer, std::function<void()> done) {
  waiters_.push_back({.issuer = issuer, .wait = begin_wait(issuer), .done = std::move(done)});
  carry_out(keys_->tick(read_clocks().mono));
  after_event();
}

std::optional<identity::KeyWait> KeyService::begin_wait(const std::string& issuer) {
  const auto& issuers = keys_->issuers();
  auto found = std::find_if(issuers.begin(), issuers.end(), [&](const auto& one) { return one.name == issuer; });
  return found == issuers.end()
             ? std::nullopt
             : keys_->key_unknown(static_cast<std::size_t>(found - issuers.begin()), read_clocks().mono);
}

void KeyService::carry_out(std::vector<identity::FetchRequest> requests) {
  while (!requests.empty()) {
    std::vector<identity::FetchRequest> further;
    for (identity::FetchRequest& request : requests) {
      if (request.url.empty()) {
        auto more = read_file(request);
        further.insert(further.end(), more.begin(), more.end());
        continue;
      }
      std::size_t issuer = request.issuer;
      fetcher_.fetch(std::move(request), [this, issuer, generation = generation_](auto answer) {
        boost::asio::post(
            context_, [this, issuer, generation, answer = std::move(answer)] { finished(generation, issuer, answer); });
      });
    }
    requests = std::move(further);
  }
}

std::vector<identity::FetchRequest> KeyService::read_file(const identity::FetchRequest& request) {
  MonoTime now = read_clocks().mono;
  std::error_code error;
  auto time = std::filesystem::last_write_time(request.file, error);
  auto known = file_times_.find(request.issuer);
  if (!error && known != file_times_.end() && known->second == time) {
    return keys_->unchanged(request.issuer, now);
  }
  std::ifstream file(request.file, std::ios::binary);
  std::string text(request.bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  bool readable = !error && !file.bad() && file.gcount() > 0;
  text.resize(static_cast<std::size_t>(file.gcount()));
  Result<std::string, identity::FetchError> answer = std::move(text);
  if (!readable) {
    answer = Unexpected(identity::FetchError::unreadable);
  } else if (answer->size() > request.bytes_max) {
    answer = Unexpected(identity::FetchError::too_large);
  }
  auto further = keys_->fetched(request.issuer, answer, now, random_jitter());
  identity::IssuerStatus status = keys_->status(request.issuer);
  if (status.failures == 0) {
    file_times_[request.issuer] = time;
    log_.write(Severity::info, "issuer's keys read",
               {{"issuer", issuer(request.issuer).name}, {"keys", std::to_string(status.keys)}});
  } else if (status.failures == 1) {
    log_.write(Severity::error, "issuer's keys can't be read",
               {{"issuer", issuer(request.issuer).name}, {"error", status.last_error}});
  }
  return further;
}

void KeyService::finished(std::uint64_t generation, std::size_t issuer,
                          const Result<std::string, identity::FetchError>& answer) {
  if (generation != generation_) {
    return;
  }
  std::uint64_t fetches_before = keys_->status(issuer).fetches;
  carry_out(keys_->fetched(issuer, answer, read_clocks().mono, random_jitter()));
  identity::IssuerStatus status = keys_->status(issuer);
  if (status.fetches != fetches_before) {
    counters_.add(status.failures == 0 ? Metric::jwks_fetches : Metric::jwks_fetch_failures);
    if (status.failures == 0) {
      log_.write(Severity::debug, "issuer's keys fetched",
                 {{"issuer", this->issuer(issuer).name}, {"keys", std::to_string(status.keys)}});
    } else {
      log_.write(Severity::warning, "issuer's keys can't be fetched",
                 {{"issuer", this->issuer(issuer).name}, {"error", status.last_error}});
    }
  }
  after_event();
}

void KeyService::after_event() {
  publish_if_new();
  std::vector<Waiter> left;
  std::vector<Waiter> ready;
  for (Waiter& waiter : waiters_) {
    (!waiter.wait || keys_->finished(*waiter.wait) ? ready : left).push_back(std::move(waiter));
  }
  waiters_ = std::move(left);
  for (Waiter& waiter : ready) {
    waiter.done();
  }
  if (auto wake = keys_->next_wake()) {
    timer_.expires_at(std::chrono::steady_clock::time_point(*wake));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) {
        carry_out(keys_->tick(read_clocks().mono));
        after_event();
      }
    });
  }
}

void KeyService::publish_if_new() {
  if (published_version_ != keys_->version()) {
    published_version_ = keys_->version();
    publish_({.issuers = issuers_, .sets = keys_->snapshot()});
  }
}

}  // namespace sallyport::net
