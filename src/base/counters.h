// Counters of one event loop: what /metrics shows. Plain numbers without any dependency, so that every module can
// count; src/control gives them their Prometheus names (docs/metrics.md).
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/command_names.h"

namespace sallyport {

enum class Metric : std::uint8_t {
  connections_accepted,
  logins_accepted,
  statements_denied,
  statements_parsed,
  statements_known,
  results_cut,
  backend_connects,
  backend_connect_failures,
  backend_failovers,
  backend_logins_fresh,
  backend_logins_reused,
  backend_pool_waits,
  backend_resets,
  backend_reset_failures,
  backend_evictions,
  backend_check_failures,
  statement_timeouts,
  side_connections,
  kills_done,
  kills_failed,
  kills_not_tried,
  client_bytes_received,
  client_bytes_sent,
  backend_bytes_received,
  backend_bytes_sent,
  client_frame_bytes_received,
  client_framed_bytes_received,
  client_frame_bytes_sent,
  client_framed_bytes_sent,
  backend_frame_bytes_received,
  backend_framed_bytes_received,
  backend_frame_bytes_sent,
  backend_framed_bytes_sent,
  audit_records,
  audit_bytes,
  audit_failures,
  tls_handshakes,
  tls_handshake_failures,
  jwks_fetches,
  jwks_fetch_failures,
  config_reloads,
  config_reload_failures
};
inline constexpr std::size_t metric_count = static_cast<std::size_t>(Metric::config_reload_failures) + 1;

// What is there now, in contrast to what has happened so far.
enum class Level : std::uint8_t {
  connections_open,
  sessions_open,
  backend_connections_open,
  backend_connections_in_use,  // that a session has
  backend_connections_idle,    // that are ready for one
  backend_logins_waiting,
  side_connections_open,
  kills_waiting,
  client_connections_compressed,
  backend_connections_compressed
};
inline constexpr std::size_t level_count = static_cast<std::size_t>(Level::backend_connections_compressed) + 1;

// Why a TCP connection was closed before its greeting.
inline constexpr std::array<std::string_view, 6> connection_refusal_reasons{
    "too_many_connections", "too_fast", "proxy_header", "draining", "accept_failed", "other"};

// Reason codes of login_refused records; the last ones end a connection whose token was accepted already and whose
// session had not begun. "other" counts every code that is not listed.
inline constexpr std::array<std::string_view, 42> login_refusal_reasons{"tls_required",
                                                                        "tls_failed",
                                                                        "driver_too_old",
                                                                        "token_missing",
                                                                        "handshake_malformed",
                                                                        "handshake_timeout",
                                                                        "token_malformed",
                                                                        "token_too_large",
                                                                        "token_algorithm_not_allowed",
                                                                        "token_key_unknown",
                                                                        "token_signature_invalid",
                                                                        "token_issuer_unknown",
                                                                        "token_audience_mismatch",
                                                                        "token_expired",
                                                                        "token_not_yet_valid",
                                                                        "token_lifetime_too_long",
                                                                        "token_type_not_allowed",
                                                                        "token_subject_not_machine",
                                                                        "token_claim_invalid",
                                                                        "token_header_not_allowed",
                                                                        "issuer_keys_unavailable",
                                                                        "account_unknown",
                                                                        "account_ambiguous",
                                                                        "account_disabled",
                                                                        "connection_not_granted",
                                                                        "backend_unavailable",
                                                                        "backend_pool_exhausted",
                                                                        "backend_login_failed",
                                                                        "backend_schema_refused",
                                                                        "backend_incompatible",
                                                                        "flavor_mismatch",
                                                                        "audit_unavailable",
                                                                        "too_many_account_sessions",
                                                                        "account_login_rate",
                                                                        "client_closed",
                                                                        "client_violation",
                                                                        "backend_closed",
                                                                        "backend_violation",
                                                                        "account_changed",
                                                                        "write_timeout",
                                                                        "drained",
                                                                        "other"};

// Reasons of session_end records. "other" counts every reason that is not listed.
inline constexpr std::array<std::string_view, 18> session_end_reasons{"client_quit",
                                                                      "user_changed",
                                                                      "client_closed",
                                                                      "client_violation",
                                                                      "packet_too_large",
                                                                      "local_file_too_large",
                                                                      "backend_closed",
                                                                      "backend_violation",
                                                                      "token_expired",
                                                                      "account_disabled",
                                                                      "account_changed",
                                                                      "idle_timeout",
                                                                      "receive_timeout",
                                                                      "statement_not_stopped",
                                                                      "transaction_timeout",
                                                                      "write_timeout",
                                                                      "drained",
                                                                      "other"};

// Commands by their place in command_names; the last counts every other.
inline constexpr auto command_kinds = command_kind_names();

enum class Duration : std::uint8_t {
  login,        // TCP accept to the OK packet
  command,      // last byte of the command to last byte of its answer
  backend_wait  // of a login for a server connection, where it had to wait
};
inline constexpr std::size_t duration_count = static_cast<std::size_t>(Duration::backend_wait) + 1;

// Upper bounds of the buckets in microseconds, each inclusive; one more bucket takes what is above the last.
inline constexpr std::array<std::uint64_t, 16> duration_bounds_us{
    50,     100,    250,     500,     1'000,     2'500,     5'000,      10'000,
    25'000, 50'000, 100'000, 250'000, 1'000'000, 2'500'000, 10'000'000, 60'000'000};

struct HistogramTotals {
  std::array<std::uint64_t, duration_bounds_us.size() + 1> buckets{};  // not cumulative
  std::uint64_t sum_ns = 0;
};

// The sum over loops at one moment of scraping.
struct CounterTotals {
  std::array<std::uint64_t, metric_count> metrics{};
  std::array<std::int64_t, level_count> levels{};
  std::array<std::uint64_t, connection_refusal_reasons.size()> connections_refused{};
  std::array<std::uint64_t, login_refusal_reasons.size()> logins_refused{};
  std::array<std::uint64_t, session_end_reasons.size()> sessions_ended{};
  std::array<std::uint64_t, command_kinds.size()> commands{};
  std::array<HistogramTotals, duration_count> durations{};
};

// Written by one thread only, its loop's; read by any. So an increment needs no locked instruction, and instances
// share no cache line.
class alignas(64) LoopCounters {
 public:
  void add(Metric metric, std::uint64_t count = 1) { bump(metrics_[static_cast<std::size_t>(metric)], count); }
  void raise(Level level) { bump(levels_[static_cast<std::size_t>(level)], std::int64_t{1}); }
  void lower(Level level) { bump(levels_[static_cast<std::size_t>(level)], std::int64_t{-1}); }

