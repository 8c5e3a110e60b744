#include "store/record_seal.h"

#include <map>
#include <optional>

#include "audit/record_members.h"
#include "base/check.h"
#include "base/hex.h"
#include "crypto/base64.h"

namespace sallyport::store {
namespace {

constexpr std::size_t session_bytes_max = 255;
constexpr std::string_view sealed_member = "sealed";
constexpr std::string_view base64_suffix = "_base64";

// What binds a seal to its record.
void append_place(std::string& out, const audit::RecordPlace& place) {
  SALLYPORT_CHECK(place.session.size() <= session_bytes_max);
  out.push_back(static_cast<char>(place.session.size()));
  out += place.session;
  for (std::size_t i = 0; i < sizeof place.seq; ++i) {
    out.push_back(static_cast<char>(place.seq >> (8 * i)));
  }
}

using Members = std::map<std::string_view, std::string_view>;

// False where `object` is none.
bool add_members(Members& members, std::string_view object) {
  if (!object.starts_with('{')) {
    return false;
  }
  audit::MemberReader reader{object};
  while (reader.next()) {
    members[reader.name()] = reader.value();
  }
  return !reader.malformed();
}

std::string with_members(const Members& members) {
  std::string out;
  for (const auto& [name, value] : members) {
    out += out.empty() ? "{\"" : ",\"";
    out += name;
    out += "\":";
    out += value;
  }
  return out + "}";
}

}  // namespace

void append_sealed(std::string& out, Sealer& sealer, const audit::RecordPlace& place, std::string_view members) {
  std::string bytes;
  append_place(bytes, place);
  std::size_t seal_at = bytes.size();
  sealer.append(bytes, 0, bytes_of(members));
  out += crypto::base64_encode(bytes_of(std::string_view(bytes).substr(seal_at)));
}

bool may_be_sealed(std::string_view bytes) {
  return bytes.find("\"sealed\":") != std::string_view::npos;
}

RecordOpener::Result RecordOpener::open(std::string& record) {
  if (!may_be_sealed(record)) {
    return Result::nothing_sealed;
  }
  Members members;
  if (!add_members(members, record)) {
    return Result::nothing_sealed;
  }
  auto sealed = members.find(sealed_member);
  if (sealed == members.end()) {
    return Result::nothing_sealed;
  }
  auto bytes = crypto::base64_decode(audit::string_of(sealed->second));
  std::string session = audit::string_of(members["session"]);
  auto seq = audit::number_of(members["seq"]);
  if (!bytes || bytes->size() < seal_overhead_bytes || session.size() > session_bytes_max || !seq) {
    return Result::damaged;
  }
  Bytes head_bytes = Bytes(*bytes).first(SealHead::bytes);
  SealHead head = parse_seal_head(head_bytes);
  if (!opener_.has(head.key)) {
    wanted_key_ = to_hex(head.key);
    return Result::key_wanted;
  }
  std::string clear;
  append_place(clear, {.session = session, .seq = *seq});
  clear += text_of(head_bytes);
  auto text = opener_.open(bytes_of(clear), head, Bytes(*bytes).subspan(SealHead::bytes));
  Members shown;
  if (!text || !add_members(shown, text_of(*text))) {
    return Result::damaged;
  }
  members.erase(sealed);
  members.erase("redacted");
  for (const auto& [name, value] : shown) {
    bool is_base64 = name.ends_with(base64_suffix);
    members.erase(is_base64 ? name.substr(0, name.size() - base64_suffix.size()) : name);
    if (!is_base64) {
      members.erase(std::string(name) + std::string(base64_suffix));
    }
    members[name] = value;
  }
  members["unsealed"] = "true";
  record = with_members(members);
  return Result::opened;
}

}  // namespace sallyport::store
