#include "control/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <limits>
#include <span>
#include <sstream>
#include <string_view>
#include <utility>

namespace sallyport::control {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

struct Description {
  std::string_view name;
  std::string_view help;
};

// In the order of Metric.
constexpr std::array<Description, metric_count> counters{{
    {"sallyport_connections_accepted_total", "Client connections accepted."},
    {"sallyport_logins_accepted_total", "Logins accepted."},
    {"sallyport_statements_denied_total", "Commands that were refused."},
    {"sallyport_statements_parsed_total", "Statements that were parsed."},
    {"sallyport_statements_known_total",
     "Statements that were not parsed again, as the same text, but for numbers, came twice before."},
    {"sallyport_results_cut_total", "Results that ended early, at a limit of the service account."},
    {"sallyport_backend_connects_total", "Connections to database servers that were opened."},
    {"sallyport_backend_connect_failures_total",
     "Logins whose server connection failed before the login there, or for which a server was not tried again so "
     "soon."},
    {"sallyport_backend_failovers_total",
     "Logins that went on with another server of their connection because one could not be reached."},
    {"sallyport_backend_logins_fresh_total", "Sessions that began on a server connection opened for them."},
    {"sallyport_backend_logins_reused_total", "Sessions that began on a server connection used before."},
    {"sallyport_backend_pool_waits_total", "Logins that had to wait for a server connection."},
    {"sallyport_backend_resets_total", "Server connections reset after a session and kept."},
    {"sallyport_backend_reset_failures_total", "Server connections closed because their reset failed."},
    {"sallyport_backend_evictions_total",
     "Idle server connections that were closed: too old, unused, too many, in the way of a waiting login, or of an "
     "older configuration."},
    {"sallyport_backend_check_failures_total", "Idle server connections found dead or not answering."},
    {"sallyport_statement_timeouts_total", "Statements that reached limits.statement_timeout of the service account."},
    {"sallyport_side_connections_total",
     "Side connections opened to database servers, each for the KILL of one target."},
    {"sallyport_kills_total", "KILLs of the gateway's own, and of clients by side connection, that a server did."},
    {"sallyport_kill_failures_total", "Such KILLs that failed: the server refused, or was not reached in time."},
    {"sallyport_kills_not_tried_total",
     "Such KILLs that were not tried: too many at a time, or the server is known to be away."},
    {"sallyport_client_bytes_received_total", "Bytes received from clients, inside TLS and compression."},
    {"sallyport_client_bytes_sent_total", "Bytes sent to clients, inside TLS and compression."},
    {"sallyport_backend_bytes_received_total", "Bytes received from database servers, inside TLS and compression."},
    {"sallyport_backend_bytes_sent_total", "Bytes sent to database servers, inside TLS and compression."},
    {"sallyport_client_frame_bytes_received_total", "Bytes of compressed frames received from clients, inside TLS."},
    {"sallyport_client_framed_bytes_received_total", "Bytes that these frames held."},
    {"sallyport_client_frame_bytes_sent_total", "Bytes of compressed frames sent to clients, inside TLS."},
    {"sallyport_client_framed_bytes_sent_total", "Bytes that these frames held."},
    {"sallyport_backend_frame_bytes_received_total",
     "Bytes of compressed frames received from database servers, inside TLS."},
    {"sallyport_backend_framed_bytes_received_total", "Bytes that these frames held."},
    {"sallyport_backend_frame_bytes_sent_total", "Bytes of compressed frames sent to database servers, inside TLS."},
    {"sallyport_backend_framed_bytes_sent_total", "Bytes that these frames held."},
    {"sallyport_audit_records_total", "Audit records that sessions made."},
    {"sallyport_audit_bytes_total", "Bytes of these."},
    {"sallyport_audit_failures_total",
     "Commits of sessions to the audit log that failed; what they were for was not forwarded."},
    {"sallyport_tls_handshakes_total", "TLS handshakes with clients completed."},
    {"sallyport_tls_handshake_failures_total", "TLS handshakes with clients failed."},
    {"sallyport_jwks_fetches_total", "Fetches of issuers' keys that succeeded."},
    {"sallyport_jwks_fetch_failures_total", "Fetches of issuers' keys that failed."},
    {"sallyport_config_reloads_total", "Reloads of the configuration that took effect."},
    {"sallyport_config_reload_failures_total",
     "Reloads of the configuration that were refused: mistakes, a change that needs a restart, files that cannot be "
     "used."},
}};

// In the order of Level.
constexpr std::array<Description, level_count> levels{{
    {"sallyport_connections_open", "Client connections that are open."},
    {"sallyport_sessions_open", "Sessions that are logged in."},
    {"sallyport_backend_connections_open", "Connections to database servers that are open."},
    {"sallyport_backend_connections_in_use", "Of these, those that a session has."},
    {"sallyport_backend_connections_idle", "Of these, those that are reset and wait for a session."},
    {"sallyport_backend_logins_waiting", "Logins that wait for a server connection."},
    {"sallyport_side_connections_open", "Side connections for KILLs that are open."},
    {"sallyport_kills_waiting", "KILLs that wait for a side connection."},
    {"sallyport_client_connections_compressed", "Client connections whose traffic is compressed."},
    {"sallyport_backend_connections_compressed", "Connections to database servers whose traffic is compressed."},
}};

// In the order of Duration.
constexpr std::array<Description, duration_count> durations{{
    {"sallyport_login_duration_seconds", "From the accepted connection to the accepted login."},
    {"sallyport_command_duration_seconds", "From the last byte of a command to the last byte of its answer."},
    {"sallyport_backend_wait_duration_seconds", "How long logins that had to wait for a server connection waited."},
}};

MetricFamily family(const Description& description, MetricType type) {
  return {.name = std::string(description.name), .help = std::string(description.help), .type = type, .metric = {}};
}

ClientMetric counted(std::uint64_t value) {
  ClientMetric metric;
  metric.counter.value = static_cast<double>(value);
  return metric;
}

ClientMetric level(double value) {
  ClientMetric metric;
  metric.gauge.value = value;
  return metric;
}

MetricFamily labelled(const Description& description, std::string_view label, std::span<const std::string_view> values,
                      std::span<const std::uint64_t> counts) {
  auto result = family(description, MetricType::Counter);
  for (std::size_t i = 0; i < values.size(); ++i) {
    auto metric = counted(counts[i]);
    metric.label.push_back({std::string(label), std::string(values[i])});
    result.metric.push_back(std::move(metric));
  }
  return result;
}

MetricFamily histogram(const Description& description, const HistogramTotals& totals) {
  auto result = family(description, MetricType::Histogram);
  ClientMetric metric;
  auto& shown = metric.histogram;
  for (std::size_t i = 0; i < totals.buckets.size(); ++i) {
    shown.sample_count += totals.buckets[i];
    double bound = i < duration_bounds_us.size() ? static_cast<double>(duration_bounds_us[i]) / 1e6
                                                 : std::numeric_limits<double>::infinity();
    shown.bucket.push_back({shown.sample_count, bound});
  }
  shown.sample_sum = static_cast<double>(totals.sum_ns) / 1e9;
  result.metric.push_back(std::move(metric));
  return result;
}

MetricFamily build_info(const std::string& version) {
  auto result = family({"sallyport_build_info", "Always 1; the label says which version runs."}, MetricType::Gauge);
  auto metric = level(1);
  metric.label.push_back({"version", version});
  result.metric.push_back(std::move(metric));
  return result;
}

MetricFamily issuer_keys(const std::vector<IssuerGauge>& issuers) {
  auto result =
      family({"sallyport_issuer_keys", "Keys of an issuer that are valid now; with 0 its tokens are refused."},
             MetricType::Gauge);
  for (const auto& issuer : issuers) {
    auto metric = level(static_cast<double>(issuer.keys));
    metric.label.push_back({"issuer", issuer.name});
    result.metric.push_back(std::move(metric));
  }
  return result;
}

void add_servers(std::vector<MetricFamily>& families, const std::vector<ServerGauge>& servers) {
  auto up = family({"sallyport_backend_server_up",
                    "1 as long as the server could be reached when it was tried last and no connection to it went "
                    "unanswered since, or was not tried yet."},
                   MetricType::Gauge);
  auto in_use = family({"sallyport_backend_server_connections_in_use", "Connections to the server that a session has."},
                       MetricType::Gauge);
  auto failures =
      family({"sallyport_backend_server_failures_total", "Vain attempts to reach the server."}, MetricType::Counter);
  for (const ServerGauge& server : servers) {
    auto add = [&](MetricFamily& to, ClientMetric metric) {
      metric.label.push_back({"connection", server.connection});
      metric.label.push_back({"server", server.server});
      to.metric.push_back(std::move(metric));
    };
    add(up, level(server.up ? 1 : 0));
    add(in_use, level(static_cast<double>(server.in_use)));
    add(failures, counted(server.failures));
  }
  families.push_back(std::move(up));
  families.push_back(std::move(in_use));
  families.push_back(std::move(failures));
}

void add_catalogues(std::vector<MetricFamily>& families, const std::vector<CatalogueStatus>& catalogues) {
  auto version = family(
      {"sallyport_catalogue_version", "Which version of the connection's catalogue is in use; 0: it was never read."},
      MetricType::Gauge);
  auto age = family({"sallyport_catalogue_age_seconds", "Since the last successful reading of the catalogue began."},
                    MetricType::Gauge);
  auto refresh = family({"sallyport_catalogue_refresh_seconds", "How long that reading took."}, MetricType::Gauge);
  auto failures = family({"sallyport_catalogue_refresh_failures_total", "Vain attempts to read the catalogue."},
                         MetricType::Counter);
  for (const CatalogueStatus& status : catalogues) {
    auto add = [&](MetricFamily& to, ClientMetric metric) {
      metric.label.push_back({"connection", status.connection});
      to.metric.push_back(std::move(metric));
    };
    add(version, level(static_cast<double>(status.version)));
    add(failures, counted(status.failures));
    if (status.version != 0) {
      add(age, level(status.age_seconds));
      add(refresh, level(status.refresh_seconds));
    }
  }
  families.push_back(std::move(version));
  families.push_back(std::move(age));
  families.push_back(std::move(refresh));
  families.push_back(std::move(failures));
}

void add_sinks(std::vector<MetricFamily>& families, const std::vector<SinkGauge>& sinks) {
  auto failing =
      family({"sallyport_sink_failing", "1 while the sink's last attempt to deliver was in vain."}, MetricType::Gauge);
  auto delivered = family({"sallyport_sink_delivered_records_total",
                           "Records that the sink's receiver acknowledged; one that was sent again counts again."},
                          MetricType::Counter);
  auto failures = family({"sallyport_sink_failures_total", "Vain attempts to deliver."}, MetricType::Counter);
  auto dropped = family({"sallyport_sink_dropped_records_total", "Records that the sink left out, which is on record."},
                        MetricType::Counter);
  auto records =
      family({"sallyport_sink_behind_records", "Records on the disk that the receiver has not acknowledged."},
             MetricType::Gauge);
  auto bytes =
      family({"sallyport_sink_behind_bytes", "About how many bytes of the log's files hold these."}, MetricType::Gauge);
  auto last = family({"sallyport_sink_last_success_timestamp_seconds",
                      "When the receiver acknowledged something last, since 1970; 0: never."},
                     MetricType::Gauge);
  for (const SinkGauge& sink : sinks) {
    auto add = [&](MetricFamily& to, ClientMetric metric) {
      metric.label.push_back({"kind", sink.kind});
      metric.label.push_back({"sink", sink.name});
      to.metric.push_back(std::move(metric));
    };
    add(failing, level(sink.failing ? 1 : 0));
    add(delivered, counted(sink.delivered));
    add(failures, counted(sink.failures));
    add(dropped, counted(sink.dropped));
    add(records, level(static_cast<double>(sink.behind_records)));
    add(bytes, level(static_cast<double>(sink.behind_bytes)));
    add(last, level(sink.last_success_seconds));
  }
  for (auto* one : {&failing, &delivered, &failures, &dropped, &records, &bytes, &last}) {
    families.push_back(std::move(*one));
  }
}

void add_audit_log(std::vector<MetricFamily>& families, const AuditGauge& audit) {
  auto add = [&](const Description& description, MetricType type, ClientMetric metric) {
    families.push_back(family(description, type));
    families.back().metric.push_back(std::move(metric));
  };
  auto total = [&](const Description& description, std::uint64_t value) {
    add(description, MetricType::Counter, counted(value));
  };
  add({"sallyport_audit_failing",
       "1 while the audit log can't be written or may not grow, and statements are refused."},
      MetricType::Gauge, level(audit.failing ? 1 : 0));
  add({"sallyport_audit_log_records", "Records in the audit log, on the disk."}, MetricType::Gauge,
      level(static_cast<double>(audit.records)));
  add({"sallyport_audit_answers_encrypted", "1 when recorded answers are encrypted, 0 when they are in the clear."},
      MetricType::Gauge, level(audit.answers_encrypted ? 1 : 0));
  add({"sallyport_audit_waiting_bytes", "Committed by the event loops, and not on the disk yet."}, MetricType::Gauge,
      level(static_cast<double>(audit.waiting_bytes)));
  total({"sallyport_audit_written_records_total",
         "Records in the log that were made since the start: those of sessions, and of loads of the configuration."},
        audit.session_records);
  total({"sallyport_audit_segments_closed_total", "Segments closed."}, audit.segments_closed);
  total({"sallyport_audit_checkpoints_total", "Checkpoints signed."}, audit.checkpoints);
  total({"sallyport_audit_syncs_total",
         "Times that the open segment was synced. Syncs in the middle of a record of more than 4 MiB are not counted."},
        audit.syncs);
  ClientMetric seconds;
  seconds.counter.value = audit.sync_seconds;
  add({"sallyport_audit_sync_seconds_total", "How long these took."}, MetricType::Counter, std::move(seconds));
  total({"sallyport_audit_write_failures_total", "Vain attempts to write the audit log."}, audit.write_failures);
  total({"sallyport_audit_lost_records_total",
         "Records for which there was no room because the log could not be written for long."},
        audit.lost_records);
}

void add_witnesses(std::vector<MetricFamily>& families, const std::vector<WitnessGauge>& witnesses) {
  auto covered = family({"sallyport_audit_witness_records",
                         "Records that the newest checkpoint which the witness has covers; 0 until it has one."},
                        MetricType::Gauge);
  auto failing =
      family({"sallyport_audit_witness_failing", "1 while the witness can't be given the newest checkpoint."},
             MetricType::Gauge);
  auto failures = family({"sallyport_audit_witness_failures_total", "Vain attempts to give it to the witness."},
                         MetricType::Counter);
  for (const WitnessGauge& witness : witnesses) {
    auto add = [&](MetricFamily& to, ClientMetric metric) {
      metric.label.push_back({"witness", witness.name});
      to.metric.push_back(std::move(metric));
    };
    add(covered, level(static_cast<double>(witness.covered)));
    add(failing, level(witness.failing ? 1 : 0));
    add(failures, counted(witness.failures));
  }
  families.push_back(std::move(covered));
  families.push_back(std::move(failing));
  families.push_back(std::move(failures));
}

}  // namespace