  // `reason`: an entry of connection_refusal_reasons, login_refusal_reasons or session_end_reasons; any other counts
  // as "other".
  void add_connection_refused(std::string_view reason);
  void add_login_refused(std::string_view reason);
  void add_session_ended(std::string_view reason);

  // `opcode`: the first byte of a command packet, whatever it is.
  void add_command(std::uint8_t opcode);

  // A negative duration counts as zero.
  void observe(Duration duration, std::chrono::nanoseconds elapsed);

  void add_to(CounterTotals& totals) const;

 private:
  template <typename T, std::size_t size>
  using Cells = std::array<std::atomic<T>, size>;
  struct Histogram {
    Cells<std::uint64_t, duration_bounds_us.size() + 1> buckets{};
    std::atomic<std::uint64_t> sum_ns{0};
  };

  template <typename T>
  static void bump(std::atomic<T>& cell, T count) {
    cell.store(cell.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }

  Cells<std::uint64_t, metric_count> metrics_{};
  Cells<std::int64_t, level_count> levels_{};
  Cells<std::uint64_t, connection_refusal_reasons.size()> connections_refused_{};
  Cells<std::uint64_t, login_refusal_reasons.size()> logins_refused_{};
  Cells<std::uint64_t, session_end_reasons.size()> sessions_ended_{};
  Cells<std::uint64_t, command_kinds.size()> commands_{};
  std::array<Histogram, duration_count> durations_{};
};

}  // namespace sallyport
