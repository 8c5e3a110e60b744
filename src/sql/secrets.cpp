#include "sql/secrets.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "sql/printer.h"

namespace sallyport::sql {
namespace {

char upper(char byte) {
  return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - ('a' - 'A')) : byte;
}

using Words = std::span<const std::string_view>;

// Where one of `words`, in upper case, stands first in the text in any case, and which; null for none.
struct Found {
  std::size_t at = std::string_view::npos;
  const std::string_view* word = nullptr;
};
Found find_word(std::string_view text, Words words, std::size_t from = 0) {
  auto begins = [](std::string_view rest, std::string_view word) {
    return rest.size() >= word.size() &&
           std::equal(word.begin(), word.end(), rest.begin(), [](char one, char other) { return one == upper(other); });
  };
  // Of a letter these bits are the same in either case.
  auto bit = [](char byte) { return std::uint32_t{1} << (static_cast<unsigned char>(byte) & 31U); };
  std::uint32_t first_letters = 0;
  for (std::string_view word : words) {
    first_letters |= bit(word.front());
  }
  for (std::size_t at = from; at < text.size(); ++at) {
    if ((first_letters & bit(text[at])) == 0) {
      continue;
    }
    auto word =
        std::find_if(words.begin(), words.end(), [&](std::string_view one) { return begins(text.substr(at), one); });
    if (word != words.end()) {
      return {.at = at, .word = &*word};
    }
  }
  return {};
}

bool has_word(std::string_view text, Words words) {
  return find_word(text, words).word != nullptr;
}

// Names of options and variables: MASTER_PASSWORD, wsrep_sst_auth, keyring_vault_token.
constexpr std::array<std::string_view, 5> names_of_secrets{"PASSW", "PWD", "SECRET", "_AUTH", "TOKEN"};

// Of a statement that has one.
constexpr std::array<std::string_view, 9> words_of_statements{
    "IDENTIFIED", "PASSWORD", "CHALLENGE_RESPONSE", "CONNECTION", "PASSW", "PWD", "SECRET", "_AUTH", "TOKEN"};

bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

bool is_letter(char byte) {
  return upper(byte) >= 'A' && upper(byte) <= 'Z';
}

bool is_word_byte(char byte) {
  return byte == '_' || byte == '$' || is_digit(byte) || is_letter(byte);
}

// A digit may be before it, as in /*!50000SET, and what an escape sequence in the literal ends with.
bool has_whole_word(std::string_view text, Words words) {
  for (Found found = find_word(text, words); found.word != nullptr; found = find_word(text, words, found.at + 1)) {
    std::size_t end = found.at + found.word->size();
    char before = found.at == 0 ? ' ' : text[found.at - 1];
    bool begins = !is_word_byte(before) || is_digit(before) || (found.at >= 2 && text[found.at - 2] == '\\');
    if (begins && (end == text.size() || !is_word_byte(text[end]))) {
      return true;
    }
  }
  return false;
}

// Spider, FEDERATED and CONNECT read a table's comment or list of options: 'user "u", password "p"', 'password=p'.
bool options_hold_secret(std::string_view literal) {
  bool is_quoted = literal.size() >= 2 && (literal.front() == '\'' || literal.front() == '"');
  std::string_view text = is_quoted ? literal.substr(1, literal.size() - 2) : literal;
  std::size_t end = 0;
  for (Found found = find_word(text, names_of_secrets); found.word != nullptr;
       found = find_word(text, names_of_secrets, end)) {
    end = found.at;
    while (end < text.size() && (text[end] == '_' || is_letter(text[end]))) {
      ++end;
    }
    std::size_t next = text.find_first_not_of(" \t\r\n\\:", end);
    if (next != std::string_view::npos && (text[next] == '"' || text[next] == '\'' || text[next] == '=')) {
      return true;
    }
  }
  return false;
}

class Search {
 public:
  explicit Search(std::string_view text) : text_(text) {}

