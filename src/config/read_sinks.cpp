#include <algorithm>
#include <charconv>

#include "config/files.h"
#include "config/sections.h"

namespace sallyport::config {

namespace {

using sink::SinkSettings;

constexpr std::array<Choice<sink::Format>, 2> formats{{{"native", sink::Format::native}, {"ocsf", sink::Format::ocsf}}};
constexpr std::array<Choice<sink::WhenBehind>, 2> when_behind{
    {{"block", sink::WhenBehind::block}, {"drop", sink::WhenBehind::drop}}};
constexpr std::array<Choice<sink::Begin>, 2> beginnings{
    {{"end", sink::Begin::end}, {"beginning", sink::Begin::beginning}}};
constexpr std::array<Choice<sink::SyslogTransport>, 3> syslog_transports{
    {{"tls", sink::SyslogTransport::tls},
     {"tcp", sink::SyslogTransport::tcp},
     {"unix", sink::SyslogTransport::unix_socket}}};
constexpr std::array<Choice<sink::KafkaTransport>, 2> kafka_transports{
    {{"tls", sink::KafkaTransport::tls}, {"tcp", sink::KafkaTransport::tcp}}};
constexpr std::array<Choice<sink::SaslMechanism>, 3> sasl_mechanisms{
    {{"PLAIN", sink::SaslMechanism::plain},
     {"SCRAM-SHA-256", sink::SaslMechanism::scram_sha_256},
     {"SCRAM-SHA-512", sink::SaslMechanism::scram_sha_512}}};

constexpr std::uint16_t syslog_tls_port = 6514;  // RFC 5425
constexpr std::uint16_t syslog_tcp_port = 601;   // RFC 3195, and what RFC 6587 names
constexpr std::size_t socket_path_bytes_max = 107;
constexpr std::uint64_t syslog_message_bytes_max = 8U << 10;   // RFC 5425: what a receiver should be able to take
constexpr std::uint64_t kafka_message_bytes_max = 900U << 10;  // within a broker's default of message.max.bytes
constexpr std::uint64_t other_message_bytes_max = 16U << 20;

sink::TlsSettings read_tls(SectionReader section) {
  sink::TlsSettings tls;
  tls.ca_file = read_pem_path(section, "ca", PemContent::certificate);
  tls.certificate_file = read_pem_path(section, "certificate", PemContent::certificate);
  tls.key_file = read_pem_path(section, "key", PemContent::private_key);
  tls.server_name = section.text("server_name");
  if (section.present("certificate") != section.present("key")) {
    section.mistake(section.present("key") ? "key" : "certificate", "A certificate needs its key as well.",
                    "Give both certificate and key, or none.");
  }
  return tls;
}

// `where`: of a transport that is not encrypted.
sink::TlsSettings read_tls_of(SectionReader& section, std::string_view where) {
  if (!where.empty() && section.present("tls")) {
    section.mistake("tls", "Over " + in_quotes(std::string(where)) + " there is no TLS.",
                    "Remove it, or set transport to tls.");
  }
  return section.present("tls") ? read_tls(section.section("tls")) : sink::TlsSettings{};
}

void refuse_server_name(SectionReader& section, const sink::TlsSettings& tls) {
  if (!tls.server_name.empty()) {
    section.mistake("tls", "server_name is for syslog only.", "Connect to the name that the certificate is for.");
  }
}

// RFC 5424: the values of its header have no spaces.
bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

sink::SyslogSettings read_syslog(SectionReader section) {
  sink::SyslogSettings syslog;
  syslog.transport = section.choice("transport", syslog_transports);
  bool is_unix = syslog.transport == sink::SyslogTransport::unix_socket;
  syslog.host = section.text("host");
  syslog.socket_path = section.path("socket");
  bool is_tls = syslog.transport == sink::SyslogTransport::tls;
  syslog.port = section.present("port") ? static_cast<std::uint16_t>(section.number("port"))
                                        : (is_tls ? syslog_tls_port : syslog_tcp_port);
  if (is_unix != section.present("socket") || is_unix == section.present("host")) {
    section.mistake("transport", "With unix there is a socket and no host; with tls and tcp it is the other way round.",
                    "Give the one that belongs to the transport, and leave the other out.");
  }
  if (syslog.socket_path.string().size() > socket_path_bytes_max) {
    section.mistake("socket", "The path of a Unix socket has at most 107 bytes.", "Move the socket, or link to it.");
  }
  syslog.tls = read_tls_of(section, is_tls ? "" : is_unix ? "unix" : "tcp");
  syslog.facility = static_cast<std::uint8_t>(section.number("facility"));
  syslog.app_name = section.text("app_name");
  syslog.host_name = section.text("host_name");
  if (!is_printable(syslog.host_name)) {
    section.mistake("host_name", "This can't be the HOSTNAME of a message.", "Use letters, digits, '-' and '.'.");
  }
  syslog.enterprise_number = static_cast<std::uint32_t>(section.number("enterprise_number"));
  syslog.resend_records = static_cast<std::uint64_t>(section.number("resend_records"));
  return syslog;
}

bool is_header_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

// A secret that stands in a header of one line.
Secret read_header_value(SectionReader section) {
  Secret value = read_secret(section);
  std::string_view text = value.reveal();
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
    for (std::string_view source : {"file", "env", "systemd_credential"}) {
      if (section.present(source)) {
        section.mistake(source, "What stands in a header has no line breaks and control characters.",
                        "Look whether it is the right source.");
      }
    }
  }
  return value;
}

sink::HttpSettings read_http(SectionReader section) {
  sink::HttpSettings http;
  http.url = section.text("url");
  http.tls = read_tls_of(section, "");
  refuse_server_name(section, http.tls);
  http.timeout = section.milliseconds("timeout");
  if (section.present("bearer_token")) {
    Secret token = read_header_value(section.section("bearer_token"));
    http.headers.push_back({.name = "Authorization", .value = Secret("Bearer " + std::string(token.reveal()))});
  }
  for (SectionReader& header : section.sections("headers")) {
    std::string name = header.text("name");
    if (!is_header_name(name)) {
      header.mistake("name", in_quotes(name) + " can't be the name of a header.", "Use letters, digits, '-' and '_'.");
    }
    http.headers.push_back(
        {.name = name, .value = header.present("value") ? read_header_value(header.section("value")) : Secret()});
  }
  return http;
}

bool is_host_and_port(std::string_view text) {
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return false;
  }
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  auto [at, fault] = std::from_chars(text.data() + colon + 1, end, port);
  bool plain = std::none_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c == ',' || c == '/'; });
  return fault == std::errc{} && at == end && port != 0 && plain;
}

