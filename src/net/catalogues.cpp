#include "net/catalogues.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "net/backends.h"
#include "net/loop.h"
#include "net/own_exchange.h"

namespace sallyport::net {
namespace {

using session::CatalogueReader;
using session::ServerSettings;

// Of one connection's answers before the loop's other events have their turn.
constexpr int rounds_max = 8;

bool same_servers(const std::vector<ServerSettings>& one, const std::vector<ServerSettings>& other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](const ServerSettings& left, const ServerSettings& right) { return left.same_place(right); });
}

// The last of them is to be tried first.
std::vector<const ServerSettings*> servers_to_try(const session::ConnectionSettings& connection) {
  std::vector<const ServerSettings*> servers;
  for (session::ServerRole role : {session::ServerRole::primary, session::ServerRole::replica}) {
    for (const ServerSettings& server : connection.servers) {
      if (server.role == role) {
        servers.push_back(&server);
      }
    }
  }
  std::reverse(servers.begin(), servers.end());
  return servers;
}

// Null where there is none, or none whose catalogue is to be read.
const session::ConnectionSettings* find_settings(const Runtime& runtime, std::string_view name) {
  const auto* connection = runtime.environment->find_connection(name);
  return connection != nullptr && connection->catalogue ? connection : nullptr;
}

// The connections with a catalogue that may be of the same schemas as that one.
std::vector<const session::ConnectionSettings*> sharing_a_server(const Runtime& runtime, std::string_view name) {
  std::vector<const session::ConnectionSettings*> found;
  const auto* connection = runtime.environment->find_connection(name);
  if (connection == nullptr) {
    return found;
  }
  for (const session::ConnectionSettings& other : runtime.environment->connections) {
    bool shares = std::any_of(other.servers.begin(), other.servers.end(), [&](const session::ServerSettings& server) {
      return std::any_of(connection->servers.begin(), connection->servers.end(),
                         [&](const session::ServerSettings& one) { return one.same_place(server); });
    });
    if (other.catalogue && shares) {
      found.push_back(&other);
    }
  }
  return found;
}

}  // namespace

void CatalogueBoard::publish(const CataloguePublication& publication) {
  {
    std::lock_guard lock{mutex_};
    published_[publication.connection] = publication;
  }
  for (const Post& post : loops_) {
    post([publication](Loop& loop) { loop.catalogues().accept(publication); });
  }
}

std::optional<CataloguePublication> CatalogueBoard::find_published(const std::string& connection) const {
  std::lock_guard lock{mutex_};
  auto found = published_.find(connection);
  return found == published_.end() ? std::nullopt : std::optional(found->second);
}

void CatalogueBoard::doubt(std::string_view connection, MonoTime changed_at) {
  for (const Post& post : loops_) {
    post([name = std::string(connection), changed_at](Loop& loop) { loop.catalogues().doubt(name, changed_at); });
  }
}

std::shared_ptr<std::atomic<std::uint32_t>> CatalogueBoard::changes_under_way(const std::string& connection) {
  std::lock_guard lock{mutex_};
  auto& count = changes_under_way_[connection];
  if (count == nullptr) {
    count = std::make_shared<std::atomic<std::uint32_t>>(0);
  }
  return count;
}

void CatalogueBoard::forget(const std::string& connection) {
  std::lock_guard lock{mutex_};
  statuses_.erase(connection);
  published_.erase(connection);
}

std::map<std::string, CatalogueStatus> CatalogueBoard::statuses() const {
  std::lock_guard lock{mutex_};
  return statuses_;
}

CatalogueReading::CatalogueReading(Loop& loop, std::shared_ptr<const Runtime> runtime,
                                   const session::ConnectionSettings& connection, Done done)
    : loop_(loop),
      runtime_(std::move(runtime)),
      connection_(connection),
      done_(std::move(done)),
      servers_(servers_to_try(connection)),
      failure_("no server is known to be there") {}

bool CatalogueReading::is_away(const session::BackendKind& kind) const {
  return loop_.shared().backends.use(
      [&](session::BackendPool& pool, auto& /*orders*/) { return pool.is_away(kind, loop_.now().mono); });
}

