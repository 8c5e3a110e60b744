// The compressed protocol: plain bytes from compressed frames, and compressed frames from plain bytes. No I/O.
//
// A frame: 3 bytes length of what follows the header, 1 byte sequence id, 3 bytes plain length or 0 when what follows
// is stored as it is. The plain stream within is one of ordinary packets, whose bounds have nothing to do with those
// of the frames. Sources: MySQL source documentation, "Compression"; sql-common/net_serv.cc (compress_packet,
// net_read_packet) and mysys/my_compress.c (MIN_COMPRESS_LENGTH).
//
// Sequence ids: those of frames are checked by net_read_packet_header (net_serv.cc, MySQL) and count from 0 with each
// command. Those of the packets within are not checked (my_net_read), and writers set them on each flush to what
// the frames have come to: `net->pkt_nr = net->compress_pkt_nr` in net_flush of MySQL's and MariaDB's net_serv.cc
// and in ma_net_flush of MariaDB's client library. Who checks them has to renumber them first: PacketRenumber.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/capabilities.h"
#include "wire/frame.h"

namespace sallyport::wire {

inline constexpr std::size_t compressed_header_bytes = 7;
inline constexpr std::size_t compress_bytes_min = 50;         // shorter frames are stored
inline constexpr std::size_t compressed_chunk_bytes = 16384;  // plain bytes of a frame that we write

enum class CompressionAlgorithm : std::uint8_t { zlib, zstd };

enum class CompressedError : std::uint8_t {
  wrong_sequence_id,
  empty_frame,
  too_much_data,    // more plain bytes than announced, or bytes behind the end of the stream
  too_little_data,  // fewer plain bytes than announced, or the frame ends before the stream
  corrupt_stream,
  window_too_large,
  out_of_memory
};

std::string_view describe(CompressedError error);

// The algorithm that two ends use which have negotiated `capabilities`: with both flags it is zlib. Source: MySQL
// 9.7, sql/auth/sql_authentication.cc and sql-common/client.cc, and tried (tests/integration/test_compression.py).
constexpr std::optional<CompressionAlgorithm> compression_of(Capabilities capabilities) {
  if (has(capabilities, capability::compress)) {
    return CompressionAlgorithm::zlib;
  }
  return has(capabilities, capability::zstd_compression) ? std::optional(CompressionAlgorithm::zstd) : std::nullopt;
}
// "zlib", "zstd"; "none" of nothing.
std::string_view name_of(std::optional<CompressionAlgorithm> algorithm);

// Streaming decompression of one frame after another.
class Decompressor {
 public:
  struct Step {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    bool ended = false;
  };

  virtual ~Decompressor() = default;
  virtual void reset() = 0;
  virtual Result<Step, CompressedError> step(Bytes input, MutableBytes space) = 0;
  // That it holds now, as far as the library tells.
  virtual std::size_t memory_bytes() const = 0;
};

// Decompressors that are in no frame: those of a thread serve all of its connections, which hold none between frames.
class DecompressorShelf {
 public:
  // One that has grown beyond this (zstd's window) is not kept.
  static constexpr std::size_t kept_bytes_max = 1U << 20;

  // Ready for a frame; null when there is no memory for it.
  std::unique_ptr<Decompressor> take(CompressionAlgorithm algorithm, int zstd_window_log_max);
  void give_back(CompressionAlgorithm algorithm, std::unique_ptr<Decompressor> decompressor);

 private:
  std::array<std::unique_ptr<Decompressor>, 2> spare_;  // by algorithm
};

class CompressedReader {
 public:
  enum class Status : std::uint8_t {
    needs_input,  // all that was given is taken, and what came of it is given out
    needs_space   // there may be more: call again with space
  };
  struct Progress {
    std::size_t consumed;
    std::size_t produced;
    Status status;
  };

  // A peer that compresses a frame as one piece needs a window no larger than the frame: 2^24 fits all of them.
  static constexpr int window_log_max = 24;

  // `shelf`, which must outlive the reader, is for zstd windows up to `window_log_max`; null: the reader keeps its own.
  explicit CompressedReader(CompressionAlgorithm algorithm, int zstd_window_log_max = window_log_max,
                            DecompressorShelf* shelf = nullptr)
      : algorithm_(algorithm), zstd_window_log_max_(zstd_window_log_max), shelf_(shelf) {}