bool is_topic(std::string_view text) {
  return text != "." && text != ".." && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                  c == '-';
         });
}

sink::KafkaSettings read_kafka(SectionReader section) {
  sink::KafkaSettings kafka;
  kafka.brokers = section.texts("brokers");
  for (const std::string& broker : kafka.brokers) {
    if (!is_host_and_port(broker)) {
      section.mistake("brokers", in_quotes(broker) + " is no host and port.", "Write HOST:PORT.");
    }
  }
  kafka.topic = section.text("topic");
  if (!is_topic(kafka.topic)) {
    section.mistake("topic", in_quotes(kafka.topic) + " can't be the name of a topic.",
                    "Use letters, digits, '.', '_' and '-'.");
  }
  kafka.transport = section.choice("transport", kafka_transports);
  kafka.tls = read_tls_of(section, kafka.transport == sink::KafkaTransport::tls ? "" : "tcp");
  refuse_server_name(section, kafka.tls);
  kafka.timeout = section.milliseconds("timeout");
  if (section.present("sasl")) {
    auto sasl = section.section("sasl");
    kafka.sasl = sasl.choice("mechanism", sasl_mechanisms);
    kafka.user = sasl.text("user");
    if (sasl.present("password")) {
      auto password = sasl.section("password");
      kafka.password = read_secret(password);
    }
  }
  return kafka;
}

