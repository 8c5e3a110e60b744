// The compressed protocol on one leg of a connection, between the socket and whoever speaks on it: plain packets from
// the peer's frames, and frames from the packets that are due to the peer. No I/O.
//
// Sequence ids. One count serves both directions of a frame exchange: it is 0 with each command, and each frame goes on
// from the last, whoever sent it. An error that answers no command (the session ends while the client is idle) stands
// as the answer to the next one, in a frame with the number 1. The packets within are numbered anew, as a session
// wants them: peers set their ids as it suits them (wire/compressed.h).
//
// Of a client no more is unfolded than the message that the session waits for: so each frame's place in the exchange
// is known, and what a client sent ahead stays compressed. Of a server, no more than a frame at a time. Either is
// bounded by the session's space.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "session/input_buffer.h"
#include "session/output_queue.h"
#include "wire/compressed.h"

namespace sallyport::session {

// Bytes of frames held of what a peer has sent.
inline constexpr std::size_t compressed_input_bytes = 16U << 10;
// Plain bytes that are compressed at a time, for one write.
inline constexpr std::size_t compressed_output_bytes = 64U << 10;

// What the compressed legs of a thread share, so that one at rest holds nothing but its state. Outlives them.
class CompressionWorkspace {
 public:
  wire::DecompressorShelf& decompressors() { return decompressors_; }
  wire::Compressor& compressor(wire::CompressionAlgorithm algorithm);
  // Scratch of compressed_output_bytes.
  MutableBytes plain();
  // An empty vector, with memory where there is some to be had again.
  std::vector<std::uint8_t> take_frames();
  void give_back_frames(std::vector<std::uint8_t> frames);

 private:
  wire::DecompressorShelf decompressors_;
  std::array<std::unique_ptr<wire::Compressor>, 2> compressors_;  // by algorithm; made when first used
  std::unique_ptr<std::uint8_t[]> plain_;
  std::vector<std::uint8_t> frames_;
};

// From when on a leg is compressed: once `plain_bytes` of what is queued for the peer are sent.
struct CompressionStart {
  wire::CompressionAlgorithm algorithm;
  std::size_t plain_bytes;
};

// What a session takes next from a peer.
struct NextMessage {
  enum class Kind : std::uint8_t {
    command,  // with which the count of frames begins anew
    more      // of an exchange that goes on: an answer, a login, a file
  };
  Kind kind;
  std::uint8_t sequence_id;  // that its first packet has to bear
};

class CompressedLeg {
 public:
  enum class Peer : std::uint8_t { client, server };

  CompressedLeg(Peer peer, CompressionStart start, CompressionWorkspace& workspace);

  Peer peer() const { return peer_; }

  // Room for what the peer has sent; empty when there is enough.
  MutableBytes space() { return input_.space(compressed_input_bytes); }
  void received(std::size_t count) { input_.received(count); }
  // Whether decode() may yield something without more bytes of the peer's.
  bool holds_input() const { return input_.size() > 0 || reader_.output_pending(); }

  // Unfolds into `space` and tells how much; 0: more has to be received, or the session does not wait for anything.
  // `next`: what begins between two messages of a client, or two packets of a server; nothing: of a client, that the
  // session is busy; of a server, that it has not read all that it was given, and the packets go on. After an error
  // the leg is of no further use.
  Result<std::size_t, wire::CompressedError> decode(MutableBytes space, std::optional<NextMessage> next);

  // Whether decode() would wait all the same, so that no space is needed.
  bool holds_back(std::optional<NextMessage> next) const {
    return peer_ == Peer::client && packets_.between_messages() && !next;
  }

  // What is to be sent now for the front of `queue`: some pieces of it as they are, or the frames made of it, which are
  // the same again until they are sent. How many pieces; 0: there is nothing.
  std::size_t gather(const OutputQueue& queue, std::span<Bytes> pieces);
  bool sends_frames() const { return plain_bytes_due_ == 0; }
  // The bytes that are gone from the front of the queue now that `count` bytes of those pieces have been sent.
  std::size_t sent(std::size_t count);

  // Gives back what is not in use.
  void trim() { input_.trim(); }
  std::size_t memory_bytes() const { return input_.capacity() + frames_.capacity(); }

 private:
  void expect_frame(std::optional<NextMessage> next);
  MutableBytes room(MutableBytes space) const;
  void fill_frames(const OutputQueue& queue);
  std::size_t encode(Bytes plain);
  std::optional<std::uint8_t> frame_id_before(std::uint8_t packet_id);
  void note_packet(std::uint8_t packet_id, std::size_t payload_bytes);
  void write_frames(Bytes plain);

  Peer peer_;
  wire::CompressionAlgorithm algorithm_;
  CompressionWorkspace& workspace_;
  wire::CompressedReader reader_;
  wire::CompressedWriter writer_;
  InputBuffer input_{compressed_input_bytes};
  wire::PacketRenumber packets_;  // received

  std::uint8_t receive_id_ = 0;  // of the peer's next frame
  std::uint8_t answer_id_ = 1;   // behind the last frame that was sent
  bool received_since_ = false;  // a frame, since the last packet that was sent

  std::size_t plain_bytes_due_;
  std::vector<std::uint8_t> frames_;
  std::size_t frames_sent_ = 0;  // bytes of frames_
  std::size_t plain_in_frames_ = 0;
  std::size_t payload_left_ = 0;     // of the packet that is being sent
  std::uint8_t last_packet_id_ = 0;  // sent
  bool file_wraps_ = false;          // a file goes on behind a packet with the last number there is
  bool packet_continues_ = false;    // what was sent last was of full length
};

}  // namespace sallyport::session
