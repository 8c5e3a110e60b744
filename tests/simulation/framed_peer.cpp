#include "simulation/framed_peer.h"

#include <algorithm>

namespace sallyport::simulation {

void FramedPeer::wrap(Buffer& plain, Buffer& stream) {
  std::size_t begin = 0;
  std::size_t at = 0;
  while (plain.size() - at >= wire::frame_header_bytes) {
    std::size_t length = plain[at] | std::size_t{plain[at + 1]} << 8 | std::size_t{plain[at + 2]} << 16;
    std::uint8_t id = plain[at + 3];
    bool answers = std::exchange(received_since_, false);
    bool restarts = role_ == Role::client ? id == 0 : !answers && id != static_cast<std::uint8_t>(last_packet_id_ + 1);
    if (restarts || answers) {
      write(Bytes{plain}.subspan(begin, at - begin), stream);
      begin = at;
      send_id_ = restarts ? id : receive_id_;
    }
    last_packet_id_ = id;
    plain[at + 3] = choices_->one_in(2) ? id : choices_->byte();
    at = std::min(plain.size(), at + wire::frame_header_bytes + length);
  }
  write(Bytes{plain}.subspan(begin), stream);
  plain.clear();
}

void FramedPeer::write(Bytes plain, Buffer& stream) {
  wire::CompressedWriter writer;
  bool any = !plain.empty();
  while (!plain.empty()) {
    std::size_t part = std::min<std::size_t>(plain.size(), 1 + choices_->below(choices_->one_in(2) ? 20 : 4000));
    Bytes piece = plain.first(part);
    writer.set_sequence_id(send_id_);
    writer.write({&piece, 1}, *compressor_, stream);
    send_id_ = writer.next_sequence_id();
    plain = plain.subspan(part);
    if (role_ == Role::client && last_packet_id_ != 0) {
      answers_due_.insert(send_id_);  // a login may end for want of time when so much of it has arrived
    }
  }
  if (any && role_ == Role::client) {
    answers_due_.insert(send_id_);
  }
}

void FramedPeer::check(std::uint8_t id) {
  bool between_packets = header_.empty() && payload_left_ == 0;
  bool of_file = role_ == Role::server && id == send_id_;
  bool begins = between_packets && (role_ == Role::server ? id == 0 || of_file : id == 1 || answers_due_.contains(id));
  if (id != receive_id_ && !begins && error_.empty()) {
    error_ = std::string("to the ") + (role_ == Role::server ? "server" : "client") + " a frame with the number " +
             std::to_string(id) + " where " + std::to_string(receive_id_) + " is due";
  }
  receive_id_ = static_cast<std::uint8_t>(id + 1);
  received_since_ = true;
}

Buffer FramedPeer::unwrap(Bytes bytes) {
  arrived_.insert(arrived_.end(), bytes.begin(), bytes.end());
  Buffer out;
  while (arrived_.size() >= wire::compressed_header_bytes) {
    std::size_t frame =
        wire::compressed_header_bytes + (arrived_[0] | std::size_t{arrived_[1]} << 8 | std::size_t{arrived_[2]} << 16);
    if (arrived_.size() < frame) {
      break;
    }
    check(arrived_[3]);
    wire::CompressedReader reader{algorithm_};
    reader.expect_sequence_id(arrived_[3]);
    Buffer plain(1 << 17);
    auto progress = reader.read(Bytes{arrived_}.first(frame), plain);
    if (!progress || !reader.between_frames()) {
      error_ = "a frame that can't be unfolded";
      return out;
    }
    plain.resize(progress->produced);
    arrived_.erase(arrived_.begin(), arrived_.begin() + static_cast<std::ptrdiff_t>(frame));
    for (std::uint8_t byte : plain) {
      if (payload_left_ > 0) {
        --payload_left_;
      } else if (header_.push_back(byte); header_.size() == wire::frame_header_bytes) {
        payload_left_ = header_[0] | std::size_t{header_[1]} << 8 | std::size_t{header_[2]} << 16;
        header_.clear();
      }
    }
    out.insert(out.end(), plain.begin(), plain.end());
  }
  return out;
}

}  // namespace sallyport::simulation
