#include "review/replay.h"

#include <algorithm>
#include <array>

#include "base/command_names.h"
#include "base/hex.h"
#include "crypto/hash.h"
#include "review/display_text.h"
#include "review/show.h"
#include "review/time_range.h"
#include "wire/response_reader.h"

namespace sallyport::review {
namespace {

namespace json = boost::json;

std::string safe(std::string_view text) {
  return for_terminal(text, Lines::escaped);
}

wire::Command command_of(std::string_view name) {
  for (int byte = 0; byte < 256; ++byte) {
    wire::Command command = wire::command_from_byte(static_cast<std::uint8_t>(byte));
    if (command != wire::Command::unknown && wire::name_of(command) == name) {
      return command;
    }
  }
  return wire::Command::unknown;
}

// Whether an answer is read to its end under these capabilities, with nothing left over.
bool reads_whole(wire::Command command, Bytes packets, wire::Capabilities capabilities) {
  wire::ResponseReader reader;
  reader.start(command, capabilities, packets.size() > 3 ? packets[3] : std::uint8_t{1});
  while (!reader.done()) {
    auto step = reader.next(packets);
    if (!step) {
      return false;
    }
    if (step->bytes == 0) {
      return true;  // not whole, but right so far
    }
    bool defines = step->kind == wire::PacketKind::column_definition || step->kind == wire::PacketKind::prepare_column;
    Bytes payload = packets.first(step->bytes).subspan(std::min(step->bytes, wire::frame_header_bytes));
    if (defines && !wire::parse_column_definition(payload, capabilities)) {
      return false;
    }
    packets = packets.subspan(step->bytes);
  }
  return packets.empty();
}

json::object object_of(const json::object& record, std::string_view name) {
  const json::value* value = record.if_contains(name);
  return value != nullptr && value->is_object() ? value->get_object() : json::object{};
}

class Replay {
 public:
  Replay(const SessionStory& story, const FindAnswer& find, const AnswerLimits& limits)
      : story_(story), find_(find), limits_(limits) {
    const json::value* given = story.start.if_contains("client_capabilities");
    if (given != nullptr) {
      capabilities_ = number_of(story.start, "client_capabilities");
    }
    for (const StoryEvent& event : story.events) {
      if (event.kind == StoryEvent::Kind::command) {
        by_seq_[number_of(event.record, "seq")] = &event;
      }
    }
  }

  std::string opening() const {
    const json::object& login = story_.login;
    std::string out = "-- session " + safe(story_.id) + "\n-- " + shown_time(login.empty() ? 0 : time_of(login)) +
                      " UTC, account " + safe(text_of(login, "account")) + ", client " +
                      safe(text_of(login, "client")) + ", connection " + safe(text_of(login, "connection")) + "\n";
    return login.empty() ? "-- session " + safe(story_.id) + ", which began before what the log holds\n" : out;
  }

  std::string sent(const StoryEvent& event) const {
    const json::object& record = event.record;
    std::string command = text_of(record, "command");
    std::string schema = text_of(record, "schema");
    std::string prompt = (schema.empty() ? "(none)" : safe(schema)) + "> ";
    std::string text = for_terminal(text_of(statement_of(record), "text"), Lines::kept);
    if (command == "query") {
      return prompt + text + ";\n";
    }
    std::string out = prompt + "[" + safe(command);
    out += record.contains("statement_id") ? " " + std::to_string(number_of(record, "statement_id")) : "";
    out += "]" + (text.empty() ? "" : " " + text) + "\n";
    std::string parameters = shown_parameters(record);
    return out + (parameters.empty() ? "" : "  with " + safe(parameters) + "\n");
  }

  // What the client got, as far as it is known.
  Result<std::string, std::string> got(const StoryEvent& event) {
    if (!event.outcome) {
      return std::string("(no outcome on record)\n\n");
    }
    const json::object& outcome = *event.outcome;
    std::string text;
    if (number_of(outcome, "bytes") > 0) {
      auto answer = recorded_answer(event);
      if (!answer) {
        return answer;
      }
      text = std::move(*answer);
    }
    if (text_of(outcome, "status") == "aborted") {
      text += "(aborted: " + safe(text_of(outcome, "reason")) + ")\n";
    }
    return text + "(" + shown_duration(static_cast<std::int64_t>(number_of(outcome, "duration_us")) * 1000) + ")\n\n";
  }

 private:
  const json::object& statement_of(const json::object& record) const {
    auto place = by_seq_.find(number_of(record, "prepared_seq"));
    return has_text(record, "text") || place == by_seq_.end() ? record : place->second->record;
  }

