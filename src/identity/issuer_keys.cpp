#include "identity/issuer_keys.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "identity/json.h"

namespace sallyport::identity {
namespace {

// A fetch that the shell has not ended by then does not keep stale keys alive.
constexpr Seconds fetch_overdue{60};

// Half of it fixed, half spread, doubling from backoff_first to backoff_max.
Nanoseconds backoff(std::uint32_t failures, Jitter jitter) {
  const std::uint32_t doublings = std::min(failures - 1, 10U);
  const Nanoseconds full = std::min<Nanoseconds>(backoff_first * (1U << doublings), backoff_max);
  const double part = std::clamp(jitter.part, 0.0, 1.0);
  return full / 2 + Nanoseconds(static_cast<std::int64_t>(static_cast<double>((full / 2).count()) * part));
}

bool is_numeric_loopback(std::string_view host) {
  // 127.a.b.c in decimal.
  int octets = 0;
  while (!host.empty() && octets < 4) {
    const std::size_t dot = std::min(host.find('.'), host.size());
    const std::string_view octet = host.substr(0, dot);
    const bool digits = !octet.empty() && octet.size() <= 3 &&
                        std::all_of(octet.begin(), octet.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits || (octets == 0 && octet != "127") || (octet.size() > 1 && octet[0] == '0') ||
        (octet.size() == 3 && octet > "255")) {
      return false;
    }
    ++octets;
    host.remove_prefix(dot);
    if (!host.empty()) {
      host.remove_prefix(1);
      if (host.empty()) {
        return false;
      }
    }
  }
  return octets == 4 && host.empty();
}

struct Authority {
  std::string_view host;  // with the brackets of an IPv6 address
  std::string_view port;
};

// Nothing when it has a user name, no host, or a port that is none.
std::optional<Authority> parse_authority(std::string_view text) {
  if (text.find('@') != std::string_view::npos) {
    return std::nullopt;
  }
  std::size_t host_end = text.find(':');
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) {
      return std::nullopt;
    }
    host_end = bracket + 1;
  }
  host_end = std::min(host_end, text.size());
  const std::string_view host = text.substr(0, host_end);
  std::string_view port = text.substr(host_end);
  if (!port.empty()) {
    if (port[0] != ':' || port.size() < 2 || port.size() > 6) {
      return std::nullopt;
    }
    port.remove_prefix(1);
  }
  const bool digits = std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (host.empty() || !digits) {
    return std::nullopt;
  }
  return Authority{host, port};
}

Result<std::string, std::string> jwks_url_of(const std::string& document, const std::string& issuer) {
  const auto value = parse_json(document, {.bytes_max = discovery_bytes_max});
  if (!value) {
    return Unexpected("the discovery document is " + std::string(describe(value.error())));
  }
  const JsonValue* const named = value->member("issuer");
  // OpenID Connect Discovery section 4.3: exactly the issuer that was asked for.
  if (named == nullptr || named->as_string() == nullptr || *named->as_string() != issuer) {
    return Unexpected(std::string("the discovery document names another issuer"));
  }
  const JsonValue* const url = value->member("jwks_uri");
  if (url == nullptr || url->as_string() == nullptr) {
    return Unexpected(std::string("the discovery document has no jwks_uri"));
  }
  if (!key_url_allowed(*url->as_string())) {
    return Unexpected(std::string("the discovery document's jwks_uri is neither https nor http to a loopback address"));
  }
  return *url->as_string();
}

}  // namespace

struct IssuerKeys::Issuer {
  enum class Step : std::uint8_t { idle, discovery, keys };

  bool fetchable = true;      // false: inline keys
  bool content_good = false;  // whether the text that was last read was a key set
  Step step = Step::idle;
  MonoTime due{};  // of the next background fetch
  std::optional<MonoTime> last_start;
  std::optional<MonoTime> wanted_since;  // the first login that waits for a fetch not yet started
  std::uint64_t started = 0;
  std::uint64_t finished = 0;
  std::uint32_t failures = 0;
  std::optional<MonoTime> last_success;
  std::string last_error;
  std::shared_ptr<const KeySet> keys;  // the last good ones
  bool serving = false;                // whether they are in the snapshot

  // When the next fetch may start; nothing while one is in flight, or when there is nothing to fetch.
  std::optional<MonoTime> next_start() const {
    if (!fetchable || step != Step::idle) {
      return std::nullopt;
    }
    if (!wanted_since) {
      return due;
    }
    const MonoTime permitted = last_start ? *last_start + on_demand_spacing : *wanted_since;
    return std::min(due, std::max(permitted, *wanted_since));
  }

