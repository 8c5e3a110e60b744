// Where audit records go: the port that sessions write to and src/store implements.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::audit {

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  // Takes one whole record, a JSON object with its line end, in memory; it is durable only once whoever owns the sink
  // has committed it. False when there is no room because commits have failed for long: the record is not taken.
  virtual bool append(std::string_view line) = 0;

  // To make a record's text in, for all that write here, one after the other: found empty and left empty.
  std::string& line() { return line_; }

 private:
  std::string line_;
};

}  // namespace sallyport::audit
