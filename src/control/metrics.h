// The gateway's counters under their Prometheus names; docs/metrics.md describes each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/counters.h"

namespace sallyport::control {

// What there is to know of one issuer's keys.
struct IssuerGauge {
  std::string name;
  std::uint64_t keys = 0;  // 0: none, and its tokens are refused
};

// What there is to know of one server of a connection.
struct ServerGauge {
  std::string connection;
  std::string server;
  bool up = true;  // as far as known
  std::uint64_t failures = 0;
  std::uint32_t in_use = 0;  // connections
};

// What there is to know of the catalogue of a connection.
struct CatalogueStatus {
  std::string connection;
  std::string server;          // that it was read from
  std::uint64_t version = 0;   // 0: it was never read, and what follows up to `failures` means nothing
  double age_seconds = 0;      // since the last successful reading began
  double refresh_seconds = 0;  // that it took
  bool complete = false;       // the login sees everything
  std::uint64_t schemas = 0;
  std::uint64_t tables = 0;
  std::uint64_t columns = 0;
  std::uint64_t routines = 0;
  std::uint64_t failures = 0;
  std::string last_failure;  // empty: there was none
};

// What there is to know of the audit log.
struct AuditGauge {
  bool failing = false;               // nothing is forwarded
  std::uint64_t records = 0;          // in the log, on the disk
  std::uint64_t session_records = 0;  // of sessions, written since the start
  std::uint64_t waiting_bytes = 0;    // committed, and not there yet
  std::uint64_t segments_closed = 0;
  std::uint64_t checkpoints = 0;
  std::uint64_t syncs = 0;
  double sync_seconds = 0;
  std::uint64_t write_failures = 0;
  std::uint64_t lost_records = 0;
  bool answers_encrypted = false;
};

// A witness of the audit log.
struct WitnessGauge {
  std::string name;
  bool failing = false;       // it doesn't have the newest checkpoint that it was to be sent
  std::uint64_t covered = 0;  // records that the one it has covers
  std::uint64_t failures = 0;
};

// What there is to know of a sink of the audit log. Counts are since it was started.
struct SinkGauge {
  std::string name;
  std::string kind;      // file, syslog, http or kafka
  bool failing = false;  // its last attempt was in vain
  std::uint64_t delivered = 0;
  std::uint64_t failures = 0;
  std::uint64_t dropped = 0;
  std::uint64_t behind_records = 0;
  std::uint64_t behind_bytes = 0;
  double last_success_seconds = 0;  // since 1970; 0: there was none
};

struct MetricsSnapshot {
  CounterTotals totals;
  std::vector<IssuerGauge> issuers;
  std::vector<ServerGauge> servers;
  std::vector<CatalogueStatus> catalogues;
  AuditGauge audit;
  std::vector<WitnessGauge> witnesses;
  std::vector<SinkGauge> sinks;
  std::uint64_t log_lines_lost = 0;
  std::string version;            // of the program
  double start_time_seconds = 0;  // since 1970-01-01T00:00:00Z
};

// The text exposition format, version 0.0.4.
std::string to_prometheus_text(const MetricsSnapshot& snapshot);

}  // namespace sallyport::control
