#include <set>
#include <system_error>

#include "audit/cosignature.h"
#include "audit/note.h"
#include "config/field_values.h"
#include "config/files.h"
#include "config/sections.h"

namespace sallyport::config {

namespace {

constexpr std::array<Choice<LogLevel>, 4> log_levels{
    {{"debug", LogLevel::debug}, {"info", LogLevel::info}, {"warning", LogLevel::warning}, {"error", LogLevel::error}}};
constexpr std::array<Choice<audit::Durability>, 2> durabilities{
    {{"normal", audit::Durability::normal}, {"strict", audit::Durability::strict}}};
constexpr std::array<Choice<LogFormat>, 2> log_formats{{{"json", LogFormat::json}, {"text", LogFormat::text}}};

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address == "0:0:0:0:0:0:0:1";
}

// It need not exist yet, but must not be something else.
std::filesystem::path read_directory(SectionReader& section, std::string_view name) {
  auto directory = section.path(name);
  std::error_code error;
  if (std::filesystem::exists(directory, error) && !std::filesystem::is_directory(directory, error)) {
    section.mistake(name, in_quotes(directory.string()) + " is not a directory.", "Write the path of a directory.");
  }
  return directory;
}

net::TcpSettings read_tcp(SectionReader tcp) {
  auto seconds = [&](std::string_view name) { return std::chrono::duration_cast<Seconds>(tcp.milliseconds(name)); };
  return {.keep_alive_idle = seconds("keep_alive_idle"),
          .keep_alive_interval = seconds("keep_alive_interval"),
          .keep_alive_probes = static_cast<std::uint32_t>(tcp.number("keep_alive_probes")),
          .user_timeout = tcp.milliseconds("user_timeout")};
}

// Nothing after a mistake, which is reported.
std::optional<audit::AnswersKey> read_answers_key(SectionReader section) {
  Secret text = read_secret(section);
  if (text.empty()) {
    return std::nullopt;
  }
  auto key = audit::AnswersKey::parse(text.reveal());
  if (key) {
    return std::move(key).value();
  }
  std::string_view source = section.present("file") ? "file" : section.present("env") ? "env" : "systemd_credential";
  section.mistake(source, "This is no key for answers: it is " + std::string(key.error()) + ".",
                  "Make one with 'openssl rand -base64 32'.");
  return std::nullopt;
}

void read_answers_keys(SectionReader& section, audit::AuditSettings& audit) {
  if (section.present("answers_key")) {
    audit.answers_key = read_answers_key(section.section("answers_key"));
  }
  for (SectionReader& previous : section.sections("previous_answers_keys")) {
    if (auto key = read_answers_key(previous)) {
      audit.previous_answers_keys.push_back(*std::move(key));
    }
  }
}

std::vector<audit::WitnessSettings> read_witnesses(SectionReader& section) {
  std::vector<audit::WitnessSettings> witnesses;
  std::set<std::string> names;
  for (SectionReader& one : section.sections("witnesses")) {
    audit::WitnessSettings witness;
    witness.file = one.path("file");
    witness.url = one.text("url");
    witness.key = one.text("key");
    witness.ca_file = read_pem_path(one, "ca", PemContent::certificate);
    witness.every = one.milliseconds("every");
    witness.name = witness.file.string();
    if (one.present("url")) {
      auto key = audit::WitnessKey::parse(witness.key);
      if (!key) {
        one.mistake("key", "A witness that cosigns needs its verifier key, of signature type 4.",
                    "Write the line that the witness' operator gives: NAME+KEYID+KEY.");
        continue;
      }
      witness.name = key->name();
      witness.url.erase(witness.url.find_last_not_of('/') + 1);
    } else if (one.present("key") || one.present("ca")) {
      one.mistake(one.present("key") ? "key" : "ca", "This is for a url.", "Remove it.");
    }
    if (!names.insert(witness.name).second) {
      one.mistake(one.present("url") ? "key" : "file", "Another witness is the same.", "Remove one of them.");
    }
    witnesses.push_back(std::move(witness));
  }
  return witnesses;
}

std::optional<audit::ServedWitnessSettings> read_served_witness(SectionReader section, const Config& config) {
  audit::ServedWitnessSettings witness{.name = section.text("name"),
                                       .signing_key = section.present("signing_key")
                                                          ? section.path("signing_key")
                                                          : config.net.state_directory / "witness.key",
                                       .directory = config.net.state_directory / "witnessed",
                                       .logs = section.texts("logs")};
  if (!witness.name.empty() && !audit::is_key_name(witness.name)) {
    section.mistake("name", in_quotes(witness.name) + " can't be the name of a witness.", "Leave spaces and '+' out.");
  }
  for (const std::string& log : witness.logs) {
    if (!audit::NoteKey::parse(log)) {
      section.mistake("logs", in_quotes(log) + " is no verifier key of a log.",
                      "Write the line of the log's audit.key.pub: ORIGIN+KEYID+KEY.");
    }
  }
  return witness;
}

void read_audit(SectionReader section, Config& config) {
  audit::AuditSettings& audit = config.audit;
  audit.directory = read_directory(section, "directory");
  audit.origin = section.text("origin");
  if (!audit.origin.empty() && !audit::is_key_name(audit.origin)) {
    section.mistake("origin", in_quotes(audit.origin) + " can't be the name of a log.", "Leave spaces and '+' out.");
  }
  audit.signing_key =
      section.present("signing_key") ? section.path("signing_key") : config.net.state_directory / "audit.key";
  audit.previous_signing_key = section.path("previous_signing_key");
  audit.durability = section.choice("durability", durabilities);
  audit.segment_bytes = static_cast<std::uint64_t>(section.number("segment_bytes"));
  audit.segment_age = section.whole_seconds("segment_age");
  audit.checkpoint_records = static_cast<std::uint64_t>(section.number("checkpoint_records"));
  audit.stall_limit = section.milliseconds("stall_limit");
  audit.journal_bytes = static_cast<std::uint64_t>(section.number("journal_bytes"));
  audit.answer_bytes_recorded = read_answers(section, "answers");
  read_answers_keys(section, audit);
  audit.witnesses = read_witnesses(section);
  audit.claims = section.texts("claims");
  config.sinks = read_sinks(section, audit.directory);
  auto retention = section.section("retention");
  audit.retention = {.age = retention.whole_seconds("age"),
                     .bytes = static_cast<std::uint64_t>(retention.number("bytes"))};
  if (audit.retention.bytes != 0 && audit.retention.bytes < 2 * audit.segment_bytes) {
    retention.mistake("bytes", "This is less than two segments.", "Raise it, or lower segment_bytes.");
  }
}

void read_session_limits(SectionReader limits, Config& config) {
  config.limits = {.packet_bytes_max = static_cast<std::uint32_t>(limits.number("packet_bytes_max")),
                   .digested_answer_bytes_max = static_cast<std::uint64_t>(limits.number("digested_answer_bytes_max")),
                   .token_bytes_max = static_cast<std::uint32_t>(limits.number("token_bytes_max")),
                   .verified_signatures_max = static_cast<std::uint32_t>(limits.number("verified_signatures_max")),
                   .statement_tree_bytes_max = static_cast<std::uint64_t>(limits.number("statement_tree_bytes_max")),
                   .prepared_statements_max = static_cast<std::uint32_t>(limits.number("prepared_statements_max")),
                   .bulk_values_max = static_cast<std::uint32_t>(limits.number("bulk_values_max")),
                   .local_file_bytes_max = static_cast<std::uint64_t>(limits.number("local_file_bytes_max")),
                   .handshake_timeout = limits.milliseconds("handshake_timeout"),
                   .backend_login_timeout = limits.milliseconds("backend_login_timeout"),
                   .backend_attempt_timeout = limits.milliseconds("backend_attempt_timeout"),
                   .idle_timeout = limits.milliseconds("idle_timeout"),
                   .receive_timeout = limits.milliseconds("receive_timeout"),
                   .write_timeout = limits.milliseconds("write_timeout"),
                   .side_connections_max = static_cast<std::uint32_t>(limits.number("side_connections_max")),
                   .kills_waiting_max = static_cast<std::uint32_t>(limits.number("kills_waiting_max")),
                   .kill_timeout = limits.milliseconds("kill_timeout")};
  config.account_limits = read_account_limits(limits.section("account"), config.account_limits);
  config.net.connections_max = static_cast<std::uint32_t>(limits.number("connections_max"));
  config.net.connections_per_second_max = static_cast<std::uint32_t>(limits.number("connections_per_second_max"));
  config.net.drain_timeout = limits.milliseconds("drain_timeout");
  if (config.limits.packet_bytes_max != 0 && config.limits.token_bytes_max > config.limits.packet_bytes_max) {
    limits.mistake("token_bytes_max", "A token of this size does not fit into packet_bytes_max.",
                   "Lower this, or raise packet_bytes_max.");
  }
}

}  // namespace

