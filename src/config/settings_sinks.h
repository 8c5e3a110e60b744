// The settings of the audit log's sinks; the rest of the table of settings refers to them.
#pragma once

#include "config/settings_table.h"

namespace sallyport::config {

extern const Section sink_section;
extern const Section sink_file_section;
extern const Section sink_syslog_section;
extern const Section sink_http_section;
extern const Section sink_http_header_section;
extern const Section sink_kafka_section;
extern const Section sink_sasl_section;
extern const Section sink_tls_section;

// In src/config/settings_table.cpp.
extern const Section secret_section;

}  // namespace sallyport::config
