// What an operator configures about the sinks of the audit log. Plain values; src/config fills them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"

namespace sallyport::sink {

enum class Format : std::uint8_t {
  native,  // the record as it is, and its index
  ocsf     // an event of the Open Cybersecurity Schema Framework
};

// What is done when a sink is further behind than `behind_records_max`.
enum class WhenBehind : std::uint8_t {
  block,  // statements are refused until it has caught up
  drop    // records are left out, and that they were is on record
};

enum class Begin : std::uint8_t { end, beginning };

// Whom a receiver's TLS certificate has to be from, and what it is shown.
struct TlsSettings {
  std::filesystem::path ca_file;           // empty: the system's
  std::filesystem::path certificate_file;  // both or none
  std::filesystem::path key_file;
  std::string server_name;  // that the certificate has to be for; empty: the host

  friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

struct FileSettings {
  std::filesystem::path path;

  friend bool operator==(const FileSettings&, const FileSettings&) = default;
};

enum class SyslogTransport : std::uint8_t { tls, tcp, unix_socket };

struct SyslogSettings {
  SyslogTransport transport = SyslogTransport::tls;
  std::string host;
  std::uint16_t port = 0;  // 0: that of the transport
  std::filesystem::path socket_path;
  TlsSettings tls;
  std::uint8_t facility = 13;  // RFC 5424: log audit
  std::string app_name = "sallyport";
  std::string host_name;                    // HOSTNAME of messages; empty: the machine's
  std::uint32_t enterprise_number = 32473;  // of the structured data's name; RFC 5612: for documentation
  std::uint64_t resend_records = 20'000;    // sent once more on a new connection

  friend bool operator==(const SyslogSettings&, const SyslogSettings&) = default;
};

struct HttpHeader {
  std::string name;
  Secret value;

  friend bool operator==(const HttpHeader&, const HttpHeader&) = default;
};

struct HttpSettings {
  std::string url;
  TlsSettings tls;
  std::vector<HttpHeader> headers;
  Milliseconds timeout{30'000};  // of one request

  friend bool operator==(const HttpSettings&, const HttpSettings&) = default;
};

enum class KafkaTransport : std::uint8_t { tls, tcp };
enum class SaslMechanism : std::uint8_t { none, plain, scram_sha_256, scram_sha_512 };

struct KafkaSettings {
  std::vector<std::string> brokers;  // HOST:PORT
  std::string topic;
  KafkaTransport transport = KafkaTransport::tls;
  TlsSettings tls;
  SaslMechanism sasl = SaslMechanism::none;
  std::string user;
  Secret password;
  Milliseconds timeout{60'000};  // until a message that was not acknowledged counts as failed

  friend bool operator==(const KafkaSettings&, const KafkaSettings&) = default;
};

struct SinkSettings {
  std::string name;
  Format format = Format::native;
  std::vector<std::string> types;  // of records that are delivered; empty: all
  WhenBehind when_behind = WhenBehind::block;
  std::uint64_t behind_records_max = 1'000'000;
  Begin from = Begin::end;
  std::uint32_t batch_records_max = 500;
  std::uint64_t batch_bytes_max = 1U << 20;
  std::uint64_t message_bytes_max = 0;  // what is longer is delivered in its cut form
  std::variant<FileSettings, SyslogSettings, HttpSettings, KafkaSettings> receiver;

  friend bool operator==(const SinkSettings&, const SinkSettings&) = default;
};

// "file", "syslog", "http" or "kafka".
inline std::string_view kind_of(const SinkSettings& settings) {
  constexpr std::string_view names[] = {"file", "syslog", "http", "kafka"};
  return names[settings.receiver.index()];
}

}  // namespace sallyport::sink
