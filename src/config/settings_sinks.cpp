#include "config/settings_sinks.h"

#include <array>

namespace sallyport::config {

namespace {

using enum FieldKind;
using enum Presence;
using Names = std::string_view;

constexpr std::int64_t second = 1000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t kib = 1024;
constexpr std::int64_t mib = 1024 * kib;

constexpr std::array<Names, 2> formats{"native", "ocsf"};
constexpr std::array<Names, 2> when_behind{"block", "drop"};
constexpr std::array<Names, 2> beginnings{"end", "beginning"};
constexpr std::array<Names, 3> syslog_transports{"tls", "tcp", "unix"};
constexpr std::array<Names, 2> kafka_transports{"tls", "tcp"};
constexpr std::array<Names, 3> sasl_mechanisms{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"};

constexpr std::array<Field, 4> tls_fields{{
    {.name = "ca",
     .kind = path,
     .meaning = "PEM file with the certificates of authorities that are trusted. By default the system's."},
    {.name = "certificate", .kind = path, .meaning = "PEM file with the certificate that the receiver is shown."},
    {.name = "key",
     .kind = path,
     .meaning = "PEM file with its private key; others than its owner and group must not be able to read it."},
    {.name = "server_name",
     .kind = text,
     .meaning = "Name that the receiver's certificate has to be for. By default the host that is connected to. Only of "
                "syslog; the others verify the name that they connect to.",
     .least = 1,
     .most = 253},
}};

constexpr std::array<Field, 1> file_fields{{
    {.name = "path",
     .kind = path,
     .presence = required,
     .meaning = "It is made where there is none, and made anew when it was renamed. Not in `audit.directory`."},
}};

constexpr std::array<Field, 10> syslog_fields{{
    {.name = "transport",
     .kind = choice,
     .default_value = "tls",
     .meaning =
         "`tls` (RFC 5425), `tcp` (RFC 6587, octet counting; nothing is encrypted), or `unix`, a datagram socket.",
     .choices = syslog_transports},
    {.name = "host", .kind = text, .meaning = "Name or address; with `tls` and `tcp`.", .least = 1, .most = 253},
    {.name = "port",
     .kind = integer,
     .meaning = "By default 6514 with `tls`, and 601 with `tcp`.",
     .least = 1,
     .most = 65535},
    {.name = "socket", .kind = path, .meaning = "Path of the socket, with `unix`: `/dev/log`."},
    {.name = "tls", .kind = section, .meaning = "With `tls`: whom to trust.", .section = &sink_tls_section},
    {.name = "facility",
     .kind = integer,
     .default_value = "13",
     .meaning = "Its number in RFC 5424; 13 is \"log audit\".",
     .least = 0,
     .most = 23},
    {.name = "app_name",
     .kind = name,
     .default_value = "sallyport",
     .meaning = "APP-NAME of each message.",
     .least = 1,
     .most = 48},
    {.name = "host_name",
     .kind = text,
     .meaning = "HOSTNAME of each message. By default the machine's.",
     .least = 1,
     .most = 255},
    {.name = "enterprise_number",
     .kind = integer,
     .default_value = "32473",
     .meaning =
         "The private enterprise number in the name of the structured data, `sallyport@32473`. The default is the "
         "one that RFC 5612 keeps for examples; write your own where you have one.",
     .least = 1,
     .most = 4'294'967'295},
    {.name = "resend_records",
     .kind = integer,
     .default_value = "20000",
     .meaning =
         "How many of the records that were delivered last are sent again on a new connection. Not less than what "
         "the receiver and its kernel may hold in memory; [why](sinks.md#syslog).",
     .least = 0,
     .most = 10'000'000},
}};

constexpr std::array<Field, 2> http_header_fields{{
    {.name = "name", .kind = text, .presence = required, .meaning = "Name of the header.", .least = 1, .most = 100},
    {.name = "value", .kind = section, .presence = required, .meaning = "What it says.", .section = &secret_section},
}};

constexpr std::array<Field, 5> http_fields{{
    {.name = "url", .kind = url, .presence = required, .meaning = "Where batches are posted to."},
    {.name = "tls", .kind = section, .meaning = "Whom to trust.", .section = &sink_tls_section},
    {.name = "bearer_token",
     .kind = section,
     .meaning = "Sent as `Authorization: Bearer TOKEN`.",
     .section = &secret_section},
    {.name = "headers",
     .kind = sections,
     .meaning = "Headers that are sent besides.",
     .least = 1,
     .most = 16,
     .section = &sink_http_header_section},
    {.name = "timeout",
     .kind = duration,
     .default_value = "30s",
     .meaning = "What one request may take.",
     .least = second,
     .most = 10 * minute},
}};

constexpr std::array<Field, 3> sasl_fields{{
    {.name = "mechanism",
     .kind = choice,
     .default_value = "SCRAM-SHA-512",
     .meaning = "How the login is proven.",
     .choices = sasl_mechanisms},
    {.name = "user", .kind = text, .presence = required, .meaning = "User name.", .least = 1, .most = 256},
    {.name = "password", .kind = section, .presence = required, .meaning = "Its password.", .section = &secret_section},
}};

constexpr std::array<Field, 6> kafka_fields{{
    {.name = "brokers",
     .kind = texts,
     .presence = required,
     .meaning = "`HOST:PORT` of some of the cluster's brokers.",
     .least = 1,
     .most = 64},
    {.name = "topic", .kind = text, .presence = required, .meaning = "Name of the topic.", .least = 1, .most = 249},
    {.name = "transport",
     .kind = choice,
     .default_value = "tls",
     .meaning = "`tcp`: nothing is encrypted.",
     .choices = kafka_transports},
    {.name = "tls", .kind = section, .meaning = "With `tls`: whom to trust.", .section = &sink_tls_section},
    {.name = "sasl",
     .kind = section,
     .meaning = "How to log in. By default not at all.",
     .section = &sink_sasl_section},
    {.name = "timeout",
     .kind = duration,
     .default_value = "60s",
     .meaning = "How long a message may stay without acknowledgement before it counts as failed, and is tried again.",
     .least = second,
     .most = 10 * minute},
}};

// All types of docs/audit-records.md; a test compares them.
constexpr std::array<Names, 18> record_types{"login_accepted",
                                             "login_refused",
                                             "session_start",
                                             "command",
                                             "outcome",
                                             "kill",
                                             "kill_outcome",
                                             "session_end",
                                             "audit_start",
                                             "audit_stop",
                                             "audit_gap",
                                             "audit_pruned",
                                             "configuration_loaded",
                                             "configuration_refused",
                                             "audit_key_changed",
                                             "audit_sink_dropped",
                                             "audit_answers_key",
                                             "witness_state"};

constexpr std::array<Field, 12> sink_fields{{
    {.name = "name",
     .kind = name,
     .presence = required,
     .meaning = "How logs, metrics and its cursor's file call it. Another name is another sink, which begins anew.",
     .least = 1,
     .most = 64},
    {.name = "file", .kind = section, .meaning = "To a file.", .section = &sink_file_section},
    {.name = "syslog", .kind = section, .meaning = "To a syslog receiver.", .section = &sink_syslog_section},
    {.name = "http", .kind = section, .meaning = "To an HTTP server.", .section = &sink_http_section},
    {.name = "kafka", .kind = section, .meaning = "To a topic of Kafka.", .section = &sink_kafka_section},
    {.name = "format",
     .kind = choice,
     .default_value = "native",
     .meaning = "`native`: the record and its index. `ocsf`: an event of the Open Cybersecurity Schema Framework.",
     .choices = formats},
    {.name = "types",
     .kind = FieldKind::choices,
     .meaning = "[Types of record](audit-records.md) that are delivered. By default all.",
     .least = 1,
     .most = 18,
     .choices = record_types},
    {.name = "when_behind",
     .kind = choice,
     .presence = required,
     .meaning =
         "What is done when the sink is further behind than `behind_records_max`. `block`: statements are refused "
         "(`audit_unavailable`) until it has caught up by half. `drop`: all but the newest half is left out, and "
         "that it was is on record first.",
     .choices = when_behind},
    {.name = "behind_records_max",
     .kind = integer,
     .default_value = "1000000",
     .meaning =
         "How many records of the log, on the disk, the sink may have before it. Retention keeps them for it. With "
         "`drop` at least four times the number of sinks that drop.",
     .least = 10,
     .most = 1'000'000'000},
    {.name = "from",
     .kind = choice,
     .default_value = "end",
     .meaning = "Where a sink begins that has no cursor yet: at the log's `end`, or its `beginning`.",
     .choices = beginnings},
    {.name = "batch_records_max",
     .kind = integer,
     .default_value = "500",
     .meaning = "Records that are delivered at a time. A batch has no more than 1MiB, or one record.",
     .least = 1,
     .most = 10'000},
    {.name = "message_bytes_max",
     .kind = size,
     .meaning =
         "A record whose message would be longer is delivered in a [cut form](sinks.md#records-that-are-too-long), "
         "which says so. By default 8KiB to syslog, 900KiB to Kafka, and 16MiB elsewhere.",
     .least = 4 * kib,
     .most = 1024 * mib},
}};
constexpr std::array<Names, 4> sink_exactly_one{"file", "syslog", "http", "kafka"};

}  // namespace

constexpr Section sink_tls_section{"sink_tls", "Whom a sink trusts, and what it shows of itself.", tls_fields};
constexpr Section sink_file_section{"sink_file", "A file with one message a line.", file_fields};
constexpr Section sink_syslog_section{"sink_syslog", "A receiver of syslog messages, RFC 5424.", syslog_fields};
constexpr Section sink_http_header_section{"sink_http_header", "A header, whose value is a secret.",
                                           http_header_fields};
constexpr Section sink_http_section{"sink_http", "A server that takes JSON lines in a POST.", http_fields};
constexpr Section sink_sasl_section{"sink_sasl", "A login at Kafka.", sasl_fields};
constexpr Section sink_kafka_section{"sink_kafka", "A topic of Kafka; a message's key is the session's id.",
                                     kafka_fields};
constexpr Section sink_section{"sink",
                               "Where records go besides the log; [how](sinks.md). One of `file`, `syslog`, `http` "
                               "and `kafka`.",
                               sink_fields, sink_exactly_one};

}  // namespace sallyport::config
