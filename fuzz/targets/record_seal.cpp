// Sealed members of records: what is no seal leaves the record as it is, and what was sealed stands in it once opened.
//
// Input: a byte; where it is odd a record as a reader finds it, else members that are sealed and opened again.
#include <algorithm>

#include "audit/canonical.h"
#include "audit/record_members.h"
#include "base/check.h"
#include "fuzz/targets.h"
#include "store/record_seal.h"

namespace sallyport::fuzz {
namespace {

using store::RecordOpener;

bool is_plain_object(std::string_view text) {
  if (!text.starts_with('{') || audit::canonical_json(text) != text) {
    return false;
  }
  audit::MemberReader members{text};
  while (members.next()) {
    std::string_view name = members.name();
    bool is_plain =
        !name.empty() && std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    if (!is_plain || name == "session" || name == "seq") {
      return false;
    }
  }
  return !members.malformed();
}

}  // namespace

void fuzz_record_seal(Bytes input) {
  constexpr std::string_view key_text = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  static const audit::AnswersKey key = audit::AnswersKey::parse(key_text).value();
  if (input.empty()) {
    return;
  }
  RecordOpener opener({key});
  std::string_view text = text_of(input.subspan(1));
  if ((input[0] & 1) != 0) {
    std::string record(text);
    bool opened = opener.open(record) == RecordOpener::Result::opened;
    SALLYPORT_CHECK(opened ? record.find("\"unsealed\":true") != std::string::npos : record == text);
    return;
  }
  store::Sealer sealer(key, audit::AnswersKey::Use::literals);
  std::string record = R"({"redacted":true,"sealed":")";
  store::append_sealed(record, sealer, {.session = "s", .seq = 1}, text);
  record += R"(","seq":1,"session":"s","text":"shown"})";
  RecordOpener::Result result = opener.open(record);
  if (!is_plain_object(text)) {
    return;
  }
  SALLYPORT_CHECK(result == RecordOpener::Result::opened);
  SALLYPORT_CHECK(audit::canonical_json(record) == record);
  for (audit::MemberReader members{text}; members.next();) {
    SALLYPORT_CHECK(members.name() == "unsealed" || audit::member_value(record, members.name()) == members.value() ||
                    !audit::member_value(record, std::string(members.name()) + "_base64").empty());
  }
}

}  // namespace sallyport::fuzz
