#include "simulation/recording_sink.h"

#include "audit/canonical.h"
#include "crypto/hash.h"

namespace sallyport::simulation {
namespace {

std::string text_member(const identity::JsonValue& record, std::string_view name) {
  const identity::JsonValue* member = record.member(name);
  const std::string* text = member == nullptr ? nullptr : member->as_string();
  return text == nullptr ? std::string() : *text;
}

std::uint64_t number_member(const identity::JsonValue& record, std::string_view name) {
  const identity::JsonValue* member = record.member(name);
  const auto* number = member == nullptr ? nullptr : std::get_if<std::int64_t>(&member->content());
  return number == nullptr ? 0 : static_cast<std::uint64_t>(*number);
}

std::string hex(Bytes bytes) {
  std::string text;
  for (std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

void note_members(const identity::JsonValue& value, const std::string& path) {
  if (const auto* object = value.as_object()) {
    for (const auto& [name, member] : *object) {
      RecordingSink::members_seen().insert(path + "." + name);
      note_members(member, path + "." + name);
    }
  } else if (const auto* array = value.as_array()) {
    for (const auto& element : *array) {
      note_members(element, path + "[]");
    }
  }
}

}  // namespace

std::string hex_digest(std::string_view text) {
  return hex(crypto::sha256({bytes_of(text)}));
}

std::set<std::string>& RecordingSink::members_seen() {
  static std::set<std::string> members;
  return members;
}

bool RecordingSink::append(std::string_view line) {
  for (const std::string& secret : secrets_) {
    if (line.find(secret) != std::string_view::npos) {
      fail("a record contains a secret: " + std::string(line.substr(0, 400)));
    }
  }
  if (refused_left_ > 0) {
    --refused_left_;
    ++records_refused_;
    return false;
  }
  lines_.emplace_back(line);
  if (!line.ends_with("}\n") || line.find('\n') != line.size() - 1) {
    fail("a record that is not one line: " + std::string(line.substr(0, 400)));
    return true;
  }
  if (audit::canonical_json(line) != line.substr(0, line.size() - 1)) {
    fail("a record that is not in canonical form: " + std::string(line.substr(0, 400)));
  }
  auto record = identity::parse_json(line.substr(0, line.size() - 1), {.bytes_max = 1U << 30, .depth_max = 16});
  if (!record || !record->is_object()) {
    fail("a record that is no JSON object: " + std::string(line.substr(0, 400)));
    return true;
  }
  std::string type = text_member(*record, "type");
  std::uint64_t seq = number_member(*record, "seq");
  if (text_member(*record, "session") != session_id_) {
    begin_session(*record);
  }
  if (text_member(*record, "time").size() != 30 || text_member(*record, "session").empty() || seq <= last_seq_) {
    fail("a record with a bad head: " + std::string(line.substr(0, 400)));
  }
  last_seq_ = seq;
  note_members(*record, type);
  take(*record, type);
  return true;
}

void RecordingSink::begin_session(const identity::JsonValue& record) {
  std::string previous = std::exchange(session_id_, text_member(record, "session"));
  // The record that would have said more may be among those that were not taken.
  if (records_refused_ == 0 && text_member(record, "previous_session") != previous) {
    fail("a session that does not name the one that it took the place of");
  }
  if (records_refused_ == 0 && !previous.empty() && end_reason_ != "user_changed") {
    fail("a second session, but the first was ended by " + end_reason_);
  }
  by_seq_.clear();
  kills_.clear();
  last_seq_ = 0;
  ends_ = 0;
  end_reason_.clear();
  login_accepted_ = login_accepted_committed_ = started_ = start_committed_ = false;
}

void RecordingSink::take(const identity::JsonValue& record, const std::string& type) {
  std::uint64_t seq = number_member(record, "seq");
  if (ends_ > 0) {
    fail("a record behind session_end: " + type);
  }
  if (type == "login_accepted") {
    login_accepted_ = true;
  } else if (type == "login_refused") {
    ++logins_refused_;
    refusal_reason_ = text_member(record, "reason");
  } else if (type == "session_start") {
    started_ = true;
  } else if (type == "session_end") {
    ++ends_;
    end_reason_ = text_member(record, "reason");
    if (!start_committed_) {
      fail("session_end, but session_start was not committed");
    }
  } else if (type == "command") {
    Command command{.seq = seq,
                    .name = text_member(record, "command"),
                    .text = text_member(record, record.member("sent") != nullptr ? "sent" : "text"),
                    .statement_id = number_member(record, "statement_id")};
    if (const auto* parameters = record.member("parameters"); parameters != nullptr && parameters->as_array()) {
      for (const auto& parameter : *parameters->as_array()) {
        const auto* value = parameter.member("value");
        command.parameters.push_back(value == nullptr ? "?" : identity::to_json(*value));
      }
    }
    if (const auto* rows = record.member("parameter_rows"); rows != nullptr && rows->as_array()) {
      for (const auto& row : *rows->as_array()) {
        for (const auto& value : *row.as_array()) {
          const auto* is_default = value.member("default");
          command.parameters.push_back(!value.is_object()      ? identity::to_json(value)
                                       : is_default != nullptr ? "default"
                                                               : "ignore");
        }
      }
    }
    changes_user_ = changes_user_ || command.name == "change_user";
    by_seq_[seq] = commands_.size();
    commands_.push_back(std::move(command));
    if (!start_committed_) {
      fail("a command before session_start was committed");
    }
  } else if (type == "outcome") {
    auto found = by_seq_.find(number_member(record, "of"));
    if (found == by_seq_.end()) {
      fail("an outcome of a command that is not on record");
      return;
    }
    Command& command = commands_[found->second];
    take_answer(record);
    command.status = text_member(record, "status");
    if (++command.outcomes > 1) {
      fail("a second outcome of a command");
    }
  } else if (type == "kill") {
    std::uint64_t of = number_member(record, "of");
    if (of != 0 && !by_seq_.contains(of)) {
      fail("a kill of a command that is not on record");
    }
    kills_.insert(seq);
  } else if (type == "kill_outcome") {
    if (kills_.erase(number_member(record, "of")) == 0 && records_refused_ == 0) {
      fail("an outcome of a kill that is not on record");
    }
  } else {
    fail("an unknown type of record: " + type);
  }
}

bool RecordingSink::append_answer(const audit::AnswerChunk& chunk) {
  if (chunk.session != session_id_ || !by_seq_.contains(chunk.command) ||
      commands_[by_seq_[chunk.command]].outcomes > 0) {
    fail("a piece of an answer that belongs to no open command");
  }
  if (chunk.command != recorded_command_ || chunk.offset == 0) {
    recorded_.clear();
    recorded_command_ = chunk.command;
  }
  if (chunk.offset != recorded_.size() || chunk.bytes.empty()) {
    fail("a piece of an answer that does not follow on the one before");
  }
  recorded_ += text_of(chunk.bytes);
  return true;
}

void RecordingSink::take_answer(const identity::JsonValue& outcome) {
  Answer answer{.bytes = number_member(outcome, "bytes"), .sha256 = text_member(outcome, "answer_sha256")};
  if ((answer.bytes == 0) != answer.sha256.empty()) {
    fail("an answer without its digest, or a digest without an answer");
  }
  answers_.push_back(answer);
  std::string recorded = number_member(outcome, "of") == recorded_command_ ? std::exchange(recorded_, {}) : "";
  const auto* about = outcome.member("answer_recorded");
  if (about == nullptr) {
    if (!recorded.empty()) {
      fail("an outcome that does not say what of its answer is recorded");
    }
    return;
  }
  if (number_member(*about, "bytes") != recorded.size() || text_member(*about, "sha256") != hex_digest(recorded) ||
      about->member("failed") != nullptr ||
      (recorded.size() == answer.bytes && text_member(*about, "sha256") != answer.sha256)) {
    fail("what is recorded of an answer is not what its outcome says");
  }
}

void RecordingSink::commit() {
  for (; commands_committed_ < commands_.size(); ++commands_committed_) {
    commands_[commands_committed_].committed = true;
  }
  login_accepted_committed_ = login_accepted_;
  start_committed_ = started_;
}

void RecordingSink::check_end() {
  if (records_refused_ > 0) {
    return;  // what is missing was refused
  }
  for (const Command& command : commands_) {
    if (command.outcomes != 1) {
      fail("command " + std::to_string(command.seq) + " (" + command.name + ") has " +
           std::to_string(command.outcomes) + " outcomes");
    }
  }
  if (start_committed_ && ends_ != 1 && logins_refused_ == 0) {
    fail("session_start was committed, but there are " + std::to_string(ends_) + " session_end records");
  }
}

}  // namespace sallyport::simulation
