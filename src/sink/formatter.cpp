#include "sink/formatter.h"

#include <utility>

#include "audit/canonical_json.h"
#include "audit/record_members.h"
#include "sink/syslog_format.h"

namespace sallyport::sink {

Formatter::Formatter(const SinkSettings& settings, std::string origin, OcsfSessions::Find find)
    : format_(settings.format),
      text_bytes_max_(settings.message_bytes_max),
      origin_(std::move(origin)),
      sessions_(std::move(find)) {
  if (std::holds_alternative<SyslogSettings>(settings.receiver)) {
    text_bytes_max_ -= syslog_header_bytes_max;
  }
}

std::string Formatter::text(std::string_view record, const Message& message, std::size_t bytes_max) {
  switch (format_) {
    case Format::native: {
      std::string text = native_message(message.index, record);
      return text.size() <= bytes_max ? text : cut_native_message(message.index, record, bytes_max);
    }
    case Format::ocsf:
      return ocsf_event({.index = message.index, .record = record, .origin = origin_, .bytes_max = bytes_max},
                        sessions_.see(message.session, message.type, record));
  }
  return {};
}

void Formatter::pass(std::string_view record) {
  audit::RecordOutline outline;
  if (format_ != Format::ocsf || audit::check_canonical_object(record, outline)) {
    return;
  }
  std::string type = audit::string_of(outline.type);
  if (type == "login_accepted" || type == "session_start") {
    sessions_.see(audit::string_of(outline.session), type, record);
  }
}

Message Formatter::message(std::uint64_t index, std::string_view record, std::size_t text_bytes_max) {
  audit::RecordOutline outline;
  if (audit::check_canonical_object(record, outline)) {
    return {.index = index, .session = {}, .time = {}, .type = "damaged", .text = damaged_message(index, record)};
  }
  Message message{.index = index,
                  .session = audit::string_of(outline.session),
                  .time = audit::parse_time(audit::string_of(outline.time)).value_or(WallTime{}),
                  .type = audit::string_of(outline.type),
                  .text = {}};
  message.text = text(record, message, std::min(text_bytes_max_, text_bytes_max));
  return message;
}

}  // namespace sallyport::sink