  void visit(const Node& node, const Node* parent, bool within_secret) {
    if (!makes_text(node, parent)) {
      look_at(node, parent, within_secret);
      return;
    }
    bool is_statement = node.kind == NodeKind::prepare || node.kind == NodeKind::execute_immediate;
    MadeText made{.around = made_,
                  .is_statement = is_statement || (made_ != nullptr && made_->is_statement),
                  .whole = only_literal_of(node)};
    made_ = &made;
    look_at(node, parent, within_secret);
    made_ = made.around;
    judge(made);
  }

  Secrets take() {
    std::sort(found_.places.begin(), found_.places.end());
    return std::move(found_);
  }

 private:
  // What becomes one text, of whatever parts.
  struct MadeText {
    MadeText* around = nullptr;
    bool is_statement = false;    // PREPARE, EXECUTE IMMEDIATE
    const Node* whole = nullptr;  // the literal that all of it is
    bool has_parameters = false;
    StatementWords words{};
  };

  static bool makes_text(const Node& node, const Node* parent) {
    switch (node.kind) {
      case NodeKind::prepare:
      case NodeKind::execute_immediate:
      case NodeKind::execute:
      case NodeKind::return_:
      case NodeKind::variable_assignment:
      case NodeKind::assignment_expression:
      case NodeKind::declare_variable:
        return true;
      case NodeKind::query:
      case NodeKind::select:
      case NodeKind::values_query:
        return node.child(Role::into) != nullptr;
      default:
        return node.role == Role::argument && parent != nullptr && parent->kind == NodeKind::call;
    }
  }

  static const Node* only_literal_of(const Node& node) {
    const Node* found = node.kind == NodeKind::literal ? &node : nullptr;
    for (const Node& child : children(node)) {
      bool is_part = child.role != Role::target && child.role != Role::name && child.role != Role::scope;
      if (is_part && (found != nullptr || child.kind != NodeKind::literal)) {
        return nullptr;
      }
      found = is_part ? &child : found;
    }
    return found;
  }

  void look_at(const Node& node, const Node* parent, bool within_secret) {
    bool secret = within_secret || node.role == Role::secret || is_secret_value(node, parent);
    bool is_generated = (node.kind == NodeKind::authentication || node.kind == NodeKind::set_password) &&
                        node.keyword() == Keyword::random;
    found_.in_answer = found_.in_answer || is_generated;
    if (node.kind == NodeKind::parameter) {
      found_.parameters_are_secret =
          found_.parameters_are_secret || secret || (made_ != nullptr && made_->is_statement);
      if (made_ != nullptr) {
        made_->has_parameters = true;
      }
    } else if (node.kind == NodeKind::name && (secret || is_option_with_secret(node, parent))) {
      found_.places.push_back(node.begin);
    } else if (node.kind == NodeKind::literal) {
      look_at_literal(node, parent, secret);
    } else {
      bool was_selected = std::exchange(is_selected_, is_selected_ || node.kind == NodeKind::select_item);
      for (const Node& child : children(node)) {
        visit(child, &node, secret);
      }
      is_selected_ = was_selected;
    }
  }

  void look_at_literal(const Node& node, const Node* parent, bool secret) {
    std::string_view written = node.in(text_);
    StatementWords words = made_ != nullptr || is_selected_ ? statement_words(written) : StatementWords{};
    if (made_ != nullptr) {
      made_->words.add(words);
    }
    if (secret || is_option_with_secret(node, parent) || (is_selected_ && words.tell_of_secret())) {
      found_.places.push_back(node.begin);
    }
  }

