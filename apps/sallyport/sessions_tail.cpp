#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <unordered_map>

#include "audit/record_members.h"
#include "review/display_text.h"
#include "review/hit_output.h"
#include "review/show.h"
#include "review/time_range.h"
#include "sessions.h"
#include "store/log_follower.h"
#include "store/segment_blocks.h"

namespace sallyport {
namespace {

// How long a new record waits to be seen, at most.
constexpr Milliseconds poll_interval{100};
// Statements that wait for their outcome. Those beyond are shown without.
constexpr std::size_t waiting_max = 1U << 16;

struct Options {
  LogPlace place;
  LogFilter filter;
  bool json = false;
  std::size_t last = 10;
};

class Tail {
 public:
  Tail(const Options& options, store::Log::SealKeys keys) : query_(query_of(options.filter)), json_(options.json) {
    if (keys) {
      opener_.emplace(std::move(*keys));
    }
  }

  ExitCode run(const std::filesystem::path& directory, const store::Log& log, std::size_t last) {
    warn_of_unknown_sessions(log, query_);
    auto live = log.live_sessions();
    if (!live) {
      return fail(live.error());
    }
    for (store::SessionSummary& session : *live) {
      sessions_[session.id] = std::move(session);
    }
    auto found = wait_for_unfinished(log);
    if (!found) {
      return fail(found.error());
    }
    if (!show_last(log, last)) {
      return ExitCode::ok;
    }
    store::LogFollower follower{directory, log.end()};
    while (true) {
      auto chunk = follower.next();
      if (!chunk) {
        return fail(chunk.error());
      }
      std::uint64_t number = chunk->index;
      bool goes_on = true;
      store::for_each_record(chunk->lines,
                             [&](std::string_view record) { goes_on = goes_on && take(number++, opened(record)); });
      if (!goes_on || std::fflush(stdout) != 0) {
        return ExitCode::ok;  // nobody reads any more
      }
      if (chunk->empty()) {
        std::this_thread::sleep_for(poll_interval);
      }
    }
  }

 private:
  using CommandKey = std::pair<std::string, std::uint64_t>;

  // What was under way when the tail began will have its outcome.
  Result<Unit, std::string> wait_for_unfinished(const store::Log& log) {
    store::LogQuery query = query_;
    query.is_of_unfinished = true;
    query.order = store::LogQuery::Order::newest_first;
    query.limit = waiting_max;
    std::int64_t began = INT64_MAX;
    for (const auto& [id, session] : sessions_) {
      began = std::min(began, session.began);
    }
    query.since = std::max(query.since, began);
    return log.search(query, [&](const store::LogHit& hit) {
      if (sessions_.contains(hit.session.id)) {
        waiting_[key_of(hit)] = hit;
      }
      return true;
    });
  }

  static CommandKey key_of(const store::LogHit& hit) {
    auto view = store::view_record(hit.record.text);
    return {hit.session.id, view ? audit::number_of(view->seq).value_or(0) : 0};
  }

  bool show_last(const store::Log& log, std::size_t last) {
    store::LogQuery query = query_;
    query.order = store::LogQuery::Order::newest_first;
    query.limit = last;
    std::vector<store::LogHit> hits;
    if (last > 0) {
      auto done = log.search(query, [&](const store::LogHit& hit) {
        hits.push_back(hit);
        return true;
      });
      if (!done) {
        fail(done.error());
      }
      wanted_keys_ = log.closed_seals().wanted_keys;
      warn_of_closed_seals(log.closed_seals());
    }
    bool shown = true;
    for (auto hit = hits.rbegin(); hit != hits.rend(); ++hit) {
      bool comes_later = json_ && waiting_.contains(key_of(*hit));
      shown = shown && (comes_later || (show(*hit) && (json_ || !hit->outcome || show_outcome(*hit))));
    }
    return shown && std::fflush(stdout) == 0;
  }

  std::string_view opened(std::string_view record) {
    if (!opener_ || !store::may_be_sealed(record)) {
      return record;
    }
    opened_ = record;
    store::RecordOpener::Result result = opener_->open(opened_);
    store::ClosedSeals seals;
    if (result == store::RecordOpener::Result::key_wanted && wanted_keys_.insert(opener_->wanted_key()).second) {
      seals.wanted_keys.insert(opener_->wanted_key());
    }
    seals.damaged = result == store::RecordOpener::Result::damaged;
    warn_of_closed_seals(seals);
    return opened_;
  }