  // When the keys are too old to serve; nothing while they are not served, or fetches go well.
  std::optional<MonoTime> stale_at(const IssuerSettings& settings) const {
    if (!fetchable || !serving || !last_success) {
      return std::nullopt;
    }
    const MonoTime stale = *last_success + settings.stale_keys_max;
    if (failures > 0) {
      return stale;
    }
    return step == Step::idle ? std::nullopt : std::optional(std::max(stale, *last_start + fetch_overdue));
  }
};

std::string_view describe(FetchError error) {
  switch (error) {
    case FetchError::unreachable:
      return "the server can't be reached";
    case FetchError::timed_out:
      return "the server did not answer in time";
    case FetchError::tls_failed:
      return "the server's certificate could not be verified";
    case FetchError::bad_status:
      return "the server did not answer with status 200";
    case FetchError::too_large:
      return "the answer is too large";
    case FetchError::unreadable:
      return "the file can't be read";
  }
  return "unknown";
}

IssuerKeys::IssuerKeys(std::vector<IssuerSettings> issuers, MonoTime now)
    : settings_(std::move(issuers)),
      issuers_(settings_.size()),
      snapshot_(std::make_shared<const KeySets>(settings_.size())) {
  for (std::size_t i = 0; i < settings_.size(); ++i) {
    issuers_[i].due = now;
    if (const auto* const source = std::get_if<InlineKeys>(&settings_[i].keys)) {
      issuers_[i].fetchable = false;
      read_keys(i, source->jwks, now, {});
    }
  }
}

IssuerKeys::~IssuerKeys() = default;
IssuerKeys::IssuerKeys(IssuerKeys&&) noexcept = default;
IssuerKeys& IssuerKeys::operator=(IssuerKeys&&) noexcept = default;

std::vector<FetchRequest> IssuerKeys::tick(MonoTime now) {
  std::vector<FetchRequest> requests;
  for (std::size_t i = 0; i < issuers_.size(); ++i) {
    drop_stale(i, now);
    start_if_due(i, now, requests);
  }
  return requests;
}

std::vector<FetchRequest> IssuerKeys::fetched(std::size_t issuer, const Result<std::string, FetchError>& answer,
                                              MonoTime now, Jitter jitter) {
  SALLYPORT_CHECK(issuer < issuers_.size());
  std::vector<FetchRequest> requests;
  const Issuer::Step step = issuers_[issuer].step;
  if (step == Issuer::Step::idle) {
    return requests;
  }
  if (!answer) {
    fail(issuer, std::string(describe(answer.error())), now, jitter);
  } else if (step == Issuer::Step::discovery) {
    read_discovery(issuer, *answer, now, jitter, requests);
  } else {
    read_keys(issuer, *answer, now, jitter);
  }
  start_if_due(issuer, now, requests);
  return requests;
}

std::vector<FetchRequest> IssuerKeys::unchanged(std::size_t issuer, MonoTime now) {
  SALLYPORT_CHECK(issuer < issuers_.size());
  std::vector<FetchRequest> requests;
  Issuer& state = issuers_[issuer];
  if (state.step == Issuer::Step::idle) {
    return requests;
  }
  if (state.content_good) {
    succeed(issuer, now);
  } else {
    fail(issuer, state.last_error, now, {});
  }
  start_if_due(issuer, now, requests);
  return requests;
}

std::optional<KeyWait> IssuerKeys::key_unknown(std::size_t issuer, MonoTime now) {
  SALLYPORT_CHECK(issuer < issuers_.size());
  Issuer& state = issuers_[issuer];
  if (!state.fetchable) {
    return std::nullopt;
  }
  if (!state.wanted_since) {
    state.wanted_since = now;
  }
  return KeyWait{issuer, state.started + 1};
}

bool IssuerKeys::finished(const KeyWait& wait) const {
  SALLYPORT_CHECK(wait.issuer < issuers_.size());
  return issuers_[wait.issuer].finished >= wait.fetch;
}

std::optional<MonoTime> IssuerKeys::next_wake() const {
  std::optional<MonoTime> wake;
  for (std::size_t i = 0; i < issuers_.size(); ++i) {
    for (const auto& time : {issuers_[i].next_start(), issuers_[i].stale_at(settings_[i])}) {
      if (time && (!wake || *time < *wake)) {
        wake = time;
      }
    }
  }
  return wake;
}

std::shared_ptr<const KeySets> IssuerKeys::snapshot() const {
  return snapshot_;
}
std::uint64_t IssuerKeys::version() const {
  return version_;
}
const std::vector<IssuerSettings>& IssuerKeys::issuers() const {
  return settings_;
}

IssuerStatus IssuerKeys::status(std::size_t issuer) const {
  SALLYPORT_CHECK(issuer < issuers_.size());
  const Issuer& state = issuers_[issuer];
  IssuerStatus status;
  status.has_keys = state.serving;
  status.keys = state.serving ? state.keys->size() : 0;
  status.fetches = state.finished;
  status.failures = state.failures;
  status.last_success = state.last_success;
  status.last_error = state.last_error;
  status.notes = state.serving ? state.keys->notes() : std::vector<std::string>();
  return status;
}

