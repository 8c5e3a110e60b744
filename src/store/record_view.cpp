#include "store/record_view.h"

#include <array>

#include "audit/record_members.h"

namespace sallyport::store {
namespace {

struct Named {
  std::string_view name;
  std::string_view RecordView::*member;
};

// By name: some twenty comparisons of lengths for each member, and few of bytes.
constexpr std::array<Named, 20> viewed{{{"time", &RecordView::time},
                                        {"type", &RecordView::type},
                                        {"session", &RecordView::session},
                                        {"seq", &RecordView::seq},
                                        {"of", &RecordView::of},
                                        {"account", &RecordView::account},
                                        {"subject", &RecordView::subject},
                                        {"connection", &RecordView::connection},
                                        {"role", &RecordView::role},
                                        {"client", &RecordView::client},
                                        {"user", &RecordView::user},
                                        {"principal", &RecordView::principal},
                                        {"reason", &RecordView::reason},
                                        {"status", &RecordView::status},
                                        {"decision", &RecordView::decision},
                                        {"kind", &RecordView::kind},
                                        {"digest", &RecordView::digest},
                                        {"objects", &RecordView::objects},
                                        {"rows", &RecordView::rows},
                                        {"bytes", &RecordView::bytes}}};

}  // namespace

bool RecordView::is(std::string_view name) const {
  return type.size() == name.size() + 2 && type.substr(1, name.size()) == name;
}

std::optional<RecordView> view_record(std::string_view record) {
  RecordView view;
  audit::MemberReader members{record};
  while (members.next()) {
    for (const Named& one : viewed) {
      if (one.name == members.name()) {
        view.*one.member = members.value();
        break;
      }
    }
  }
  if (members.malformed() || view.type.empty()) {
    return std::nullopt;
  }
  if (view.time.size() > 2) {
    auto time = audit::parse_time(view.time.substr(1, view.time.size() - 2));
    view.nanoseconds = time ? time->time_since_epoch().count() : 0;
  }
  return view;
}

std::string_view address_of(std::string_view client) {
  std::size_t colon = client.rfind(':');
  if (colon == std::string_view::npos || client.find_first_not_of("0123456789", colon + 1) != std::string_view::npos) {
    return client;
  }
  std::string_view address = client.substr(0, colon);
  bool is_bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
  if (is_bracketed) {
    return address.substr(1, address.size() - 2);
  }
  // An IPv6 address without brackets has no port behind it.
  return address.find(':') == std::string_view::npos ? address : client;
}

std::string object_term(std::string_view object) {
  std::string name;
  std::string schema;
  for (audit::MemberReader members{object}; members.next();) {
    if (members.name() == "name") {
      name = audit::string_of(members.value());
    } else if (members.name() == "schema") {
      schema = audit::string_of(members.value());
    }
  }
  return schema.empty() ? name : schema + '\0' + name;
}

}  // namespace sallyport::store
