#include "session/compressed_leg.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace sallyport::session {
namespace {

using Buffer = std::vector<std::uint8_t>;
using Kind = NextMessage::Kind;
using Peer = CompressedLeg::Peer;

constexpr auto zlib = wire::CompressionAlgorithm::zlib;
constexpr auto zstd = wire::CompressionAlgorithm::zstd;
constexpr NextMessage command{.kind = Kind::command, .sequence_id = 0};

Buffer packet(std::uint8_t sequence_id, std::string_view payload) {
  Buffer out;
  wire::PacketWriter writer{out};
  writer.begin(sequence_id);
  writer.text(payload);
  writer.end();
  return out;
}

Buffer operator+(Buffer left, const Buffer& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

struct Frame {
  std::uint8_t id;
  Buffer plain;
  bool operator==(const Frame&) const = default;
};

// A leg between a queue and a peer.
class Ends {
 public:
  Ends(Peer peer, wire::CompressionAlgorithm algorithm, std::size_t plain_bytes = 0)
      : algorithm_(algorithm), leg(peer, {.algorithm = algorithm, .plain_bytes = plain_bytes}, workspace) {}

  // The peer sends `plain` in a frame with this number.
  void peer_sends(std::uint8_t id, const Buffer& plain) {
    wire::CompressedWriter writer;
    writer.set_sequence_id(id);
    Buffer frames;
    Bytes piece{plain};
    writer.write({&piece, 1}, workspace.compressor(algorithm_), frames);
    arrives(frames);
  }
  void arrives(Bytes bytes) {
    while (!bytes.empty()) {
      MutableBytes space = leg.space();
      std::size_t count = std::min(space.size(), bytes.size());
      ASSERT_GT(count, 0U);
      std::copy_n(bytes.begin(), count, space.begin());
      leg.received(count);
      bytes = bytes.subspan(count);
    }
  }
  // One decode().
  Buffer unfold(std::optional<NextMessage> next, std::size_t room = 4096) {
    Buffer space(room);
    auto produced = leg.decode(space, next);
    EXPECT_TRUE(produced) << wire::describe(produced.error());
    space.resize(produced ? *produced : 0);
    return space;
  }
  // What the session queues goes out whole.
  std::vector<Frame> sends(const Buffer& plain, std::size_t write_max = 1 << 20) {
    queue.made().insert(queue.made().end(), plain.begin(), plain.end());
    queue.queue_made();
    Buffer stream;
    std::array<Bytes, 16> pieces;
    while (std::size_t count = leg.gather(queue, pieces)) {
      EXPECT_EQ(count, 1U);
      Bytes written = pieces[0].first(std::min(write_max, pieces[0].size()));
      stream.insert(stream.end(), written.begin(), written.end());
      queue.sent(leg.sent(written.size()));
    }
    EXPECT_TRUE(queue.empty());
    return frames_of(stream);
  }

 private:
  std::vector<Frame> frames_of(Bytes stream) const {
    std::vector<Frame> frames;
    while (!stream.empty()) {
      std::size_t bytes = wire::compressed_header_bytes + (stream[0] | std::size_t{stream[1]} << 8);
      wire::CompressedReader reader{algorithm_};
      reader.expect_sequence_id(stream[3]);
      Buffer plain(wire::compressed_chunk_bytes);
      auto progress = reader.read(stream.first(bytes), plain);
      EXPECT_TRUE(progress && reader.between_frames());
      plain.resize(progress->produced);
      frames.push_back({.id = stream[3], .plain = plain});
      stream = stream.subspan(bytes);
    }
    return frames;
  }

  wire::CompressionAlgorithm algorithm_;
  InputBuffer nothing_;

 public:
  CompressionWorkspace workspace;
  OutputQueue queue{nothing_};
  CompressedLeg leg;
};

TEST(CompressedLeg, OneCountServesBothDirectionsAndBeginsAnewWithEachCommand) {
  for (auto algorithm : {zlib, zstd}) {
    Ends ends{Peer::client, algorithm};
    for (int round = 0; round < 3; ++round) {
      ends.peer_sends(0, packet(7, "\x03SELECT"));
      EXPECT_EQ(ends.unfold(command), packet(0, "\x03SELECT"));
      std::string row(40000, 'r');
      std::vector<Frame> frames = ends.sends(packet(1, row) + packet(2, "end"));
      ASSERT_EQ(frames.size(), 3U);
      EXPECT_EQ(frames[0].id, 1);
      EXPECT_EQ(frames[2].id, 3);
      EXPECT_EQ(frames[0].plain + frames[1].plain + frames[2].plain, packet(1, row) + packet(2, "end"));
    }
  }
}

TEST(CompressedLeg, WhatTheSessionNumbersDifferentlyIsNumberedAnew) {
  Ends ends{Peer::client, zlib};
  ends.peer_sends(0, packet(0, "LOAD"));
  EXPECT_EQ(ends.unfold(command), packet(0, "LOAD"));
  EXPECT_EQ(ends.sends(packet(1, "\xFB file"))[0].id, 1);
  ends.peer_sends(2, packet(99, "data") + packet(3, ""));
  EXPECT_EQ(ends.unfold(NextMessage{Kind::more, 2}), packet(2, "data"));
  EXPECT_EQ(ends.unfold(NextMessage{Kind::more, 3}), packet(3, ""));
  EXPECT_EQ(ends.sends(packet(4, "ok"))[0].id, 3);
}

TEST(CompressedLeg, OfAClientNoMoreIsUnfoldedThanTheMessageThatIsWaitedFor) {
  Ends ends{Peer::client, zlib};
  Buffer first = packet(0, std::string(100, 'a'));
  Buffer second = packet(0, std::string(200, 'b'));
  ends.peer_sends(0, first + second);
  ends.peer_sends(0, packet(0, "third"));
  EXPECT_TRUE(ends.unfold(std::nullopt).empty());
  EXPECT_EQ(ends.unfold(command), first);
  EXPECT_TRUE(ends.unfold(std::nullopt).empty());
  EXPECT_TRUE(ends.leg.holds_input());
  EXPECT_EQ(ends.sends(packet(1, "one"))[0].id, 1);
  EXPECT_EQ(ends.unfold(command), second);
  EXPECT_EQ(ends.sends(packet(1, "two"))[0].id, 2);
  EXPECT_EQ(ends.unfold(command), packet(0, "third"));
  EXPECT_EQ(ends.sends(packet(1, "three"))[0].id, 1);
}

TEST(CompressedLeg, MessagesAndFramesMayBeCutAnywhere) {
  Buffer message = packet(0, std::string(300, 'm'));
  for (std::size_t cut = 1; cut < message.size(); ++cut) {
    for (std::size_t room : {1UL, 3UL, 5UL, 4096UL}) {
      Ends ends{Peer::client, zlib};
      auto middle = message.begin() + static_cast<std::ptrdiff_t>(cut);
      ends.peer_sends(0, Buffer(message.begin(), middle));
      ends.peer_sends(1, Buffer(middle, message.end()));
      Buffer got;
      while (got.size() < message.size()) {
        Buffer part = ends.unfold(command, room);
        ASSERT_FALSE(part.empty());
        got = got + part;
      }
      EXPECT_EQ(got, message);
      EXPECT_EQ(ends.sends(packet(1, "ok"))[0].id, 2);
    }
  }
}

TEST(CompressedLeg, FramesOutOfTurnAreErrors) {
  struct Case {
    Peer peer;
    std::uint8_t id;
  };
  for (Case bad : {Case{Peer::client, 1}, Case{Peer::client, 255}, Case{Peer::server, 0}, Case{Peer::server, 3}}) {
    Ends ends{bad.peer, zlib};
    if (bad.peer == Peer::server) {
      ends.sends(packet(0, "command"));
    }
    ends.peer_sends(bad.id, packet(0, "x"));
    Buffer space(100);
    auto produced = ends.leg.decode(space, bad.peer == Peer::client ? command : NextMessage{Kind::more, 1});
    ASSERT_FALSE(produced);
    EXPECT_EQ(produced.error(), wire::CompressedError::wrong_sequence_id);
  }
}

TEST(CompressedLeg, EachCommandToAServerBeginsAFrameWithNumber0) {
  Ends ends{Peer::server, zstd};
  Buffer three = packet(0, "close 1") + packet(0, "close 2") + packet(0, "query");
  std::vector<Frame> frames = ends.sends(three);
  EXPECT_EQ(frames,
            (std::vector<Frame>{{0, packet(0, "close 1")}, {0, packet(0, "close 2")}, {0, packet(0, "query")}}));
  std::string large(50000, 'q');
  frames = ends.sends(packet(0, "reset") + packet(0, large));
  ASSERT_EQ(frames.size(), 5U);
  EXPECT_EQ(frames[4].id, 3);
  // The answers to both, each numbered from its command.
  ends.peer_sends(1, packet(1, "reset"));
  EXPECT_EQ(ends.unfold(NextMessage{Kind::more, 1}), packet(1, "reset"));
  ends.peer_sends(4, packet(4, "large"));
  EXPECT_EQ(ends.unfold(NextMessage{Kind::more, 1}), packet(1, "large"));
}

TEST(CompressedLeg, ACommandMayLeaveWhileTheAnswerToTheOneBeforeArrives) {
  Ends ends{Peer::server, zlib};
  ends.sends(packet(0, "first"));
  Buffer answer = packet(1, std::string(500, 'a'));
  ends.peer_sends(1, Buffer(answer.begin(), answer.begin() + 100));
  EXPECT_EQ(ends.unfold(NextMessage{Kind::more, 1}).size(), 100U);
  EXPECT_EQ(ends.sends(packet(0, "second"))[0].id, 0);
  ends.peer_sends(2, Buffer(answer.begin() + 100, answer.end()));
  EXPECT_EQ(ends.unfold(std::nullopt).size(), answer.size() - 100);
  ends.peer_sends(1, packet(1, "ok"));
  EXPECT_EQ(ends.unfold(NextMessage{Kind::more, 1}), packet(1, "ok"));
}

TEST(CompressedLeg, AFileMayBeLongerThanThereAreNumbers) {
  Ends ends{Peer::server, zlib};
  ends.sends(packet(0, "LOAD"));
  ends.peer_sends(1, packet(1, "\xFB file"));
  ends.unfold(NextMessage{Kind::more, 1});
  std::uint8_t id = 2;
  std::uint8_t frame_id = 2;
  for (int i = 0; i < 600; ++i) {
    std::vector<Frame> frames = ends.sends(packet(id++, "line"));
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].id, frame_id++) << i;
  }
  while (id != 255) {
    EXPECT_EQ(ends.sends(packet(id++, "line"))[0].id, frame_id++);
  }
  EXPECT_EQ(ends.sends(packet(255, ""))[0].id, frame_id++);
  EXPECT_EQ(ends.sends(packet(0, "QUIT"))[0].id, 0);  // the file has ended: a command
}