void IssuerKeys::publish(std::size_t index) {
  auto next = std::make_shared<KeySets>(*snapshot_);
  (*next)[index] = issuers_[index].serving ? issuers_[index].keys : nullptr;
  snapshot_ = std::move(next);
  ++version_;
}

void IssuerKeys::drop_stale(std::size_t index, MonoTime now) {
  const auto stale = issuers_[index].stale_at(settings_[index]);
  if (stale && now >= *stale) {
    issuers_[index].serving = false;
    publish(index);
  }
}

void IssuerKeys::start_if_due(std::size_t index, MonoTime now, std::vector<FetchRequest>& requests) {
  Issuer& state = issuers_[index];
  const auto start = state.next_start();
  if (!start || now < *start) {
    return;
  }
  FetchRequest request;
  request.issuer = index;
  request.ca_file = settings_[index].ca_file;
  state.step = Issuer::Step::keys;
  if (const auto* const discovery = std::get_if<DiscoveryKeys>(&settings_[index].keys)) {
    request.url = discovery->url;
    request.bytes_max = discovery_bytes_max;
    state.step = Issuer::Step::discovery;
  } else if (const auto* const set = std::get_if<JwksUrlKeys>(&settings_[index].keys)) {
    request.url = set->url;
  } else if (const auto* const file = std::get_if<JwksFileKeys>(&settings_[index].keys)) {
    request.file = file->path;
  }
  ++state.started;
  state.last_start = now;
  state.wanted_since.reset();
  requests.push_back(std::move(request));
}

void IssuerKeys::read_discovery(std::size_t index, const std::string& text, MonoTime now, Jitter jitter,
                                std::vector<FetchRequest>& requests) {
  const auto url = jwks_url_of(text, settings_[index].issuer);
  if (!url) {
    fail(index, url.error(), now, jitter);
    return;
  }
  FetchRequest request;
  request.issuer = index;
  request.url = *url;
  request.ca_file = settings_[index].ca_file;
  issuers_[index].step = Issuer::Step::keys;
  requests.push_back(std::move(request));
}

void IssuerKeys::read_keys(std::size_t index, const std::string& text, MonoTime now, Jitter jitter) {
  auto keys = KeySet::parse(text);
  issuers_[index].content_good = keys.has_value();
  if (!keys) {
    fail(index, "the key set is " + std::string(describe(keys.error())), now, jitter);
    return;
  }
  issuers_[index].keys = std::make_shared<const KeySet>(std::move(*keys));
  issuers_[index].serving = false;
  succeed(index, now);
}

void IssuerKeys::succeed(std::size_t index, MonoTime now) {
  Issuer& state = issuers_[index];
  const bool is_file = std::holds_alternative<JwksFileKeys>(settings_[index].keys);
  state.step = Issuer::Step::idle;
  state.finished = state.started;
  state.failures = 0;
  state.last_error.clear();
  state.last_success = now;
  state.due = now + (is_file ? Nanoseconds(file_check_every)
                             : std::max<Nanoseconds>(settings_[index].refresh_every, on_demand_spacing));
  if (!state.serving) {
    state.serving = true;
    publish(index);
  }
}

void IssuerKeys::fail(std::size_t index, std::string error, MonoTime now, Jitter jitter) {
  Issuer& state = issuers_[index];
  const bool is_file = std::holds_alternative<JwksFileKeys>(settings_[index].keys);
  state.step = Issuer::Step::idle;
  state.finished = state.started;
  state.failures += state.failures < std::numeric_limits<std::uint32_t>::max() ? 1U : 0U;
  state.last_error = std::move(error);
  state.due = now + (is_file ? Nanoseconds(file_check_every) : backoff(state.failures, jitter));
  drop_stale(index, now);
}

bool key_url_allowed(std::string_view url) {
  constexpr std::size_t url_bytes_max = 2048;
  const auto plain = [](char c) {
    return c > ' ' && c <= '~' && c != '#' && c != '\\' && c != '"' && c != '<' && c != '>';
  };
  if (url.size() > url_bytes_max || !std::all_of(url.begin(), url.end(), plain)) {
    return false;
  }
  const bool is_https = url.starts_with("https://");
  if (!is_https && !url.starts_with("http://")) {
    return false;
  }
  const std::string_view rest = url.substr(is_https ? 8 : 7);
  const auto authority = parse_authority(rest.substr(0, rest.find_first_of("/?")));
  if (!authority) {
    return false;
  }
  return is_https || authority->host == "localhost" || authority->host == "[::1]" ||
         is_numeric_loopback(authority->host);
}

}  // namespace sallyport::identity
