// Makes messages of records, in the format that a sink is configured for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sink/ocsf.h"
#include "sink/receiver.h"
#include "sink/settings.h"

namespace sallyport::sink {

class Formatter {
 public:
  // `origin`: the log's name. `find`: of a session that began before this.
  Formatter(const SinkSettings& settings, std::string origin, OcsfSessions::Find find);

  // `record`: a line of the log without its line end. The text fits into `message_bytes_max` of the settings, with what
  // the receiver puts around it. A record that is no canonical JSON, as only a damaged log has it, is not passed on as
  // if it were: see docs/sinks.md.
  Message message(std::uint64_t index, std::string_view record);

 private:
  std::string text(std::uint64_t index, std::string_view record, const Message& message);

  Format format_;
  std::size_t text_bytes_max_;
  std::string origin_;
  OcsfSessions sessions_;
};

}  // namespace sallyport::sink
