// Follows the packets of one answer as they stream in, without needing a row to be whole.
//
// Source: MySQL source documentation, "Command Phase": the shape of the answer to each command.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/capabilities.h"
#include "wire/command.h"
#include "wire/frame.h"
#include "wire/response.h"

namespace sallyport::wire {

// What the next packet of an answer is.
enum class PacketKind : std::uint8_t {
  ok,                 // ends the answer, or this result when more follow
  err,                // ends the answer
  column_count,       // starts a result set
  column_definition,  // of a result set or of COM_FIELD_LIST
  columns_end,        // EOF behind the column definitions, without CLIENT_DEPRECATE_EOF only
  row,                // or a part of one
  rows_end,           // EOF, or OK under CLIENT_DEPRECATE_EOF; ends the answer, or this result when more follow
  prepare_ok,
  prepare_parameter,       // a column definition of a parameter
  prepare_parameters_end,  // EOF, without CLIENT_DEPRECATE_EOF only
  prepare_column,
  prepare_columns_end,  // EOF, without CLIENT_DEPRECATE_EOF only
  local_infile,         // the server asks for a file
  text,                 // COM_STATISTICS: a bare text, ends the answer
  progress              // a report of MariaDB's, between any two packets of an answer; under mariadb_progress only
};

enum class ResponseError : std::uint8_t {
  wrong_sequence_id,
  malformed,
  packet_too_large  // a packet that must be read whole exceeds control_packet_bytes_max
};

// Packets other than rows are read whole; none of them has reason to be larger.
inline constexpr std::size_t control_packet_bytes_max = 1U << 20;

class ResponseReader {
 public:
  // Begins the answer to `command`. `negotiated` with the server. The answer's sequence ids go on from the command's:
  // from 1, or more when the command took several frames. Not for COM_CHANGE_USER: its answer is an authentication.
  void start(Command command, Capabilities negotiated, std::uint8_t first_sequence_id = 1);

  bool done() const { return state_ == State::done; }
  // Behind start(): the execution asks for a cursor.
  void expect_cursor() { may_open_cursor_ = true; }
  // Behind PacketKind::local_infile: the client has sent what was asked for, the answer goes on with this sequence id.
  void resume(std::uint8_t sequence_id);
  std::uint64_t rows() const { return rows_; }  // complete rows so far, over all results

  struct Step {
    PacketKind kind;
    std::size_t bytes;   // to take from the front; 0: more bytes are needed (kind is then of no meaning)
    bool packet_starts;  // the bytes start with the packet's first frame header
    bool packet_ends;
  };

  // Looks at the front of the stream. Packets other than rows are reported whole: their payload is
  // `bytes.subspan(4, step.bytes - 4)`. A row is reported in parts of one frame at most, as far as it is there, so that
  // the frame header is at the front of a part or not in it at all; `frame_starts()` tells.
  Result<Step, ResponseError> next(Bytes bytes);

  // Whether the part reported last began with a frame header.
  bool frame_starts() const { return frame_starts_; }

  // Whether flags behind column definitions say that COM_STMT_EXECUTE opened the cursor that it asked for: its rows
  // come with COM_STMT_FETCH. Servers set the flag while a routine's own cursor is open, and MySQL behind that too:
  // rows follow then, or have come. A procedure's results, which say that more follow, never are the cursor's.
  bool announces_cursor(std::uint16_t status_flags) const;

  // Whether the stream stands between two packets.
  bool at_packet_boundary() const { return frame_left_ == 0 && !continued_; }
  // The sequence id that the next packet will bear.
  std::uint8_t next_sequence_id() const { return sequence_id_; }

 private:
  enum class State : std::uint8_t {
    first,   // of a result
    simple,  // OK or ERR only
    column_definitions,
    columns_end,
    rows,
    field_list,
    prepare_first,
    prepare_parameters,
    prepare_parameters_end,
    prepare_columns,
    prepare_columns_end,
    statistics,
    local_infile,       // the file is on its way
    local_infile_sent,  // only OK or ERR can follow: a statement has one file
    done
  };

  Result<Step, ResponseError> next_row_part(Bytes bytes);
  Result<PacketKind, ResponseError> on_packet(Bytes payload);
  Result<PacketKind, ResponseError> on_first(Bytes payload);
  Result<PacketKind, ResponseError> on_ok(Bytes payload, PacketKind kind);
  Result<PacketKind, ResponseError> on_prepare_ok(Bytes payload);
  PacketKind on_prepare_definition(PacketKind kind);
  Result<PacketKind, ResponseError> on_err(Bytes payload);
  Result<PacketKind, ResponseError> on_progress(Bytes payload) const;
  void begin_prepare_parameters();
  void begin_prepare_columns();
  bool ends_rows(const FrameHeader& header, std::uint8_t first_byte) const;

  State state_ = State::done;
  Capabilities negotiated_ = 0;
  std::uint8_t sequence_id_ = 0;
  bool may_open_cursor_ = false;
  bool ok_follows_rows_ = false;  // another result follows the rows, whatever their end says
  bool continued_ = false;        // the next frame goes on with the packet of the last one
  bool frame_starts_ = false;
  std::uint32_t frame_left_ = 0;  // bytes of a row's frame that are still to come
  bool frame_is_full_ = false;    // that frame has the maximal size, so that another follows
  std::uint64_t definitions_left_ = 0;
  PrepareOk prepared_;
  std::uint64_t rows_ = 0;
};

}  // namespace sallyport::wire
