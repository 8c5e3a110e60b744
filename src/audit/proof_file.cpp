#include "audit/proof_file.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "audit/canonical_json.h"
#include "audit/proof.h"
#include "base/json_text.h"
#include "crypto/base64.h"

namespace sallyport::audit {
namespace {

constexpr std::string_view type_member = ",\"type\":\"sallyport-audit-proof/1\"}\n";
constexpr std::size_t proof_hashes_max = 64;

// The members up to "record", without the braces.
void append_statement(std::string& out, const InclusionStatement& statement, std::string_view behind_checkpoint) {
  out += "\"checkpoint\":";
  append_json_string(out, statement.checkpoint);
  out += behind_checkpoint;
  out += ",\"index\":" + std::to_string(statement.index) + ",\"proof\":[";
  for (std::size_t i = 0; i < statement.proof.size(); ++i) {
    out += i == 0 ? "\"" : ",\"";
    out += crypto::base64_encode(statement.proof[i]) + "\"";
  }
  out += "],\"record\":";
  append_json_string(out, statement.record);
}

// Reads leniently; that the text is the one spelling of what was read is compared at the end.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool take(std::string_view expected) {
    if (!rest_.starts_with(expected)) {
      return false;
    }
    rest_.remove_prefix(expected.size());
    return true;
  }

  bool string(std::string& value) {
    if (!rest_.starts_with('"')) {
      return false;
    }
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') {
      end += rest_[end] == '\\' ? 2U : 1U;
    }
    if (end >= rest_.size()) {
      return false;
    }
    value = unescaped(rest_.substr(0, end + 1));
    rest_.remove_prefix(end + 1);
    return is_utf8(value);
  }

  bool number(std::uint64_t& value) {
    auto [end, fault] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return fault == std::errc{};
  }

  bool hashes(std::vector<Hash>& values) {
    if (!take("[")) {
      return false;
    }
    while (!take("]")) {
      std::string text;
      if ((!values.empty() && !take(",")) || !string(text) || values.size() == proof_hashes_max) {
        return false;
      }
      auto bytes = crypto::base64_decode(text);
      if (!bytes || bytes->size() != Hash{}.size()) {
        return false;
      }
      std::ranges::copy(*bytes, values.emplace_back().begin());
    }
    return true;
  }

  bool statement_behind_checkpoint(InclusionStatement& statement) {
    return take(",\"index\":") && number(statement.index) && take(",\"proof\":") && hashes(statement.proof) &&
           take(",\"record\":") && string(statement.record);
  }

  bool hand_overs(std::vector<InclusionStatement>& list) {
    if (!take("[")) {
      return false;
    }
    while (!take("]")) {
      if ((!list.empty() && !take(",")) || list.size() == hand_overs_max || !take("{\"checkpoint\":")) {
        return false;
      }
      InclusionStatement& one = list.emplace_back();
      if (!string(one.checkpoint) || !statement_behind_checkpoint(one) || !take("}")) {
        return false;
      }
    }
    return true;
  }

 private:
  std::string_view rest_;
};

// The checkpoint, if the record is in it and `key` signed it.
Result<SignedCheckpoint, std::string> check_statement(const InclusionStatement& statement, const NoteKey& key) {
  auto read = parse_checkpoint(statement.checkpoint);
  if (!read) {
    return Unexpected("the checkpoint is " + std::string(describe(read.error())));
  }
  if (read->checkpoint.origin != key.name()) {
    return Unexpected("the checkpoint is of the log " + read->checkpoint.origin + ", and the key of " + key.name());
  }
  switch (signed_by(read->note, key)) {
    case SignedBy::valid:
      break;
    case SignedBy::absent:
      return Unexpected("the checkpoint is not signed by the key " + text_of(key.id()));
    case SignedBy::invalid:
      return Unexpected("the checkpoint is not what the key " + text_of(key.id()) + " signed: it was changed");
  }
  auto root = root_by_inclusion(leaf_hash(statement.record), statement.index, read->checkpoint.size, statement.proof);
  if (root != read->checkpoint.root) {
    return Unexpected("record " + std::to_string(statement.index) +
                      " is not what was signed there: the record, its index or the proof was changed");
  }
  return std::move(*read);
}

std::optional<NoteKey> key_in(std::string_view record, std::string_view name) {
  auto key = NoteKey::parse(unescaped(find_member(record, name)));
  return key ? std::optional(std::move(*key)) : std::nullopt;
}

