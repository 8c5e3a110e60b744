#include "sink/session_finder.h"

#include "store/log_search.h"

namespace sallyport::sink {

std::optional<OcsfSession> SessionFinder::find(const std::string& session) {
  auto found = found_.find(session);
  MonoTime now = std::chrono::steady_clock::now();
  if (found == found_.end() && (!looked_at_ || now - *looked_at_ >= interval)) {
    looked_at_ = now;
    look();
    found = found_.find(session);
  }
  return found == found_.end() ? std::nullopt : std::optional(found->second);
}

void SessionFinder::look() {
  found_.clear();
  auto log = store::Log::open(directory_, store::IndexUse::files);
  if (!log) {
    return;
  }
  store::LogQuery query;
  query.order = store::LogQuery::Order::newest_first;
  auto sessions = log->sessions(query);
  if (!sessions) {
    return;
  }
  for (auto one = sessions->rbegin(); one != sessions->rend() && found_.size() < sessions_max; ++one) {
    OcsfSession session;
    session.account = one->account;
    session.subject = one->subject;
    session.client = one->client;
    session.connection = one->connection;
    found_[one->id] = std::move(session);
  }
}

}  // namespace sallyport::sink
