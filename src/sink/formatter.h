// Makes messages of records, in the format that a sink is configured for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sink/native_format.h"
#include "sink/ocsf.h"
#include "sink/receiver.h"
#include "sink/settings.h"

namespace sallyport::sink {

// No message is cut to less than this.
inline constexpr std::size_t cut_text_bytes_least = std::max(message_bytes_least, ocsf_bytes_least);

class Formatter {
 public:
  // `origin`: the log's name. `find`: of a session that began before this.
  Formatter(const SinkSettings& settings, std::string origin, OcsfSessions::Find find);

  // `record`: a line of the log without its line end. The text fits into `message_bytes_max` of the settings, with what
  // the receiver puts around it, and into `text_bytes_max`, which is at least cut_text_bytes_least. A record that is no
  // canonical JSON, as only a damaged log has it, is not passed on as if it were: see docs/sinks.md.
  Message message(std::uint64_t index, std::string_view record, std::size_t text_bytes_max = SIZE_MAX);
  // A record that is not delivered may say who a session is, whose other records are.
  void pass(std::string_view record);

 private:
  std::string text(std::string_view record, const Message& message, std::size_t bytes_max);

  Format format_;
  std::size_t text_bytes_max_;
  std::string origin_;
  OcsfSessions sessions_;
};

}  // namespace sallyport::sink
