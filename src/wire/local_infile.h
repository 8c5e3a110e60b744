// LOAD DATA LOCAL: the statement that lets a server ask its client for a file, and the packets that the file comes in.
//
// Source: MySQL source documentation, "LOCAL INFILE Request" and "LOCAL INFILE Data".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/frame.h"

namespace sallyport::wire {

// The file that a statement LOAD DATA LOCAL or LOAD XML LOCAL names. Nothing unless every server reads the text so:
// where a comment, a quote or a character leaves a doubt, there is no file. Borrows from `text`.
std::optional<std::string_view> local_file_of(std::string_view text);

// Follows the packets of a file as they stream in, up to the empty one behind the last.
class UploadReader {
 public:
  // `sequence_id` of the first packet.
  explicit UploadReader(std::uint8_t sequence_id) : sequence_id_(sequence_id) {}

  // Bytes to take from the front; 0: more are needed. They begin with a frame header, or have none.
  struct Step {
    std::size_t bytes = 0;
    bool frame_starts = false;
  };
  // Error: wrong sequence id.
  Result<Step, FrameError> next(Bytes bytes);

  bool done() const { return done_; }
  bool at_frame_boundary() const { return frame_left_ == 0; }
  // Of the frame that follows the last.
  std::uint8_t next_sequence_id() const { return sequence_id_; }
  // Of the file so far.
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::uint8_t sequence_id_;
  bool continued_ = false;  // the next frame goes on with a packet, so that it may be empty
  bool done_ = false;
  std::uint32_t frame_left_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace sallyport::wire