TEST(CompressedLeg, AnErrorThatAnswersNothingStandsAsTheAnswerToTheNextCommand) {
  Ends ends{Peer::client, zlib};
  EXPECT_EQ(ends.sends(packet(1, "at once"))[0].id, 1);
  ends.peer_sends(0, packet(0, "SELECT"));
  ends.unfold(command);
  std::vector<Frame> frames = ends.sends(packet(1, "a") + packet(2, "b") + packet(1, "error"));
  EXPECT_EQ(frames, (std::vector<Frame>{{1, packet(1, "a") + packet(2, "b")}, {1, packet(1, "error")}}));
}

TEST(CompressedLeg, AnErrorAmidACommandStandsAsTheAnswerToTheNextOneToo) {
  Ends ends{Peer::client, zlib};
  Buffer whole = packet(0, "SELECT 1");
  ends.peer_sends(0, Buffer(whole.begin(), whole.begin() + 6));
  ends.peer_sends(1, Buffer(whole.begin() + 6, whole.begin() + 8));
  ends.unfold(command);
  ends.unfold(command);
  EXPECT_EQ(ends.sends(packet(1, "error")), (std::vector<Frame>{{1, packet(1, "error")}}));
}

TEST(CompressedLeg, OfAServerAFrameIsUnfoldedAtATimeAndItsPacketsGoOn) {
  Ends ends{Peer::server, zlib};
  ends.sends(packet(0, "query"));
  Buffer row = packet(77, std::string(900, 'r'));
  ends.peer_sends(1, row + Buffer(row.begin(), row.begin() + 2));
  ends.peer_sends(2, Buffer(row.begin() + 2, row.end()));
  Buffer first = ends.unfold(NextMessage{Kind::more, 1});
  EXPECT_EQ(first.size(), row.size() + 2);
  EXPECT_EQ(first[3], 1);
  Buffer second = ends.unfold(std::nullopt);
  EXPECT_EQ(second[1], 2);  // the second row's number
}

