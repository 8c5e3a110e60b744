// A line of the log as a sink delivers it: JSON of one line within the limit whatever the line is, a record's own bytes
// where it is whole, and a syslog message within the limit too.
#include <algorithm>

#include "audit/canonical_json.h"
#include "base/check.h"
#include "base/json_text.h"
#include "fuzz/targets.h"
#include "sink/formatter.h"
#include "sink/native_format.h"
#include "sink/syslog_format.h"

namespace sallyport::fuzz {
namespace {

bool is_canonical(std::string_view text) {
  audit::RecordOutline outline;
  return !audit::check_canonical_object(text, outline);
}

}  // namespace

void fuzz_sink_message(Bytes input) {
  if (input.empty()) {
    return;
  }
  sink::SinkSettings settings{.format = (input[0] & 1) != 0 ? sink::Format::ocsf : sink::Format::native,
                              .message_bytes_max = (input[0] & 2) != 0 ? 1U << 20 : 4096U,
                              .receiver = sink::SyslogSettings{.host_name = "gw1"}};
  std::string line(text_of(input.subspan(1)));
  line.erase(std::remove(line.begin(), line.end(), '\n'), line.end());
  sink::Formatter formatter(settings, "log", [](const std::string&) { return std::nullopt; });
  std::string syslog;
  for (std::uint64_t index : {std::uint64_t{0}, json_integer_max}) {
    sink::Message message = formatter.message(index, line);
    SALLYPORT_CHECK(is_utf8(message.text) &&
                    message.text.size() + sink::syslog_header_bytes_max <= settings.message_bytes_max);
    // Two levels are added, which may be beyond what is read.
    if (is_canonical("{\"a\":{\"b\":" + line + "}}") || !is_canonical(line)) {
      SALLYPORT_CHECK(is_canonical(message.text));
    }
    std::string whole = sink::native_message(index, line);
    if (settings.format == sink::Format::native && is_canonical(line) &&
        whole.size() + sink::syslog_header_bytes_max <= settings.message_bytes_max) {
      SALLYPORT_CHECK(message.text == whole);
    }
    syslog.clear();
    sink::append_counted_syslog_message(syslog, std::get<sink::SyslogSettings>(settings.receiver), message);
    SALLYPORT_CHECK(syslog.size() <= settings.message_bytes_max && syslog.find('\n') == std::string::npos);
    std::size_t space = syslog.find(' ');
    SALLYPORT_CHECK(syslog.substr(0, space) == std::to_string(syslog.size() - space - 1));
  }
}

}  // namespace sallyport::fuzz
