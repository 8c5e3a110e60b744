#include "config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "config/document.h"
#include "config/settings_table.h"

namespace sallyport::config {
namespace {

using std::filesystem::path;

const path golden = path(__FILE__).parent_path().parent_path().parent_path() / "tests/golden/config";

std::string read_whole(const path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// The files that tests/golden/config/valid.yaml refers to, and the wrong ones of mistakes.txt.
class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "config_test.XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    write("cert.pem", "text\n-----BEGIN CERTIFICATE-----\n", 0644);
    write("ca.pem", "-----BEGIN TRUSTED CERTIFICATE-----\n", 0644);
    write("key.pem", "-----BEGIN EC PRIVATE KEY-----\n", 0600);
    write("open_key.pem", "-----BEGIN PRIVATE KEY-----\n", 0644);
    write("public.pem", "-----BEGIN PUBLIC KEY-----\n", 0644);
    write("password", "se cret\n\n", 0640);
    write("open_password", "se cret\n", 0644);
    write("line_break", "\r\n", 0600);
    write("answers.key", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n", 0600);
    write("nul", std::string("a\0b", 3), 0600);
    write("app-password", "credential", 0600);
    write("jwks.json",
          R"({"keys": [{"kty": "EC", "crv": "P-256", "kid": "1", "x": "yOPn6k3JIEBjBL4TB3AWilSTaoyTzbFOlMu4epK1BXs",
              "y": "AkWJH08ej6dlvH-rhr6XS0K-eVAlVsL1s90vbnoXWY4"}]})",
          0644);
    ::setenv("SALLYPORT_TEST_PASSWORD", "from the environment", 1);
    ::setenv("SALLYPORT_TEST_EMPTY", "", 1);
    ::setenv("SALLYPORT_TEST_LINES", "one\r\nX-Other: two", 1);
    ::setenv("CREDENTIALS_DIRECTORY", directory_.c_str(), 1);
    valid_ = read_whole(golden / "valid.yaml");
  }
  ~ConfigTest() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& name, const std::string& text, mode_t mode) const {
    std::ofstream(directory_ / name, std::ios::binary) << text;
    ::chmod((directory_ / name).c_str(), mode);
  }

  std::vector<std::string> mistakes_of(const std::string& yaml) const {
    std::vector<std::string> lines;
    auto config = parse(yaml, "config.yaml", directory_);
    if (config) {
      return lines;
    }
    for (const auto& mistake : config.error()) {
      auto line = to_string(mistake);
      for (auto at = line.find(directory_.string()); at != std::string::npos; at = line.find(directory_.string())) {
        line.replace(at, directory_.string().size(), "DIR");
      }
      lines.push_back(line);
    }
    return lines;
  }

  path directory_;
  std::string valid_;
};

struct Replacement {
  std::string before;
  std::string after;
};

struct Block {
  std::string name;
  std::vector<Replacement> replacements;
  std::vector<std::string> mistakes;
  std::string source;  // the block's lines but those of mistakes
};

std::vector<Block> read_blocks(const std::string& text, std::string& preamble) {
  std::vector<Block> blocks;
  std::istringstream stream(text);
  char previous = ' ';
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("== ")) {
      blocks.push_back({.name = line.substr(3), .replacements = {}, .mistakes = {}, .source = {}});
    }
    if (blocks.empty()) {
      preamble += line + "\n";
      continue;
    }
    auto& block = blocks.back();
    char kind = line.empty() ? ' ' : line.front();
    std::string rest = line.size() > 2 ? line.substr(2) : "";
    if ((kind == '-' && previous != '-') || (kind == '+' && block.replacements.empty())) {
      block.replacements.emplace_back();
    }
    if (kind == '-') {
      block.replacements.back().before += rest + "\n";
    } else if (kind == '+') {
      block.replacements.back().after += rest + "\n";
    } else if (kind == '>') {
      block.mistakes.push_back(rest);
    }
    if (kind != '>' && kind != ' ') {
      block.source += line + "\n";
    }
    previous = kind;
  }
  return blocks;
}

std::string edited(const std::string& valid, const Block& block) {
  std::string yaml = valid;
  for (const auto& replacement : block.replacements) {
    if (replacement.before.empty()) {
      return replacement.after;
    }
    auto at = ("\n" + yaml).find("\n" + replacement.before);
    EXPECT_NE(at, std::string::npos) << block.name << ": valid.yaml has no\n" << replacement.before;
    if (at != std::string::npos) {
      yaml.replace(at, replacement.before.size(), replacement.after);
    }
  }
  return yaml;
}

