#include "store/record_view.h"

#include <array>
#include <span>

#include "audit/record_members.h"

namespace sallyport::store {
namespace {

struct Named {
  std::string_view name;
  std::string_view RecordView::*member;
};

// By first letters, so that a name is compared with few of them.
constexpr std::array<Named, 20> viewed{{{"account", &RecordView::account},
                                        {"bytes", &RecordView::bytes},
                                        {"client", &RecordView::client},
                                        {"connection", &RecordView::connection},
                                        {"decision", &RecordView::decision},
                                        {"digest", &RecordView::digest},
                                        {"kind", &RecordView::kind},
                                        {"objects", &RecordView::objects},
                                        {"of", &RecordView::of},
                                        {"principal", &RecordView::principal},
                                        {"reason", &RecordView::reason},
                                        {"role", &RecordView::role},
                                        {"rows", &RecordView::rows},
                                        {"seq", &RecordView::seq},
                                        {"session", &RecordView::session},
                                        {"status", &RecordView::status},
                                        {"subject", &RecordView::subject},
                                        {"time", &RecordView::time},
                                        {"type", &RecordView::type},
                                        {"user", &RecordView::user}}};

// Of each letter, how many of the names begin with one before it.
constexpr auto names_before = [] {
  std::array<std::uint8_t, 27> before{};
  for (std::size_t letter = 0; letter < before.size(); ++letter) {
    for (const Named& one : viewed) {
      before[letter] =
          static_cast<std::uint8_t>(before[letter] + (one.name[0] < static_cast<char>('a' + letter) ? 1 : 0));
    }
  }
  return before;
}();

std::span<const Named> named_like(std::string_view name) {
  if (name.empty() || name[0] < 'a' || name[0] > 'z') {
    return {};
  }
  auto letter = static_cast<std::size_t>(name[0] - 'a');
  return std::span(viewed).subspan(names_before[letter], names_before[letter + 1] - names_before[letter]);
}

}  // namespace

bool RecordView::is(std::string_view name) const {
  return type.size() == name.size() + 2 && type.substr(1, name.size()) == name;
}

std::optional<RecordView> view_record(std::string_view record) {
  RecordView view;
  audit::MemberReader members{record};
  while (members.next()) {
    for (const Named& one : named_like(members.name())) {
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