void CatalogueReading::try_next_server() {
  while (!servers_.empty()) {
    const ServerSettings& server = *servers_.back();
    servers_.pop_back();
    session::BackendKind kind{
        .connection = connection_.name, .server = server.name, .login = connection_.catalogue->login};
    if (is_away(kind)) {
      continue;
    }
    reader_.emplace(
        CatalogueReader::Order{
            .environment = runtime_->environment, .kind = std::move(kind), .timeout = connection_.catalogue->timeout},
        loop_.now());
    dial_ =
        Dial::start(loop_, server, [this](Result<Descriptor, std::string> socket) { on_dialed(std::move(socket)); });
    return;
  }
  finish({.content = std::nullopt, .server = {}, .failure = failure_});
}

void CatalogueReading::on_dialed(Result<Descriptor, std::string> socket) {
  auto self = shared_from_this();
  dial_.reset();
  if (socket) {
    leg_ = std::make_unique<Leg>(loop_, std::move(socket).value());
    leg_->set_owner(weak_from_this());
    loop_.own_counters().raise(Level::backend_connections_open);
    reader_->connected();
  } else {
    reader_->failed(std::move(socket).error());
  }
  pump();
}

void CatalogueReading::pump() {
  auto self = shared_from_this();
  for (int round = 0; round < rounds_max; ++round) {
    if (!exchange()) {
      settle();
      return;
    }
  }
  loop_.after(Milliseconds{0}, [weak = weak_from_this()] {
    if (auto reading = weak.lock()) {
      reading->pump();
    }
  });
}

// Whether anything moved.
bool CatalogueReading::exchange() {
  if (!leg_ || finished_ || reader_->state() == CatalogueReader::State::over) {
    return false;
  }
  if (reader_->state() == CatalogueReader::State::wants_to_begin) {
    reader_->begin();
    return true;
  }
  return exchange_own(*leg_, *reader_, reader_->kind(), *runtime_);
}

void CatalogueReading::settle() {
  if (finished_ || !reader_ || reader_->state() != CatalogueReader::State::over) {
    return;
  }
  dial_.reset();
  if (leg_) {
    leg_->send(OwnSide<CatalogueReader>{*reader_});  // COM_QUIT, if the socket takes it
    leg_->shutdown_write();
    leg_.reset();
    loop_.own_counters().lower(Level::backend_connections_open);
  }
  std::string server = reader_->kind().server;
  if (auto content = reader_->take_content()) {
    finish({.content = std::move(content), .server = std::move(server), .failure = {}});
    return;
  }
  failure_ = server + ": " + reader_->failure();
  reader_.reset();
  try_next_server();
}

void CatalogueReading::finish(Outcome outcome) {
  if (!std::exchange(finished_, true)) {
    std::exchange(done_, nullptr)(std::move(outcome));
  }
}

void CatalogueReading::time_passed(Now now) {
  auto self = shared_from_this();
  if (!finished_ && reader_ && now.mono >= reader_->deadline()) {
    reader_->time_passed(now);
    settle();
  }
}

void CatalogueReading::close() {
  finished_ = true;
  dial_.reset();
  if (leg_) {
    leg_->shutdown_write();
    leg_.reset();
    loop_.own_counters().lower(Level::backend_connections_open);
  }
}

const std::shared_ptr<const catalog::Catalogue>& Catalogues::find(std::string_view connection) const {
  static const std::shared_ptr<const catalog::Catalogue> none;
  auto found = known_.find(connection);
  return found == known_.end() ? none : found->second.catalogue;
}

void Catalogues::changed(std::string_view connection, MonoTime until) {
  for (const auto* settings : sharing_a_server(*loop_.runtime(), connection)) {
    doubt(settings->name, until);
    board_.doubt(settings->name, until);
  }
}

std::shared_ptr<const void> Catalogues::changing(std::string_view connection) {
  std::vector<std::shared_ptr<std::atomic<std::uint32_t>>> counts;
  for (const auto* settings : sharing_a_server(*loop_.runtime(), connection)) {
    if (auto count = changes_under_way_.find(settings->name); count != changes_under_way_.end()) {
      count->second->fetch_add(1, std::memory_order_acq_rel);
      counts.push_back(count->second);
    }
  }
  if (counts.empty()) {
    return nullptr;
  }
  return {&board_, [counts = std::move(counts)](const void*) {
            for (const auto& count : counts) {
              count->fetch_sub(1, std::memory_order_acq_rel);
            }
          }};
}

