#include "identity/accounts.h"

#include <algorithm>
#include <utility>

namespace sallyport::identity {
namespace {

// A pattern's element: one '?', one '*', one '**' or one character.
struct Element {
  enum class Kind : std::uint8_t { character, any_one, run_within_segment, run } kind;
  char character;
};

std::vector<Element> elements_of(std::string_view pattern) {
  std::vector<Element> elements;
  elements.reserve(pattern.size());
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '?') {
      elements.push_back({Element::Kind::any_one, 0});
    } else if (pattern[i] != '*') {
      elements.push_back({Element::Kind::character, pattern[i]});
    } else {
      const std::size_t end = std::min(pattern.find_first_not_of('*', i), pattern.size());
      elements.push_back({end - i > 1 ? Element::Kind::run : Element::Kind::run_within_segment, 0});
      i = end - 1;
    }
  }
  return elements;
}

// Whether an element that stands for a run of characters may take this one.
bool run_takes(Element::Kind kind, char c) {
  return kind == Element::Kind::run || (kind == Element::Kind::run_within_segment && c != '/');
}

bool one_takes(const Element& element, char c) {
  return (element.kind == Element::Kind::any_one && c != '/') ||
         (element.kind == Element::Kind::character && element.character == c);
}

bool is_run(const Element& element) {
  return element.kind == Element::Kind::run || element.kind == Element::Kind::run_within_segment;
}

// The strings of an array, or the words of a string (`scope`, RFC 8693 section 4.2).
bool contains(const JsonValue& claim, std::string_view wanted) {
  if (const JsonArray* const elements = claim.as_array()) {
    return std::any_of(elements->begin(), elements->end(), [wanted](const JsonValue& element) {
      return element.as_string() != nullptr && *element.as_string() == wanted;
    });
  }
  if (const std::string* const text = claim.as_string(); text != nullptr && !wanted.empty()) {
    std::string_view rest = *text;
    while (!rest.empty()) {
      const std::string_view word = rest.substr(0, rest.find(' '));
      if (word == wanted) {
        return true;
      }
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    }
  }
  return false;
}

bool rule_holds(const MatchRule& rule, const Principal& principal) {
  return rule.issuer == principal.issuer_name && !rule.claims.empty() &&
         std::all_of(rule.claims.begin(), rule.claims.end(),
                     [&](const ClaimMatcher& matcher) { return matches(matcher, principal.claims); });
}

}  // namespace

std::string_view reason_code(AccountError error) {
  switch (error) {
    case AccountError::account_unknown:
      return "account_unknown";
    case AccountError::account_ambiguous:
      return "account_ambiguous";
    case AccountError::account_disabled:
      return "account_disabled";
    case AccountError::connection_not_granted:
      return "connection_not_granted";
  }
  return "unknown";
}

std::string_view explain(AccountError error) {
  switch (error) {
    case AccountError::account_unknown:
      return "The token is good, but no service account matches it; ask the operator to add one.";
    case AccountError::account_ambiguous:
      return "The token matches more than one service account; ask the operator to make their rules distinct.";
    case AccountError::account_disabled:
      return "The service account is disabled; ask the operator to enable it.";
    case AccountError::connection_not_granted:
      return "The service account has no grant for this connection and role; give CONNECTION or CONNECTION.ROLE as "
             "the user name, or ask the operator for a grant.";
  }
  return "The login was refused.";
}

Result<ConnectionRequest, AccountError> parse_client_user(std::string_view user) {
  constexpr std::size_t name_bytes_max = 256;
  const std::size_t dot = user.find('.');
  const std::string_view connection = user.substr(0, dot);
  const std::string_view role = dot == std::string_view::npos ? std::string_view() : user.substr(dot + 1);
  if (user.size() > name_bytes_max || connection.empty() || (dot != std::string_view::npos && role.empty())) {
    return Unexpected(AccountError::connection_not_granted);
  }
  return ConnectionRequest{connection, role};
}

bool glob_matches(std::string_view pattern, std::string_view text) {
  const std::vector<Element> elements = elements_of(pattern);
  // reached[i]: the text so far is matched by the first i elements.
  std::vector<char> reached(elements.size() + 1, 0);
  reached[0] = 1;
  const auto pass_empty_runs = [&] {
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (reached[i] != 0 && is_run(elements[i])) {
        reached[i + 1] = 1;
      }
    }
  };
  pass_empty_runs();
  for (const char c : text) {
    for (std::size_t i = elements.size(); i > 0; --i) {
      const bool stays = reached[i] != 0 && run_takes(elements[i - 1].kind, c);
      const bool moves = reached[i - 1] != 0 && one_takes(elements[i - 1], c);
      reached[i] = stays || moves ? 1 : 0;
    }
    reached[0] = 0;
    pass_empty_runs();
  }
  return reached.back() != 0;
}

bool matches(const ClaimMatcher& matcher, const JsonValue& claims) {
  const JsonValue* const claim = claims.find(matcher.claim);
  if (claim == nullptr) {
    return false;
  }
  const std::string* const text = claim->as_string();
  switch (matcher.kind) {
    case ClaimMatcher::Kind::equals:
      return text != nullptr && *text == matcher.value;
    case ClaimMatcher::Kind::glob:
      return text != nullptr && glob_matches(matcher.value, *text);
    case ClaimMatcher::Kind::contains:
      return contains(*claim, matcher.value);
    case ClaimMatcher::Kind::one_of:
      return text != nullptr && std::find(matcher.values.begin(), matcher.values.end(), *text) != matcher.values.end();
  }
  return false;
}

AccountDirectory::AccountDirectory(std::vector<ServiceAccount> accounts) : accounts_(std::move(accounts)) {}

Result<const ServiceAccount*, AccountError> AccountDirectory::resolve(const Principal& principal) const {
  const ServiceAccount* found = nullptr;
  for (const ServiceAccount& account : accounts_) {
    if (std::none_of(account.match.begin(), account.match.end(),
                     [&](const MatchRule& rule) { return rule_holds(rule, principal); })) {
      continue;
    }
    if (found != nullptr) {
      return Unexpected(AccountError::account_ambiguous);
    }
    found = &account;
  }
  if (found == nullptr) {
    return Unexpected(AccountError::account_unknown);
  }
  if (found->disabled) {
    return Unexpected(AccountError::account_disabled);
  }
  return found;
}

Result<const Grant*, AccountError> AccountDirectory::grant_for(const ServiceAccount& account,
                                                               const ConnectionRequest& request) {
  for (const Grant& grant : account.grants) {
    if (grant.connection == request.connection && (request.role.empty() || grant.role == request.role)) {
      return &grant;
    }
  }
  return Unexpected(AccountError::connection_not_granted);
}

const ServiceAccount* AccountDirectory::find(std::string_view name) const {
  const auto found = std::find_if(accounts_.begin(), accounts_.end(),
                                  [name](const ServiceAccount& account) { return account.name == name; });
  return found == accounts_.end() ? nullptr : &*found;
}

}  // namespace sallyport::identity
