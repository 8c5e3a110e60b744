#include "sql/dynamic_text.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "sql/lexer.h"
#include "sql/printer.h"
#include "sql/text_literal.h"

namespace sallyport::sql {
namespace {

// Well-formed, with characters of three bytes at most: MySQL keeps such a text as it is.
bool is_utf8mb3(std::string_view text) {
  while (!text.empty()) {
    std::size_t bytes = character_bytes(Charset::utf8, text);
    bool is_kept = static_cast<unsigned char>(text.front()) < 0x80 || (bytes > 1 && bytes <= 3);
    if (!is_kept) {
      return false;
    }
    text.remove_prefix(bytes);
  }
  return true;
}

// Nothing where it is not what it says: what is beyond ASCII may be converted on its way.
std::optional<std::string> literal_value(const Node& literal, std::string_view text, const Dialect& dialect) {
  std::string_view written = literal.in(text);
  bool is_kept = dialect.server == Server::mysql && dialect.charset == Charset::utf8 && is_utf8mb3(written);
  if (!is_ascii(written) && !is_kept) {
    return std::nullopt;
  }
  std::string value;
  Lexer lexer(written, dialect);
  for (Token token = lexer.next_code(); token.kind != TokenKind::end; token = lexer.next_code()) {
    if (token.kind != TokenKind::text) {
      return std::nullopt;
    }
    append_text_value(value, token.in(written), dialect);
  }
  return value;
}

// Functions of the server's own that give the same value twice, change nothing, and whose value is about as long as
// their arguments are together: REPEAT, REPLACE and CONCAT_WS are none. A name that has none before it means them,
// whatever functions have been defined.
bool is_plain_function(std::string_view name) {
  constexpr std::array<std::string_view, 18> plain{"SFORMAT",   "CONCAT", "LOWER", "LCASE",    "UPPER",    "UCASE",
                                                   "QUOTE",     "LEFT",   "RIGHT", "SUBSTR",   "TRIM",     "IF",
                                                   "SUBSTRING", "IFNULL", "CHAR",  "COALESCE", "DATABASE", "SCHEMA"};
  return std::any_of(plain.begin(), plain.end(),
                     [&](std::string_view other) { return equals_ignoring_case(name, other); });
}

// SFORMAT's format, whose width makes a value of any length, and whose number has one argument stand there many times.
bool has_only_plain_fields(std::string_view format) {
  for (std::size_t at = format.find('{'); at != std::string_view::npos; at = format.find('{', at + 1)) {
    if (format.substr(at, 2) != "{}") {
      return false;
    }
  }
  return true;
}

bool is_text_literal(const Node& node) {
  return node.is(NodeKind::literal) && node.as<LiteralKind>() == LiteralKind::text;
}

// QUOTE may double what it is given, and so its own value again.
bool are_plain_arguments(const Node& call, std::string_view function, std::string_view text) {
  const Node* first = nullptr;
  for (const Node& argument : children(call)) {
    if (argument.role == Role::function) {
      continue;
    }
    first = first == nullptr ? &argument : first;
    bool is_leaf = argument.is(NodeKind::literal) || argument.is(NodeKind::user_variable);
    if (equals_ignoring_case(function, "QUOTE") && !is_leaf) {
      return false;
    }
  }
  return !equals_ignoring_case(function, "SFORMAT") || first == nullptr ||
         (is_text_literal(*first) && has_only_plain_fields(first->in(text)));
}

// Those by which a text is read. Only the session itself changes them, so a text may be made of them, but not where
// SET STATEMENT gives them another value than the server was asked for.
bool is_of_reading(std::string_view variable) {
  constexpr std::array<std::string_view, 4> of_reading{"sql_mode", "character_set_client", "character_set_connection",
                                                       "collation_connection"};
  return std::any_of(of_reading.begin(), of_reading.end(),
                     [&](std::string_view other) { return equals_ignoring_case(variable, other); });
}

bool is_plain(const Node& node, std::string_view text) {
  switch (node.kind) {
    case NodeKind::literal:
    case NodeKind::user_variable:
      return true;
    case NodeKind::system_variable:
      return node.child(Role::scope) == nullptr && node.child(Role::part) == nullptr &&
             is_of_reading(identifier(*node.child(Role::name), text));
    case NodeKind::parentheses:
    case NodeKind::binary:
      break;
    case NodeKind::function_call: {
      const Node* function = node.child(Role::function);
      const Node* name = function == nullptr ? nullptr : function->child(Role::name);
      if (name == nullptr || function->child(Role::qualifier) != nullptr ||
          !is_plain_function(identifier(*name, text)) || !are_plain_arguments(node, identifier(*name, text), text)) {
        return false;
      }
      return std::all_of(children(node).begin(), children(node).end(),
                         [&](const Node& child) { return &child == function || is_plain(child, text); });
    }
    default:
      return false;
  }
  return std::all_of(children(node).begin(), children(node).end(),
                     [&](const Node& child) { return is_plain(child, text); });
}

// What an expression is made of.
struct Parts {
  std::size_t number = 0;
  std::vector<std::string> variables;
};

void count_parts(const Node& expression, std::string_view text, Parts& parts) {
  ++parts.number;
  if (expression.is(NodeKind::user_variable)) {
    parts.variables.emplace_back(expression.in(text));
  } else if (!expression.is(NodeKind::literal) && !expression.is(NodeKind::system_variable)) {
    for (const Node& child : children(expression)) {
      if (child.role != Role::function) {
        count_parts(child, text, parts);
      }
    }
  }
}

DynamicText text_of(const Node& statement, std::string_view text, const Dialect& dialect) {
  const Node* value = statement.child(Role::value);
  if (value == nullptr) {
    return {};
  }
  if (is_text_literal(*value)) {
    if (auto said = literal_value(*value, text, dialect)) {
      return {.source = DynamicText::Source::literal, .text = std::move(*said)};
    }
    if (dialect.server == Server::mysql) {
      return {};  // its UTF-8 is read as if it were the client's character set: no expression says that
    }
  }
  std::string_view written = value->in(text);
  if (written.size() > expression_bytes_max || !is_plain(*value, text)) {
    return {};
  }
  Parts parts;
  count_parts(*value, text, parts);
  auto without = without_comments(written, dialect);
  if (parts.number > expression_parts_max || !without) {
    return {};
  }
  return {.source = DynamicText::Source::expression,
          .text = std::move(*without).value_or(std::string(written)),
          .variables = std::move(parts.variables)};
}

// SET STATEMENT a = 1 FOR EXECUTE s. It has to leave how the text is read, and what the text is, as they are.
const Node* behind_set_statement(const Node& root, std::string_view text) {
  for (const Node& assignment : children(root)) {
    if (assignment.role != Role::assignment) {
      continue;
    }
    const Node* target = assignment.child(Role::target);
    const Node* name = target == nullptr ? nullptr : target->child(Role::name);
    const Node* value = assignment.child(Role::value);
    bool is_known = name != nullptr && value != nullptr && target->child(Role::qualifier) == nullptr &&
                    (value->is(NodeKind::keyword) || is_plain(*value, text));
    if (!is_known || is_of_reading(identifier(*name, text))) {
      return nullptr;
    }
  }
  return root.child(Role::statement);
}

// The statement that prepares, executes or forgets a text, where `root` is one.
const Node* statement_in(const Node& root, std::string_view text) {
  return root.is(NodeKind::set_statement) ? behind_set_statement(root, text) : &root;
}

bool is_dynamic(const Node& statement) {
  return statement.is(NodeKind::prepare) || statement.is(NodeKind::execute_immediate) ||
         statement.is(NodeKind::execute);
}

bool has_dynamic_text(const Node& node) {
  return is_dynamic(node) || std::any_of(children(node).begin(), children(node).end(), has_dynamic_text);
}

}  // namespace

std::optional<DynamicText> dynamic_text(const Node& root, std::string_view text, const Dialect& dialect) {
  switch (root.kind) {
    case NodeKind::prepare:
    case NodeKind::execute_immediate:
      return text_of(root, text, dialect);
    case NodeKind::set_statement: {
      const Node* statement = statement_in(root, text);
      if (statement != nullptr && is_dynamic(*statement)) {
        // The server is asked for an expression's value without what SET STATEMENT sets, which any operator or function
        // may depend on: div_precision_increment for one.
        const Node* value = statement->child(Role::value);
        bool depends_on_nothing =
            value == nullptr || value->is(NodeKind::literal) || value->is(NodeKind::user_variable);
        return depends_on_nothing ? dynamic_text(*statement, text, dialect) : DynamicText{};
      }
      return has_dynamic_text(root) ? std::optional(DynamicText{}) : std::nullopt;
    }
    case NodeKind::block:
    case NodeKind::if_:
    case NodeKind::case_statement:
    case NodeKind::loop:
    case NodeKind::for_loop:
    case NodeKind::statements:
      return has_dynamic_text(root) ? std::optional(DynamicText{}) : std::nullopt;
    default:
      return std::nullopt;
  }
}

std::optional<PreparedNameUse> prepared_name_use(const Node& root, std::string_view text) {
  using Use = PreparedNameUse::Use;
  const Node* statement = statement_in(root, text);
  const Node* name = statement == nullptr ? nullptr : statement->child(Role::name);
  if (name == nullptr ||
      !(statement->is(NodeKind::prepare) || statement->is(NodeKind::execute) || statement->is(NodeKind::deallocate))) {
    return std::nullopt;
  }
  return PreparedNameUse{.use = statement->is(NodeKind::prepare)   ? Use::prepares
                                : statement->is(NodeKind::execute) ? Use::executes
                                                                   : Use::deallocates,
                         .name = identifier(*name, text)};
}

}  // namespace sallyport::sql