bool Catalogues::in_doubt(std::string_view connection) const {
  auto under_way = changes_under_way_.find(connection);
  if (under_way != changes_under_way_.end() && under_way->second->load(std::memory_order_acquire) > 0) {
    return true;
  }
  auto changed = changed_at_.find(connection);
  auto known = known_.find(connection);
  return changed != changed_at_.end() && (known == known_.end() || known->second.read_at < changed->second);
}

void Catalogues::doubt(const std::string& connection, MonoTime changed_at) {
  MonoTime& at = changed_at_[connection];
  if (at < changed_at) {  // else it is known already
    at = changed_at;
    read_soon(connection);
  }
}

void Catalogues::accept(const CataloguePublication& publication) {
  const auto* settings = find_settings(*loop_.runtime(), publication.connection);
  if (settings == nullptr || !same_servers(settings->servers, *publication.servers)) {
    return;
  }
  CataloguePublication& known = known_[publication.connection];
  if (!known.catalogue || known.read_at < publication.read_at) {
    known = publication;
  }
}

void Catalogues::configure() {
  const Runtime& runtime = *loop_.runtime();
  std::erase_if(changed_at_, [&](const auto& entry) { return find_settings(runtime, entry.first) == nullptr; });
  changes_under_way_.clear();
  for (const session::ConnectionSettings& connection : runtime.environment->connections) {
    if (connection.catalogue) {
      changes_under_way_[connection.name] = board_.changes_under_way(connection.name);
    }
  }
  std::erase_if(known_, [&](const auto& entry) {
    const auto* settings = find_settings(runtime, entry.first);
    return settings == nullptr || !same_servers(settings->servers, *entry.second.servers);
  });
  configure_own();
  // The loop that reads may have been configured, and have read, before this one.
  for (const session::ConnectionSettings& connection : runtime.environment->connections) {
    if (auto published = board_.find_published(connection.name)) {
      accept(*published);
    }
  }
  // Not from here: what is read is read by the loop that runs.
  loop_.after(Milliseconds{0}, [this] { time_passed(loop_.now()); });
}

void Catalogues::configure_own() {
  const Runtime& runtime = *loop_.runtime();
  for (auto entry = own_.begin(); entry != own_.end();) {
    if (entry->second.under_way) {
      entry->second.under_way->close();
      entry->second.under_way.reset();
    }
    if (find_settings(runtime, entry->first) == nullptr) {
      board_.forget(entry->first);
      entry = own_.erase(entry);
    } else {
      ++entry;
    }
  }
  for (const session::ConnectionSettings& connection : runtime.environment->connections) {
    if (!connection.catalogue || board_.loop_of(connection.name) != loop_.index()) {
      continue;
    }
    Own& own = own_[connection.name];
    if (!own.servers || !same_servers(*own.servers, connection.servers)) {
      own = Own{};
      own.servers = std::make_shared<const std::vector<ServerSettings>>(connection.servers);
      board_.forget(connection.name);
      board_.change(connection.name, [](CatalogueStatus& /*status*/) {});
    }
    own.due = loop_.now().mono;
    own.failures = 0;
  }
}

void Catalogues::read_soon(std::string_view connection) {
  auto found = own_.find(connection);
  if (found == own_.end() || closing_) {
    return;
  }
  Own& own = found->second;
  if (own.under_way) {
    own.asked_meanwhile = true;
    return;
  }
  own.due = std::min(own.due, soonest(own));
  if (own.due <= loop_.now().mono) {
    start(found->first, own);
  }
}

void Catalogues::time_passed(Now now) {
  std::vector<std::string> names;
  for (const auto& [name, own] : own_) {
    if (own.under_way || own.due <= now.mono) {
      names.push_back(name);
    }
  }
  for (const std::string& name : names) {
    auto found = own_.find(name);
    if (auto reading = found->second.under_way) {
      reading->time_passed(now);
    } else if (!closing_) {
      start(name, found->second);
    }
  }
}

void Catalogues::start(const std::string& name, Own& own) {
  const auto* settings = find_settings(*loop_.runtime(), name);
  if (settings == nullptr) {
    return;
  }
  own.began = loop_.now().mono;
  own.asked_meanwhile = false;
  own.under_way = std::make_shared<CatalogueReading>(
      loop_, loop_.runtime(), *settings,
      [this, name](CatalogueReading::Outcome outcome) { on_read(name, std::move(outcome)); });
  auto reading = own.under_way;
  reading->begin();
}