  bool take(std::uint64_t number, std::string_view record) {
    auto view = store::view_record(record);
    if (!view) {
      return true;
    }
    std::string id = audit::string_of(view->session);
    if (view->is("outcome")) {
      return take_outcome(number, *view, id, record);
    }
    store::LogHit hit{.record = {.number = number, .text = std::string(record)},
                      .outcome = {},
                      .time = view->nanoseconds,
                      .session = {}};
    bool matches = false;
    if (id.empty()) {
      matches = store::matches_own_session_fields(query_, *view);
    } else {
      store::SessionSummary& session = sessions_[id];
      session.id = id;
      store::note_identity(session, *view);
      matches = store::matches_session(query_, session);
      hit.session = session;
      if (view->is("session_end") || view->is("login_refused")) {
        sessions_.erase(id);
        waiting_.erase(waiting_.lower_bound({id, 0}), waiting_.upper_bound({id, UINT64_MAX}));
      }
    }
    if (!matches || !store::matches_record(query_, *view, record)) {
      return true;
    }
    if (!view->is("command")) {
      return !store::matches_outcome(query_, *view) || show(hit);
    }
    bool waits = query_.asks_for_outcomes() || json_;
    if (waiting_.size() < waiting_max) {
      waiting_[{id, audit::number_of(view->seq).value_or(0)}] = hit;
    }
    return waits || show(hit);
  }

  bool take_outcome(std::uint64_t number, const store::RecordView& view, const std::string& id,
                    std::string_view record) {
    auto place = waiting_.find({id, audit::number_of(view.of).value_or(0)});
    if (place == waiting_.end()) {
      return true;
    }
    store::LogHit hit = std::move(place->second);
    waiting_.erase(place);
    hit.outcome = store::LogRecord{.number = number, .text = std::string(record)};
    if (!store::matches_outcome(query_, view)) {
      return true;
    }
    if (json_) {
      return show(hit);
    }
    return (!query_.asks_for_outcomes() || show(hit)) && show_outcome(hit);
  }

  bool show(const store::LogHit& hit) const {
    if (json_) {
      return print(review::json_of(hit) + "\n");
    }
    std::vector<std::string> row = review::hit_row(hit);
    return print(heading(hit) + review::for_terminal(row[4] + "  " + row.back(), review::Lines::escaped) + "\n");
  }

  bool show_outcome(const store::LogHit& hit) const {
    auto story = review::tell_story(hit.session.id, {hit.record, *hit.outcome});
    if (!story || story->events.empty() || !story->events[0].outcome) {
      return true;
    }
    return print(heading(hit) + "  => " + review::show_outcome(*story->events[0].outcome) + "\n");
  }

  static std::string heading(const store::LogHit& hit) {
    std::string who = hit.session.id.substr(0, review::short_id_bytes) + "  " + hit.session.account;
    return review::shown_time(hit.time) + "  " + review::for_terminal(who, review::Lines::escaped) + "  ";
  }

  store::LogQuery query_;
  bool json_;
  std::optional<store::RecordOpener> opener_;
  std::string opened_;
  std::set<std::string> wanted_keys_;  // that were told of
  std::unordered_map<std::string, store::SessionSummary> sessions_;
  std::map<CommandKey, store::LogHit> waiting_;
};

ExitCode tail(const Options& options) {
  auto directory = log_directory(options.place);
  if (!directory) {
    return directory.error();
  }
  auto keys = seal_keys(options.place);
  if (!keys) {
    return keys.error();
  }
  Tail made{options, std::move(*keys)};
  auto log = open_log(options.place);
  if (!log) {
    return log.error();
  }
  return made.run(*directory, *log, options.last);
}

}  // namespace

void add_sessions_tail(CLI::App& sessions, ExitCode& result) {
  auto options = std::make_shared<Options>();
  auto* command =
      sessions.add_subcommand("tail", "Shows statements and other records as they come, until it is interrupted.");
  add_log_place(*command, options->place);
  add_log_filter(*command, options->filter);
  add_unsealing(*command, options->place);
  command->add_option("--last", options->last, "Begin with so many that are there already.")->capture_default_str();
  command->add_flag("--json", options->json, "One JSON object a line; statements once they have their outcome.");
  command->footer(
      help_footer("  sallyport sessions tail --config sallyport.yaml\n"
                  "  sallyport sessions tail --dir audit --status denied --json\n"));
  command->callback([options, &result] { result = tail(*options); });
}

}  // namespace sallyport