std::uint64_t default_message_bytes(const SinkSettings& settings) {
  if (std::holds_alternative<sink::SyslogSettings>(settings.receiver)) {
    return syslog_message_bytes_max;
  }
  return std::holds_alternative<sink::KafkaSettings>(settings.receiver) ? kafka_message_bytes_max
                                                                        : other_message_bytes_max;
}

SinkSettings read_sink(SectionReader& section, const std::filesystem::path& log_directory) {
  SinkSettings settings;
  settings.name = section.text("name");
  settings.format = section.choice("format", formats);
  settings.types = section.words("types");
  settings.when_behind = section.choice("when_behind", when_behind);
  settings.behind_records_max = static_cast<std::uint64_t>(section.number("behind_records_max"));
  settings.from = section.choice("from", beginnings);
  settings.batch_records_max = static_cast<std::uint32_t>(section.number("batch_records_max"));
  if (section.present("syslog")) {
    settings.receiver = read_syslog(section.section("syslog"));
  } else if (section.present("http")) {
    settings.receiver = read_http(section.section("http"));
  } else if (section.present("kafka")) {
    settings.receiver = read_kafka(section.section("kafka"));
  } else if (section.present("file")) {
    auto file = section.section("file");
    settings.receiver = sink::FileSettings{.path = file.path("path").lexically_normal()};
    if (file.path("path").parent_path().lexically_normal() == log_directory.lexically_normal()) {
      file.mistake("path", "The log's directory holds the log and nothing else.", "Put the file elsewhere.");
    }
  }
  settings.message_bytes_max = section.present("message_bytes_max")
                                   ? static_cast<std::uint64_t>(section.number("message_bytes_max"))
                                   : default_message_bytes(settings);
  return settings;
}

// What one sink leaves out is a record for the others. Below that they would leave out each other's records without
// end.
void check_records_of_drops(std::vector<SectionReader>& sections, const std::vector<SinkSettings>& sinks) {
  constexpr std::uint64_t records_max_for_each = 4;
  auto drops = [](const SinkSettings& settings) { return settings.when_behind == sink::WhenBehind::drop; };
  std::uint64_t least =
      records_max_for_each * static_cast<std::uint64_t>(std::count_if(sinks.begin(), sinks.end(), drops));
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    if (drops(sinks[i]) && sinks[i].behind_records_max < least) {
      sections[i].mistake("behind_records_max", "This is too little beside that many sinks that drop.",
                          "Set it to " + std::to_string(least) + " or more: four times their number.");
    }
  }
}

}  // namespace

std::vector<SinkSettings> read_sinks(SectionReader& audit, const std::filesystem::path& log_directory) {
  auto sections = audit.sections("sinks");
  std::vector<SinkSettings> sinks;
  std::vector<std::string> names;
  for (SectionReader& section : sections) {
    SinkSettings read = read_sink(section, log_directory);
    bool is_taken = std::any_of(sinks.begin(), sinks.end(), [&](const SinkSettings& other) {
      const auto* file = std::get_if<sink::FileSettings>(&read.receiver);
      const auto* others = std::get_if<sink::FileSettings>(&other.receiver);
      return file != nullptr && others != nullptr && !file->path.empty() && file->path == others->path;
    });
    if (is_taken) {
      section.mistake("file", "An earlier sink writes to the same file.", "Give each sink a file of its own.");
    }
    names.push_back(read.name);
    sinks.push_back(std::move(read));
  }
  check_unique_names(sections, "name", names);
  check_records_of_drops(sections, sinks);
  return sinks;
}

}  // namespace sallyport::config