void Catalogues::on_read(const std::string& name, CatalogueReading::Outcome outcome) {
  auto found = own_.find(name);
  const auto* settings = find_settings(*loop_.runtime(), name);
  if (found == own_.end() || settings == nullptr) {
    return;
  }
  Own& own = found->second;
  own.under_way.reset();
  MonoTime now = read_clocks().mono;
  own.rests_until = now + (now - own.began);
  own.due = std::max(own.began + settings->catalogue->refresh, own.rests_until);
  if (outcome.content) {
    on_content(name, own, std::move(outcome));
  } else {
    on_failure(name, own, outcome.failure);
    auto pause = catalogue_gap_min * (1U << std::min(own.failures - 1, 16U));
    own.due = now + std::min<Milliseconds>(pause, settings->catalogue->refresh);
  }
  if (own.asked_meanwhile) {
    own.due = std::min(own.due, soonest(own));
  }
}

MonoTime Catalogues::soonest(const Own& own) {
  return std::max(own.began + catalogue_gap_min, own.rests_until);
}

// A misspelt name protects nothing.
void Catalogues::warn_of_missing_columns(const std::string& name, const catalog::Catalogue& catalogue) const {
  const auto* settings = find_settings(*loop_.runtime(), name);
  if (settings == nullptr || settings->protected_columns == nullptr) {
    return;
  }
  for (const std::string& missing : settings->protected_columns->missing_in(catalogue)) {
    loop_.shared().log.write(Severity::warning, "a protected column is not in the catalogue",
                             {{"connection", name}, {"column", missing}});
  }
}

void Catalogues::on_content(const std::string& name, Own& own, CatalogueReading::Outcome outcome) {
  MonoTime now = read_clocks().mono;
  catalog::Catalogue::Content& content = *outcome.content;
  bool is_new = !own.catalogue || own.catalogue->content() != content;
  if (std::exchange(own.failures, 0) > 0) {
    loop_.shared().log.write(Severity::info, "the catalogue is read again",
                             {{"connection", name}, {"server", outcome.server}});
  }
  if (is_new) {
    bool is_first = own.catalogue == nullptr;
    own.catalogue = std::make_shared<const catalog::Catalogue>(std::move(content), board_.next_version());
    own.due = soonest(own);
    loop_.shared().log.write(is_first ? Severity::info : Severity::debug,
                             is_first ? "the catalogue is read" : "the catalogue has changed",
                             {{"connection", name},
                              {"server", outcome.server},
                              {"version", std::to_string(own.catalogue->version())},
                              {"tables", std::to_string(own.catalogue->tables().size())},
                              {"complete", own.catalogue->complete() ? "true" : "false"}});
    warn_of_missing_columns(name, *own.catalogue);
  }
  publish(name, own);
  const catalog::Catalogue::Content& read = own.catalogue->content();
  board_.change(name, [&](CatalogueStatus& status) {
    status.version = own.catalogue->version();
    status.server = outcome.server;
    status.read_at = own.began;
    status.took = std::chrono::duration_cast<Milliseconds>(now - own.began);
    status.schemas = read.schemas.size();
    status.tables = read.tables.size();
    status.columns = 0;
    for (const catalog::Table& table : read.tables) {
      status.columns += table.columns.size();
    }
    status.routines = read.routines.size();
    status.complete = read.complete;
  });
}

// What was read before stays.
void Catalogues::on_failure(const std::string& name, Own& own, const std::string& why) {
  if (++own.failures == 1) {
    loop_.shared().log.write(Severity::warning, "the catalogue can't be read", {{"connection", name}, {"cause", why}});
  }
  board_.change(name, [&](CatalogueStatus& status) {
    ++status.failures;
    status.last_failure = why;
  });
}

void Catalogues::publish(const std::string& name, const Own& own) {
  board_.publish({.connection = name, .servers = own.servers, .catalogue = own.catalogue, .read_at = own.began});
}

void Catalogues::close_all() {
  closing_ = true;
  for (auto& [name, own] : own_) {
    if (auto reading = std::exchange(own.under_way, nullptr)) {
      reading->close();
    }
  }
}

}  // namespace sallyport::net
