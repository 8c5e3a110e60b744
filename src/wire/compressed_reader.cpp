#include <algorithm>
#include <utility>

#include "wire/compressed.h"
#include "wire/decompressor.h"

namespace sallyport::wire {
std::string_view describe(CompressedError error) {
  switch (error) {
    case CompressedError::wrong_sequence_id:
      return "compressed frame out of order";
    case CompressedError::empty_frame:
      return "compressed frame without content";
    case CompressedError::too_much_data:
      return "compressed frame holds more data than its header announces";
    case CompressedError::too_little_data:
      return "compressed frame holds less data than its header announces";
    case CompressedError::corrupt_stream:
      return "compressed frame is corrupt";
    case CompressedError::window_too_large:
      return "compressed frame needs a larger zstd window than is allowed";
    case CompressedError::out_of_memory:
      return "no memory to decompress with";
  }
  return "";
}

std::string_view name_of(std::optional<CompressionAlgorithm> algorithm) {
  if (!algorithm) {
    return "none";
  }
  switch (*algorithm) {
    case CompressionAlgorithm::zlib:
      return "zlib";
    case CompressionAlgorithm::zstd:
      return "zstd";
  }
  return "none";
}

Result<CompressedReader::Progress, CompressedError> CompressedReader::read(Bytes input, MutableBytes space) {
  const std::size_t given = input.size();
  const std::size_t room = space.size();
  while (true) {
    Result<Outcome, CompressedError> outcome = Outcome::go_on;
    switch (part_) {
      case Part::header:
        outcome = read_header(input);
        break;
      case Part::stored:
        outcome = read_stored(input, space);
        break;
      case Part::compressed:
        outcome = read_compressed(input, space);
        break;
    }
    if (!outcome) {
      return Unexpected(outcome.error());
    }
    if (*outcome != Outcome::go_on) {
      return Progress{.consumed = given - input.size(),
                      .produced = room - space.size(),
                      .status = *outcome == Outcome::needs_space ? Status::needs_space : Status::needs_input};
    }
  }
}

void CompressedReader::trim() {
  if (between_frames()) {
    decompressor_.reset();
  }
}

Result<CompressedReader::Outcome, CompressedError> CompressedReader::read_header(Bytes& input) {
  std::size_t taken = std::min(input.size(), compressed_header_bytes - header_have_);
  std::copy_n(input.begin(), taken, header_.begin() + header_have_);
  header_have_ = static_cast<std::uint8_t>(header_have_ + taken);
  input = input.subspan(taken);
  if (header_have_ < compressed_header_bytes) {
    return Outcome::needs_input;
  }
  return begin_frame();
}

Result<CompressedReader::Outcome, CompressedError> CompressedReader::begin_frame() {
  ByteReader header{header_};
  frame_left_ = header.u24();
  std::uint8_t sequence_id = header.u8();
  if (std::find(sequence_ids_.begin(), sequence_ids_.end(), sequence_id) == sequence_ids_.end()) {
    return Unexpected(CompressedError::wrong_sequence_id);
  }
  expect_sequence_id(static_cast<std::uint8_t>(sequence_id + 1));
  header_have_ = 0;
  plain_left_ = header.u24();
  if (frame_left_ == 0) {
    return Unexpected(CompressedError::empty_frame);
  }
  if (plain_left_ == 0) {
    part_ = Part::stored;
    return Outcome::go_on;
  }
  part_ = Part::compressed;
  output_pending_ = false;
  if (decompressor_) {
    decompressor_->reset();
    return Outcome::go_on;
  }
  decompressor_ = shelf_ != nullptr ? shelf_->take(algorithm_, zstd_window_log_max_)
                                    : make_decompressor(algorithm_, zstd_window_log_max_);
  if (!decompressor_) {
    return Unexpected(CompressedError::out_of_memory);
  }
  return Outcome::go_on;
}

CompressedReader::Outcome CompressedReader::read_stored(Bytes& input, MutableBytes& space) {
  std::size_t taken = std::min({input.size(), space.size(), frame_left_});
  std::copy_n(input.begin(), taken, space.begin());
  input = input.subspan(taken);
  space = space.subspan(taken);
  frame_left_ -= taken;
  if (frame_left_ == 0) {
    part_ = Part::header;
    return Outcome::go_on;
  }
  return input.empty() ? Outcome::needs_input : Outcome::needs_space;
}

// Once all announced bytes are there, the stream has one byte of room left in which nothing may turn up.
Result<CompressedReader::Outcome, CompressedError> CompressedReader::read_compressed(Bytes& input,
                                                                                     MutableBytes& space) {
  Bytes piece = input.first(std::min(input.size(), frame_left_));
  if (piece.empty() && !output_pending_) {
    if (frame_left_ == 0) {
      return Unexpected(CompressedError::too_little_data);
    }
    return Outcome::needs_input;
  }
  if (plain_left_ > 0 && space.empty()) {
    return Outcome::needs_space;
  }
  std::uint8_t excess = 0;
  MutableBytes room = plain_left_ > 0 ? space.first(std::min(space.size(), plain_left_)) : MutableBytes{&excess, 1};
  auto step = decompressor_->step(piece, room);
  if (!step) {
    return Unexpected(step.error());
  }
  if (plain_left_ == 0 && step->produced > 0) {
    return Unexpected(CompressedError::too_much_data);
  }
  input = input.subspan(step->consumed);
  frame_left_ -= step->consumed;
  space = space.subspan(step->produced);
  plain_left_ -= step->produced;
  output_pending_ = step->produced == room.size();
  if (step->ended) {
    return end_frame();
  }
  if (!piece.empty() && step->consumed == 0 && step->produced == 0) {
    return Unexpected(CompressedError::corrupt_stream);
  }
  return Outcome::go_on;
}

Result<CompressedReader::Outcome, CompressedError> CompressedReader::end_frame() {
  if (plain_left_ > 0) {
    return Unexpected(CompressedError::too_little_data);
  }
  if (frame_left_ > 0) {
    return Unexpected(CompressedError::too_much_data);
  }
  part_ = Part::header;
  if (shelf_ != nullptr) {
    shelf_->give_back(algorithm_, std::move(decompressor_));
  }
  return Outcome::go_on;
}

void PacketRenumber::renumber(MutableBytes plain) {
  while (!plain.empty()) {
    if (header_have_ == 0 && payload_left_ > 0) {
      std::size_t passed = std::min<std::size_t>(payload_left_, plain.size());
      payload_left_ -= static_cast<std::uint32_t>(passed);
      plain = plain.subspan(passed);
      continue;
    }
    if (header_have_ < 3) {
      payload_left_ |= std::uint32_t{plain[0]} << (8 * header_have_);
      ++header_have_;
    } else {
      plain[0] = sequence_id_++;
      header_have_ = 0;
      continues_ = payload_left_ == frame_payload_max;
    }
    plain = plain.subspan(1);
  }
}

}  // namespace sallyport::wire
