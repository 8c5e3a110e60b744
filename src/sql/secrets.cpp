#include "sql/secrets.h"

#include <algorithm>
#include <array>
#include <vector>

#include "sql/printer.h"

namespace sallyport::sql {
namespace {

char upper(char byte) {
  return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - ('a' - 'A')) : byte;
}

// Where `word`, in upper case, stands in the text in any case.
std::size_t find_word(std::string_view text, std::string_view word) {
  auto at = std::search(text.begin(), text.end(), word.begin(), word.end(),
                        [](char one, char other) { return upper(one) == other; });
  return at == text.end() ? std::string_view::npos : static_cast<std::size_t>(at - text.begin());
}

// Names of options and variables: MASTER_PASSWORD, wsrep_sst_auth, keyring_vault_token.
bool names_secret(std::string_view name) {
  constexpr std::array<std::string_view, 5> parts{"PASSW", "PWD", "SECRET", "_AUTH", "TOKEN"};
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return find_word(name, part) != std::string_view::npos; });
}

constexpr std::array<std::string_view, 4> words_of_statements{"IDENTIFIED", "PASSWORD", "CHALLENGE_RESPONSE",
                                                              "CONNECTION"};

// Of a text that is a statement.
bool statement_speaks_of_secret(std::string_view text) {
  return std::any_of(words_of_statements.begin(), words_of_statements.end(),
                     [&](std::string_view word) { return find_word(text, word) != std::string_view::npos; });
}

// Statements that can hold a secret begin with one of these, behind whatever blanks and comments.
bool looks_like_statement(std::string_view text) {
  constexpr std::array<std::string_view, 8> words{"CREATE", "ALTER", "GRANT", "SET",
                                                  "CHANGE", "START", "CLONE", "EXECUTE"};
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return find_word(text, word) != std::string_view::npos; });
}

// Spider and FEDERATED read a table's comment: 'user "u", password "p"'.
bool comment_holds_secret(std::string_view text) {
  std::size_t at = find_word(text, "PASSWORD");
  std::size_t next = at == std::string_view::npos ? at : text.find_first_not_of(" \t\r\n\\=:", at + 8);
  return next != std::string_view::npos && (text[next] == '"' || text[next] == '\'');
}

class Search {
 public:
  explicit Search(std::string_view text) : text_(text) {}

  void visit(const Node& node, const Node* parent, bool within_secret) {
    bool secret = within_secret || node.role == Role::secret || is_secret_value(node, parent);
    parameters_ = parameters_ || (node.kind == NodeKind::parameter && (secret || is_of_statement_));
    if (node.kind == NodeKind::name && secret) {
      found_.push_back(node.begin);
      return;
    }
    if (node.kind == NodeKind::literal) {
      std::string_view written = node.in(text_);
      if (secret || (is_of_statement_ && statement_speaks_of_secret(written)) ||
          (is_assigned_ && statement_speaks_of_secret(written) && looks_like_statement(written)) ||
          (parent != nullptr && parent->kind == NodeKind::option && comment_holds_secret(written))) {
        found_.push_back(node.begin);
      }
      return;
    }
    bool was_of_statement = is_of_statement_;
    bool was_assigned = is_assigned_;
    // Texts are joined there: each part counts.
    is_of_statement_ = is_of_statement_ || node.kind == NodeKind::prepare || node.kind == NodeKind::execute_immediate;
    is_assigned_ = is_assigned_ || node.kind == NodeKind::variable_assignment ||
                   node.kind == NodeKind::assignment_expression || node.kind == NodeKind::declare_variable ||
                   node.kind == NodeKind::select || node.kind == NodeKind::call;
    for (const Node& child : children(node)) {
      visit(child, &node, secret);
    }
    is_of_statement_ = was_of_statement;
    is_assigned_ = was_assigned;
  }
  std::vector<std::uint32_t> take() { return std::move(found_); }
  bool parameters_are_secret() const { return parameters_; }

