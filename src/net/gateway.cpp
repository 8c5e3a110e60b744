#include "net/gateway.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <thread>

#include "audit/gateway_records.h"
#include "base/thread_name.h"
#include "crypto/random.h"
#include "net/admin_server.h"
#include "net/backends.h"
#include "net/catalogues.h"
#include "net/host_lookups.h"
#include "net/key_service.h"
#include "net/listener.h"
#include "net/listeners_tls.h"
#include "net/loop.h"
#include "net/process_limits.h"
#include "net/witness_server.h"
#include "net/witnesses.h"
#include "sink/receivers.h"
#include "sink/sinks.h"
#include "store/audit_log.h"

namespace sallyport::net {
namespace {

// How often certificate files are looked at, and the end of draining.
constexpr std::chrono::milliseconds watch_interval{500};
// What sinks get to deliver at the end of the process. What they have not delivered then waits in the log.
constexpr Milliseconds sinks_flush_timeout{5000};

bool same_place(const ListenerSettings& left, const ListenerSettings& right) {
  return left.name == right.name && left.address == right.address && left.port == right.port &&
         left.socket_path == right.socket_path && left.flavor == right.flavor &&
         left.server_version == right.server_version && left.auth_method == right.auth_method &&
         left.compression == right.compression && left.proxy_protocol_from == right.proxy_protocol_from;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "sallyport";
}

void log_change(Log& log, const session::BackendPool::Change& change) {
  using To = session::BackendPool::Change::To;
  if (change.to == To::down) {
    log.write(Severity::warning, "a database server can't be reached",
              {{"connection", change.connection}, {"server", change.server}, {"cause", change.detail}});
  } else {
    log.write(Severity::info, "a database server can be reached again",
              {{"connection", change.connection}, {"server", change.server}});
  }
}

void log_event(Log& log, const sink::SinkEvent& event) {
  using Kind = sink::SinkEvent::Kind;
  switch (event.kind) {
    case Kind::delivers:
      log.write(Severity::info, "a sink of the audit log delivers", {{"sink", event.sink}});
      return;
    case Kind::fails:
      log.write(Severity::warning, "a sink of the audit log can't deliver, and goes on trying",
                {{"sink", event.sink}, {"cause", event.text}});
      return;
    case Kind::refused:
      log.write(Severity::error, "a sink of the audit log is refused: look at its configuration and its receiver's",
                {{"sink", event.sink}, {"cause", event.text}});
      return;
    case Kind::dropped:
      log.write(Severity::error, "a sink of the audit log left records out",
                {{"sink", event.sink}, {"what", event.text}});
      return;
    case Kind::anew:
      log.write(Severity::error, "a sink of the audit log begins anew, with all that the log has",
                {{"sink", event.sink}, {"cause", event.text}});
      return;
  }
}

std::uint64_t random_seed() {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
  crypto::random_bytes(bytes);
  std::uint64_t seed = 0;
  for (std::uint8_t byte : bytes) {
    seed = seed << 8 | byte;
  }
  return seed;
}

}  // namespace

class Gateway::Impl {
 public:
  Impl(Log& log, std::string version, Reload reload)
      : log_(log),
        version_(std::move(version)),
        reload_(std::move(reload)),
        backends_(random_seed()),
        shared_{.log = log, .backends = backends_, .catalogues = catalogues_},
        keys_(supervisor_, log, counters_,
              [this](KeySnapshot snapshot) {
                for (auto& loop : loops_) {
                  loop->set_keys(snapshot);
                }
              }),
        signals_(supervisor_, SIGTERM, SIGINT, SIGHUP),
        watch_(supervisor_) {}

  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<Unit, std::string> open(GatewaySettings settings);
  void run();

 private:
  Result<std::shared_ptr<const Runtime>, std::string> make_runtime(const GatewaySettings& settings, ListenersTls& tls);
  void prepare_process();
  Result<Unit, std::string> open_audit_log(std::uint32_t loops);
  void make_sinks();
  Result<Unit, std::string> open_loops();
  Result<Unit, std::string> open_listeners();
  void wait_for_signal();
  void reload();
  std::string reload_obstacle(const GatewaySettings& next) const;
  void drain();
  void stop_loops();
  void schedule_watch();
  void watch_certificates();
  void watch_audit_log();
  std::uint32_t connection_count() const;
  std::vector<control::ReadinessCheck> readiness() const;
  control::MetricsSnapshot metrics();
  std::vector<control::ServerGauge> server_gauges();
  std::vector<control::CatalogueStatus> catalogue_statuses() const;
  std::vector<control::SinkGauge> sink_gauges() const;

