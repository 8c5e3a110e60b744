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

BackendPool::Group* BackendPool::group_of(Slot slot) {
  auto found = slots_.find(slot);
  return found == slots_.end() ? nullptr : found->second;
}

std::uint32_t BackendPool::count(const Group& group, State state) {
  return static_cast<std::uint32_t>(std::count_if(group.connections.begin(), group.connections.end(),
                                                  [&](const auto& entry) { return entry.second.state == state; }));
}

// The one used last, so that what is not needed grows old.
BackendPool::Slot BackendPool::idle_for(const Group& group, const Request& request) {
  Slot best = 0;
  MonoTime since = MonoTime::min();
  for (const auto& [slot, connection] : group.connections) {
    if (connection.state == State::idle && connection.loop == request.loop && connection.kind == request.kind &&
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

BackendPool::Slot BackendPool::add(Group& group, State state, const Request& request, MonoTime now) {
  Slot slot = ++last_slot_;
  group.connections.emplace(slot, Connection{.state = state,
                                             .kind = request.kind,
                                             .loop = request.loop,
                                             .generation = generation_,
                                             .expires = now + jittered(group.settings.age_max)});
  slots_.emplace(slot, &group);
  return slot;
}

void BackendPool::request(const Request& request, const PoolSettings& settings, Now now, Orders& orders) {
  Group& group = groups_[group_name(request.kind)];
  group.settings = settings;
  group.last = request;
  group.waiters.push_back({.request = request, .since = now.mono});
  serve(group, now, orders);
  if (group.waiters.size() > settings.waiting_max) {
    Waiter last = std::move(group.waiters.back());
    group.waiters.pop_back();
    orders.push_back({.kind = Order::Kind::refuse,
                      .loop = last.request.loop,
                      .ticket = last.request.ticket,
                      .reason = Reason::backend_pool_exhausted,
                      .detail = "pool.waiting_max logins wait already"});
  }
}

void BackendPool::withdraw(Ticket ticket, const BackendKind& kind) {
  auto found = groups_.find(group_name(kind));
  if (found != groups_.end()) {
    std::erase_if(found->second.waiters, [&](const Waiter& waiter) { return waiter.request.ticket == ticket; });
  }
}

void BackendPool::serve(Group& group, Now now, Orders& orders) {
  while (!group.waiters.empty() && serve_first(group, now, orders)) {
    group.waiters.pop_front();
  }
}

// False: it has to wait. In the order of arrival, so that nobody starves.
bool BackendPool::serve_first(Group& group, Now now, Orders& orders) {
  const Waiter& waiter = group.waiters.front();
  Order order{.kind = Order::Kind::reuse,
              .loop = waiter.request.loop,
              .slot = idle_for(group, waiter.request),
              .ticket = waiter.request.ticket,
              .waited = std::chrono::duration_cast<Milliseconds>(now.mono - waiter.since)};
  if (order.slot != 0) {
    group.connections.at(order.slot).state = State::in_use;
    orders.push_back(std::move(order));
    return true;
  }
  bool down = group.failures > 0;
  if (down && now.mono < group.blocked_until) {
    order.kind = Order::Kind::refuse;
    order.reason = group.failure;
    order.detail = "not tried again so soon after: " + group.failure_detail;
    orders.push_back(std::move(order));
    return true;
  }
  if (down && count(group, State::opening) + count(group, State::opening_spare) > 0) {
    return false;
  }
  if (group.connections.size() < group.settings.connections_max) {
    order.kind = Order::Kind::open;
    order.slot = add(group, State::opening, waiter.request, now.mono);
    orders.push_back(std::move(order));
    return true;
  }
  // One of another loop or kind makes room: one for each that waits.
  Slot idle = longest_idle(group);
  if (idle != 0 && count(group, State::closing) < group.waiters.size()) {
    order_close(group, idle, orders);
  }
  return false;
}

void BackendPool::order_close(Group& group, Slot slot, Orders& orders) {
  Connection& connection = group.connections.at(slot);
  connection.state = State::closing;
  orders.push_back({.kind = Order::Kind::close, .loop = connection.loop, .slot = slot});
}

void BackendPool::refuse_first(Group& group, Reason reason, std::string detail, Now now, Orders& orders) {
  const Waiter& waiter = group.waiters.front();
  orders.push_back({.kind = Order::Kind::refuse,
                    .loop = waiter.request.loop,
                    .ticket = waiter.request.ticket,
                    .reason = reason,
                    .detail = std::move(detail),
                    .waited = std::chrono::duration_cast<Milliseconds>(now.mono - waiter.since)});
  group.waiters.pop_front();
}

void BackendPool::refuse_all(Group& group, Now now, Orders& orders) {
  while (!group.waiters.empty()) {
    refuse_first(group, group.failure, group.failure_detail, now, orders);
  }
}

void BackendPool::opened(Slot slot, Now now, Orders& orders) {
  if (Group* group = group_of(slot)) {
    group->connections.at(slot).state = State::in_use;
    group->failures = 0;
    serve(*group, now, orders);
  }
}

void BackendPool::open_failed(Slot slot, Reason reason, const std::string& detail, Now now, Orders& orders) {
  Group* group = group_of(slot);
  if (group == nullptr) {
    return;
  }
  group->connections.erase(slot);
  slots_.erase(slot);
  group->failure = reason;
  group->failure_detail = detail;
  Milliseconds pause = first_pause * (1U << std::min(group->failures, 10U));
  group->blocked_until = now.mono + jittered(std::min(pause, longest_pause));
  ++group->failures;
  refuse_all(*group, now, orders);
}

bool BackendPool::give_back(Slot slot, Now now) {
  Group* group = group_of(slot);
  if (group == nullptr) {
    return false;
  }
  Connection& connection = group->connections.at(slot);
  bool kept = connection.generation == generation_ && now.mono < connection.expires &&
              group->connections.size() <= group->settings.connections_max &&
              (count(*group, State::idle) < group->settings.idle_max || !group->waiters.empty());
  connection.state = kept ? State::resetting : State::closing;
  return kept;
}

void BackendPool::ready(Slot slot, Now now, Orders& orders) {
  Group* group = group_of(slot);
  if (group == nullptr) {
    return;
  }
  Connection& connection = group->connections.at(slot);
  if (connection.state == State::opening_spare) {
    group->failures = 0;
  }
  if (connection.state != State::checking) {
    connection.idle_since = now.mono;
  }
  connection.state = State::idle;
  connection.checked = now.mono;
  if (connection.generation != generation_) {
    order_close(*group, slot, orders);
  }
  serve(*group, now, orders);
}

void BackendPool::closed(Slot slot, Now now, Orders& orders) {
  if (Group* group = group_of(slot)) {
    group->connections.erase(slot);
    slots_.erase(slot);
    serve(*group, now, orders);
  }
}

void BackendPool::time_passed(Now now, Orders& orders) {
  for (auto& [name, group] : groups_) {
    while (!group.waiters.empty() && now.mono >= group.waiters.front().since + group.settings.wait_timeout) {
      refuse_first(group, Reason::backend_pool_exhausted, "no connection became free within pool.wait_timeout", now,
                   orders);
    }
    tend_idle(group, now, orders);
    tend(group, now, orders);
    serve(group, now, orders);
  }
}

void BackendPool::tend_idle(Group& group, Now now, Orders& orders) {
  std::uint32_t open = static_cast<std::uint32_t>(group.connections.size());
  for (auto& [slot, connection] : group.connections) {
    if (connection.state != State::idle) {
      continue;
    }
    bool unused =
        open > group.settings.connections_min && now.mono >= connection.idle_since + group.settings.idle_timeout;
    if (unused || now.mono >= connection.expires) {
      order_close(group, slot, orders);
      --open;
    } else if (now.mono >= connection.checked + group.settings.check_interval) {
      connection.state = State::checking;
      orders.push_back({.kind = Order::Kind::check, .loop = connection.loop, .slot = slot});
    }
  }
  for (std::uint32_t idle = count(group, State::idle); idle > group.settings.idle_max; --idle) {
    order_close(group, longest_idle(group), orders);
  }
}

// Opens what is missing to the minimum, one connection at a time: that is no hurry, and no burden to the server.
void BackendPool::tend(Group& group, Now now, Orders& orders) {
  std::uint32_t wanted = std::min({group.settings.connections_min, group.settings.connections_max});
  bool due = group.last && group.connections.size() - count(group, State::closing) < wanted &&
             group.connections.size() < group.settings.connections_max && count(group, State::opening_spare) == 0 &&
             (group.failures == 0 || now.mono >= group.blocked_until);
  if (due) {
    Slot slot = add(group, State::opening_spare, *group.last, now.mono);
    orders.push_back(
        {.kind = Order::Kind::open_spare, .loop = group.last->loop, .slot = slot, .backend_kind = group.last->kind});
  }
}

void BackendPool::start_generation(Orders& orders) {
  ++generation_;
  for (auto& [name, group] : groups_) {
    group.failures = 0;
    group.last.reset();
    for (auto& [slot, connection] : group.connections) {
      if (connection.state == State::idle) {
        order_close(group, slot, orders);
      }
    }
  }
}

BackendPool::Counts BackendPool::counts(const BackendKind& kind) const {
  auto found = groups_.find(group_name(kind));
  if (found == groups_.end()) {
    return {};
  }
  return {.open = static_cast<std::uint32_t>(found->second.connections.size()),
          .idle = count(found->second, State::idle),
          .waiting = static_cast<std::uint32_t>(found->second.waiters.size())};
}

bool BackendPool::is_away(const BackendKind& kind, MonoTime now) const {
  auto found = groups_.find(group_name(kind));
  return found != groups_.end() && found->second.failures > 0 && now < found->second.blocked_until;
}

}  // namespace sallyport::session