  // The secret itself may be in another of the parts, or in another statement of a body.
  void judge(const MadeText& made) {
    bool tells = made.is_statement ? made.words.speaks_of_secret : made.words.tell_of_secret();
    if (tells && made.whole != nullptr) {
      found_.places.push_back(made.whole->begin);
    } else {
      found_.in_any_literal = found_.in_any_literal || tells;
    }
    found_.parameters_are_secret = found_.parameters_are_secret || (tells && made.has_parameters);
    if (made.has_parameters) {
      found_.around_parameters.emplace(found_.around_parameters.value_or(StatementWords{})).add(made.words);
    }
    if (made.around != nullptr) {
      made.around->words.add(made.words);
      made.around->has_parameters = made.around->has_parameters || made.has_parameters;
    }
  }

  bool is_option_with_secret(const Node& node, const Node* parent) const {
    return parent != nullptr && parent->kind == NodeKind::option && options_hold_secret(node.in(text_));
  }

  // The value of what has a name: OPTIONS (passwd 'x'), SET GLOBAL wsrep_sst_auth = 'x'.
  bool is_secret_value(const Node& node, const Node* parent) const {
    if (parent == nullptr || node.role != Role::value) {
      return false;
    }
    if (parent->kind == NodeKind::option) {
      const Node* name = parent->child(Role::name);
      return name != nullptr && has_word(name->in(text_), names_of_secrets);
    }
    if (parent->kind == NodeKind::variable_assignment) {
      constexpr std::array<std::string_view, 1> harmless{"VALIDATE_PASSWORD"};
      const Node* target = parent->child(Role::target);
      return target != nullptr && target->kind != NodeKind::user_variable &&
             (node.in(text_).empty() || !is_digit(node.in(text_).front())) &&
             has_word(target->in(text_), names_of_secrets) && !has_word(target->in(text_), harmless);
    }
    return false;
  }

  std::string_view text_;
  Secrets found_;
  bool is_selected_ = false;
  MadeText* made_ = nullptr;  // the innermost that is being looked at
};

// Up to the first quote, comment, number or variable.
std::size_t end_of_plain_words(std::string_view text) {
  return std::min(text.find_first_of("'\"`$#\\/-[0123456789@"), text.size());
}

}  // namespace

Secrets find_secrets(const Node& root, std::string_view text) {
  Search search{text};
  search.visit(root, nullptr, false);
  return search.take();
}

std::optional<WithoutSecrets> without_secrets(const Secrets& secrets, const Node& root, std::string_view text,
                                              const Dialect& dialect, Literals literals) {
  const auto& places = secrets.places;
  if (places.empty() && !secrets.in_any_literal && !secrets.parameters_are_secret) {
    return std::nullopt;
  }
  auto is_hidden = [&](const Node& leaf) { return std::binary_search(places.begin(), places.end(), leaf.begin); };
  return WithoutSecrets{
      .text = redacted_text(root, text, dialect, is_hidden, secrets.in_any_literal ? Literals::hidden : literals),
      .parameters_are_secret = secrets.parameters_are_secret};
}

StatementWords statement_words(std::string_view text) {
  // Statements that can hold a secret begin with one of these, behind whatever blanks and comments.
  constexpr std::array<std::string_view, 8> first_words{"CREATE", "ALTER", "GRANT", "SET",
                                                        "CHANGE", "START", "CLONE", "EXECUTE"};
  // And these have no other meaning.
  constexpr std::array<std::string_view, 4> certain_words{"IDENTIFIED", "CHALLENGE_RESPONSE", "MASTER_PASSWORD",
                                                          "SOURCE_PASSWORD"};
  return {.speaks_of_secret = has_word(text, words_of_statements),
          .begins_statement = has_whole_word(text, first_words) || has_whole_word(text, certain_words)};
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
    return has_word(rest.substr(0, word.size()), Words(&word, 1));
  });
  Found secret = find_word(text, words_of_statements);
  if (is_harmless && secret.word == nullptr) {
    return text;
  }
  std::size_t end = end_of_plain_words(text);
  if (secret.word != nullptr) {
    end = std::min(end, secret.at + secret.word->size());
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