  Result<std::string, std::string> recorded_answer(const StoryEvent& event) {
    const json::object& outcome = *event.outcome;
    std::string digest = text_of(object_of(outcome, "answer_recorded"), "sha256");
    std::uint64_t recorded = number_of(object_of(outcome, "answer_recorded"), "bytes");
    auto found = find_({.session = story_.id,
                        .command_seq = number_of(event.record, "seq"),
                        .command_number = event.number,
                        .outcome_number = event.outcome_number,
                        .recorded_bytes = recorded});
    if (!found) {
      return Unexpected(std::move(found).error());
    }
    if (!found->wanted_key.empty()) {
      return "(the answer is encrypted with the key " + found->wanted_key + ", which was not given: --answers-key)\n";
    }
    if (!found->bytes) {
      return recorded > 0 ? missing(outcome, found->files) : unrecorded(outcome);
    }
    const std::string& packets = *found->bytes;
    std::string note;
    if (digest.empty() || packets.size() != recorded || to_hex(crypto::sha256({bytes_of(packets)})) != digest) {
      note = "(what is stored of the answer is not what the log says was recorded: it was altered, or is not whole)\n";
    }
    wire::Command command = command_of(text_of(event.record, "command"));
    wire::Capabilities capabilities = capabilities_ ? *capabilities_ : guess_capabilities(command, bytes_of(packets));
    bool is_prepare = command == wire::Command::stmt_prepare;
    const json::object& numbered = is_prepare ? outcome : event.record;
    RecordedAnswer answer{.command = command,
                          .statement_id = numbered.contains("statement_id")
                                              ? std::optional(number_of(numbered, "statement_id"))
                                              : std::nullopt,
                          .may_open_cursor = command == wire::Command::stmt_execute,
                          .packets = bytes_of(packets),
                          .capabilities = capabilities,
                          .is_whole = packets.size() == number_of(outcome, "bytes")};
    return note + print_answer(answer, known_, limits_);
  }

  // Of an answer that is on record, and can't be shown.
  static std::string missing(const json::object& outcome, const std::vector<std::string>& files) {
    std::string names;
    for (const std::string& file : files) {
      names += (names.empty() ? "" : ", ") + file;
    }
    return "(the answer was recorded, but is missing: it is not in " +
           (names.empty() ? "what is left of the log" : safe(names)) + ")\n" + told(outcome, show_outcome(outcome));
  }

  static std::string unrecorded(const json::object& outcome) {
    return told(outcome, "the answer was not recorded: " + show_outcome(outcome));
  }

  // What the outcome tells of an answer that can't be shown.
  static std::string told(const json::object& outcome, const std::string& otherwise) {
    std::string status = text_of(outcome, "status");
    if (has_text(outcome, "error")) {
      return "ERROR " + std::to_string(number_of(outcome, "error_code")) + " (" + safe(text_of(outcome, "sql_state")) +
             "): " + safe(text_of(outcome, "error")) + "\n";
    }
    if (status == "denied") {
      return "(denied: " + safe(text_of(outcome, "reason")) + ")\n";
    }
    return "(" + otherwise + ")\n";
  }

  const SessionStory& story_;
  const FindAnswer& find_;
  const AnswerLimits& limits_;
  std::optional<wire::Capabilities> capabilities_;
  std::map<std::uint64_t, const StoryEvent*> by_seq_;
  KnownColumns known_;
};

std::string shown_other(const StoryEvent& event) {
  std::string type = text_of(event.record, "type");
  if (type == "session_end" || type == "login_refused") {
    std::string detail = text_of(event.record, "detail");
    return "-- " + std::string(type == "session_end" ? "end: " : "refused: ") + safe(text_of(event.record, "reason")) +
           (detail.empty() ? "" : ", " + safe(detail)) + "\n";
  }
  if (type == "kill" || type == "kill_outcome") {
    return "-- " + safe(type) + ": " + safe(text_of(event.record, type == "kill" ? "text" : "status")) + "\n";
  }
  return "";
}

}  // namespace

wire::Capabilities guess_capabilities(wire::Command command, Bytes packets) {
  using namespace wire::capability;  // NOLINT(google-build-using-namespace)
  constexpr wire::Capabilities common =
      protocol_41 | transactions | secure_connection | multi_results | ps_multi_results;
  constexpr std::array<wire::Capabilities, 3> results{0, optional_resultset_metadata, mariadb_cache_metadata};
  constexpr wire::Capabilities none = 0;
  for (wire::Capabilities metadata : results) {
    for (wire::Capabilities extended : {none, mariadb_extended_metadata}) {
      for (wire::Capabilities eof : {deprecate_eof, none}) {
        for (wire::Capabilities track : {session_track, none}) {
          wire::Capabilities guess = common | metadata | extended | eof | track;
          if (reads_whole(command, packets, guess)) {
            return guess;
          }
        }
      }
    }
  }
  return common;
}

Result<Unit, std::string> replay(const SessionStory& story, const FindAnswer& find, const AnswerLimits& limits,
                                 const std::function<bool(const ReplayStep&)>& show) {
  Replay made{story, find, limits};
  std::int64_t began = story.events.empty() ? 0 : time_of(story.events.front().record);
  if (!show({.time = began, .text = made.opening()})) {
    return Unit{};
  }
  for (const StoryEvent& event : story.events) {
    if (event.kind == StoryEvent::Kind::other) {
      std::string text = shown_other(event);
      if (!text.empty() && !show({.time = time_of(event.record), .text = std::move(text)})) {
        return Unit{};
      }
      continue;
    }
    if (!show({.time = time_of(event.record), .text = made.sent(event)})) {
      return Unit{};
    }
    auto got = made.got(event);
    if (!got) {
      return Unexpected(std::move(got).error());
    }
    if (!show({.time = event.outcome ? time_of(*event.outcome) : time_of(event.record), .text = std::move(*got)})) {
      return Unit{};
    }
  }
  return Unit{};
}

}  // namespace sallyport::review