  Log& log_;
  std::string version_;
  Reload reload_;
  GatewaySettings settings_;
  WallTime started_ = read_clocks().wall;
  boost::asio::io_context supervisor_{1};
  LoopCounters counters_;  // of the supervisor
  SharedPool backends_;
  CatalogueBoard catalogues_;
  LoopShared shared_;
  std::unique_ptr<Witnesses> witnesses_;
  std::unique_ptr<store::AuditLog> audit_log_;
  std::unique_ptr<sink::Sinks> sinks_;
  bool audit_failing_ = false;  // as was logged last
  std::vector<std::unique_ptr<Loop>> loops_;
  HostLookups lookups_;  // tell loops
  std::vector<session::ListenerProfile> profiles_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::shared_ptr<const Runtime> runtime_;
  ListenersTls tls_;
  KeyService keys_;
  std::unique_ptr<AdminServer> admin_;
  std::unique_ptr<WitnessServer> served_witness_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer watch_;
  std::vector<std::thread> threads_;
  bool draining_ = false;
  bool stopping_ = false;
  MonoTime drain_until_;
};

// Its sequencer knows the loops.
Gateway::Impl::~Impl() {
  if (audit_log_ != nullptr) {
    audit_log_->stop();
  }
  if (witnesses_ != nullptr) {
    witnesses_->stop();
  }
  sinks_.reset();
}

Result<Unit, std::string> Gateway::Impl::open(GatewaySettings settings) {
  settings_ = std::move(settings);
  prepare_process();
  auto runtime = make_runtime(settings_, tls_);
  if (!runtime) {
    return Unexpected(runtime.error());
  }
  runtime_ = *runtime;
  shared_.connections_per_second_max = settings_.net.connections_per_second_max;
  shared_.wait_for_keys = [this](const std::string& issuer, Loop& loop, std::function<void()> done) {
    boost::asio::post(supervisor_, [this, issuer, &loop, done = std::move(done)] {
      keys_.wait_for_keys(issuer, [&loop, done] { loop.post(done); });
    });
  };
  shared_.resolve = [this](const std::string& host, std::uint16_t port, Loop& loop, LoopShared::Resolved done) {
    lookups_.find(host, port, [&loop, done = std::move(done)](const LoopShared::Lookup& found) {
      loop.post([done, found] { done(found); });
    });
  };
  if (auto opened = open_loops(); !opened) {
    return opened;
  }
  if (auto opened = open_listeners(); !opened) {
    return opened;
  }
  auto admin = AdminServer::open(supervisor_, settings_.net.admin,
                                 {.readiness = [this] { return readiness(); },
                                  .metrics = [this] { return metrics(); },
                                  .catalogues = [this] { return catalogue_statuses(); }});
  if (!admin) {
    return Unexpected(admin.error());
  }
  admin_ = std::move(admin).value();
  if (settings_.audit.served_witness) {
    auto served = WitnessServer::open(*settings_.audit.served_witness, log_);
    if (!served) {
      return Unexpected(std::move(served).error());
    }
    served_witness_ = std::move(served).value();
    admin_->set_witness(*served_witness_);
    log_.write(Severity::info, "this gateway is a witness of other audit logs",
               {{"key", served_witness_->key().to_line()},
                {"logs", std::to_string(settings_.audit.served_witness->logs.size())}});
  }
  std::string line;
  audit::append_configuration_loaded(
      line, {.configuration = settings_.environment->configuration, .previous = std::nullopt}, read_clocks().wall);
  loops_.front()->record(std::move(line));
  log_.write(Severity::info, "admin listener open",
             {{"address", settings_.net.admin.address}, {"port", std::to_string(admin_->port())}});
  return Unit{};
}

// The log and what else has to be open is not to want for files because of connections.
void Gateway::Impl::prepare_process() {
  std::signal(SIGPIPE, SIG_IGN);  // of standard error, say
  settle_allocator();
  std::uint64_t available = raise_descriptor_limit();
  shared_.connections_max = connections_within(available, settings_.net.connections_max);
  if (shared_.connections_max < settings_.net.connections_max) {
    log_.write(Severity::warning, "the limit of open files is too low for limits.connections_max",
               {{"open_files", std::to_string(available)},
                {"wanted", std::to_string(descriptors_for(settings_.net.connections_max))},
                {"connections_max", std::to_string(shared_.connections_max)}});
  }
}

Result<std::shared_ptr<const Runtime>, std::string> Gateway::Impl::make_runtime(const GatewaySettings& settings,
                                                                                ListenersTls& tls) {
  auto runtime = std::make_shared<Runtime>();
  runtime->environment = settings.environment;
  runtime->tcp = settings.net.tcp;
  for (const ListenerSettings& listener : settings.net.listeners) {
    ListenerTls files = listener.tls;
    if (files.certificate_file.empty()) {
      auto made = development_certificate(settings.net.state_directory);
      if (!made) {
        return Unexpected(made.error());
      }
      files = *made;
      log_.write(Severity::warning, "listener serves the development certificate; clients trust it by its file",
                 {{"listener", listener.name}, {"certificate", files.certificate_file.string()}});
    }
    tls.add(files);
    auto context = make_listener_context(files);
    if (!context) {
      return Unexpected("listener " + listener.name + ": " + context.error());
    }
    runtime->listener_contexts.push_back(*context);
  }
  for (const session::ConnectionSettings& connection : settings.environment->connections) {
    if (connection.tls.mode == session::BackendTlsMode::disabled) {
      continue;
    }
    auto context = make_backend_context(connection.tls);
    if (!context) {
      return Unexpected("connection " + connection.name + ": " + context.error());
    }
    runtime->backend_contexts[connection.name] = *context;
  }
  return std::shared_ptr<const Runtime>(std::move(runtime));
}

Result<Unit, std::string> Gateway::Impl::open_audit_log(std::uint32_t loops) {
  audit::AuditSettings settings = settings_.audit;
  settings.origin = settings.origin.empty() ? host_name() : settings.origin;
  witnesses_ = std::make_unique<Witnesses>(
      Witnesses::Parts{.settings = settings.witnesses,
                       .directory = settings.directory,
                       .files = store::system_files(),
                       .record = [this](std::string line) { loops_.front()->record(std::move(line)); },
                       .log = log_});
  auto log = store::AuditLog::open({.settings = std::move(settings),
                                    .loops = loops,
                                    .version = version_,
                                    .report =
                                        [this](const std::string& error) {
                                          log_.write(Severity::warning,
                                                     "a closed segment of the audit log can't be treated as it should",
                                                     {{"error", error}});
                                        },
                                    .signed_checkpoint =
                                        [this](const std::string& note, const audit::Checkpoint& checkpoint) {
                                          witnesses_->signed_checkpoint(note, checkpoint);
                                        }});
  if (!log) {
    return Unexpected("audit log: " + std::move(log).error());
  }
  audit_log_ = std::move(log).value();
  const store::AuditLog::Found& found = audit_log_->found();
  log_.write(Severity::info, "audit log open",
             {{"directory", settings_.audit.directory.string()},
              {"records", std::to_string(found.records)},
              {"restored_records", std::to_string(found.restored_records)},
              {"torn_bytes", std::to_string(found.torn_bytes)}});
  return Unit{};
}

void Gateway::Impl::make_sinks() {
  sinks_ = std::make_unique<sink::Sinks>(
      sink::Sinks::Parts{.log = *audit_log_,
                         .directory = settings_.audit.directory,
                         .origin = settings_.audit.origin.empty() ? host_name() : settings_.audit.origin,
                         .tell = [this](const sink::SinkEvent& event) { log_event(log_, event); },
                         .make_receiver = sink::make_receiver});
  sinks_->configure(settings_.sinks);
}

Result<Unit, std::string> Gateway::Impl::open_loops() {
  std::uint32_t count = settings_.net.worker_threads != 0 ? settings_.net.worker_threads
                                                          : std::max(1U, std::thread::hardware_concurrency());
  if (auto opened = open_audit_log(count); !opened) {
    return opened;
  }
  make_sinks();
  for (std::uint32_t i = 0; i < count; ++i) {
    loops_.push_back(std::make_unique<Loop>(i, audit_log_->journal(i), shared_));
    loops_.back()->set_runtime(runtime_);
  }
  std::vector<SharedPool::Deliver> deliveries;
  for (auto& loop : loops_) {
    deliveries.push_back([&loop = *loop](session::BackendPool::Order order) {
      loop.post([&loop, order = std::move(order)] { loop.backends().carry_out(order); });
    });
  }
  backends_.set_loops(std::move(deliveries));
  std::vector<CatalogueBoard::Post> posts;
  for (auto& loop : loops_) {
    posts.push_back([&loop = *loop](std::function<void(Loop&)> task) {
      loop.post([&loop, task = std::move(task)] { task(loop); });
    });
  }
  catalogues_.set_loops(std::move(posts));
  backends_.set_tell([this](const session::BackendPool::Change& change) { log_change(log_, change); });
  keys_.set_issuers(settings_.issuers);
  return Unit{};
}

Result<Unit, std::string> Gateway::Impl::open_listeners() {
  for (const ListenerSettings& listener : settings_.net.listeners) {
    profiles_.push_back(
        {.name = listener.name,
         .flavor = listener.flavor,
         .server_version = listener.server_version,
         .auth_method = listener.auth_method,
         .tls = listener.socket_path.empty() ? session::ListenerTlsUse::required : session::ListenerTlsUse::optional,
         .compression = listener.compression});
  }
  for (std::size_t i = 0; i < profiles_.size(); ++i) {
    const ListenerSettings& listener = settings_.net.listeners[i];
    std::uint16_t port = listener.port;
    Listener* first = nullptr;
    for (auto& loop : loops_) {
      auto opened = Listener::open(*loop, profiles_[i],
                                   {.settings = listener,
                                    .port = port,
                                    .index = i,
                                    .loop_count = static_cast<std::uint32_t>(loops_.size()),
                                    .first = first});
      if (!opened) {
        return Unexpected(opened.error());
      }
      port = (*opened)->port();
      listeners_.push_back(std::move(opened).value());
      first = first == nullptr ? listeners_.back().get() : first;
      listeners_.back()->accept();
    }
    if (listener.socket_path.empty()) {
      log_.write(Severity::info, "listener open",
                 {{"listener", listener.name}, {"address", listener.address}, {"port", std::to_string(port)}});
    } else {
      log_.write(Severity::info, "listener open",
                 {{"listener", listener.name}, {"socket", listener.socket_path.string()}});
    }
  }
  return Unit{};
}

void Gateway::Impl::run() {
  wait_for_signal();
  schedule_watch();
  audit_log_->start();
  witnesses_->start();
  sinks_->start();
  for (auto& loop : loops_) {
    threads_.emplace_back([&loop, number = threads_.size()] {
      name_this_thread("loop-" + std::to_string(number));
      loop->run();
    });
  }
  log_.write(Severity::info, "serving", {{"version", version_}, {"loops", std::to_string(loops_.size())}});
  supervisor_.run();
  for (std::thread& thread : threads_) {
    thread.join();
  }
  audit_log_->stop();
  witnesses_->stop();
  sinks_->stop(sinks_flush_timeout);
  log_.write(Severity::info, "stopped");
}

void Gateway::Impl::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) {
      return;
    }
    if (signal == SIGHUP) {
      reload();
    } else if (draining_) {
      stop_loops();
    } else {
      drain();
    }
    wait_for_signal();
  });
}

