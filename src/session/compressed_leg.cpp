#include "session/compressed_leg.h"

#include <algorithm>
#include <utility>

namespace sallyport::session {
namespace {

// Frames that did not shrink, with their headers.
constexpr std::size_t frames_kept_bytes = 2 * compressed_output_bytes;
constexpr std::size_t pieces_max = 16;

}  // namespace

wire::Compressor& CompressionWorkspace::compressor(wire::CompressionAlgorithm algorithm) {
  auto& compressor = compressors_[static_cast<std::size_t>(algorithm)];
  if (!compressor) {
    compressor = wire::make_compressor(algorithm);
  }
  return *compressor;
}

MutableBytes CompressionWorkspace::plain() {
  if (!plain_) {
    plain_ = std::make_unique_for_overwrite<std::uint8_t[]>(compressed_output_bytes);
  }
  return {plain_.get(), compressed_output_bytes};
}

std::vector<std::uint8_t> CompressionWorkspace::take_frames() {
  return std::exchange(frames_, {});
}

void CompressionWorkspace::give_back_frames(std::vector<std::uint8_t> frames) {
  if (frames.capacity() <= frames_kept_bytes) {
    frames.clear();
    frames_ = std::move(frames);
  }
}

CompressedLeg::CompressedLeg(Peer peer, CompressionStart start, CompressionWorkspace& workspace)
    : peer_(peer),
      algorithm_(start.algorithm),
      workspace_(workspace),
      reader_(start.algorithm, wire::CompressedReader::window_log_max, &workspace.decompressors()),
      plain_bytes_due_(start.plain_bytes) {
  writer_.set_sequence_id(peer == Peer::client ? 1 : 0);
  receive_id_ = peer == Peer::client ? 0 : 1;
}

Result<std::size_t, wire::CompressedError> CompressedLeg::decode(MutableBytes space, std::optional<NextMessage> next) {
  if (holds_back(next)) {
    return std::size_t{0};
  }
  if (peer_ == Peer::client && packets_.between_messages()) {
    packets_.begin(next->sequence_id);
    // A command behind another in one frame: its answer's frames go on from those of the first, as MySQL's do.
    received_since_ = received_since_ || !reader_.before_frame();
  }
  std::size_t produced = 0;
  while (produced < space.size()) {
    bool before_frame = reader_.before_frame();
    if (before_frame) {
      expect_frame(next);
    }
    Bytes input = std::as_const(input_).unclaimed();
    MutableBytes part = room(space.subspan(produced));
    auto progress = reader_.read(input.first(std::min(input.size(), reader_.bytes_to_frame_end())), part);
    if (!progress) {
      return Unexpected(progress.error());
    }
    input_.claim(progress->consumed);
    input_.release(progress->consumed);
    packets_.renumber(part.first(progress->produced));
    produced += progress->produced;
    if (before_frame && !reader_.before_frame()) {
      receive_id_ = reader_.next_sequence_id();
      received_since_ = true;
    }
    bool enough = peer_ == Peer::client ? packets_.between_messages() : reader_.between_frames();
    if ((enough && produced > 0) || (progress->consumed == 0 && progress->produced == 0)) {
      break;
    }
  }
  input_.trim();
  return produced;
}

void CompressedLeg::expect_frame(std::optional<NextMessage> next) {
  if (peer_ == Peer::client) {
    if (packets_.between_messages() && next->kind == NextMessage::Kind::command) {
      receive_id_ = 0;
    }
    reader_.expect_sequence_id(receive_id_);
    return;
  }
  if (!packets_.between_packets()) {
    reader_.expect_sequence_id(receive_id_);
    return;
  }
  if (next) {
    packets_.begin(next->sequence_id);
  }
  // Where an answer goes on, or one begins: several commands may have been sent at once, all but the last of one frame.
  reader_.expect_sequence_ids({receive_id_, 1, answer_id_});
}

// A client's message is unfolded up to its end.
MutableBytes CompressedLeg::room(MutableBytes space) const {
  return peer_ == Peer::client ? space.first(std::min(space.size(), packets_.bytes_to_end())) : space;
}

std::size_t CompressedLeg::gather(const OutputQueue& queue, std::span<Bytes> pieces) {
  if (plain_bytes_due_ > 0) {
    std::size_t count = queue.gather(pieces);
    std::size_t left = plain_bytes_due_;
    for (Bytes& piece : pieces.first(count)) {
      piece = piece.first(std::min(piece.size(), left));
      left -= piece.size();
    }
    return count;
  }
  // The frames of what has been dropped from the queue since can't be sent any more.
  if (queue.empty() || queue.size() < plain_in_frames_) {
    return 0;
  }
  if (frames_.empty()) {
    fill_frames(queue);
  }
  pieces[0] = Bytes{frames_}.subspan(frames_sent_);
  return pieces[0].empty() ? 0 : 1;
}

void CompressedLeg::fill_frames(const OutputQueue& queue) {
  MutableBytes plain = workspace_.plain();
  std::array<Bytes, pieces_max> pieces;
  std::size_t filled = 0;
  for (Bytes piece : std::span{pieces}.first(queue.gather(pieces))) {
    Bytes part = piece.first(std::min(piece.size(), plain.size() - filled));
    std::copy(part.begin(), part.end(), plain.begin() + static_cast<std::ptrdiff_t>(filled));
    filled += part.size();
  }
  frames_ = workspace_.take_frames();
  plain_in_frames_ = encode(plain.first(filled));
}

std::size_t CompressedLeg::sent(std::size_t count) {
  if (plain_bytes_due_ > 0) {
    plain_bytes_due_ -= count;
    return count;
  }
  frames_sent_ += count;
  if (frames_sent_ < frames_.size()) {
    return 0;
  }
  workspace_.give_back_frames(std::exchange(frames_, {}));
  frames_sent_ = 0;
  return std::exchange(plain_in_frames_, 0);
}

// Appends frames of `plain` to frames_, up to a packet's header that is not whole yet. How much of `plain` that is.
std::size_t CompressedLeg::encode(Bytes plain) {
  std::size_t begin = 0;
  std::size_t at = 0;
  while (at < plain.size()) {
    if (payload_left_ > 0) {
      std::size_t passed = std::min(payload_left_, plain.size() - at);
      payload_left_ -= passed;
      at += passed;
      continue;
    }
    auto header = wire::read_frame_header(plain.subspan(at));
    if (!header) {
      break;
    }
    if (auto frame_id = frame_id_before(header->sequence_id)) {
      write_frames(plain.subspan(begin, at - begin));
      begin = at;
      writer_.set_sequence_id(*frame_id);
    }
    note_packet(header->sequence_id, header->payload_bytes);
    at += wire::frame_header_bytes;
  }
  write_frames(plain.subspan(begin, at - begin));
  return at;
}

// Where the count of frames does not just go on: with a command, with the answer to one, or to one yet to come.
std::optional<std::uint8_t> CompressedLeg::frame_id_before(std::uint8_t packet_id) {
  // Amid a command nothing is answered: it is the gateway that ends the session, as it would between commands.
  bool amid_command = peer_ == Peer::client && !packets_.between_messages();
  bool answers = std::exchange(received_since_, false) && !amid_command;
  bool restarts = peer_ == Peer::server ? packet_id == 0 && !file_wraps_
                                        : !answers && packet_id != static_cast<std::uint8_t>(last_packet_id_ + 1);
  if (restarts) {
    return packet_id;
  }
  return answers ? std::optional(receive_id_) : std::nullopt;
}

void CompressedLeg::note_packet(std::uint8_t packet_id, std::size_t payload_bytes) {
  bool ends_file = payload_bytes == 0 && !packet_continues_;
  file_wraps_ = packet_id == 0xFF && !ends_file;
  packet_continues_ = payload_bytes == wire::frame_payload_max;
  last_packet_id_ = packet_id;
  payload_left_ = payload_bytes;
}

void CompressedLeg::write_frames(Bytes plain) {
  if (plain.empty()) {
    return;
  }
  writer_.write({&plain, 1}, workspace_.compressor(algorithm_), frames_);
  answer_id_ = writer_.next_sequence_id();
  if (peer_ == Peer::client) {
    receive_id_ = answer_id_;
  }
}

}  // namespace sallyport::session