  // zlib's checksum finds damage; stored frames, and zstd's without a checksum, may be damaged unnoticed, as on the
  // plain protocol. Takes from `input` and fills `space`. Bytes are given out before the end of their frame has been
  // checked. After an error the reader is of no further use.
  Result<Progress, CompressedError> read(Bytes input, MutableBytes space);

  // The sequence id of the next frame: 0 when a command begins.
  void expect_sequence_id(std::uint8_t sequence_id) { expect_sequence_ids({sequence_id, sequence_id, sequence_id}); }
  // The next frame may bear any of these.
  using SequenceIds = std::array<std::uint8_t, 3>;
  void expect_sequence_ids(const SequenceIds& sequence_ids) { sequence_ids_ = sequence_ids; }
  // Behind the frame that has begun.
  std::uint8_t next_sequence_id() const { return sequence_ids_[0]; }

  // Whether there is more to give out of what was taken already.
  bool output_pending() const { return part_ == Part::compressed && output_pending_; }
  bool between_frames() const { return header_have_ == 0 && part_ == Part::header; }
  // Between frames, or in the header of one.
  bool before_frame() const { return part_ == Part::header; }
  // What is missing of a header, or of the frame behind it: given no more, the reader goes no further.
  std::size_t bytes_to_frame_end() const {
    return part_ == Part::header ? compressed_header_bytes - header_have_ : frame_left_;
  }
  // Gives the decompression state back, unless a frame has begun.
  void trim();
  bool holds_state() const { return decompressor_ != nullptr; }

 private:
  enum class Part : std::uint8_t { header, stored, compressed };
  enum class Outcome : std::uint8_t { go_on, needs_input, needs_space };

  Result<Outcome, CompressedError> read_header(Bytes& input);
  Result<Outcome, CompressedError> begin_frame();
  Outcome read_stored(Bytes& input, MutableBytes& space);
  Result<Outcome, CompressedError> read_compressed(Bytes& input, MutableBytes& space);
  Result<Outcome, CompressedError> end_frame();

  CompressionAlgorithm algorithm_;
  int zstd_window_log_max_;
  DecompressorShelf* shelf_;
  SequenceIds sequence_ids_{};
  std::uint8_t header_have_ = 0;
  Part part_ = Part::header;
  bool output_pending_ = false;  // the last step filled its space
  std::array<std::uint8_t, compressed_header_bytes> header_{};
  std::size_t frame_left_ = 0;
  std::size_t plain_left_ = 0;
  std::unique_ptr<Decompressor> decompressor_;
};

// Rewrites the sequence ids of the packets of a plain stream, in place and in any fragmentation, to count up.
class PacketRenumber {
 public:
  // The sequence id of the next packet, where a command or an answer begins.
  void begin(std::uint8_t sequence_id) { sequence_id_ = sequence_id; }
  std::uint8_t next_sequence_id() const { return sequence_id_; }
  bool between_packets() const { return header_have_ == 0 && payload_left_ == 0; }
  // A packet of full length is no end of a message.
  bool between_messages() const { return between_packets() && !continues_; }
  // What is missing of a packet's header, or of the payload behind it.
  std::size_t bytes_to_end() const {
    return header_have_ == 0 && payload_left_ > 0 ? payload_left_ : frame_header_bytes - header_have_;
  }
  void renumber(MutableBytes plain);

 private:
  std::uint8_t sequence_id_ = 0;
  std::uint8_t header_have_ = 0;
  bool continues_ = false;
  std::uint32_t payload_left_ = 0;
};

// The compressor's memory (zlib: some 256 KiB). Each frame stands alone, so the connections of a thread share one.
class Compressor {
 public:
  virtual ~Compressor() = default;
  // Compresses `pieces` as one stream. Nothing when it does not fit into `space`.
  virtual std::optional<std::size_t> compress(std::span<const Bytes> pieces, MutableBytes space) = 0;
};
std::unique_ptr<Compressor> make_compressor(CompressionAlgorithm algorithm);

class CompressedWriter {
 public:
  // Appends frames that hold `pieces` one behind the other to `output`.
  void write(std::span<const Bytes> pieces, Compressor& compressor, std::vector<std::uint8_t>& output);

  void set_sequence_id(std::uint8_t sequence_id) { sequence_id_ = sequence_id; }
  std::uint8_t next_sequence_id() const { return sequence_id_; }

 private:
  void write_frame(std::span<const Bytes> pieces, std::size_t plain_bytes, Compressor& compressor,
                   std::vector<std::uint8_t>& output);

  std::uint8_t sequence_id_ = 0;
};

}  // namespace sallyport::wire
