// When to fetch issuers' keys, and which are valid now. A state machine without I/O: the shell carries out the fetches
// that it asks for and says how they ended.
//
//   discovery: the OpenID configuration document, then the `jwks_uri` that it names; two requests, one fetch
//   jwks_url:  one request
//   jwks_file: one request every file_check_every, which the shell may answer with `unchanged`
//   inline:    none
//
// A fetch happens every IssuerSettings::refresh_every, and on demand when a login meets a key that is not in the set.
// Per issuer at most one fetch is in flight and fetches on demand start at least on_demand_spacing apart; a login that
// comes in between waits for the next one. After failures the background fetches back off; the last good keys serve
// until stale_keys_max after the fetch that brought them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "identity/key_set.h"
#include "identity/settings.h"

namespace sallyport::identity {

inline constexpr Milliseconds on_demand_spacing{2000};
inline constexpr Milliseconds file_check_every{1000};
inline constexpr Milliseconds backoff_first{1000};
inline constexpr Milliseconds backoff_max{60'000};
inline constexpr std::size_t discovery_bytes_max = 64U << 10;

// What the shell is asked to read. It must call IssuerKeys::fetched (or `unchanged`) once for each, within a time
// limit of its own, and follow no redirect.
struct FetchRequest {
  std::size_t issuer = 0;  // index of the settings
  std::string url;         // https, or http to a loopback address; empty: read `file`
  std::filesystem::path file;
  std::filesystem::path ca_file;           // empty: the system's store
  std::size_t bytes_max = jwks_bytes_max;  // answers beyond this are FetchError::too_large
};

enum class FetchError : std::uint8_t {
  unreachable,
  timed_out,
  tls_failed,
  bad_status,  // not 200
  too_large,
  unreadable  // a file
};

std::string_view describe(FetchError error);

// What a login that met an unknown key waits for.
struct KeyWait {
  std::size_t issuer = 0;
  std::uint64_t fetch = 0;  // serial number of the fetch that starts after the login met the key
};

// For logs, metrics and readiness.
struct IssuerStatus {
  bool has_keys = false;
  std::size_t keys = 0;
  std::uint64_t fetches = 0;   // finished, well or not
  std::uint32_t failures = 0;  // in a row
  std::optional<MonoTime> last_success;
  std::string last_error;          // of the last fetch; empty when it went well
  std::vector<std::string> notes;  // KeySet::notes of the keys
};

// A number from 0 to 1 that spreads the retries of several gateways; drawn by the shell for each event.
struct Jitter {
  double part = 0.5;
};

// On one thread; the snapshots it hands out may be read from any.
class IssuerKeys {
 public:
  // The first fetches are due at once: call tick.
  IssuerKeys(std::vector<IssuerSettings> issuers, MonoTime now);
  ~IssuerKeys();
  IssuerKeys(IssuerKeys&&) noexcept;
  IssuerKeys& operator=(IssuerKeys&&) noexcept;

  // Events. Each returns the requests to carry out now.
  std::vector<FetchRequest> tick(MonoTime now);
  std::vector<FetchRequest> fetched(std::size_t issuer, const Result<std::string, FetchError>& answer, MonoTime now,
                                    Jitter jitter);
  // In place of `fetched`: the file is as it was when it was last read.
  std::vector<FetchRequest> unchanged(std::size_t issuer, MonoTime now);

  // A login met a key that is not in the set, or an issuer without keys. Call tick afterwards. The login tries again
  // whenever version() changes and once more when finished(wait); if that fails too, it is refused. Nothing for inline
  // keys: refuse at once.
  std::optional<KeyWait> key_unknown(std::size_t issuer, MonoTime now);
  bool finished(const KeyWait& wait) const;

  // When to call tick next, if nothing happens before; nothing when never.
  std::optional<MonoTime> next_wake() const;

  // The keys that are valid now; replaced, never changed. version() grows with each replacement.
  std::shared_ptr<const KeySets> snapshot() const;
  std::uint64_t version() const;

  const std::vector<IssuerSettings>& issuers() const;
  IssuerStatus status(std::size_t issuer) const;

 private:
  struct Issuer;

  void publish(std::size_t index);
  void drop_stale(std::size_t index, MonoTime now);
  void start_if_due(std::size_t index, MonoTime now, std::vector<FetchRequest>& requests);
  // The end of a fetch: with keys, or with what went wrong.
  void succeed(std::size_t index, MonoTime now);
  void fail(std::size_t index, std::string error, MonoTime now, Jitter jitter);
  void read_keys(std::size_t index, const std::string& text, MonoTime now, Jitter jitter);
  void read_discovery(std::size_t index, const std::string& text, MonoTime now, Jitter jitter,
                      std::vector<FetchRequest>& requests);

  std::vector<IssuerSettings> settings_;
  std::vector<Issuer> issuers_;
  std::shared_ptr<const KeySets> snapshot_;
  std::uint64_t version_ = 0;
};

// Whether keys may be fetched from a URL: https, or http when the host is localhost or a numeric loopback address.
// No user name in it, no fragment.
bool key_url_allowed(std::string_view url);

}  // namespace sallyport::identity
