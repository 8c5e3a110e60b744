#include "simulation/world.h"

namespace sallyport::simulation {
namespace {

namespace capability = wire::capability;

constexpr wire::Capabilities basic = capability::long_password | capability::long_flag | capability::protocol_41 |
                                     capability::transactions | capability::secure_connection |
                                     capability::multi_statements | capability::multi_results |
                                     capability::ps_multi_results | capability::plugin_auth |
                                     capability::plugin_auth_lenenc_data | capability::connect_attrs;

// What only one of the two kinds of servers has. MariaDB's are exchanged between ends that leave out long_password.
void add_extensions(Scenario& scenario, Choices& choices) {
  wire::Capabilities of_both = capability::optional_resultset_metadata;
  if (scenario.flavor == session::Flavor::mariadb) {
    scenario.client.capabilities &= ~capability::long_password;
    scenario.backend.capabilities &= ~capability::long_password;
    of_both = capability::mariadb_bulk_operations;
    scenario.client.capabilities |= choices.one_in(2) ? capability::mariadb_cache_metadata : 0;
  }
  if (choices.one_in(2)) {
    scenario.client.capabilities |= of_both;
    scenario.backend.capabilities |= of_both;
  }
}

}  // namespace

std::string_view name_of(Fault fault) {
  constexpr std::array<std::string_view, fault_count> names{"none",
                                                            "client_closes",
                                                            "client_stalls",
                                                            "client_sends_garbage",
                                                            "backend_closes",
                                                            "backend_stalls",
                                                            "backend_sends_error",
                                                            "backend_sends_garbage",
                                                            "commit_fails",
                                                            "sink_is_full",
                                                            "commit_hangs",
                                                            "token_expires",
                                                            "idle_time_passes",
                                                            "login_time_passes",
                                                            "environment_unchanged",
                                                            "account_removed",
                                                            "account_disabled",
                                                            "login_changed",
                                                            "drain",
                                                            "stop",
                                                            "client_tls_fails",
                                                            "token_is_refused",
                                                            "connect_fails",
                                                            "backend_tls_fails"};
  return names[static_cast<std::size_t>(fault)];
}

Scenario plain_scenario() {
  Scenario scenario;
  scenario.client.capabilities = basic | capability::session_track | capability::local_files;
  scenario.client.token = "token-that-nobody-may-see";
  scenario.client.schema = "sales";
  scenario.client.commands = 10;
  scenario.backend.capabilities = basic | capability::session_track | capability::local_files |
                                  capability::deprecate_eof | capability::ssl | capability::connect_with_db;
  scenario.backend.manners = BackendManners::sha2_full;
  scenario.backend.has_role = true;
  scenario.backend.has_schema = true;
  return scenario;
}

Scenario random_scenario(Choices& choices) {
  Scenario scenario = plain_scenario();
  scenario.flavor = choices.one_in(2) ? session::Flavor::mysql : session::Flavor::mariadb;
  if (choices.one_in(4)) {
    scenario.auth_method = static_cast<session::AuthMethod>(choices.below(4));
  }
  FakeClient::Plan& client = scenario.client;
  client.manners =
      choices.one_in(3) ? static_cast<ClientManners>(choices.below(client_manners_count)) : ClientManners::sha2;
  client.capabilities = basic;
  FakeBackend::Plan& backend = scenario.backend;
  backend.capabilities = basic | capability::ssl | capability::connect_with_db;
  for (wire::Capabilities flag : {capability::deprecate_eof, capability::session_track, capability::local_files}) {
    client.capabilities |= choices.one_in(2) ? flag : 0;
    backend.capabilities |= choices.one_in(2) ? flag : 0;
  }
  if (scenario.flavor == session::Flavor::mysql && choices.one_in(2)) {
    client.capabilities |= capability::query_attributes;
    backend.capabilities |= capability::query_attributes;
  }
  if (choices.one_in(3)) {
    bool zstd = scenario.flavor == session::Flavor::mysql && choices.one_in(2);
    client.capabilities |= zstd ? capability::zstd_compression : capability::compress;
  }
  if (choices.one_in(3)) {
    scenario.compression = choices.one_in(2) ? session::Compression::zlib : session::Compression::zstd;
    backend.capabilities |= session::compression_capability(scenario.compression);
  }
  if (choices.one_in(2)) {
    client.schema.clear();
    backend.has_schema = false;
  }
  if (choices.one_in(2)) {
    client.user = "shop.plain";
    backend.has_role = false;
  }
  client.commands = choices.below(14);
  client.pipelines = choices.one_in(3);
  client.quits = !choices.one_in(4);
  backend.manners =
      choices.one_in(3) ? static_cast<BackendManners>(choices.below(backend_manners_count)) : BackendManners::sha2_fast;
  scenario.by_socket = choices.one_in(4);
  scenario.tls = choices.one_in(4) ? session::BackendTlsMode::disabled : session::BackendTlsMode::verify_full;
  scenario.denies_executes = choices.one_in(3);
  constexpr std::array<std::uint32_t, 6> fragments{0, 0, 1, 3, 20, 300};
  scenario.fragment_max = fragments[choices.below(fragments.size())];
  if (choices.one_in(2)) {
    scenario.fault = static_cast<Fault>(choices.below(fault_count));
    scenario.fault_step = choices.below(choices.one_in(2) ? 30 : 400);
  }
  scenario.pooled = choices.one_in(2);
  scenario.resumes = scenario.pooled && choices.one_in(2);
  scenario.is_impatient = choices.one_in(3);
  if (choices.one_in(2)) {
    add_extensions(scenario, choices);
  }
  scenario.two_servers = choices.one_in(2);
  constexpr std::array<std::uint64_t, 4> recorded{0, 1, 20, identity::answers_recorded_whole};
  scenario.answer_bytes_recorded = recorded[choices.below(recorded.size())];
  return scenario;
}

}  // namespace sallyport::simulation
