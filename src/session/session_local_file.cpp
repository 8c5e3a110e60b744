// LOAD DATA LOCAL: the server's request for a file, and the file on its way. A request is passed on only where the text
// that was decided about names that very file; a server can ask for any at any time.
#include <algorithm>

#include "session/session.h"

namespace sallyport::session {
namespace {

// In any letters' case, and anywhere: within comments that a server might execute, or behind a version number.
bool mentions(std::string_view text, std::string_view word) {
  return std::search(text.begin(), text.end(), word.begin(), word.end(),
                     [](char left, char right) { return (left & ~0x20) == right; }) != text.end();
}

}  // namespace

void Session::read_local_file(std::string_view text, PendingCommand& pending) const {
  if (!wire::has(legs_.backend, wire::capability::local_files)) {
    return;
  }
  if (auto file = wire::local_file_of(text)) {
    pending.local_file = *file;
  } else {
    pending.may_load = may_load_file(text);
  }
}

// EXECUTE: of a text in a variable.
bool Session::may_load_file(std::string_view text) {
  return text.empty() || mentions(text, "LOAD") || mentions(text, "EXECUTE");
}

void Session::process_file_request() {
  auto* answering = phase<Answering>();
  AnswerRelay& relay = answering->relay;
  const PendingCommand& pending = answering->pending;
  bool possible = wire::has(legs_.backend, wire::capability::local_files) && !relay.is_cut_short();
  bool is_named = !pending.local_file.empty() && relay.requested_file(from_backend_) == pending.local_file;
  if (possible && is_named) {
    answering->upload.emplace(relay.pass_request(from_backend_, to_client_));
    answering->pending.local_file.clear();
    answering->pending.may_load = true;  // in a second statement of the text
    process_upload();
  } else if (possible && pending.may_load) {
    wire::PacketWriter writer{to_backend_.made()};
    writer.begin(relay.refuse_request(to_client_));
    writer.end();
    to_backend_.queue_made();
    process_answer();
  } else if (relay.interrupted() && (is_named || pending.may_load)) {
    wire::PacketWriter writer{to_backend_.made()};
    writer.begin(relay.decline_request(to_client_));
    writer.end();
    to_backend_.queue_made();
    process_answer();
  } else {
    relay.drop_request(to_client_);
    end_session(Reason::backend_violation, "the server asked for a file that no statement names");
  }
}

void Session::process_upload() {
  auto* answering = phase<Answering>();
  while (answering->upload && !answering->upload->done()) {
    wire::UploadReader& upload = *answering->upload;
    auto step = upload.next(Bytes{from_client_.unclaimed()});
    answering->relay.count_upload(upload.bytes());
    if (!step) {
      end_session(Reason::client_violation);
      return;
    }
    if (step->bytes == 0) {
      return;
    }
    if (upload.bytes() > environment_->limits.local_file_bytes_max) {
      end_session(Reason::local_file_too_large);
      return;
    }
    if (step->frame_starts) {
      std::uint8_t& sequence_id = from_client_.unclaimed()[3];
      sequence_id = static_cast<std::uint8_t>(sequence_id - answering->relay.client_shift());
    }
    to_backend_.forward(step->bytes);
  }
  if (answering->upload) {
    answering->relay.file_sent(answering->upload->next_sequence_id());
    answering->upload.reset();
    process_answer();
  }
}

}  // namespace sallyport::session
