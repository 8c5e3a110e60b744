// Where audit records go: the port that sessions write to and src/store implements.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace sallyport::audit {

// A piece of an answer that is recorded: those of one answer follow on each other.
struct AnswerChunk {
  std::string_view session;
  std::uint64_t command = 0;  // seq of its record
  std::uint64_t offset = 0;   // of `bytes` in the answer
  Bytes bytes;
  bool only_sealed = false;  // it is not taken where it would be in the clear
};

// A record of a session.
struct RecordPlace {
  std::string_view session;
  std::uint64_t seq = 0;
};

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  // Takes one whole record, a JSON object with its line end, in memory; it is durable only once whoever owns the sink
  // has committed it. False when there is no room because commits have failed for long: the record is not taken.
  virtual bool append(std::string_view line) = 0;

  // Takes a piece of an answer, before the record of the command's outcome. False when it is not taken; no more of that
  // answer follows then. This one takes none.
  virtual bool append_answer(const AnswerChunk& /*chunk*/) { return false; }

  // Appends to `out` what stands in the record of that place as its member "sealed" for `members`, a JSON object that
  // only the holders of a key may read. False, and nothing appended, where there is no key. This one has none.
  virtual bool seal(std::string& /*out*/, const RecordPlace& /*place*/, std::string_view /*members*/) { return false; }

  // To make a record's text in, for all that write here, one after the other: found empty and left empty.
  std::string& line() { return line_; }

 private:
  std::string line_;
};

}  // namespace sallyport::audit
