// Whole sessions, over the segments of a log.
#include <algorithm>
#include <set>

#include "audit/record_members.h"
#include "store/log_segment.h"

namespace sallyport::store {
namespace {

using audit::string_of;

// What a later segment tells of a session besides.
void merge(SessionSummary& merged, const SessionSummary& more) {
  for (auto text :
       {&SessionSummary::account, &SessionSummary::subject, &SessionSummary::connection, &SessionSummary::role,
        &SessionSummary::client, &SessionSummary::user, &SessionSummary::end_reason}) {
    if (!(more.*text).empty()) {
      merged.*text = more.*text;
    }
  }
  merged.end = more.end == SessionSummary::End::open ? merged.end : more.end;
  merged.began = merged.began == 0 ? more.began : merged.began;
  merged.time_min = std::min(merged.time_min, more.time_min);
  merged.time_max = std::max(merged.time_max, more.time_max);
  for (auto count :
       {&SessionSummary::records, &SessionSummary::commands, &SessionSummary::denied, &SessionSummary::errors,
        &SessionSummary::aborted, &SessionSummary::rows, &SessionSummary::bytes}) {
    merged.*count += more.*count;
  }
}

}  // namespace

Result<std::vector<SessionSummary>, std::string> Log::sessions(const LogQuery& query) const {
  std::vector<SessionSummary> sessions;
  std::unordered_map<std::string, std::size_t> by_id;
  // Those of segments outside of the time, too: a session's records lie in several.
  for (const auto& segment : segments_) {
    auto whole = segment->each_session([&](const SessionSummary& one) {
      if (one.records == 0) {
        return;
      }
      auto [place, is_new] = by_id.try_emplace(one.id, sessions.size());
      if (!is_new) {
        merge(sessions[place->second], one);
        return;
      }
      sessions.push_back(one);
      sessions.back().blocks = {};
      sessions.back().is_carried_on = false;
    });
    if (!whole) {
      return Unexpected(std::move(whole).error());
    }
  }
  auto live = live_sessions();
  if (!live) {
    return live;
  }
  for (const SessionSummary& one : *live) {
    auto place = by_id.find(one.id);
    if (place != by_id.end()) {
      sessions[place->second].is_carried_on = true;
    }
  }
  std::erase_if(sessions, [&](const SessionSummary& one) {
    return !matches_session(query, one) || one.time_max < query.since || one.time_min >= query.until;
  });
  std::sort(sessions.begin(), sessions.end(), [](const SessionSummary& one, const SessionSummary& other) {
    return one.first_record < other.first_record;
  });
  return sessions;
}

Result<std::vector<std::string>, std::string> Log::session_ids(const std::string& prefix, std::size_t limit) const {
  std::set<std::string> ids;
  for (const auto& segment : segments_) {
    auto whole = segment->each_session([&](const SessionSummary& one) {
      if (one.records > 0 && one.id.starts_with(prefix) && ids.size() < limit) {
        ids.insert(one.id);
      }
    });
    if (!whole) {
      return Unexpected(std::move(whole).error());
    }
  }
  return std::vector<std::string>(ids.begin(), ids.end());
}

Result<bool, std::string> Log::begins_amid_unknown_sessions() const {
  bool found = false;
  if (segments_.empty() || first() == 0) {
    return found;
  }
  auto whole = segments_.front()->each_session([&](const SessionSummary& one) {
    found = found || (one.began == 0 && one.account.empty() && one.subject.empty() && one.connection.empty() &&
                      one.client.empty() && one.user.empty());
  });
  if (!whole) {
    return Unexpected(std::move(whole).error());
  }
  return found;
}

Result<std::vector<SessionSummary>, std::string> Log::live_sessions() const {
  std::vector<SessionSummary> live;
  if (segments_.empty()) {
    return live;
  }
  auto whole = segments_.back()->each_session([&](const SessionSummary& one) {
    if (one.is_carried_on) {
      live.push_back(one);
    }
  });
  if (!whole) {
    return Unexpected(std::move(whole).error());
  }
  return live;
}

Result<std::vector<LogRecord>, std::string> Log::records_of(const std::string& session) const {
  std::vector<LogRecord> records;
  std::string content;
  std::optional<RecordOpener> opener;
  for (const auto& segment : segments_) {
    std::vector<std::uint32_t> blocks;
    auto whole = segment->each_session([&](const SessionSummary& one) {
      if (one.id == session) {
        blocks = one.blocks;
      }
    });
    if (!whole) {
      return Unexpected(std::move(whole).error());
    }
    for (std::uint32_t number : blocks) {
      const LogBlock& block = segment->index.blocks[number];
      auto read = segment->blocks.read({.offset = block.offset, .bytes = block.stored_bytes}, content);
      if (!read) {
        return Unexpected(std::move(read).error());
      }
      std::uint64_t at = block.first_record;
      for_each_record(content, [&](std::string_view record) {
        std::uint64_t record_number = at++;
        if (record.find(session) == std::string_view::npos) {
          return;
        }
        auto view = view_record(record);
        if (view && string_of(view->session) == session) {
          records.push_back({.number = record_number, .text = std::string(record)});
          unsealing_->open(records.back().text, opener);
        }
      });
    }
  }
  return records;
}

}  // namespace sallyport::store