// What can't change without a restart; empty when nothing of it does.
std::string Gateway::Impl::reload_obstacle(const GatewaySettings& next) const {
  const NetSettings& now = settings_.net;
  if (!std::equal(now.listeners.begin(), now.listeners.end(), next.net.listeners.begin(), next.net.listeners.end(),
                  same_place)) {
    return "listeners";
  }
  if (now.admin.address != next.net.admin.address || now.admin.port != next.net.admin.port) {
    return "admin";
  }
  if (now.worker_threads != next.net.worker_threads) {
    return "worker_threads";
  }
  if (now.connections_max != next.net.connections_max) {
    return "limits.connections_max";
  }
  if (now.connections_per_second_max != next.net.connections_per_second_max) {
    return "limits.connections_per_second_max";
  }
  if (settings_.audit.directory != next.audit.directory) {
    return "audit.directory";
  }
  if (settings_.audit.origin != next.audit.origin) {
    return "audit.origin";
  }
  if (settings_.audit.journal_bytes != next.audit.journal_bytes) {
    return "audit.journal_bytes";
  }
  if (settings_.audit.witnesses != next.audit.witnesses) {
    return "audit.witnesses";
  }
  if (settings_.audit.served_witness != next.audit.served_witness) {
    return "witness";
  }
  return {};
}

