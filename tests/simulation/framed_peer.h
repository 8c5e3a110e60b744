// The compressed protocol as a peer speaks it: one count of frames for both directions, anew with each command. Cuts
// frames without regard to packets, and gives packets any sequence id.
#pragma once

#include <set>
#include <string>

#include "simulation/answer.h"
#include "simulation/choices.h"
#include "wire/compressed.h"

namespace sallyport::simulation {

class FramedPeer {
 public:
  enum class Role : std::uint8_t { client, server };
  FramedPeer(Role role, wire::CompressionAlgorithm algorithm, Choices& choices)
      : role_(role), algorithm_(algorithm), choices_(&choices), compressor_(wire::make_compressor(algorithm)) {}

  // Appends frames of `plain`, which ends between two packets and is emptied, to `stream`.
  void wrap(Buffer& plain, Buffer& stream);
  // What the frames hold that `bytes` complete.
  Buffer unwrap(Bytes bytes);
  // Empty: all is well so far.
  const std::string& error() const { return error_; }

 private:
  void write(Bytes plain, Buffer& stream);
  void check(std::uint8_t id);

  Role role_;
  wire::CompressionAlgorithm algorithm_;
  Choices* choices_;
  std::unique_ptr<wire::Compressor> compressor_;
  Buffer arrived_;
  std::uint8_t send_id_ = 0;
  std::uint8_t receive_id_ = 0;         // behind the frame that was received last
  std::set<std::uint8_t> answers_due_;  // with which numbers answers to a client's commands begin
  std::uint8_t last_packet_id_ = 0;
  bool received_since_ = false;   // a frame, since the last packet that was sent
  std::size_t payload_left_ = 0;  // of what arrives
  Buffer header_;
  std::string error_;
};

}  // namespace sallyport::simulation
