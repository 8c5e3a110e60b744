#include <algorithm>

#include "base/json_text.h"
#include "config/files.h"
#include "config/scalars.h"
#include "config/sections.h"
#include "identity/key_set.h"

namespace sallyport::config {

namespace {

using crypto::JwsAlgorithm;
using identity::IssuerKind;
using identity::IssuerSettings;

constexpr std::array<Choice<IssuerKind>, 2> kinds{{{"oidc", IssuerKind::oidc}, {"spiffe", IssuerKind::spiffe}}};
constexpr std::array<Choice<identity::Subjects>, 2> subject_choices{
    {{"machine", identity::Subjects::machine}, {"any", identity::Subjects::any}}};
constexpr std::array<Choice<JwsAlgorithm>, 10> algorithms{{{"RS256", JwsAlgorithm::rs256},
                                                           {"RS384", JwsAlgorithm::rs384},
                                                           {"RS512", JwsAlgorithm::rs512},
                                                           {"PS256", JwsAlgorithm::ps256},
                                                           {"PS384", JwsAlgorithm::ps384},
                                                           {"PS512", JwsAlgorithm::ps512},
                                                           {"ES256", JwsAlgorithm::es256},
                                                           {"ES384", JwsAlgorithm::es384},
                                                           {"ES512", JwsAlgorithm::es512},
                                                           {"EdDSA", JwsAlgorithm::eddsa}}};

// A JWK set that was written as YAML (of which JSON is a part), as JSON again. The document bounds its depth.
void append_json(std::string& json, const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      json += "null";
      return;
    case Node::Kind::scalar: {
      bool bare = node.style == Node::Style::plain &&
                  (plain_type(node.text) == PlainType::boolean || parse_integer(node.text).has_value());
      if (bare) {
        json += node.text;
      } else {
        append_json_string(json, node.text);
      }
      return;
    }
    case Node::Kind::sequence:
    case Node::Kind::mapping:
      break;
  }
  bool is_mapping = node.kind == Node::Kind::mapping;
  json += is_mapping ? '{' : '[';
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    json += i > 0 ? "," : "";
    if (is_mapping) {
      append_json_string(json, node.keys[i].name);
      json += ':';
    }
    append_json(json, node.items[i]);
  }
  json += is_mapping ? '}' : ']';
}

void check_jwks(SectionReader& keys, std::string_view name, std::string_view jwks) {
  auto set = identity::KeySet::parse(jwks);
  if (!set) {
    keys.mistake(name, "This JWK set is not usable: " + std::string(identity::describe(set.error())) + ".",
                 "Take the set that the issuer serves: {\"keys\": [...]} with public keys for signatures.");
  }
}

identity::InlineKeys read_inline_keys(SectionReader& keys) {
  const Node* node = keys.find("jwks");
  std::string jwks;
  if (node->kind == Node::Kind::mapping) {
    append_json(jwks, *node);
  } else if (node->kind == Node::Kind::scalar) {
    jwks = node->text;
  } else {
    keys.mistake("jwks", "A JWK set is expected.", "Write the JSON text {\"keys\": [...]}.");
    return {};
  }
  check_jwks(keys, "jwks", jwks);
  return {std::move(jwks)};
}

identity::KeySource read_keys(SectionReader& keys) {
  if (keys.present("discovery")) {
    return identity::DiscoveryKeys{keys.text("discovery")};
  }
  if (keys.present("jwks_url")) {
    return identity::JwksUrlKeys{keys.text("jwks_url")};
  }
  if (keys.present("jwks_file")) {
    auto file = keys.path("jwks_file");
    auto jwks = file.empty() ? Secret() : read_file(keys, "jwks_file", file);
    if (!jwks.empty()) {
      check_jwks(keys, "jwks_file", jwks.reveal());
    }
    return identity::JwksFileKeys{std::move(file)};
  }
  return keys.present("jwks") ? read_inline_keys(keys) : identity::InlineKeys{};
}

bool fetches_keys(const IssuerSettings& issuer) {
  return std::holds_alternative<identity::DiscoveryKeys>(issuer.keys) ||
         std::holds_alternative<identity::JwksUrlKeys>(issuer.keys);
}

void check_issuer(SectionReader& section, const IssuerSettings& issuer) {
  constexpr std::string_view scheme = "spiffe://";
  std::string_view text = issuer.issuer;
  if (text.empty()) {
    return;
  }
  if (issuer.kind == IssuerKind::spiffe) {
    auto domain = text.starts_with(scheme) ? text.substr(scheme.size()) : std::string_view();
    bool is_domain = std::all_of(domain.begin(), domain.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    });
    if (domain.empty() || domain.size() > 255 || !is_domain) {
      section.mistake("issuer", in_quotes(text) + " is not a SPIFFE trust domain.",
                      "Write spiffe:// and the domain in lower case, without a path.");
    }
  } else if (text.starts_with(scheme)) {
    section.mistake("issuer", "This is a SPIFFE trust domain, and the kind is oidc.", "Set kind to spiffe.");
  } else if (text.find(' ') != std::string_view::npos) {
    section.mistake("issuer", "An issuer has no spaces.", "Copy `iss` of one of its tokens.");
  }
}

IssuerSettings read_issuer(SectionReader& section) {
  IssuerSettings issuer;
  issuer.name = section.text("name");
  issuer.kind = section.choice("kind", kinds);
  issuer.issuer = section.text("issuer");
  issuer.audiences = section.texts("audiences");
  if (section.present("keys")) {
    auto keys = section.section("keys");
    issuer.keys = read_keys(keys);
  }
  issuer.ca_file = read_pem_path(section, "ca", PemContent::certificate);
  issuer.algorithms = section.choices("algorithms", algorithms);
  issuer.token_types = section.texts("token_types");
  if (issuer.kind == IssuerKind::spiffe && !section.present("token_types")) {
    issuer.token_types = {"JWT", "JOSE"};
  }
  issuer.subjects = section.choice("subjects", subject_choices);
  issuer.lifetime_max = section.whole_seconds("lifetime_max");
  issuer.clock_skew = section.whole_seconds("clock_skew");
  issuer.refresh_every = section.whole_seconds("refresh_every");
  issuer.stale_keys_max = section.whole_seconds("stale_keys_max");
  check_issuer(section, issuer);
  if (section.present("ca") && section.present("keys") && !fetches_keys(issuer)) {
    section.mistake("ca", "It has no use, because no keys are fetched over HTTPS.", "Remove it.");
  }
  return issuer;
}

}  // namespace

void read_issuers(SectionReader& root, Config& config) {
  auto sections = root.sections("issuers");
  std::vector<std::string> names;
  auto& issuers = config.identity.issuers;
  for (auto& section : sections) {
    auto issuer = read_issuer(section);
    bool known = std::any_of(issuers.begin(), issuers.end(), [&](const IssuerSettings& other) {
      return !issuer.issuer.empty() && other.issuer == issuer.issuer;
    });
    if (known) {
      section.mistake("issuer", "Another entry has the same issuer, so its tokens would be for both.",
                      "Make one entry of the two; it may have several audiences.");
    }
    names.push_back(issuer.name);
    issuers.push_back(std::move(issuer));
  }
  check_unique_names(sections, "name", names);
}

}  // namespace sallyport::config