void Gateway::Impl::reload() {
  std::optional<crypto::Sha256Digest> digest;  // of the new file
  auto refuse = [&](std::string_view why) {
    std::string line;
    audit::append_configuration_refused(line, {.configuration = digest, .error = why}, read_clocks().wall);
    loops_.front()->record(std::move(line));
    counters_.add(Metric::config_reload_failures);
    log_.write(Severity::error, "configuration not reloaded; the old one stays in force",
               {{"error", std::string(why)}});
  };
  auto next = reload_();
  if (!next) {
    refuse(next.error());
    return;
  }
  digest = next->environment->configuration;
  if (std::string obstacle = reload_obstacle(*next); !obstacle.empty()) {
    refuse("a change of " + obstacle + " needs a restart");
    return;
  }
  ListenersTls tls;
  auto runtime = make_runtime(*next, tls);
  if (!runtime) {
    refuse(runtime.error());
    return;
  }
  if (auto configured = audit_log_->configure(next->audit); !configured) {
    refuse(configured.error());
    return;
  }
  std::string line;
  audit::append_configuration_loaded(line, {.configuration = *digest, .previous = settings_.environment->configuration},
                                     read_clocks().wall);
  settings_ = std::move(next).value();
  log_.configure(settings_.log);
  sinks_->configure(settings_.sinks);
  runtime_ = *runtime;
  tls_ = std::move(tls);
  keys_.set_issuers(settings_.issuers);
  for (auto& loop : loops_) {
    loop->set_runtime(runtime_);
  }
  loops_.front()->record(std::move(line));
  counters_.add(Metric::config_reloads);
  log_.write(Severity::info, "configuration reloaded");
}

