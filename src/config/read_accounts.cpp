#include <algorithm>

#include "config/sections.h"

namespace sallyport::config {

namespace {

using identity::ClaimMatcher;
using identity::Grant;
using identity::MatchRule;

constexpr std::size_t claim_bytes_max = 1024;
constexpr std::array<Choice<identity::ServerChoice>, 3> server_choices{
    {{"primary", identity::ServerChoice::primary},
     {"replica", identity::ServerChoice::replica},
     {"prefer_replica", identity::ServerChoice::prefer_replica}}};
constexpr std::array<std::string_view, 4> condition_names{"equals", "glob", "contains", "one_of"};
constexpr std::array<ClaimMatcher::Kind, 4> condition_kinds{ClaimMatcher::Kind::equals, ClaimMatcher::Kind::glob,
                                                            ClaimMatcher::Kind::contains, ClaimMatcher::Kind::one_of};

std::vector<std::string> read_alternatives(Reading& reading, const Node& node, const std::string& path) {
  std::vector<std::string> values;
  if (node.kind != Node::Kind::sequence || node.items.empty()) {
    reading.mistakes.add(node.place, path, "A list of texts is expected.", "Write e.g. one_of: [prod, stage].");
    return values;
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    values.push_back(read_text(reading, node.items[i], path + "[" + std::to_string(i) + "]", claim_bytes_max));
  }
  return values;
}

ClaimMatcher read_condition(Reading& reading, const std::string& claim, const Node& node, const std::string& path) {
  ClaimMatcher matcher{.claim = claim, .kind = ClaimMatcher::Kind::equals, .value = {}, .values = {}};
  if (node.kind != Node::Kind::mapping) {
    matcher.value = read_text(reading, node, path, claim_bytes_max);
    return matcher;
  }
  if (node.keys.size() != 1) {
    reading.mistakes.add(node.place, path, "A condition has exactly one of " + list_of(condition_names) + ".",
                         "Write e.g. {contains: reporters}.");
    return matcher;
  }
  const Key& key = node.keys.front();
  const auto* found = std::find(condition_names.begin(), condition_names.end(), key.name);
  if (found == condition_names.end()) {
    reading.mistakes.add(key.place, path, "Unknown condition " + in_quotes(key.name) + ".",
                         suggestion(key.name, condition_names));
    return matcher;
  }
  matcher.kind = condition_kinds[static_cast<std::size_t>(found - condition_names.begin())];
  auto value_path = path + "." + key.name;
  if (matcher.kind == ClaimMatcher::Kind::one_of) {
    matcher.values = read_alternatives(reading, node.items.front(), value_path);
  } else {
    matcher.value = read_text(reading, node.items.front(), value_path, claim_bytes_max);
  }
  return matcher;
}

std::vector<ClaimMatcher> read_claims(SectionReader& rule) {
  std::vector<ClaimMatcher> claims;
  const Node* node = rule.find("claims");
  if (node == nullptr) {
    return claims;
  }
  if (node->kind != Node::Kind::mapping || node->keys.empty() || node->keys.size() > 64) {
    rule.mistake("claims", "Conditions on 1 to 64 claims are expected: a rule without any would match every token.",
                 "Write e.g. {sub: agent-reporter}.");
    return claims;
  }
  for (std::size_t i = 0; i < node->keys.size(); ++i) {
    const Key& key = node->keys[i];
    auto path = rule.path_of("claims") + "." + key.name;
    bool twice = std::any_of(claims.begin(), claims.end(), [&](const auto& other) { return other.claim == key.name; });
    if (twice) {
      rule.reading().mistakes.add(key.place, path, "The key is given twice.", "Remove one of the two.");
    }
    if (key.name.empty()) {
      rule.reading().mistakes.add(key.place, path, "The name of the claim is empty.", "Write the name of a claim.");
    }
    claims.push_back(read_condition(rule.reading(), key.name, node->items[i], path));
  }
  return claims;
}

template <typename Settings>
std::vector<std::string_view> names_of(const std::vector<Settings>& all) {
  std::vector<std::string_view> names;
  for (const auto& settings : all) {
    if (!settings.name.empty()) {
      names.push_back(settings.name);
    }
  }
  return names;
}

// Reports a reference to nothing; an empty one was a mistake already, or is not there.
bool resolves(SectionReader& section, std::string_view field, const std::string& name,
              const std::vector<std::string_view>& names) {
  if (name.empty()) {
    return false;
  }
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    section.mistake(field, in_quotes(name) + " is not defined.", suggestion(name, names));
    return false;
  }
  return true;
}

std::vector<MatchRule> read_rules(SectionReader& account, const Config& config) {
  std::vector<MatchRule> rules;
  for (auto& section : account.sections("match")) {
    MatchRule rule{.issuer = section.text("issuer"), .claims = read_claims(section)};
    resolves(section, "issuer", rule.issuer, names_of(config.identity.issuers));
    rules.push_back(std::move(rule));
  }
  return rules;
}

void resolve_login(SectionReader& section, Grant& grant, const Config& config) {
  auto connection = std::find_if(config.connections.begin(), config.connections.end(),
                                 [&](const auto& other) { return other.name == grant.connection; });
  auto logins = names_of(connection->logins);
  if (section.present("login")) {
    resolves(section, "login", grant.login, logins);
  } else if (connection->logins.size() == 1) {
    grant.login = connection->logins.front().name;
  } else if (!connection->logins.empty()) {
    section.mistake("login", "The connection has several logins, so one must be named.",
                    "Add login: " + list_of(logins) + ".");
  }
}

// A choice of what the connection does not have would never be met.
void check_servers(SectionReader& section, const Grant& grant, const Config& config) {
  auto connection = std::find_if(config.connections.begin(), config.connections.end(),
                                 [&](const auto& other) { return other.name == grant.connection; });
  auto has = [&](session::ServerRole role) {
    return std::any_of(connection->servers.begin(), connection->servers.end(),
                       [&](const session::ServerSettings& server) { return server.role == role; });
  };
  if (connection->servers.empty()) {
    return;  // which was a mistake already
  }
  if (grant.servers == identity::ServerChoice::primary && !has(session::ServerRole::primary)) {
    section.mistake("servers", "The connection has no primary.",
                    "Write servers: replica, or add a primary to the connection.");
  }
  if (grant.servers != identity::ServerChoice::primary && !has(session::ServerRole::replica)) {
    section.mistake("servers", "The connection has no replica.",
                    "Write servers: primary, or add a replica to the connection.");
  }
}

std::vector<Grant> read_grants(SectionReader& account, const Config& config) {
  std::vector<Grant> grants;
  for (auto& section : account.sections("grants")) {
    Grant grant{.connection = section.text("connection"),
                .role = section.text("role"),
                .login = section.text("login"),
                .set_role = section.text("set_role"),
                .local_infile = section.flag("local_infile"),
                .servers = section.choice("servers", server_choices)};
    if (resolves(section, "connection", grant.connection, names_of(config.connections))) {
      resolve_login(section, grant, config);
      check_servers(section, grant, config);
    }
    bool twice = std::any_of(grants.begin(), grants.end(), [&](const Grant& other) {
      return !grant.connection.empty() && other.connection == grant.connection && other.role == grant.role;
    });
    if (twice) {
      section.mistake("role", "An earlier grant has the same connection and role.",
                      "Remove one, or name another role.");
    }
    grants.push_back(std::move(grant));
  }
  return grants;
}

}  // namespace

void read_service_accounts(SectionReader& root, Config& config) {
  auto sections = root.sections("service_accounts");
  std::vector<std::string> names;
  for (auto& section : sections) {
    identity::ServiceAccount account{.name = section.text("name"),
                                     .match = read_rules(section, config),
                                     .grants = read_grants(section, config),
                                     .limits = read_account_limits(section.section("limits"), config.account_limits),
                                     .disabled = section.flag("disabled")};
    account.answer_bytes_recorded =
        section.present("answers") ? read_answers(section, "answers") : config.audit.answer_bytes_recorded;
    names.push_back(account.name);
    config.identity.accounts.push_back(std::move(account));
  }
  check_unique_names(sections, "name", names);
}

}  // namespace sallyport::config
