#include "audit/record_members.h"
#include "sink/ocsf.h"

namespace sallyport::sink {
namespace {

void take_login(OcsfSession& session, std::string_view record) {
  auto text = [](std::string_view object, std::string_view name) {
    return audit::string_of(audit::member_value(object, name));
  };
  session.account = text(record, "account");
  session.client = text(record, "client");
  session.connection = text(record, "connection");
  std::string_view principal = audit::member_value(record, "principal");
  if (principal.starts_with('{')) {
    session.subject = text(principal, "subject");
    session.issuer = text(principal, "issuer");
    session.issuer_name = text(principal, "issuer_name");
  }
}

}  // namespace

OcsfSession& OcsfSessions::see(const std::string& session, std::string_view type, std::string_view record) {
  auto known = by_id_.find(session);
  if (known != by_id_.end()) {
    sessions_.splice(sessions_.begin(), sessions_, known->second);
  } else {
    bool is_login = type == "login_accepted" || type == "login_refused";
    auto found = is_login || session.empty() ? std::nullopt : find_(session);
    sessions_.push_front({.id = session, .session = found.value_or(OcsfSession{})});
    by_id_[session] = sessions_.begin();
  }
  if (sessions_.size() > sessions_max) {
    by_id_.erase(sessions_.back().id);
    sessions_.pop_back();
  }
  OcsfSession& seen = sessions_.front().session;
  if (type == "login_accepted" || type == "login_refused") {
    take_login(seen, record);
  } else if (type == "session_start") {
    seen.server = audit::string_of(audit::member_value(record, "server"));
  }
  return seen;
}

}  // namespace sallyport::sink