TEST(CompressedLeg, BytesQueuedBeforeTheStartGoOutAsTheyAre) {
  Buffer ok = packet(4, "ok");
  Ends ends{Peer::client, zlib, ok.size()};
  Buffer error = packet(1, "error");
  ends.queue.made() = ok + error;
  ends.queue.queue_made();
  std::array<Bytes, 16> pieces;
  ASSERT_EQ(ends.leg.gather(ends.queue, pieces), 1U);
  EXPECT_EQ(Buffer(pieces[0].begin(), pieces[0].end()), ok);
  ends.queue.sent(ends.leg.sent(3));
  ASSERT_EQ(ends.leg.gather(ends.queue, pieces), 1U);
  EXPECT_EQ(pieces[0].size(), ok.size() - 3);
  ends.queue.sent(ends.leg.sent(pieces[0].size()));
  EXPECT_EQ(ends.sends({}), (std::vector<Frame>{{1, error}}));
}

TEST(CompressedLeg, FramesStayTheSameUntilAllOfThemIsSent) {
  Buffer large = packet(1, std::string(150000, 'l'));
  Ends one{Peer::client, zlib};
  Ends other{Peer::client, zlib};
  EXPECT_EQ(one.sends(large), other.sends(large, 13));
}

TEST(CompressedLeg, FramesOfWhatWasDroppedAreNotSent) {
  Ends ends{Peer::client, zlib};
  ends.queue.made() = packet(1, std::string(1000, 'x'));
  ends.queue.queue_made();
  std::array<Bytes, 16> pieces;
  ASSERT_EQ(ends.leg.gather(ends.queue, pieces), 1U);
  EXPECT_EQ(ends.leg.sent(3), 0U);
  ends.queue.clear();
  EXPECT_EQ(ends.leg.gather(ends.queue, pieces), 0U);
  ends.queue.made() = packet(1, "y");
  ends.queue.queue_made();
  EXPECT_EQ(ends.leg.gather(ends.queue, pieces), 0U);
}

