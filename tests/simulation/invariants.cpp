// What is checked after each event of a simulated session, and at its end.
#include <algorithm>

#include "simulation/world.h"

namespace sallyport::simulation {
namespace {

// What may be queued for the client in packets made by the gateway: the relay's and the refusals' limit, and one
// packet that exceeds it.
constexpr std::size_t made_bytes_max = (256U << 10) + wire::control_packet_bytes_max + 1024;

// All buffers of a session whose commands are small: a whole control packet of the server's on its way, what is made
// for either peer (vectors double), and the client's messages.
constexpr std::size_t buffer_bytes_max = 2 * (64U << 10) + wire::control_packet_bytes_max + 4 * made_bytes_max;

// The server's number in the place of the client's.
bool is_same_text(const std::string& record, const std::string& got) {
  return record == got || (record == "KILL QUERY 2147483653" && got == "KILL QUERY 77");
}

// The gateway answers these itself.
bool never_forwarded(std::string_view command) {
  return command == "set_option" || command == "change_user";
}

}  // namespace

// Of its own accord the session says goodbye to the server, and nothing else.
bool World::says_goodbye() {
  std::array<Bytes, 2> pieces;
  constexpr std::array<std::uint8_t, 5> com_quit{1, 0, 0, 0, 1};
  return session_->backend_output().gather(pieces) == 1 &&
         std::equal(pieces[0].begin(), pieces[0].end(), com_quit.begin(), com_quit.end());
}

// Or asks it how it reads.
bool World::asks_server() {
  std::array<Bytes, 8> pieces;
  std::size_t filled = session_->backend_output().gather(pieces);
  return std::any_of(pieces.begin(), pieces.begin() + filled, [](Bytes piece) {
    return text_of(piece).find(session::state_query_text) != std::string_view::npos;
  });
}

void World::check() {
  fail(sink_.error());
  fail(client_.error());
  if (!raw_backend_login_) {
    fail(backend_.error());
  }
  session::OutputQueue& to_backend = session_->backend_output();
  std::uint64_t queued = backend_bytes_ + to_backend.size();
  bool uploads = !sink_.commands().empty() && sink_.commands().back().text.starts_with("LOAD DATA LOCAL") &&
                 sink_.commands().back().outcomes == 0;
  bool settles = circumstances_.statements_are_stopped;  // COM_PING, COM_STMT_CLOSE, or an empty file
  bool leaves = (close_backend_requested_ || !connected_) && says_goodbye();
  if (queued > 0 && !leaves && (!token_verified_ || !sink_.login_accepted_committed())) {
    fail("bytes for the backend before the token was verified and the login committed");
  }
  bool resets = !sink_.commands().empty() && sink_.commands().back().name == "reset_connection" &&
                sink_.commands().back().outcomes == 0;
  if (command_phase_before_ && queued > backend_bytes_queued_before_ && last_event_ != Event::commit && !resets &&
      !leaves && !uploads && !settles && !asks_server()) {
    fail("bytes for the backend without a commit");
  }
  backend_bytes_queued_before_ = std::max(queued, backend_bytes_queued_before_);
  command_phase_before_ = command_phase_before_ || (sink_.session_started() && session_->idle());
  if (session_->client_output().made_bytes() > made_bytes_max) {
    fail("packets made for the client exceed their limit");
  }
  if (to_backend.made_bytes() > made_bytes_max) {
    fail("packets made for the backend exceed their limit");
  }
  if (session_->buffer_bytes() > buffer_bytes_max) {
    fail("the session's buffers exceed their limits");
  }
  if (!raw_backend_login_) {
    check_forwarded();
  }
}

const RecordingSink::Command* World::next_forwarded() const {
  std::size_t ahead = backend_.received().size() - received_checked_;
  for (std::size_t i = records_checked_; i < sink_.commands().size(); ++i) {
    const RecordingSink::Command& record = sink_.commands()[i];
    if (record.status != "denied" && !never_forwarded(record.name) && ahead-- == 0) {
      return &record;
    }
  }
  return nullptr;
}

// Each command that the server got stands in a committed record, in the same order and with the same content.
void World::check_forwarded() {
  const auto& received = backend_.received();
  const auto& records = sink_.commands();
  for (; received_checked_ < received.size(); ++received_checked_) {
    const FakeBackend::Received& command = received[received_checked_];
    std::string_view got = wire::name_of(wire::command_from_byte(command.opcode));
    // Where the log had no room, the outcome that says "denied" may be missing of a command that is over.
    auto not_forwarded = [&](std::size_t index) {
      const RecordingSink::Command& record = records[index];
      bool lost = record.status.empty() && sink_.records_refused() > 0 && index + 1 < records.size();
      return record.status == "denied" || never_forwarded(record.name) || (lost && record.name != got);
    };
    while (records_checked_ < records.size() && not_forwarded(records_checked_)) {
      ++records_checked_;
    }
    if (records_checked_ == records.size() || !records[records_checked_].committed) {
      fail("the server got a command that is not on committed record");
      return;
    }
    const RecordingSink::Command& record = records[records_checked_++];
    wire::Command code = wire::command_from_byte(command.opcode);
    bool texts = code == wire::Command::query || code == wire::Command::stmt_prepare || code == wire::Command::init_db;
    // COM_PROCESS_KILL goes on as the statement.
    bool is_kill = record.name == wire::name_of(wire::Command::process_kill) && code == wire::Command::query &&
                   command.text.starts_with("KILL CONNECTION ");
    if (is_kill) {
      continue;
    }
    if (record.name != wire::name_of(code) || (!raw_ && texts && !is_same_text(record.text, command.text))) {
      fail("the server got " + std::string(wire::name_of(code)) + " '" + command.text + "', on record is " +
           record.name + " '" + record.text + "'");
    }
    for (std::size_t i = 0; i < command.values.size(); ++i) {
      const std::string& value = command.values[i];
      std::string recorded = i < record.parameters.size() ? record.parameters[i] : "missing";
      if (recorded != value && recorded != "\"" + value + "\"" && !(recorded == "?" && value.starts_with("long "))) {
        fail("the server read the parameter " + value + ", on record is " + recorded);
      }
    }
  }
}

void World::check_end() {
  if (!failure_.empty()) {
    return;
  }
  if (!session_->ended()) {
    fail("the session did not end");
  }
  if (connected_ && !close_backend_requested_ && !spare_) {
    fail("the backend's connection was not closed");
  }
  sink_.check_end();
  fail(sink_.error());
  check_answers();
}

void World::check_answers() {
  // Where the client says goodbye it gets all that was queued for it, and the last of it is the last answer; but for
  // one that reads no more.
  if (raw_ || !session_->client_output().empty() || sink_.end_reason() != "client_quit" ||
      sink_.records_refused() > 0 || sink_.changes_user()) {
    return;
  }
  std::uint64_t bytes = 0;
  for (const RecordingSink::Answer& answer : sink_.answers()) {
    bytes += answer.bytes;
  }
  if (bytes > client_stream_.size()) {
    // The client may have left before it had read all.
    return;
  }
  std::size_t at = client_stream_.size() - bytes;
  for (const RecordingSink::Answer& answer : sink_.answers()) {
    std::string_view got = std::string_view(client_stream_).substr(at, answer.bytes);
    at += answer.bytes;
    if (!answer.sha256.empty() && answer.sha256 != hex_digest(got)) {
      fail("the digest of an answer is not that of what the client got");
    }
  }
}

}  // namespace sallyport::simulation