identity::AccountLimits read_account_limits(SectionReader section, const identity::AccountLimits& otherwise) {
  identity::AccountLimits limits = otherwise;
  auto take = [&](std::string_view name, auto& value) {
    using Value = std::remove_reference_t<decltype(value)>;
    if (section.present(name)) {
      value = static_cast<Value>(section.number(name));
    }
  };
  take("sessions_max", limits.sessions_max);
  take("logins_per_second_max", limits.logins_per_second_max);
  take("statement_timeout", limits.statement_timeout);
  take("transaction_timeout", limits.transaction_timeout);
  take("result_rows_max", limits.result_rows_max);
  take("result_bytes_max", limits.result_bytes_max);
  return limits;
}

std::uint64_t read_answers(SectionReader& section, std::string_view name) {
  std::string text = section.text(name);
  if (text == "none" || text.empty()) {
    return 0;
  }
  if (text == "all") {
    return identity::answers_recorded_whole;
  }
  auto bytes = number_from_text({.kind = FieldKind::size}, text);
  if (!bytes || *bytes <= 0) {
    section.mistake(name, in_quotes(text) + " is none of these: none, all, a size.", "Write e.g. 64KiB.");
    return 0;
  }
  return static_cast<std::uint64_t>(*bytes);
}

void read_limits(SectionReader& root, Config& config) {
  config.net.worker_threads = static_cast<std::uint32_t>(root.number("worker_threads"));
  config.net.state_directory = read_directory(root, "state_directory");
  auto admin = root.section("admin");
  config.net.admin = {.address = admin.text("address"), .port = static_cast<std::uint16_t>(admin.number("port"))};
  if (!config.net.admin.address.empty() && !is_loopback(config.net.admin.address)) {
    admin.mistake("address", "The admin listener has no authentication and serves loopback only.",
                  "Write 127.0.0.1 or \"::1\".");
  }
  read_session_limits(root.section("limits"), config);
  config.net.tcp = read_tcp(root.section("tcp"));
  read_audit(root.section("audit"), config);
  if (root.present("witness")) {
    config.audit.served_witness = read_served_witness(root.section("witness"), config);
  }
  auto log = root.section("log");
  config.log = {.level = log.choice("level", log_levels), .format = log.choice("format", log_formats)};
}

}  // namespace sallyport::config