TEST(CompressedLeg, HoldsNoMemoryAtRest) {
  Ends ends{Peer::client, zstd};
  ends.peer_sends(0, packet(0, std::string(5000, 'c')));
  ends.unfold(command, 8192);
  ends.sends(packet(1, std::string(100000, 'r')));
  ends.leg.trim();
  EXPECT_EQ(ends.leg.memory_bytes(), 0U);
}

// 16 MB in a frame of 16 KB: each step unfolds no more than there is room for.
TEST(CompressedLeg, ABombUnfoldsIntoTheRoomThatThereIs) {
  for (auto peer : {Peer::client, Peer::server}) {
    CompressionWorkspace workspace;
    Buffer plain(wire::frame_payload_max);
    plain[0] = plain[1] = plain[2] = 0xFF;
    Buffer body(1 << 16);
    Bytes piece{plain};
    std::size_t size = workspace.compressor(zlib).compress({&piece, 1}, body).value();
    body.resize(size);
    Buffer frame{static_cast<std::uint8_t>(size),
                 static_cast<std::uint8_t>(size >> 8),
                 static_cast<std::uint8_t>(size >> 16),
                 peer == Peer::client ? std::uint8_t{0} : std::uint8_t{1},
                 0xFF,
                 0xFF,
                 0xFF};
    CompressedLeg leg{peer, {.algorithm = zlib, .plain_bytes = 0}, workspace};
    Bytes stream{frame = frame + body};
    Buffer space(1000);
    std::size_t total = 0;
    while (total < plain.size()) {
      MutableBytes room = leg.space();
      std::size_t count = std::min(room.size(), stream.size());
      std::copy_n(stream.begin(), count, room.begin());
      leg.received(count);
      stream = stream.subspan(count);
      auto produced = leg.decode(space, peer == Peer::client ? command : NextMessage{Kind::more, 0});
      ASSERT_TRUE(produced && *produced > 0);
      ASSERT_LE(leg.memory_bytes(), compressed_input_bytes);
      total += *produced;
    }
    EXPECT_EQ(total, plain.size());
  }
}

}  // namespace
}  // namespace sallyport::session