TEST_F(ConfigTest, CompressionIsOfferedAsServersDoAndUsedWhereItIsAskedFor) {
  auto replaced = [&](std::string_view line, const std::string& by) {
    std::string yaml = valid_;
    yaml.replace(yaml.find(line), line.size(), by);
    return parse(yaml, "config.yaml", directory_);
  };
  auto plain = parse(valid_, "config.yaml", directory_);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->net.listeners[0].compression, session::compression_capabilities);
  EXPECT_EQ(plain->connections[0].compression, session::Compression::none);
  auto none = replaced("auth_method: dialog", "compression: []");
  ASSERT_TRUE(none);
  EXPECT_EQ(none->net.listeners[0].compression, 0U);
  auto zlib = replaced("auth_method: dialog", "compression: [zlib]");
  ASSERT_TRUE(zlib);
  EXPECT_EQ(zlib->net.listeners[0].compression, session::compression_capability(session::Compression::zlib));
  auto server = replaced("default_schema: shop", "compression: zlib");
  ASSERT_TRUE(server);
  EXPECT_EQ(server->connections[0].compression, session::Compression::zlib);
}

TEST_F(ConfigTest, MistakesAreReportedAsInTheGoldenFile) {
  auto file = golden / "mistakes.txt";
  std::string written;
  auto blocks = read_blocks(read_whole(file), written);
  ASSERT_FALSE(blocks.empty());
  bool update = ::getenv("SALLYPORT_UPDATE_GOLDEN") != nullptr;
  for (const auto& block : blocks) {
    auto mistakes = mistakes_of(edited(valid_, block));
    EXPECT_FALSE(mistakes.empty()) << block.name;
    written += (written.ends_with("\n\n") ? "" : "\n") + block.source;
    for (const auto& mistake : mistakes) {
      written += "> " + mistake + "\n";
    }
    if (!update) {
      EXPECT_EQ(mistakes, block.mistakes) << block.name;
    }
  }
  if (update) {
    std::ofstream(file, std::ios::binary) << written;
  }
}

TEST_F(ConfigTest, NoMistakeQuotesASecret) {
  for (const auto& line : mistakes_of(valid_.substr(0, valid_.find("service_accounts:")))) {
    EXPECT_THAT(line, Not(testing::HasSubstr("se cret")));
  }
  auto text = read_whole(golden / "mistakes.txt");
  std::string ignored;
  for (const auto& block : read_blocks(text, ignored)) {
    for (const auto& mistake : block.mistakes) {
      for (std::string_view secret : {"se cret", "hunter2", "from the environment", "PRIVATE KEY-----\n"}) {
        EXPECT_THAT(mistake, Not(testing::HasSubstr(std::string(secret))));
      }
    }
  }
}