void Gateway::Impl::drain() {
  draining_ = true;
  drain_until_ = read_clocks().mono + settings_.net.drain_timeout;
  log_.write(Severity::info, "draining", {{"connections", std::to_string(connection_count())}});
  for (auto& loop : loops_) {
    loop->drain();
  }
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    loops_[i % loops_.size()]->post([listener = listeners_[i].get()] { listener->close(); });
  }
}

void Gateway::Impl::stop_loops() {
  if (stopping_) {
    return;
  }
  stopping_ = true;
  for (auto& loop : loops_) {
    loop->stop_when_empty();
  }
  admin_->close();
  supervisor_.stop();
}

void Gateway::Impl::watch_audit_log() {
  std::string failure = audit_log_->state().failure(read_clocks().mono);
  if (failure.empty() == !audit_failing_) {
    return;
  }
  audit_failing_ = !failure.empty();
  if (audit_failing_) {
    log_.write(Severity::error, "audit log can't be written, or must not grow; every statement is refused until it can",
               {{"error", failure}});
  } else {
    log_.write(Severity::info, "audit log is written again");
  }
}

std::uint32_t Gateway::Impl::connection_count() const {
  std::uint32_t count = 0;
  for (const auto& loop : loops_) {
    count += loop->connection_count();
  }
  return count;
}

void Gateway::Impl::schedule_watch() {
  watch_.expires_after(watch_interval);
  watch_.async_wait([this](const boost::system::error_code& error) {
    if (error) {
      return;
    }
    if (draining_ && (connection_count() == 0 || read_clocks().mono >= drain_until_)) {
      stop_loops();
      return;
    }
    watch_certificates();
    watch_audit_log();
    schedule_watch();
  });
}

// A listener's certificate is taken anew when one of its files changes; a bad one leaves that listener's old in use.
void Gateway::Impl::watch_certificates() {
  std::vector<std::size_t> changed = tls_.take_changed();
  if (changed.empty()) {
    return;
  }
  auto runtime = std::make_shared<Runtime>(*runtime_);
  for (std::size_t i : changed) {
    const std::string& name = settings_.net.listeners[i].name;
    auto context = make_listener_context(tls_.files()[i]);
    if (!context) {
      log_.write(Severity::error, "certificate not reloaded; the old one stays in use",
                 {{"listener", name}, {"error", context.error()}});
      continue;
    }
    runtime->listener_contexts[i] = *context;
    log_.write(Severity::info, "certificate reloaded", {{"listener", name}});
  }
  runtime_ = std::move(runtime);
  for (auto& loop : loops_) {
    loop->set_runtime(runtime_);
  }
}

std::vector<control::ReadinessCheck> Gateway::Impl::readiness() const {
  using control::CheckState;
  auto check = [](std::string name, bool holds, std::string detail) {
    return control::ReadinessCheck{
        .name = std::move(name), .state = holds ? CheckState::holds : CheckState::fails, .detail = std::move(detail)};
  };
  std::vector<control::ReadinessCheck> checks;
  checks.push_back(check("accepting", !draining_, draining_ ? "draining" : "accepting connections"));
  std::string failure = audit_log_->state().failure(read_clocks().mono);
  checks.push_back(check("audit", failure.empty(), failure.empty() ? "written" : "can't be written: " + failure));
  for (std::size_t i = 0; i < keys_.issuer_count(); ++i) {
    identity::IssuerStatus status = keys_.status(i);
    checks.push_back(check("issuer " + keys_.issuer(i).name, status.has_keys,
                           status.has_keys ? std::to_string(status.keys) + " keys" : "no keys: " + status.last_error));
  }
  return checks;
}

