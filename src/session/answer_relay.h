// Passes one answer of the server on to the client, in place where the two legs agree, rewritten where they negotiated
// different things (CLIENT_DEPRECATE_EOF, session tracking, MARIADB CACHE_METADATA).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "session/answer_trace.h"
#include "session/input_buffer.h"
#include "session/output_queue.h"
#include "session/reason.h"
#include "session/tracked_state.h"
#include "wire/response.h"
#include "wire/response_reader.h"

namespace sallyport::session {

// The capabilities negotiated on each leg.
struct Legs {
  wire::Capabilities client = 0;
  wire::Capabilities backend = 0;
};

// What an answer came to.
struct AnswerTotals {
  std::uint64_t affected_rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t uploaded_bytes = 0;  // of a file of the client's
  std::uint32_t results = 0;
  std::uint32_t warnings = 0;
  std::optional<std::uint16_t> error_code;
  std::string error_sql_state;
  std::string error_message;
  std::optional<wire::PrepareOk> prepared;
};

// The definitions of a result's columns: packets as they were sent, one behind the other, their sequence ids zero.
using ColumnDefinitions = std::vector<std::uint8_t>;

// No more is kept of what a client was sent of a statement: longer definitions are sent each time.
inline constexpr std::size_t cached_definitions_bytes_max = 4096;

class AnswerRelay {
 public:
  // The sequence ids that the answer's first packet bears: they differ where the command was sent on in other frames
  // than it came in.
  struct FirstSequenceIds {
    std::uint8_t client;
    std::uint8_t backend;
  };
  // How much of an answer the client may read; 0: no bound.
  struct Bounds {
    std::uint64_t rows_max = 0;
    std::uint64_t bytes_max = 0;
  };
  // Begins the answer to `command`.
  void start(wire::Command command, const Legs& legs, FirstSequenceIds first, const Bounds& bounds);

  // Behind start(): what is told of all that is queued for the client. It must outlive the answer.
  void tell(AnswerTrace& trace) { trace_ = &trace; }
  // Behind start(), of an execution: it asks for a cursor.
  void expect_cursor() { reader_.expect_cursor(); }
  // Behind start(), of an execution: what the client knows of the statement's columns, nothing where that is not
  // certain. A client with MARIADB CACHE_METADATA is not sent it again.
  void leave_out_known_definitions(ColumnDefinitions known) {
    leaves_out_known_ = true;
    known_definitions_ = std::move(known);
  }
  // The same, behind the answer to a prepare or an execution.
  ColumnDefinitions take_known_definitions() { return std::exchange(known_definitions_, {}); }

  // The answer is one of several that the client takes for one: each OK and EOF of it says that more follow.
  void announce_more_results() { more_results_follow_ = true; }

  // file_requested: the server asks for the file requested_file(); pass_request(), refuse_request() or drop_request().
  enum class Step : std::uint8_t { more, done, file_requested };
  // Takes as much as there is from `from` and queues it for the client. Stops early, with Step::more, when packets made
  // here fill the queue; call again once some were sent. Error: backend_violation, the answer can't go on.
  Result<Step, Reason> relay(InputBuffer& from, OutputQueue& to, TrackedState& state);

  // The file at the front of `from`; only behind Step::file_requested, as the next three.
  std::string_view requested_file(const InputBuffer& from) const;
  // Hands the request to the client. The sequence id that the client's file begins with.
  std::uint8_t pass_request(InputBuffer& from, OutputQueue& to);
  // The client gets an error instead, and nothing more of this answer. The sequence id that an empty file for the
  // server bears.
  std::uint8_t refuse_request(OutputQueue& to);
  // As refuse_request(), where the client has had its error.
  std::uint8_t decline_request(OutputQueue& to);
  // The session is about to end.
  void drop_request(OutputQueue& to);
  void count_upload(std::uint64_t bytes) { totals_.uploaded_bytes = bytes; }
  // The file has been sent; the client numbers what follows from this.
  void file_sent(std::uint8_t client_sequence_id) {
    reader_.resume(static_cast<std::uint8_t>(client_sequence_id - shift_));
  }
  // What the client's numbers are ahead of those to the server.
  std::uint8_t client_shift() const { return shift_; }

  // Whether the client has got whole packets only, so that an ERR packet can follow.
  bool at_packet_boundary() const { return cut_ || reader_.at_packet_boundary(); }
  // What an ERR packet bears that ends the answer now; 1, as the answer to the next command, when all that the client
  // waits for was sent and only an EOF of the server's is missing, which is not for the client.
  std::uint8_t error_sequence_id() const { return client_is_answered() ? std::uint8_t{1} : next_client_sequence_id(); }
  // Of the server's next packet, where it has sent whole ones only.
  std::uint8_t next_backend_sequence_id() const { return reader_.next_sequence_id(); }
  bool done() const { return reader_.done(); }
  // Complete rows that were sent to the client.
  std::uint64_t rows() const { return cut_ ? rows_sent_ : reader_.rows(); }
  // Whether the answer exceeded its bounds: the client got an error in place of its rest.
  bool cut() const { return cut_ && !request_refused_ && !interrupted_; }
  bool request_refused() const { return request_refused_; }
  // The client gets the error of `reason` in place of what is missing of the answer, at once or as soon as its stream
  // stands between packets; what the server still sends is dropped. Nothing where the client has all that it is due.
  void interrupt(Reason reason, OutputQueue& to, const TrackedState& state);
  // The same, not before the next relay(): the client sends its file.
  void interrupt_later(Reason reason) { interrupt_due_ = reason; }
  bool interrupted() const { return interrupted_; }
  // Whether the client has got an error in place of what the server still sends.
  bool is_cut_short() const { return cut_; }
  const AnswerTotals& totals() const { return totals_; }

