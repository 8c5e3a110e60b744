// An audit sink that checks what is written to it: the canonical form of records, their numbering, that each command
// has one outcome, and that no secret is in them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "audit/sink.h"
#include "identity/json.h"

namespace sallyport::simulation {

// The SHA-256 of a text, in hexadecimal.
std::string hex_digest(std::string_view text);

class RecordingSink final : public audit::Sink {
 public:
  struct Command {
    std::uint64_t seq = 0;
    std::string name;
    std::string text;
    std::uint64_t statement_id = 0;
    bool committed = false;
    std::uint32_t outcomes = 0;
    std::string status;                   // of the outcome
    std::vector<std::string> parameters;  // values as JSON
  };

  // Texts that no record may contain.
  explicit RecordingSink(std::vector<std::string> secrets) : secrets_(std::move(secrets)) {}

  bool append(std::string_view line) override;
  bool append_answer(const audit::AnswerChunk& chunk) override;
  // What was appended so far is durable.
  void commit();
  // Records that are not taken from now on, for want of room.
  void refuse(std::uint32_t records) { refused_left_ = records; }
  std::uint32_t records_refused() const { return records_refused_; }

  // To be called when the session has ended.
  void check_end();

  const std::vector<Command>& commands() const { return commands_; }
  bool login_accepted_committed() const { return login_accepted_committed_; }
  std::uint32_t logins_refused() const { return logins_refused_; }
  bool session_started() const { return start_committed_; }
  const std::string& end_reason() const { return end_reason_; }
  const std::string& refusal_reason() const { return refusal_reason_; }
  const std::string& error() const { return error_; }
  // What the outcomes say of the answers, one after the other.
  struct Answer {
    std::uint64_t bytes = 0;
    std::string sha256;  // in hexadecimal; empty of an empty answer
  };
  const std::vector<Answer>& answers() const { return answers_; }
  bool changes_user() const { return changes_user_; }
  const std::vector<std::string>& lines() const { return lines_; }

  // Every member that occurred in any run of this process, as "type.member" with "[]" for elements of arrays.
  static std::set<std::string>& members_seen();

 private:
  // COM_CHANGE_USER begins another session.
  void begin_session(const identity::JsonValue& record);
  void take(const identity::JsonValue& record, const std::string& type);
  void take_answer(const identity::JsonValue& outcome);
  void fail(const std::string& what) {
    if (error_.empty()) {
      error_ = what;
    }
  }

  std::vector<std::string> secrets_;
  std::vector<std::string> lines_;
  std::vector<Command> commands_;
  std::vector<Answer> answers_;
  std::string recorded_;  // of the answer to recorded_command_
  std::uint64_t recorded_command_ = 0;
  bool changes_user_ = false;
  std::map<std::uint64_t, std::size_t> by_seq_;  // of this session
  std::set<std::uint64_t> kills_;                // of this session, without an outcome: their seq
  std::string session_id_;
  std::size_t commands_committed_ = 0;
  std::uint64_t last_seq_ = 0;
  std::uint32_t refused_left_ = 0;
  std::uint32_t records_refused_ = 0;
  std::uint32_t logins_refused_ = 0;
  bool login_accepted_ = false;
  bool login_accepted_committed_ = false;
  bool started_ = false;
  bool start_committed_ = false;
  std::uint32_t ends_ = 0;
  std::string end_reason_;
  std::string refusal_reason_;
  std::string error_;
};

}  // namespace sallyport::simulation