std::vector<control::ServerGauge> Gateway::Impl::server_gauges() {
  return backends_.use([&](const session::BackendPool& pool, auto& /*orders*/) {
    std::vector<control::ServerGauge> gauges;
    for (const session::ConnectionSettings& connection : settings_.environment->connections) {
      for (const session::ServerSettings& server : connection.servers) {
        auto status = pool.server_status(connection.name, server.name);
        gauges.push_back({.connection = connection.name,
                          .server = server.name,
                          .up = status.up,
                          .failures = status.failures,
                          .in_use = status.in_use});
      }
    }
    return gauges;
  });
}

std::vector<control::CatalogueStatus> Gateway::Impl::catalogue_statuses() const {
  MonoTime now = read_clocks().mono;
  std::vector<control::CatalogueStatus> shown;
  for (const auto& [connection, status] : catalogues_.statuses()) {
    shown.push_back({.connection = connection,
                     .server = status.server,
                     .version = status.version,
                     .age_seconds = std::chrono::duration<double>(now - status.read_at).count(),
                     .refresh_seconds = std::chrono::duration<double>(status.took).count(),
                     .complete = status.complete,
                     .schemas = status.schemas,
                     .tables = status.tables,
                     .columns = status.columns,
                     .routines = status.routines,
                     .failures = status.failures,
                     .last_failure = status.last_failure});
  }
  return shown;
}

std::vector<control::SinkGauge> Gateway::Impl::sink_gauges() const {
  std::vector<control::SinkGauge> gauges;
  for (const sink::SinkStatus& status : sinks_->status()) {
    gauges.push_back({.name = status.name,
                      .kind = status.kind,
                      .failing = status.failing,
                      .delivered = status.delivered,
                      .failures = status.failures,
                      .dropped = status.dropped,
                      .behind_records = status.behind_records,
                      .behind_bytes = status.behind_bytes,
                      .last_success_seconds = status.last_success_seconds});
  }
  return gauges;
}

control::MetricsSnapshot Gateway::Impl::metrics() {
  control::MetricsSnapshot snapshot;
  counters_.add_to(snapshot.totals);
  for (const auto& loop : loops_) {
    loop->counters().add_to(snapshot.totals);
  }
  for (std::size_t i = 0; i < keys_.issuer_count(); ++i) {
    snapshot.issuers.push_back({.name = keys_.issuer(i).name, .keys = keys_.status(i).keys});
  }
  snapshot.log_lines_lost = log_.lost_lines();
  snapshot.servers = server_gauges();
  snapshot.catalogues = catalogue_statuses();
  store::AuditLogStatus audit = audit_log_->status(read_clocks().mono);
  snapshot.audit = {.failing = audit.failing,
                    .records = audit.records,
                    .session_records = audit.session_records,
                    .waiting_bytes = audit.waiting_bytes,
                    .segments_closed = audit.segments_closed,
                    .checkpoints = audit.checkpoints,
                    .syncs = audit.syncs,
                    .sync_seconds = audit.sync_seconds,
                    .write_failures = audit.failures,
                    .lost_records = audit.lost_records,
                    .answers_encrypted = settings_.audit.answers_key.has_value()};
  for (const WitnessStatus& witness : witnesses_->status()) {
    snapshot.witnesses.push_back(
        {.name = witness.name,
         .failing = witness.state == WitnessState::failing || witness.state == WitnessState::inconsistent,
         .covered = witness.covered,
         .failures = witness.failures});
  }
  snapshot.sinks = sink_gauges();
  snapshot.version = version_;
  snapshot.start_time_seconds = static_cast<double>(started_.time_since_epoch().count()) / 1e9;
  return snapshot;
}

Gateway::Gateway(Log& log, std::string version, Reload reload)
    : impl_(std::make_unique<Impl>(log, std::move(version), std::move(reload))) {}

Gateway::~Gateway() = default;

Result<Unit, std::string> Gateway::open(GatewaySettings settings) {
  return impl_->open(std::move(settings));
}

void Gateway::run() {
  impl_->run();
}

}  // namespace sallyport::net