TEST_F(ConfigTest, HowDeadPeersAreFoundIsRead) {
  auto config = parse(valid_, "config.yaml", directory_);
  ASSERT_TRUE(config) << to_string(config.error().front());
  EXPECT_EQ(config->net.tcp.keep_alive_idle, Seconds{60});
  EXPECT_EQ(config->net.tcp.user_timeout, Milliseconds{60'000});
  config = parse(
      valid_ + "tcp: {keep_alive_idle: 2m, keep_alive_interval: 3s, keep_alive_probes: 4, user_timeout: 1500ms}\n",
      "config.yaml", directory_);
  ASSERT_TRUE(config) << to_string(config.error().front());
  EXPECT_EQ(config->net.tcp.keep_alive_idle, Seconds{120});
  EXPECT_EQ(config->net.tcp.keep_alive_interval, Seconds{3});
  EXPECT_EQ(config->net.tcp.keep_alive_probes, 4U);
  EXPECT_EQ(config->net.tcp.user_timeout, Milliseconds{1500});
}

TEST_F(ConfigTest, ListenersAndNetSettingsAreRead) {
  auto config = parse(valid_, "config.yaml", directory_);
  ASSERT_TRUE(config) << to_string(config.error().front());
  const auto& net = config->net;
  ASSERT_EQ(net.listeners.size(), 2U);
  const auto& main = net.listeners[0];
  EXPECT_EQ(main.name, "main");
  EXPECT_EQ(main.address, "127.0.0.1");
  EXPECT_EQ(main.port, 3307);
  EXPECT_EQ(main.flavor, session::Flavor::mariadb);
  EXPECT_EQ(main.server_version, "10.11.11-MariaDB");
  EXPECT_EQ(main.auth_method, session::AuthMethod::dialog);
  EXPECT_EQ(main.tls.certificate_file, directory_ / "cert.pem");
  EXPECT_EQ(main.tls.key_file, directory_ / "key.pem");
  EXPECT_EQ(net.listeners[1].auth_method, session::AuthMethod::caching_sha2_password);
  EXPECT_EQ(net.listeners[1].port, 0);
  EXPECT_TRUE(net.listeners[1].tls.key_file.empty());
  EXPECT_EQ(net.admin.address, "::1");
  EXPECT_EQ(net.admin.port, 0);
  EXPECT_EQ(net.worker_threads, 3U);
  EXPECT_EQ(net.connections_max, 500U);
  EXPECT_EQ(net.drain_timeout, Milliseconds{0});
  EXPECT_EQ(net.state_directory, directory_ / "state");
}

TEST_F(ConfigTest, AnAccountHasTheLimitsOfAllWhereItHasNoneOfItsOwn) {
  auto config = parse(valid_, "config.yaml", directory_);
  ASSERT_TRUE(config);
  const identity::AccountLimits& all = config->identity.accounts[0].limits;
  EXPECT_EQ(all.sessions_max, 20U);
  EXPECT_EQ(all.logins_per_second_max, 0U);
  EXPECT_EQ(all.statement_timeout, Seconds{300});
  EXPECT_EQ(all.transaction_timeout, Seconds{0});
  EXPECT_EQ(all.result_rows_max, 100'000U);
  EXPECT_EQ(all.result_bytes_max, 0U);
  const identity::AccountLimits& own = config->identity.accounts[1].limits;
  EXPECT_EQ(own.sessions_max, 0U);
  EXPECT_EQ(own.logins_per_second_max, 50U);
  EXPECT_EQ(own.statement_timeout, Seconds{300});
  EXPECT_EQ(own.transaction_timeout, Seconds{30});
  EXPECT_EQ(own.result_rows_max, 100'000U);
  EXPECT_EQ(own.result_bytes_max, 2ULL << 30);
}

void expect_sinks(const std::vector<sink::SinkSettings>& sinks) {
  ASSERT_EQ(sinks.size(), 4U);
  EXPECT_EQ(std::get<sink::FileSettings>(sinks[0].receiver).path, "/var/spool/records.jsonl");
  EXPECT_EQ(sinks[0].when_behind, sink::WhenBehind::block);
  EXPECT_EQ(sinks[0].from, sink::Begin::beginning);
  EXPECT_EQ(sinks[0].message_bytes_max, 16U << 20);
  const auto& syslog = std::get<sink::SyslogSettings>(sinks[1].receiver);
  EXPECT_EQ(syslog.transport, sink::SyslogTransport::tls);
  EXPECT_EQ(syslog.port, 6514);
  EXPECT_EQ(syslog.facility, 13);
  EXPECT_EQ(syslog.tls.server_name, "logs.example.org");
  EXPECT_EQ(syslog.resend_records, 20'000U);
  EXPECT_EQ(sinks[1].message_bytes_max, 8U << 10);
  EXPECT_EQ(sinks[1].types, (std::vector<std::string>{"login_accepted", "login_refused"}));
  const auto& http = std::get<sink::HttpSettings>(sinks[2].receiver);
  EXPECT_EQ(http.url, "https://collector.example.org/records");
  ASSERT_EQ(http.headers.size(), 2U);
  EXPECT_EQ(http.headers[0].name, "Authorization");
  EXPECT_EQ(http.headers[0].value.reveal(), "Bearer from the environment");
  EXPECT_EQ(http.headers[1].value.reveal(), "from the environment");
  EXPECT_EQ(sinks[2].format, sink::Format::ocsf);
  EXPECT_EQ(sinks[2].when_behind, sink::WhenBehind::drop);
  EXPECT_EQ(sinks[2].behind_records_max, 5000U);
  const auto& kafka = std::get<sink::KafkaSettings>(sinks[3].receiver);
  EXPECT_EQ(kafka.brokers, (std::vector<std::string>{"k1.example.org:9093", "k2.example.org:9093"}));
  EXPECT_EQ(kafka.sasl, sink::SaslMechanism::scram_sha_256);
  EXPECT_EQ(kafka.password.reveal(), "from the environment");
  EXPECT_EQ(sinks[3].message_bytes_max, 900U << 10);
}

TEST_F(ConfigTest, LimitsAuditAndLogAreRead) {
  auto config = parse(valid_, "config.yaml", directory_);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->limits.packet_bytes_max, 1U << 30);
  EXPECT_EQ(config->limits.token_bytes_max, 8192U);
  EXPECT_EQ(config->limits.verified_signatures_max, 0U);
  EXPECT_EQ(config->limits.prepared_statements_max, 10U);
  EXPECT_EQ(config->limits.handshake_timeout, Milliseconds{500});
  EXPECT_EQ(config->limits.backend_login_timeout, Seconds{3});
  EXPECT_EQ(config->limits.idle_timeout, Seconds{3600});
  EXPECT_EQ(config->limits.write_timeout, Seconds{120});
  EXPECT_EQ(config->audit.directory, "/var/log/elsewhere");
  EXPECT_EQ(config->audit.origin, "shop-gateway");
  EXPECT_EQ(config->audit.signing_key, config->net.state_directory / "audit.key");
  EXPECT_EQ(config->audit.durability, audit::Durability::strict);
  EXPECT_EQ(config->audit.segment_bytes, 16U << 20);
  EXPECT_EQ(config->audit.segment_age, Seconds{3600});
  EXPECT_EQ(config->audit.stall_limit, Milliseconds{500});
  EXPECT_EQ(config->audit.retention.age, Seconds{90 * 86400});
  EXPECT_EQ(config->audit.retention.bytes, 1U << 30);
  EXPECT_EQ(config->audit.answer_bytes_recorded, 64U << 10);
  EXPECT_EQ(config->audit.claims, (std::vector<std::string>{"email", "realm.roles"}));
  expect_sinks(config->sinks);
  EXPECT_EQ(config->log.level, LogLevel::warning);
  EXPECT_EQ(config->log.format, LogFormat::text);
}

TEST_F(ConfigTest, IssuersAreRead) {
  auto config = parse(valid_, "config.yaml", directory_);
  ASSERT_TRUE(config);
  const auto& issuers = config->identity.issuers;
  ASSERT_EQ(issuers.size(), 3U);
  EXPECT_EQ(issuers[0].audiences, (std::vector<std::string>{"sallyport", "other"}));
  EXPECT_EQ(std::get<identity::DiscoveryKeys>(issuers[0].keys).url,
            "https://idp.example.org/.well-known/openid-configuration");
  EXPECT_EQ(issuers[0].ca_file, directory_ / "ca.pem");
  EXPECT_EQ(issuers[0].algorithms, (std::vector{crypto::JwsAlgorithm::eddsa, crypto::JwsAlgorithm::ps512}));
  EXPECT_EQ(issuers[0].token_types, (std::vector<std::string>{"at+jwt", "JWT"}));
  EXPECT_EQ(issuers[0].subjects, identity::Subjects::any);
  EXPECT_EQ(issuers[0].lifetime_max, Seconds{7200});
  EXPECT_EQ(issuers[0].clock_skew, Seconds{0});
  EXPECT_EQ(issuers[0].refresh_every, Seconds{90});
  EXPECT_EQ(issuers[0].stale_keys_max, Seconds{86400});
  EXPECT_EQ(issuers[1].kind, identity::IssuerKind::spiffe);
  EXPECT_EQ(issuers[1].token_types, (std::vector<std::string>{"JWT", "JOSE"}));
  EXPECT_EQ(std::get<identity::JwksFileKeys>(issuers[1].keys).path, directory_ / "jwks.json");
  EXPECT_THAT(std::get<identity::InlineKeys>(issuers[2].keys).jwks,
              testing::StartsWith(R"({"keys":[{"kty":"EC","crv":"P-256","use":"sig","kid":"1","x":)"));
}

TEST_F(ConfigTest, ConnectionsAndTheirSecretsAreRead) {
  auto config = parse(valid_, "config.yaml", directory_);
  ASSERT_TRUE(config);
  ASSERT_EQ(config->connections.size(), 2U);
  const auto& shop = config->connections[0];
  EXPECT_EQ(shop.flavor, session::Flavor::mariadb);
  EXPECT_EQ(shop.servers.at(0).host, "db.example.org");
  EXPECT_EQ(shop.servers[0].port, 3310);
  EXPECT_EQ(shop.tls.mode, session::BackendTlsMode::verify_ca);
  EXPECT_EQ(shop.tls.ca_file, directory_ / "ca.pem");
  EXPECT_EQ(shop.servers[0].tls_name, "db");
  EXPECT_EQ(shop.tls.certificate_file, directory_ / "cert.pem");
  EXPECT_EQ(shop.tls.key_file, directory_ / "key.pem");
  EXPECT_EQ(shop.servers[0].public_key_file, directory_ / "public.pem");
  EXPECT_FALSE(shop.trust_server_public_key);
  EXPECT_EQ(shop.default_schema, "shop");
  ASSERT_EQ(shop.logins.size(), 2U);
  EXPECT_EQ(shop.logins[0].name, "reader");
  EXPECT_EQ(shop.logins[0].user, "sallyport_reader");
  EXPECT_EQ(shop.logins[0].password.reveal(), "se cret\n") << "one line break is not part of the secret";
  EXPECT_EQ(shop.logins[1].name, "sallyport_writer");
  EXPECT_EQ(shop.logins[1].password.reveal(), "from the environment");
  ASSERT_TRUE(shop.catalogue);
  EXPECT_EQ(shop.catalogue->login, "sallyport_writer");
  EXPECT_EQ(shop.catalogue->refresh, Seconds{60});
  EXPECT_EQ(shop.catalogue->timeout, Milliseconds{500});
  EXPECT_TRUE(shop.seals_literals);
  ASSERT_TRUE(shop.protected_columns);
  EXPECT_EQ(shop.protected_columns->missing_in(catalog::Catalogue({}, 1)),
            (std::vector<std::string>{"shop.customers.ssn", "*.*.card"}));
  const auto& local = config->connections[1];
  EXPECT_FALSE(local.catalogue);
  EXPECT_FALSE(local.protected_columns);
  EXPECT_FALSE(local.seals_literals);
  EXPECT_EQ(local.servers.at(0).socket_path, "/run/mysqld/mysqld.sock");
  EXPECT_EQ(local.tls.mode, session::BackendTlsMode::disabled);
  EXPECT_TRUE(local.trust_server_public_key);
  EXPECT_EQ(local.logins[0].password.reveal(), "credential");
}

TEST_F(ConfigTest, ServiceAccountsAreRead) {
  auto config = parse(valid_, "config.yaml", directory_);
  ASSERT_TRUE(config);
  const auto& accounts = config->identity.accounts;
  ASSERT_EQ(accounts.size(), 2U);
  EXPECT_EQ(accounts[0].name, "reporter");
  ASSERT_EQ(accounts[0].match.size(), 2U);
  EXPECT_EQ(accounts[0].match[1].issuer, "mesh");
  const auto& claims = accounts[0].match[0].claims;
  using Kind = identity::ClaimMatcher::Kind;
  ASSERT_EQ(claims.size(), 5U);
  EXPECT_EQ(claims[0].claim, "sub");
  EXPECT_EQ(claims[0].kind, Kind::equals);
  EXPECT_EQ(claims[0].value, "agent-reporter");
  EXPECT_EQ(claims[1].kind, Kind::contains);
  EXPECT_EQ(claims[2].kind, Kind::glob);
  EXPECT_EQ(claims[3].kind, Kind::one_of);
  EXPECT_EQ(claims[3].values, (std::vector<std::string>{"prod", "stage"}));
  EXPECT_EQ(claims[4].kind, Kind::equals);
  EXPECT_EQ(claims[4].value, "42");
  ASSERT_EQ(accounts[0].grants.size(), 2U);
  EXPECT_EQ(accounts[0].grants[0].role, "reporting");
  EXPECT_EQ(accounts[0].grants[0].login, "reader");
  EXPECT_EQ(accounts[0].grants[0].set_role, "shop_reader");
  EXPECT_EQ(accounts[0].grants[1].login, "app") << "the only login of the connection";
  EXPECT_FALSE(accounts[0].disabled);
  EXPECT_EQ(accounts[0].answer_bytes_recorded, 64U << 10) << "as audit.answers says";
  EXPECT_EQ(accounts[1].answer_bytes_recorded, identity::answers_recorded_whole);
  EXPECT_TRUE(accounts[1].disabled);
}

constexpr std::string_view least_document = R"(
listeners: [{name: main, address: 127.0.0.1}]
issuers:
  - {name: idp, issuer: https://idp.example.org, audiences: [sallyport], keys: {jwks_url: "https://idp.example.org/keys"}}
connections: [{name: shop, host: db, logins: [{user: app, password: {file: password}}]}]
service_accounts:
  - {name: one, match: [{issuer: idp, claims: {sub: x}}], grants: [{connection: shop}]}
)";

TEST_F(ConfigTest, WitnessesAreFilesOrHaveAKey) {
  constexpr std::string_view key = "witness.example/w1+24b5d9fe+BP0XJDhaoMdbZPt4zWAvodmR/ev3axPFjtcC6sg16fYY";
  auto with = [&](std::string_view witnesses, std::string_view more = "") {
    return std::string(least_document) + "\naudit: {witnesses: [" + std::string(witnesses) + "]}\n" + std::string(more);
  };
  auto config =
      parse(with("{file: copies, every: 5s}, {url: \"https://w.example/p/\", key: \"" + std::string(key) + "\"}"),
            "config.yaml", directory_);
  ASSERT_TRUE(config) << to_string(config.error().front());
  ASSERT_EQ(config->audit.witnesses.size(), 2U);
  EXPECT_EQ(config->audit.witnesses[0].file, directory_ / "copies");
  EXPECT_EQ(config->audit.witnesses[0].every, Milliseconds{5000});
  EXPECT_EQ(config->audit.witnesses[1].name, "witness.example/w1");
  EXPECT_EQ(config->audit.witnesses[1].url, "https://w.example/p");
  EXPECT_EQ(config->audit.served_witness, std::nullopt);
  for (auto [witnesses, mistake] :
       {std::pair{"{url: \"https://w.example/p\"}", "audit.witnesses[0].key: A witness that cosigns needs"},
        std::pair{"{url: \"https://w.example/p\", key: x}", "audit.witnesses[0].key: A witness that cosigns needs"},
        std::pair{"{url: \"http://w.example/p\", key: x}", "audit.witnesses[0].url: No request is sent to"},
        std::pair{"{file: a}, {file: a}", "audit.witnesses[1].file: Another witness is the same."},
        std::pair{"{file: a, key: x}", "audit.witnesses[0].key: This is for a url."}}) {
    std::vector<std::string> found = mistakes_of(with(witnesses));
    ASSERT_FALSE(found.empty()) << witnesses;
    EXPECT_NE(found.front().find(mistake), std::string::npos) << found.front();
  }
  for (auto [witness, mistake] :
       {std::pair{"{name: a b, logs: []}", "witness.name: 'a b' can't be the name of a witness."},
        std::pair{"{name: w, logs: [x]}", "witness.logs: 'x' is no verifier key of a log."}}) {
    std::vector<std::string> found = mistakes_of(std::string(least_document) + "\nwitness: " + witness + "\n");
    ASSERT_FALSE(found.empty()) << witness;
    EXPECT_TRUE(std::ranges::any_of(found, [&, text = mistake](const std::string& one) {
      return one.find(text) != std::string::npos;
    })) << found.front();
  }
}

TEST_F(ConfigTest, AKeyForAnswersIsReadWhereItIsOne) {
  constexpr std::string_view digits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  write("answers.key", std::string(digits), 0600);
  write("old.key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHgA=\n", 0640);
  std::string keys = "\naudit: {answers_key: {file: answers.key}, previous_answers_keys: [{file: old.key}]}\n";
  auto config = parse(std::string(least_document) + keys, "config.yaml", directory_);
  ASSERT_TRUE(config) << to_string(config.error().front());
  EXPECT_EQ(config->audit.answers_key, audit::AnswersKey::parse(digits).value());
  ASSERT_EQ(config->audit.previous_answers_keys.size(), 1U);
  write("answers.key", "correct horse battery staple", 0600);
  auto refused = parse(std::string(least_document) + keys, "config.yaml", directory_);
  ASSERT_FALSE(refused);
  std::string mistake = to_string(refused.error().front());
  EXPECT_NE(mistake.find("audit.answers_key.file: This is no key for answers"), std::string::npos) << mistake;
  EXPECT_EQ(mistake.find("horse"), std::string::npos);
  write("answers.key", std::string(digits), 0644);
  refused = parse(std::string(least_document) + keys, "config.yaml", directory_);
  ASSERT_FALSE(refused);
  EXPECT_NE(to_string(refused.error().front()).find("can be read or written by every user"), std::string::npos);
}

TEST_F(ConfigTest, WhatIsLeftOutHasTheDefaultsOfTheSettings) {
  auto config = parse(least_document, "config.yaml", directory_);
  ASSERT_TRUE(config) << to_string(config.error().front());
  session::Limits limits;
  EXPECT_EQ(config->limits.packet_bytes_max, limits.packet_bytes_max);
  EXPECT_EQ(config->limits.token_bytes_max, limits.token_bytes_max);
  EXPECT_EQ(config->limits.verified_signatures_max, limits.verified_signatures_max);
  EXPECT_EQ(config->limits.prepared_statements_max, limits.prepared_statements_max);
  EXPECT_EQ(config->limits.handshake_timeout, limits.handshake_timeout);
  EXPECT_EQ(config->limits.backend_login_timeout, limits.backend_login_timeout);
  EXPECT_EQ(config->limits.backend_attempt_timeout, limits.backend_attempt_timeout);
  EXPECT_EQ(config->limits.idle_timeout, limits.idle_timeout);
  EXPECT_EQ(config->limits.receive_timeout, limits.receive_timeout);
  EXPECT_EQ(config->limits.write_timeout, limits.write_timeout);
  identity::AccountLimits account;
  EXPECT_EQ(config->account_limits.sessions_max, account.sessions_max);
  EXPECT_EQ(config->account_limits.logins_per_second_max, account.logins_per_second_max);
  EXPECT_EQ(config->account_limits.statement_timeout, account.statement_timeout);
  EXPECT_EQ(config->account_limits.transaction_timeout, account.transaction_timeout);
  EXPECT_EQ(config->account_limits.result_rows_max, account.result_rows_max);
  EXPECT_EQ(config->account_limits.result_bytes_max, account.result_bytes_max);
  net::NetSettings net;
  EXPECT_EQ(config->net.admin.address, net.admin.address);
  EXPECT_EQ(config->net.admin.port, net.admin.port);
  EXPECT_EQ(config->net.worker_threads, net.worker_threads);
  EXPECT_EQ(config->net.connections_max, net.connections_max);
  EXPECT_EQ(config->net.drain_timeout, net.drain_timeout);
  net::ListenerSettings listener;
  EXPECT_EQ(config->net.listeners[0].port, listener.port);
  EXPECT_EQ(config->net.listeners[0].flavor, listener.flavor);
  EXPECT_EQ(config->net.listeners[0].auth_method, listener.auth_method);
  identity::IssuerSettings issuer;
  const auto& read = config->identity.issuers[0];
  EXPECT_EQ(read.kind, issuer.kind);
  EXPECT_EQ(read.subjects, issuer.subjects);
  EXPECT_EQ(read.lifetime_max, issuer.lifetime_max);
  EXPECT_EQ(read.clock_skew, issuer.clock_skew);
  EXPECT_EQ(read.refresh_every, issuer.refresh_every);
  EXPECT_EQ(read.stale_keys_max, issuer.stale_keys_max);
  using enum crypto::JwsAlgorithm;
  EXPECT_EQ(read.algorithms, (std::vector{rs256, ps256, es256, eddsa}));
  EXPECT_EQ(read.token_types, (std::vector<std::string>{"at+jwt"}));
  session::ConnectionSettings connection;
  ASSERT_EQ(config->connections[0].servers.size(), 1U);
  EXPECT_EQ(config->connections[0].servers[0].name, session::only_server_name);
  EXPECT_EQ(config->connections[0].servers[0].role, session::ServerSettings{}.role);
  EXPECT_EQ(config->connections[0].servers[0].port, session::ServerSettings{}.port);
  EXPECT_EQ(config->identity.accounts[0].grants[0].servers, identity::Grant{}.servers);
  EXPECT_EQ(config->connections[0].tls.mode, connection.tls.mode);
  EXPECT_EQ(config->connections[0].flavor, connection.flavor);
  LogSettings log;
  EXPECT_EQ(config->log.level, log.level);
  EXPECT_EQ(config->log.format, log.format);
}

TEST_F(ConfigTest, SeveralServersAreReadInTheirOrder) {
  std::string text(least_document);
  auto replace = [&](std::string_view what, std::string_view by) { text.replace(text.find(what), what.size(), by); };
  replace("host: db,",
          "servers: [{name: east, role: primary, host: east, port: 3310, server_public_key: public.pem}, "
          "{name: copy, role: replica, socket: /run/copy.sock, server_name: copy.example.org}], "
          "tls: {server_name: db.example.org},");
  replace("{connection: shop}", "{connection: shop, servers: prefer_replica}");
  auto config = parse(text, "config.yaml", directory_);
  ASSERT_TRUE(config) << to_string(config.error().front());
  const auto& servers = config->connections[0].servers;
  ASSERT_EQ(servers.size(), 2U);
  EXPECT_EQ(servers[0].name, "east");
  EXPECT_EQ(servers[0].role, session::ServerRole::primary);
  EXPECT_EQ(servers[0].host, "east");
  EXPECT_EQ(servers[0].port, 3310);
  EXPECT_EQ(servers[0].tls_name, "db.example.org") << "what is said of all";
  EXPECT_EQ(servers[0].public_key_file, directory_ / "public.pem");
  EXPECT_EQ(servers[1].role, session::ServerRole::replica);
  EXPECT_EQ(servers[1].socket_path, "/run/copy.sock");
  EXPECT_EQ(servers[1].tls_name, "copy.example.org");
  EXPECT_TRUE(servers[1].public_key_file.empty());
  EXPECT_EQ(config->connections[0].tls.mode, session::BackendTlsMode::verify_full);
  EXPECT_EQ(config->identity.accounts[0].grants[0].servers, identity::ServerChoice::prefer_replica);
}

TEST_F(ConfigTest, TheExampleOfTheDocumentationIsValid) {
  auto text = read_whole(golden.parent_path().parent_path().parent_path() / "docs/configuration.md");
  constexpr std::string_view fence = "```yaml\n";
  auto begin = text.find(fence) + fence.size();
  EXPECT_THAT(mistakes_of(text.substr(begin, text.find("```", begin) - begin)), testing::IsEmpty());
}

TEST_F(ConfigTest, AFileIsLoadedWithPathsRelativeToIt) {
  write("config.yaml", valid_, 0644);
  auto config = load(directory_ / "config.yaml");
  ASSERT_TRUE(config) << to_string(config.error().front());
  EXPECT_EQ(config->net.listeners[0].tls.key_file, directory_ / "key.pem");
}

TEST_F(ConfigTest, AFileThatCannotBeReadIsOneMistakeWithoutAPlace) {
  for (const auto& file : {directory_ / "missing.yaml", directory_}) {
    auto config = load(file);
    ASSERT_FALSE(config);
    ASSERT_EQ(config.error().size(), 1U);
    EXPECT_EQ(config.error()[0].line, 0);
    EXPECT_THAT(to_string(config.error()[0]), testing::StartsWith(file.string() + ": The configuration can't be read"));
  }
}

TEST_F(ConfigTest, EveryFieldOfTheTableIsReadByTheParser) {
  // A value that is right for no kind of field, put in place of each field in turn, must be a mistake at that field.
  struct Row {
    std::string section;
    std::string marker;  // the place in the document where fields of the section can be added
    std::string path;
  };
  const std::vector<Row> rows{
      {"configuration", "{", ""},
      {"listener", "listeners: [{", "listeners[0]."},
      {"listener_tls", "tls: {", "listeners[0].tls."},
      {"admin", "admin: {", "admin."},
      {"issuer", "issuers: [{", "issuers[0]."},
      {"issuer_keys", "keys: {", "issuers[0].keys."},
      {"connection", "connections: [{", "connections[0]."},
      {"server", "servers: [{", "connections[0].servers[0]."},
      {"backend_tls", "tls:  {", "connections[0].tls."},
      {"pool", "pool: {", "connections[0].pool."},
      {"catalogue", "catalogue: {", "connections[0].catalogue."},
      {"login", "logins: [{", "connections[0].logins[0]."},
      {"secret", "password: {", "connections[0].logins[0].password."},
      {"service_account", "service_accounts: [{", "service_accounts[0]."},
      {"match", "match: [{", "service_accounts[0].match[0]."},
      {"grant", "grants: [{", "service_accounts[0].grants[0]."},
      {"limits", "limits: {", "limits."},
      {"account_limits", "account: {", "limits.account."},
      {"tcp", "tcp: {", "tcp."},
      {"audit", "audit: {", "audit."},
      {"retention", "retention: {", "audit.retention."},
      {"witness", "witnesses: [{", "audit.witnesses[0]."},
      {"served_witness", "witness: {", "witness."},
      {"sink", "sinks: [{", "audit.sinks[0]."},
      {"sink_file", "file: {", "audit.sinks[0].file."},
      {"sink_syslog", "syslog: {", "audit.sinks[1].syslog."},
      {"sink_tls", "tls:   {", "audit.sinks[1].syslog.tls."},
      {"sink_http", "http: {", "audit.sinks[2].http."},
      {"sink_http_header", "headers: [{", "audit.sinks[2].http.headers[0]."},
      {"sink_kafka", "kafka: {", "audit.sinks[3].kafka."},
      {"sink_sasl", "sasl: {", "audit.sinks[3].kafka.sasl."},
      {"log", " log: {", "log."},
  };
  const std::string skeleton =
      "{listeners: [{tls: {}}], admin: {}, issuers: [{keys: {}}], connections: [{tls:  {}, servers: [{}], pool: {}, "
      "catalogue: {}, logins: [{password: {}}]}], service_accounts: [{match: [{}], grants: [{}]}], limits: {account: "
      "{}}, "
      "tcp: {}, audit: {retention: {}, sinks: [{file: {}}, {syslog: {tls:   {}}}, {http: {headers: [{}]}}, {kafka: "
      "{sasl: {}}}], witnesses: [{}]}, witness: {}, log: {}}";
  ASSERT_EQ(rows.size(), all_sections().size());
  for (const auto* section : all_sections()) {
    auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& other) { return other.section == section->name; });
    ASSERT_NE(row, rows.end()) << section->name;
    for (const auto& field : section->fields) {
      auto yaml = skeleton;
      auto at = yaml.find(row->marker);
      ASSERT_NE(at, std::string::npos) << row->marker;
      yaml.insert(at + row->marker.size(), std::string(field.name) + ": null, ");
      auto mistakes = mistakes_of(yaml);
      auto expected =
          "config.yaml:1:" + std::to_string(yaml.find(": null") + 3) + ": " + row->path + std::string(field.name) + ":";
      EXPECT_THAT(mistakes, testing::Contains(testing::StartsWith(expected))) << yaml;
    }
  }
}

TEST_F(ConfigTest, DocumentsBeyondTheLimitsAreRefused) {
  EXPECT_THAT(mistakes_of(std::string(document_bytes_max + 1, '\n')),
              testing::ElementsAre(testing::HasSubstr("larger than 1 MiB")));
  std::string many = "a: [";
  for (std::size_t i = 0; i <= document_nodes_max; ++i) {
    many += "x,";
  }
  EXPECT_THAT(mistakes_of(many + "]"), testing::ElementsAre(testing::HasSubstr("too many values")));
  EXPECT_THAT(mistakes_of(std::string("a: \0b", 5)), testing::ElementsAre(testing::HasSubstr("NUL")));
}

}  // namespace
}  // namespace sallyport::config
