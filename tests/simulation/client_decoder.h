// Reads answers as a driver does, independently of src/wire: what it makes of the bytes is what a client would see.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "simulation/answer.h"

namespace sallyport::simulation {

// One whole packet, frames joined.
struct ClientPacket {
  std::string payload;
  std::uint8_t first_sequence_id = 0;
  std::uint8_t next_sequence_id = 0;
};

// Cuts a stream into packets. Checks that the frames of a packet are numbered one after the other.
class PacketCutter {
 public:
  void add(Bytes bytes) { stream_.append(text_of(bytes)); }
  // Nothing while no packet is complete.
  std::optional<ClientPacket> next();
  // Bytes of a packet that is not complete.
  std::size_t left() const { return stream_.size() - taken_; }
  bool is_broken() const { return broken_; }

 private:
  std::string stream_;
  std::size_t taken_ = 0;
  bool broken_ = false;
};

enum class Expected : std::uint8_t { query, execute, cursor, prepare, fetch, fields, statistics, simple };

// The packets of one answer, given one by one. An empty error() means that all is well so far.
class AnswerDecoder {
 public:
  // `known_columns`: those of the statement executed, as far as the client knows them; they stand where definitions are
  // left out, and what is sent takes their place.
  AnswerDecoder(Expected expected, wire::Capabilities client, std::uint8_t first_sequence_id,
                std::vector<std::string>* known_columns = nullptr)
      : expected_(expected), client_(client), sequence_id_(first_sequence_id), known_columns_(known_columns) {}

  void packet(const ClientPacket& packet);
  bool done() const { return done_; }
  // Whether any packet of the answer was read.
  bool started() const { return packets_ > 0; }
  const Answer& answer() const { return answer_; }
  const std::string& error() const { return error_; }

 private:
  enum class State : std::uint8_t {
    first,
    columns,
    columns_end,
    rows,
    prepare_parameters,
    prepare_columns,
    prepare_ends  // the EOFs behind definitions that are left out
  };
  class Reader;

  void first(const std::string& payload);
  void simple(const std::string& payload);
  void result_begins(const std::string& payload);
  bool opens_cursor(const OneResult& result) const;
  void prepared(const std::string& payload);
  void prepare_definition(const std::string& payload);
  void column(const std::string& payload);
  void columns_end(const std::string& payload);
  void row(const std::string& payload);
  void take_error(const std::string& payload);
  // Into result: an OK packet, or an EOF packet.
  void take_ok(const std::string& payload, OneResult& result);
  void take_eof(const std::string& payload, OneResult& result);
  void result_ends(OneResult& result);
  OneResult& open(OneResult::Shape shape);
  bool ends_with_ok() const { return (client_ & (1U << 24)) != 0; }
  bool is_told_of_definitions() const { return (client_ & (1ULL << 25 | 1ULL << 36)) != 0; }
  void fail(std::string what) {
    if (error_.empty()) {
      error_ = std::move(what);
    }
    done_ = true;
  }

  Expected expected_;
  wire::Capabilities client_;
  std::uint8_t sequence_id_;
  std::vector<std::string>* known_columns_;
  State state_ = State::first;
  std::uint32_t packets_ = 0;
  std::uint64_t left_ = 0;
  std::uint64_t left_columns_ = 0;
  bool end_due_ = false;  // of prepare's definitions
  bool done_ = false;
  Answer answer_;
  std::string error_;
};

}  // namespace sallyport::simulation