 private:
  using Packet = wire::ResponseReader::Step;

  std::uint8_t next_client_sequence_id() const {
    return static_cast<std::uint8_t>(reader_.next_sequence_id() + shift_);
  }
  bool client_is_answered() const {
    return cut_ || (totals_.prepared && definitions_left_ == 0 && client_ends_with_ok());
  }
  bool exceeds_bounds(const Packet& row) const;
  void cut(const Packet& row, OutputQueue& to, const TrackedState& state);
  void answer_with_error(Reason reason, OutputQueue& to);
  std::uint8_t number_empty_file();
  void interrupt_if_due(OutputQueue& to, const TrackedState& state);
  Result<Unit, Reason> discard(const Packet& packet, InputBuffer& from, OutputQueue& to, TrackedState& state);
  Result<Step, Reason> relay_packets(InputBuffer& from, OutputQueue& to, TrackedState& state);
  void forward(const Packet& packet, InputBuffer& from, OutputQueue& to);
  void forward(std::size_t count, InputBuffer& from, OutputQueue& to);
  // Queues what was appended to to.made() from `before` on.
  void queue_made(std::size_t before, OutputQueue& to);
  void tell_run();
  void drop(const Packet& packet, OutputQueue& to);
  void insert_eof(OutputQueue& to, std::uint16_t status_flags, std::uint16_t warnings);
  void insert_ok(OutputQueue& to, const wire::OkPacket& ok);
  Result<Unit, Reason> handle(const Packet& packet, InputBuffer& from, OutputQueue& to, TrackedState& state);
  Result<Unit, Reason> handle_end(const Packet& packet, InputBuffer& from, OutputQueue& to, TrackedState& state);
  Result<Unit, Reason> handle_ok(const Packet& packet, const wire::OkPacket& ok, InputBuffer& from, OutputQueue& to,
                                 TrackedState& state);
  void note_prepare(const wire::PrepareOk& ok, OutputQueue& to, const TrackedState& state);
  // Column definitions (answer_definitions.cpp).
  enum class DefinitionsFollow : std::uint8_t { no, yes };
  enum class Handling : std::uint8_t {
    pass,
    note,  // they pass, and are added to known_definitions_
    hold   // neither they nor the count of columns have been sent, as they are those of known_definitions_ so far
  };
  void begin_definitions(const Packet& packet, const wire::ResultHeader& header, InputBuffer& from, OutputQueue& to,
                         const TrackedState& state);
  void pass_definition(const Packet& packet, InputBuffer& from, OutputQueue& to);
  void count_definition(wire::PacketKind kind, OutputQueue& to, const TrackedState& state);
  bool is_next_known(Bytes frame) const;
  void break_off_definitions();
  void forget_definitions();
  void end_definitions(wire::PacketKind kind, OutputQueue& to, const TrackedState& state);
  void write_header(DefinitionsFollow follow, OutputQueue& to);
  void write_held(OutputQueue& to);
  std::uint16_t added_flags() const {
    return more_results_follow_ ? wire::status::more_results_exist : std::uint16_t{0};
  }
  bool caches_definitions() const { return wire::has(legs_.client, wire::capability::mariadb_cache_metadata); }
  bool client_ends_with_ok() const { return wire::has(legs_.client, wire::capability::deprecate_eof); }
  bool backend_ends_with_ok() const { return wire::has(legs_.backend, wire::capability::deprecate_eof); }

  wire::ResponseReader reader_;
  Legs legs_;
  std::uint8_t shift_ = 0;  // client's sequence id minus backend's, modulo 256
  std::uint64_t definitions_left_ = 0;
  std::uint64_t prepare_columns_left_ = 0;
  bool leaves_out_known_ = false;
  Handling handling_ = Handling::pass;
  std::uint64_t result_columns_ = 0;
  ColumnDefinitions known_definitions_;
  std::size_t known_bytes_met_ = 0;  // while they are held
  bool more_results_follow_ = false;
  bool columns_end_due_ = false;  // the client is due an EOF behind the column definitions that the server left out
  std::uint64_t rows_before_result_ = 0;
  Bounds bounds_;
  bool cut_ = false;
  bool request_refused_ = false;
  bool interrupted_ = false;
  std::optional<Reason> interrupt_due_;
  std::size_t request_bytes_ = 0;  // of the packet that asks for a file
  std::uint64_t rows_sent_ = 0;    // when it was cut
  AnswerTotals totals_;
  AnswerTrace* trace_ = nullptr;
  Bytes run_;  // forwarded and not told to trace_ yet; it lies in the input buffer, which does not change meanwhile
};

}  // namespace sallyport::session
