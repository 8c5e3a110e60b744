#include "session/backend_pool.h"

#include <algorithm>

namespace sallyport::session {
namespace {

// How long a server that could not be reached is left alone: doubled with each failure.
constexpr Milliseconds first_pause{100};
constexpr Milliseconds longest_pause{10'000};

}  // namespace

Nanoseconds BackendPool::jittered(Nanoseconds time) {
  random_ = random_ * 6364136223846793005U + 1442695040888963407U;
  auto thousandths = static_cast<std::int64_t>((random_ >> 33) % 201) - 100;  // of -100 to 100
  return time + time / 1000 * thousandths;
}

Nanoseconds BackendPool::pause_after(std::uint32_t failures) {
  Milliseconds pause = first_pause * (1U << std::min(failures - 1, 10U));
  return jittered(std::min(pause, longest_pause));
}

BackendPool::Server& BackendPool::server_of(const std::string& connection, const std::string& name) {
  Server& server = servers_[connection + '\n' + name];
  server.connection = connection;
  server.name = name;
  return server;
}

BackendPool::Group& BackendPool::group_of(Queue& queue, const BackendKind& kind, const std::string& server) {
  auto found = queue.groups.find(server);
  if (found == queue.groups.end()) {
    Group group{.server = &server_of(kind.connection, server), .settings = &queue.settings};
    found = queue.groups.emplace(server, std::move(group)).first;
  }
  return found->second;
}

BackendPool::Place BackendPool::place_of(Slot slot) const {
  auto found = slots_.find(slot);
  return found == slots_.end() ? Place{} : found->second;
}

std::uint32_t BackendPool::count(const Group& group, State state) {
  return static_cast<std::uint32_t>(std::count_if(group.connections.begin(), group.connections.end(),
                                                  [&](const auto& entry) { return entry.second.state == state; }));
}

// The one used last, so that what is not needed grows old.
BackendPool::Slot BackendPool::idle_for(const Group& group, const Request& request) {
  Slot best = 0;
  MonoTime since = MonoTime::min();
  BackendKind wanted = request.kind;
  wanted.server = group.server->name;
  for (const auto& [slot, connection] : group.connections) {
    if (connection.state == State::idle && connection.loop == request.loop && connection.kind == wanted &&
        connection.idle_since >= since) {
      best = slot;
      since = connection.idle_since;
    }
  }
  return best;
}

BackendPool::Slot BackendPool::longest_idle(const Group& group) {
  Slot best = 0;
  MonoTime since = MonoTime::max();
  for (const auto& [slot, connection] : group.connections) {
    if (connection.state == State::idle && connection.idle_since < since) {
      best = slot;
      since = connection.idle_since;
    }
  }
  return best;
}

bool BackendPool::has_room(const Group& group) {
  return is_dedicated(group) || group.connections.size() < group.settings->connections_max;
}

BackendPool::Slot BackendPool::add(Place place, State state, const Request& request, MonoTime now) {
  Group& group = *place.group;
  Slot slot = ++last_slot_;
  Connection connection{.state = State::idle,
                        .kind = request.kind,
                        .loop = request.loop,
                        .generation = generation_,
                        .expires = now + jittered(group.settings->age_max)};
  connection.kind.server = group.server->name;
  enter(group, group.connections.emplace(slot, std::move(connection)).first->second, state);
  slots_.emplace(slot, place);
  return slot;
}

// The only way from one state to another, as the server's counts follow it.
void BackendPool::enter(Group& group, Connection& connection, State state) {
  auto count = [&](State counted, std::uint32_t by) {
    bool opening = counted == State::opening || counted == State::opening_spare;
    bool in_use = counted == State::opening || counted == State::in_use;
    group.server->opening += opening ? by : 0;
    group.server->in_use += in_use ? by : 0;
  };
  count(connection.state, ~std::uint32_t{0});
  connection.state = state;
  count(state, 1);
}

void BackendPool::erase(Place place, Slot slot) {
  enter(*place.group, place.group->connections.at(slot), State::closing);
  place.group->connections.erase(slot);
  slots_.erase(slot);
}

void BackendPool::request(const Request& request, const PoolSettings& settings, Now now, Orders& orders) {
  Queue& queue = queues_[queue_name(request.kind)];
  queue.settings = settings;
  queue.waiters.push_back({.request = request, .since = now.mono});
  serve(queue, now, orders);
  if (queue.waiters.size() > settings.waiting_max) {
    Waiter last = std::move(queue.waiters.back());
    queue.waiters.pop_back();
    refuse(last, Reason::backend_pool_exhausted, "pool.waiting_max logins wait already", now, orders);
  }
}

void BackendPool::withdraw(Ticket ticket, const BackendKind& kind) {
  auto found = queues_.find(queue_name(kind));
  if (found != queues_.end()) {
    std::erase_if(found->second.waiters, [&](const Waiter& waiter) { return waiter.request.ticket == ticket; });
  }
}

// In the order of arrival, so that nobody starves; a login that has to wait holds up those that want the same servers.
void BackendPool::serve(Queue& queue, Now now, Orders& orders) {
  Awaited awaited;
  for (auto waiter = queue.waiters.begin(); waiter != queue.waiters.end();) {
    if (serve_waiter(queue, *waiter, awaited, now, orders)) {
      waiter = queue.waiters.erase(waiter);
    } else if (awaited.size() < queue.groups.size()) {
      ++waiter;
    } else {
      return;
    }
  }
}

std::vector<BackendPool::Group*> BackendPool::candidates(Queue& queue, const Request& request) {
  std::vector<Group*> groups;
  groups.reserve(request.servers.size());
  for (const ServerCandidate& candidate : request.servers) {
    groups.push_back(&group_of(queue, request.kind, candidate.name));
  }
  return groups;
}

// False: it has to wait.
bool BackendPool::serve_waiter(Queue& queue, const Waiter& waiter, Awaited& awaited, Now now, Orders& orders) {
  auto groups = candidates(queue, waiter.request);
  if (groups.empty()) {
    refuse(waiter, Reason::backend_unavailable, "none of the connection's servers is left to try", now, orders);
    return true;
  }
  bool any_up = std::any_of(groups.begin(), groups.end(), [](const Group* one) { return one->server->failures == 0; });
  return any_up ? serve_from_server_that_is_up(queue, waiter, awaited, now, orders)
                : try_server_that_is_down(queue, waiter, awaited, now, orders);
}

// Of the first tier that has one: what is beyond its bounds waits, and does not go to servers that are for when these
// can't be reached.
bool BackendPool::serve_from_server_that_is_up(Queue& queue, const Waiter& waiter, Awaited& awaited, Now now,
                                               Orders& orders) {
  std::vector<Group*> equals;
  std::uint8_t tier = 0;
  for (const ServerCandidate& candidate : waiter.request.servers) {
    Group& group = group_of(queue, waiter.request.kind, candidate.name);
    if (group.server->failures == 0 && (equals.empty() || candidate.tier == tier)) {
      tier = candidate.tier;
      equals.push_back(&group);
    }
  }
  Group* best = nullptr;
  for (Group* group : equals) {
    bool overtakes = std::find(awaited.begin(), awaited.end(), group->server) != awaited.end();
    if (overtakes || (!has_room(*group) && idle_for(*group, waiter.request) == 0)) {
      continue;
    }
    bool less = best == nullptr || std::pair(group->server->in_use, group->server->chosen) <
                                       std::pair(best->server->in_use, best->server->chosen);
    best = less ? group : best;
  }
  if (best != nullptr) {
    give(queue, *best, waiter, now, orders);
    return true;
  }
  for (Group* group : equals) {
    if (std::find(awaited.begin(), awaited.end(), group->server) == awaited.end()) {
      awaited.push_back(group->server);
    }
    make_room(*group, queue.waiters.size(), orders);
  }
  return false;
}

// One login tries a server that is down, and the others wait for how that ends; or a spare connection does.
bool BackendPool::try_server_that_is_down(Queue& queue, const Waiter& waiter, Awaited& awaited, Now now,
                                          Orders& orders) {
  auto groups = candidates(queue, waiter.request);
  auto may_be_tried = [&](const Group* group) { return now.mono >= group->server->blocked_until; };
  auto due = std::find_if(groups.begin(), groups.end(), may_be_tried);
  // One that takes no more connections may serve those that it has.
  auto has_idle = [&](const Group* group) { return idle_for(*group, waiter.request) != 0; };
  if (auto idle = std::find_if(groups.begin(), groups.end(), has_idle); idle != groups.end()) {
    give(queue, **idle, waiter, now, orders);
    return true;
  }
  if (is_dedicated(*groups.front())) {
    // Nothing is queued there: the servers are tried in turn.
    give(queue, due != groups.end() ? **due : *groups.front(), waiter, now, orders);
    return true;
  }
  if (due == groups.end()) {
    const Server& server = *groups.front()->server;
    refuse(waiter, server.failure, "not tried again so soon after: " + server.failure_detail, now, orders);
    return true;
  }
  for (Group* group : groups) {
    if (may_be_tried(group) && group->server->opening == 0 && has_room(*group)) {
      give(queue, *group, waiter, now, orders);
      return true;
    }
  }
  for (Group* group : groups) {
    if (std::find(awaited.begin(), awaited.end(), group->server) == awaited.end()) {
      awaited.push_back(group->server);
    }
    make_room(*group, queue.waiters.size(), orders);
  }
  return false;
}

void BackendPool::give(Queue& queue, Group& group, const Waiter& waiter, Now now, Orders& orders) {
  const Request& request = waiter.request;
  Order order{.kind = Order::Kind::reuse,
              .loop = request.loop,
              .slot = idle_for(group, request),
              .ticket = request.ticket,
              .waited = std::chrono::duration_cast<Milliseconds>(now.mono - waiter.since),
              .server = group.server->name};
  if (order.slot != 0) {
    enter(group, group.connections.at(order.slot), State::in_use);
  } else {
    order.kind = Order::Kind::open;
    order.slot = add({.queue = &queue, .group = &group}, State::opening, request, now.mono);
  }
  group.server->chosen = ++turns_;
  group.last = request;
  orders.push_back(std::move(order));
}

// An idle connection of another loop or kind goes: one for each login that waits.
void BackendPool::make_room(Group& group, std::size_t waiters, Orders& orders) {
  Slot idle = longest_idle(group);
  if (idle != 0 && !has_room(group) && count(group, State::closing) < waiters) {
    order_close(group, idle, orders);
  }
}

void BackendPool::order_close(Group& group, Slot slot, Orders& orders) {
  Connection& connection = group.connections.at(slot);
  enter(group, connection, State::closing);
  orders.push_back({.kind = Order::Kind::close, .loop = connection.loop, .slot = slot});
}

void BackendPool::order_check(Group& group, Slot slot, Orders& orders) {
  Connection& connection = group.connections.at(slot);
  enter(group, connection, State::checking);
  orders.push_back({.kind = Order::Kind::check, .loop = connection.loop, .slot = slot});
}

void BackendPool::check_idle(const Server& server, Orders& orders) {
  for (auto& [name, queue] : queues_) {
    auto group = queue.groups.find(server.name);
    if (group == queue.groups.end() || group->second.server != &server) {
      continue;
    }
    for (auto& [slot, connection] : group->second.connections) {
      if (connection.state == State::idle) {
        order_check(group->second, slot, orders);
      }
    }
  }
}

void BackendPool::refuse(const Waiter& waiter, Reason reason, std::string detail, Now now, Orders& orders) {
  orders.push_back({.kind = Order::Kind::refuse,
                    .loop = waiter.request.loop,
                    .ticket = waiter.request.ticket,
                    .reason = reason,
                    .detail = std::move(detail),
                    .waited = std::chrono::duration_cast<Milliseconds>(now.mono - waiter.since)});
}

void BackendPool::reached(Server& server) {
  server.failures = 0;
  if (std::exchange(server.told_down, false)) {
    changes_.push_back({.connection = server.connection, .server = server.name, .to = Change::To::up, .detail = {}});
  }
}

void BackendPool::failed(Server& server, Reason reason, const std::string& detail, Now now) {
  ++server.failures;
  ++server.failures_total;
  server.failure = reason;
  server.failure_detail = detail;
  server.blocked_until = now.mono + pause_after(server.failures);
  if (!std::exchange(server.told_down, true)) {
    changes_.push_back(
        {.connection = server.connection, .server = server.name, .to = Change::To::down, .detail = detail});
  }
}

void BackendPool::opened(Slot slot, Now now, Orders& orders, Under under) {
  if (Place place = place_of(slot); place.group != nullptr) {
    enter(*place.group, place.group->connections.at(slot), State::in_use);
    if (under == Under::this_configuration) {
      reached(*place.group->server);
    }
    serve(*place.queue, now, orders);
  }
}

// Any answer but none shows that the server is there.
void BackendPool::open_failed(Slot slot, Reason reason, const std::string& detail, Now now, Orders& orders) {
  Place place = place_of(slot);
  if (place.group == nullptr) {
    return;
  }
  erase(place, slot);
  if (reason == Reason::backend_unavailable) {
    failed(*place.group->server, reason, detail, now);
    if (place.group->server->failures == 1) {
      check_idle(*place.group->server, orders);
    }
  } else {
    reached(*place.group->server);
    place.group->refused_until = now.mono + pause_after(++place.group->refusals);
  }
  serve(*place.queue, now, orders);
}

void BackendPool::unanswered(Slot slot, const std::string& detail, Now now, Orders& orders) {
  Place place = place_of(slot);
  if (place.group == nullptr) {
    return;
  }
  erase(place, slot);
  Server& server = *place.group->server;
  if (server.failures == 0) {
    server.failures = 1;
    server.failure = Reason::backend_unavailable;
    server.failure_detail = detail;
    server.blocked_until = now.mono;
    check_idle(server, orders);
  }
  serve(*place.queue, now, orders);
}

bool BackendPool::give_back(Slot slot, Now now) {
  Place place = place_of(slot);
  if (place.group == nullptr) {
    return false;
  }
  Group& group = *place.group;
  Connection& connection = group.connections.at(slot);
  bool kept = connection.generation == generation_ && now.mono < connection.expires && !is_dedicated(group) &&
              group.connections.size() <= group.settings->connections_max &&
              (count(group, State::idle) < group.settings->idle_max || !place.queue->waiters.empty());
  enter(group, connection, kept ? State::resetting : State::closing);
  return kept;
}

void BackendPool::ready(Slot slot, Now now, Orders& orders) {
  Place place = place_of(slot);
  if (place.group == nullptr) {
    return;
  }
  Group& group = *place.group;
  Connection& connection = group.connections.at(slot);
  if (connection.state == State::opening_spare) {
    reached(*group.server);
    group.refusals = 0;
  }
  if (connection.state != State::checking) {
    connection.idle_since = now.mono;
  }
  enter(group, connection, State::idle);
  connection.checked = now.mono;
  if (connection.generation != generation_ || is_dedicated(group)) {
    order_close(group, slot, orders);
  }
  serve(*place.queue, now, orders);
}

void BackendPool::closed(Slot slot, Now now, Orders& orders) {
  if (Place place = place_of(slot); place.group != nullptr) {
    erase(place, slot);
    serve(*place.queue, now, orders);
  }
}

void BackendPool::refuse_overdue(Queue& queue, Now now, Orders& orders) {
  while (!queue.waiters.empty() && now.mono >= queue.waiters.front().since + queue.settings.wait_timeout) {
    auto groups = candidates(queue, queue.waiters.front().request);
    bool none_up =
        std::none_of(groups.begin(), groups.end(), [](const Group* one) { return one->server->failures == 0; });
    if (none_up && !groups.empty()) {
      const Server& server = *groups.front()->server;
      refuse(queue.waiters.front(), server.failure, server.failure_detail, now, orders);
    } else {
      refuse(queue.waiters.front(), Reason::backend_pool_exhausted,
             "no connection became free within pool.wait_timeout", now, orders);
    }
    queue.waiters.pop_front();
  }
}

void BackendPool::time_passed(Now now, Orders& orders) {
  for (auto& [name, queue] : queues_) {
    refuse_overdue(queue, now, orders);
    for (auto& [server, group] : queue.groups) {
      tend_idle(group, now, orders);
      tend({.queue = &queue, .group = &group}, now, orders);
    }
    serve(queue, now, orders);
  }
}

void BackendPool::tend_idle(Group& group, Now now, Orders& orders) {
  std::uint32_t open = static_cast<std::uint32_t>(group.connections.size());
  for (auto& [slot, connection] : group.connections) {
    if (connection.state != State::idle) {
      continue;
    }
    bool unused =
        open > group.settings->connections_min && now.mono >= connection.idle_since + group.settings->idle_timeout;
    if (unused || now.mono >= connection.expires) {
      order_close(group, slot, orders);
      --open;
    } else if (now.mono >= connection.checked + group.settings->check_interval) {
      order_check(group, slot, orders);
    }
  }
  for (std::uint32_t idle = count(group, State::idle); idle > group.settings->idle_max; --idle) {
    order_close(group, longest_idle(group), orders);
  }
}

// Opens what is missing to the minimum, one connection at a time: that is no hurry, and no burden to the server. Of a
// server that is down one connection shows whether it is there again.
void BackendPool::tend(Place place, Now now, Orders& orders) {
  Group& group = *place.group;
  if (!group.last || !spare_is_due(place, now)) {
    return;
  }
  Request request = *group.last;
  Order order{.kind = Order::Kind::open_spare, .loop = request.loop};
  order.slot = add(place, State::opening_spare, request, now.mono);
  order.backend_kind = group.connections.at(order.slot).kind;
  orders.push_back(std::move(order));
}

bool BackendPool::spare_is_due(Place place, Now now) {
  const Group& group = *place.group;
  if (!has_room(group) || count(group, State::opening_spare) > 0) {
    return false;
  }
  if (group.server->failures > 0) {
    // The only server is tried by logins, and left alone when there are none.
    bool has_others = place.queue->groups.size() > 1;
    return has_others && group.server->opening == 0 && now.mono >= group.server->blocked_until;
  }
  std::uint32_t wanted = std::min(group.settings->connections_min, group.settings->connections_max);
  return !is_dedicated(group) && group.connections.size() - count(group, State::closing) < wanted &&
         (group.refusals == 0 || now.mono >= group.refused_until);
}

void BackendPool::start_generation(Orders& orders) {
  ++generation_;
  for (auto queue = queues_.begin(); queue != queues_.end();) {
    auto& groups = queue->second.groups;
    for (auto& [server, group] : groups) {
      group.refusals = 0;
      group.last.reset();
      for (auto& [slot, connection] : group.connections) {
        if (connection.state == State::idle) {
          order_close(group, slot, orders);
        }
      }
    }
    std::erase_if(groups, [](const auto& entry) { return entry.second.connections.empty(); });
    queue = groups.empty() && queue->second.waiters.empty() ? queues_.erase(queue) : std::next(queue);
  }
  for (auto& [name, server] : servers_) {
    server.failures = 0;
  }
}

BackendPool::Counts BackendPool::counts(const BackendKind& kind) const {
  auto queue = queues_.find(queue_name(kind));
  if (queue == queues_.end()) {
    return {};
  }
  Counts counts{.waiting = static_cast<std::uint32_t>(queue->second.waiters.size())};
  if (auto found = queue->second.groups.find(kind.server); found != queue->second.groups.end()) {
    counts.open = static_cast<std::uint32_t>(found->second.connections.size());
    counts.idle = count(found->second, State::idle);
  }
  return counts;
}

BackendPool::ServerStatus BackendPool::server_status(std::string_view connection, std::string_view server) const {
  auto found = servers_.find(std::string(connection) + '\n' + std::string(server));
  if (found == servers_.end()) {
    return {};
  }
  const Server& known = found->second;
  return {.up = known.failures == 0 && !known.told_down, .failures = known.failures_total, .in_use = known.in_use};
}

bool BackendPool::is_away(const BackendKind& kind, MonoTime now) const {
  auto found = servers_.find(kind.connection + '\n' + kind.server);
  return found != servers_.end() && found->second.failures > 0 && now < found->second.blocked_until;
}

}  // namespace sallyport::session