std::string to_prometheus_text(const MetricsSnapshot& snapshot) {
  const auto& totals = snapshot.totals;
  std::vector<MetricFamily> families;
  for (std::size_t i = 0; i < counters.size(); ++i) {
    families.push_back(family(counters[i], MetricType::Counter));
    families.back().metric.push_back(counted(totals.metrics[i]));
  }
  for (std::size_t i = 0; i < levels.size(); ++i) {
    families.push_back(family(levels[i], MetricType::Gauge));
    families.back().metric.push_back(level(static_cast<double>(totals.levels[i])));
  }
  families.push_back(labelled({"sallyport_connections_refused_total", "Client connections closed before the greeting."},
                              "reason", connection_refusal_reasons, totals.connections_refused));
  families.push_back(labelled({"sallyport_logins_refused_total", "Logins refused."}, "reason", login_refusal_reasons,
                              totals.logins_refused));
  families.push_back(labelled({"sallyport_sessions_ended_total", "Sessions that were logged in and ended."}, "reason",
                              session_end_reasons, totals.sessions_ended));
  families.push_back(labelled({"sallyport_commands_total", "Commands received in sessions."}, "command", command_kinds,
                              totals.commands));
  for (std::size_t i = 0; i < durations.size(); ++i) {
    families.push_back(histogram(durations[i], totals.durations[i]));
  }
  families.push_back(issuer_keys(snapshot.issuers));
  add_servers(families, snapshot.servers);
  add_catalogues(families, snapshot.catalogues);
  add_audit_log(families, snapshot.audit);
  add_witnesses(families, snapshot.witnesses);
  add_sinks(families, snapshot.sinks);
  families.push_back(
      family({"sallyport_log_lines_lost_total", "Lines of the gateway's own log for which standard error had no room."},
             MetricType::Counter));
  families.back().metric.push_back(counted(snapshot.log_lines_lost));
  families.push_back(build_info(snapshot.version));
  families.push_back(
      family({"process_start_time_seconds", "When the process started, in seconds since 1970."}, MetricType::Gauge));
  families.back().metric.push_back(level(snapshot.start_time_seconds));
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return std::move(text).str();
}

}  // namespace sallyport::control