std::string with_line_end(std::string_view text) {
  std::string line(text);
  if (!line.ends_with('\n')) {
    line += '\n';
  }
  return line;
}

}  // namespace

std::string to_json_line(const ProofFile& file) {
  std::string hand_overs = ",\"hand_overs\":[";
  for (std::size_t i = 0; i < file.hand_overs.size(); ++i) {
    hand_overs += i == 0 ? "{" : ",{";
    append_statement(hand_overs, file.hand_overs[i], "");
    hand_overs += "}";
  }
  hand_overs += "]";
  std::string out = "{";
  append_statement(out, file.statement, hand_overs);
  return out + std::string(type_member);
}

Result<ProofFile, std::string> parse_proof_file(std::string_view text) {
  ProofFile file;
  std::string line = with_line_end(text);
  Cursor cursor(line);
  bool read = line.size() <= proof_file_bytes_max && cursor.take("{\"checkpoint\":") &&
              cursor.string(file.statement.checkpoint) && cursor.take(",\"hand_overs\":") &&
              cursor.hand_overs(file.hand_overs) && cursor.statement_behind_checkpoint(file.statement) &&
              cursor.take(type_member);
  if (!read || to_json_line(file) != line) {
    return Unexpected(std::string("not a proof that `sallyport audit prove` makes"));
  }
  return file;
}

std::string to_json_line(const InclusionStatement& statement) {
  std::string out = "{";
  append_statement(out, statement, "");
  return out + "}\n";
}

Result<InclusionStatement, std::string> parse_statement(std::string_view text) {
  InclusionStatement statement;
  std::string line = with_line_end(text);
  Cursor cursor(line);
  bool read = cursor.take("{\"checkpoint\":") && cursor.string(statement.checkpoint) &&
              cursor.statement_behind_checkpoint(statement) && cursor.take("}\n");
  if (!read || to_json_line(statement) != line) {
    return Unexpected(std::string("it is no line that a gateway writes"));
  }
  return statement;
}

Result<HandOver, std::string> open_hand_over(const InclusionStatement& change) {
  auto previous = key_in(change.record, "previous_key");
  auto next = key_in(change.record, "key");
  bool is_change = find_member(change.record, "type") == "\"audit_key_changed\"";
  if (!is_change || !previous || !next) {
    return Unexpected(std::string("a hand-over is no record of a change of key"));
  }
  auto by_old = check_statement(change, *previous);
  auto by_new = check_statement(change, *next);
  if (!by_old || !by_new) {
    return Unexpected("the change to the key " + text_of(next->id()) +
                      " is not proven: " + (!by_old ? by_old.error() : by_new.error()));
  }
  if (by_old->checkpoint.size != change.index + 1) {
    return Unexpected("the change to the key " + text_of(next->id()) +
                      " is not proven: its record is not the last one of its checkpoint");
  }
  return HandOver{.index = change.index, .previous = std::move(*previous), .next = std::move(*next)};
}

Result<ProvenRecord, std::string> check_proof(const ProofFile& file, std::string_view public_key) {
  auto newest = parse_checkpoint(file.statement.checkpoint);
  if (!newest) {
    return Unexpected("the checkpoint is " + std::string(describe(newest.error())));
  }
  bool is_pem = public_key.find("-----BEGIN") != std::string_view::npos;
  auto given = is_pem ? NoteKey::from_pem(public_key, newest->checkpoint.origin) : NoteKey::parse(public_key);
  if (!given) {
    return Unexpected("the public key can't be used: it is " + std::string(describe(given.error())));
  }
  NoteKey key = std::move(*given);
  for (const InclusionStatement& change : file.hand_overs) {
    auto previous = key_in(change.record, "previous_key");
    if (!previous || !(*previous == key)) {
      continue;  // before the time of the key that was given
    }
    auto change_of_key = open_hand_over(change);
    if (!change_of_key) {
      return Unexpected(std::move(change_of_key).error());
    }
    key = std::move(change_of_key->next);
  }
  auto checked = check_statement(file.statement, key);
  if (!checked) {
    return Unexpected(std::move(checked).error());
  }
  return ProvenRecord{.checkpoint = std::move(checked->checkpoint), .key = key.to_line()};
}

}  // namespace sallyport::audit