 private:
  // The value of what has a name: OPTIONS (passwd 'x'), SET GLOBAL wsrep_sst_auth = 'x'.
  bool is_secret_value(const Node& node, const Node* parent) const {
    if (parent == nullptr || node.role != Role::value) {
      return false;
    }
    if (parent->kind == NodeKind::option) {
      const Node* name = parent->child(Role::name);
      return name != nullptr && names_secret(name->in(text_));
    }
    if (parent->kind == NodeKind::variable_assignment) {
      const Node* target = parent->child(Role::target);
      return target != nullptr && target->kind != NodeKind::user_variable && names_secret(target->in(text_)) &&
             find_word(target->in(text_), "VALIDATE_PASSWORD") == std::string_view::npos;
    }
    return false;
  }

  std::string_view text_;
  std::vector<std::uint32_t> found_;
  bool parameters_ = false;
  bool is_of_statement_ = false;  // PREPARE, EXECUTE IMMEDIATE
  bool is_assigned_ = false;
};

// Up to the first quote, comment, number or variable.
std::size_t end_of_plain_words(std::string_view text) {
  return std::min(text.find_first_of("'\"`$#\\/-[0123456789@"), text.size());
}

}  // namespace

std::optional<WithoutSecrets> without_secrets(const Node& root, std::string_view text, const Dialect& dialect,
                                              Literals literals) {
  if (root.is(NodeKind::insert) || root.is(NodeKind::replace) || root.is(NodeKind::update) ||
      root.is(NodeKind::delete_)) {
    return std::nullopt;  // rows, of which there may be many
  }
  Search search{text};
  search.visit(root, nullptr, false);
  std::vector<std::uint32_t> hidden = search.take();
  if (hidden.empty() && !search.parameters_are_secret()) {
    return std::nullopt;
  }
  auto is_hidden = [&](const Node& leaf) { return std::binary_search(hidden.begin(), hidden.end(), leaf.begin); };
  return WithoutSecrets{.text = redacted_text(root, text, dialect, is_hidden, literals),
                        .parameters_are_secret = search.parameters_are_secret()};
}

std::string_view unread_text_without_literals(std::string_view text) {
  std::string_view harmless = unread_text_without_secrets(text);
  return harmless.substr(0, end_of_plain_words(harmless));
}

std::string_view unread_text_without_secrets(std::string_view text) {
  constexpr std::array<std::string_view, 14> harmless{"SELECT", "INSERT", "UPDATE",  "DELETE",  "REPLACE",
                                                      "WITH",   "TABLE",  "VALUES",  "CALL",    "SHOW",
                                                      "LOAD",   "DESC",   "EXPLAIN", "TRUNCATE"};
  std::string_view rest = text.substr(std::min(text.find_first_not_of(" \t\r\n\f\v("), text.size()));
  bool is_harmless = std::any_of(harmless.begin(), harmless.end(), [&](std::string_view word) {
    return find_word(rest.substr(0, word.size()), word) == 0;
  });
  if (is_harmless && !statement_speaks_of_secret(text)) {
    return text;
  }
  std::size_t end = end_of_plain_words(text);
  for (std::string_view word : words_of_statements) {
    std::size_t at = find_word(text, word);
    end = at == std::string_view::npos ? end : std::min(end, at + word.size());
  }
  if (is_harmless) {
    return text.substr(0, end);
  }
  // A word of it may be misspelt: "CREATE USER u IDENTIFED BY secret".
  constexpr int words_max = 3;
  std::size_t at = 0;
  for (int words = 0; words < words_max && at < end; ++words) {
    at = std::min(text.find_first_not_of(" \t\r\n\f\v", at), end);
    at = std::min(text.find_first_of(" \t\r\n\f\v=", at), end);
  }
  return text.substr(0, std::min(at, end));
}

}  // namespace sallyport::sql
