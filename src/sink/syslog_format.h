// A message as syslog has it: RFC 5424, framed for the transport.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sink/receiver.h"
#include "sink/settings.h"

namespace sallyport::sink {

// What a message takes besides its MSG, at most, the count of octets before it among it.
inline constexpr std::size_t syslog_header_bytes_max = 640;

// Appends "<PRI>1 TIME HOST APP - TYPE [sallyport@NUMBER index="N" session="ID"] TEXT". MSGID is the record's type; MSG
// is the message's text without a byte order mark (MSG-ANY), since what reads JSON stumbles over one.
// `settings.host_name` is given.
void append_syslog_message(std::string& out, const SyslogSettings& settings, const Message& message);

// The same with the number of its octets and a space before it: RFC 6587, section 3.4.1, and RFC 5425, section 4.3.
void append_counted_syslog_message(std::string& out, const SyslogSettings& settings, const Message& message);

}  // namespace sallyport::sink
