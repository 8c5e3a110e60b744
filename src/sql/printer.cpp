#include "sql/printer.h"

#include <algorithm>
#include <vector>

#include "sql/column_name.h"
#include "sql/lexer.h"

namespace sallyport::sql {
namespace {

bool is_blank(char byte) {
  return byte == ' ' || (byte >= 9 && byte <= 13);
}

// A leaf of the tree, with what is to be printed for it.
struct Piece {
  enum class Kind : std::uint8_t { as_written, name, hidden, cut };
  std::uint32_t begin;
  std::uint32_t end;
  Kind kind;
};

// Which names are quoted: those that are names of the schema or of the statement. What is written elsewhere as a name
// (a function, an engine, a character set) may be more than one.
bool is_quotable(const Node& parent, const Node& name) {
  if (name.role == Role::function) {
    return false;
  }
  switch (parent.kind) {
    case NodeKind::column_reference:
    case NodeKind::star:
    case NodeKind::common_table_expression:
    case NodeKind::select_item:
    case NodeKind::table:
    case NodeKind::derived_table:
    case NodeKind::join:
    case NodeKind::row_alias:
    case NodeKind::window_definition:
    case NodeKind::window_name:
    case NodeKind::window:
    case NodeKind::column_definition:
    case NodeKind::key_part:
    case NodeKind::references:
    case NodeKind::partitioning:
    case NodeKind::partition_definition:
    case NodeKind::period_definition:
      return true;
    case NodeKind::object_name:
      return parent.keyword() != Keyword::function;
    default:
      return false;
  }
}

class LeafCollector {
 public:
  LeafCollector(std::string_view text, Literals literals, const std::function<bool(const Node&)>* hides)
      : text_(text), literals_(literals), hides_(hides) {}

  void collect(const Node& node, const Node* parent) {
    if (node.first == nullptr || node.kind == NodeKind::literal) {
      add_leaf(node, parent);
      return;
    }
    if (literals_ == Literals::hidden && cut_list(node)) {
      return;
    }
    for (const Node& child : children(node)) {
      collect(child, &node);
    }
  }
  std::vector<Piece> take() { return std::move(pieces_); }

 private:
  void add(const Node& node, Piece::Kind kind) { pieces_.push_back({node.begin, node.end, kind}); }

  void add_leaf(const Node& node, const Node* parent) {
    if (node.begin == node.end) {
      return;
    }
    switch (node.kind) {
      case NodeKind::name: {
        if (hides_ != nullptr && (*hides_)(node)) {
          add(node, Piece::Kind::hidden);
          return;
        }
        bool quotes = parent != nullptr && node.as<NameStyle>() == NameStyle::plain && is_quotable(*parent, node);
        add(node, quotes ? Piece::Kind::name : Piece::Kind::as_written);
        return;
      }
      case NodeKind::literal: {
        auto kind = node.as<LiteralKind>();
        bool is_constant = kind == LiteralKind::null || kind == LiteralKind::true_ || kind == LiteralKind::false_;
        bool hidden = (literals_ == Literals::hidden && !is_constant) || (hides_ != nullptr && (*hides_)(node));
        add(node, hidden ? Piece::Kind::hidden : Piece::Kind::as_written);
        return;
      }
      case NodeKind::parameter:
      case NodeKind::hint:
        add(node, Piece::Kind::as_written);
        return;
      default:
        return;  // keywords and symbols
    }
  }

  static bool is_literal(const Node& node) {
    return node.kind == NodeKind::literal || node.kind == NodeKind::parameter ||
           (node.kind == NodeKind::unary && node.first != nullptr && is_literal(*node.first));
  }

  // (1, 2, 3) is (?, ...), and of several rows of an INSERT the first one stands for all.
  bool cut_list(const Node& node) {
    bool has_rows = node.kind == NodeKind::insert_values || node.kind == NodeKind::values_query;
    if (!has_rows && node.kind != NodeKind::in) {
      return false;
    }
    const Node* first = node.child(Role::element);
    if (first == nullptr || first->next == nullptr) {
      return false;
    }
    const Node* last = first;
    for (const Node* element = first; element != nullptr && element->role == Role::element; element = element->next) {
      if (!has_rows && !is_literal(*element)) {
        return false;
      }
      last = element;
    }
    for (const Node* child = node.first; child != first->next; child = child->next) {
      collect(*child, &node);
    }
    pieces_.push_back({first->next->begin, last->end, Piece::Kind::cut});
    for (const Node* child = last->next; child != nullptr; child = child->next) {
      collect(*child, &node);
    }
    return true;
  }

  std::string_view text_;
  Literals literals_;
  const std::function<bool(const Node&)>* hides_;
  std::vector<Piece> pieces_;
};

class TokenPrinter {
 public:
  TokenPrinter(std::string_view text, const Dialect& dialect, std::vector<Piece> pieces)
      : text_(text), dialect_(dialect), pieces_(std::move(pieces)) {}

  std::string print() {
    Lexer lexer(text_, dialect_);
    std::size_t at = 0;
    for (Token token = lexer.next_code(); token.kind != TokenKind::end && token.kind != TokenKind::error;
         token = lexer.next_code()) {
      while (at < pieces_.size() && pieces_[at].end <= token.begin) {
        ++at;
      }
      const Piece* piece = at < pieces_.size() && pieces_[at].begin <= token.begin ? &pieces_[at] : nullptr;
      bool continues = piece != nullptr && token.begin > piece->begin;
      if (continues && piece->kind != Piece::Kind::as_written) {
        previous_ = token;
        continue;
      }
      separate(token);
      append(token, piece);
      previous_ = token;
    }
    return std::move(out_);
  }

 private:
  void append(const Token& token, const Piece* piece) {
    std::string_view written = token.in(text_);
    if (piece == nullptr) {
      if (token.kind == TokenKind::word) {
        std::transform(written.begin(), written.end(), std::back_inserter(out_), [](char character) {
          return character >= 'a' && character <= 'z' ? static_cast<char>(character - ('a' - 'A')) : character;
        });
      } else {
        out_ += written;
      }
      return;
    }
    switch (piece->kind) {
      case Piece::Kind::as_written:
        out_ += written;
        break;
      case Piece::Kind::name:
        out_ += '`';
        out_ += written;
        out_ += '`';
        break;
      case Piece::Kind::hidden:
        out_ += '?';
        break;
      case Piece::Kind::cut:
        out_ += "...";
        break;
    }
  }

  // A blank between two tokens, but where it would say something else, or looks odd.
  void separate(const Token& token) {
    if (out_.empty()) {
      return;
    }
    bool touches = previous_.end == token.begin;
    bool keeps = false;
    for (Symbol symbol : {Symbol::at, Symbol::dot, Symbol::colon, Symbol::brace_open, Symbol::dot_dot}) {
      keeps = keeps || previous_.is(symbol) || token.is(symbol);
    }
    bool opens = token.is(Symbol::parenthesis_open) && previous_.kind != TokenKind::symbol;
    if (keeps || opens) {
      out_ += touches ? "" : " ";
      return;
    }
    bool tight = previous_.is(Symbol::parenthesis_open) || token.is(Symbol::parenthesis_close) ||
                 token.is(Symbol::comma) || token.is(Symbol::semicolon);
    out_ += tight ? "" : " ";
  }

  std::string_view text_;
  const Dialect& dialect_;
  std::vector<Piece> pieces_;
  Token previous_;
  std::string out_;
};

std::string print(const Node& root, std::string_view text, const Dialect& dialect, Literals literals,
                  const std::function<bool(const Node&)>* hides) {
  LeafCollector leaves(text, literals, hides);
  leaves.collect(root, nullptr);
  return TokenPrinter{text, dialect, leaves.take()}.print();
}

// Whether two tokens, which a comment parted, are the same ones side by side. The servers name a column by its text
// with the insides of executable comments in their place; so no blank comes where none is due.
bool may_touch(const Token& previous, const Token& token, std::string_view text, const Dialect& dialect) {
  bool looks_at_neighbours = token.is(Symbol::dot) || previous.is(Symbol::dot) || previous.is(Symbol::at) ||
                             (token.is(Symbol::parenthesis_open) && previous.kind != TokenKind::symbol);
  if (looks_at_neighbours || token.kind == TokenKind::hint || previous.kind == TokenKind::hint) {
    return false;
  }
  std::string both(previous.in(text));
  both += token.in(text);
  Lexer lexer(both, dialect);
  Token first = lexer.next();
  Token second = lexer.next();
  return first.kind == previous.kind && first.symbol == previous.symbol && first.end == previous.end - previous.begin &&
         second.kind == token.kind && second.symbol == token.symbol && second.end == both.size() &&
         lexer.next().kind == TokenKind::end;
}

// MySQL has a blank at the end of an executable comment, unless there is one.
void end_code(std::string& out, const Dialect& dialect) {
  if (dialect.server == Server::mysql && !out.empty() && !is_blank(out.back())) {
    out += ' ';
  }
}

// What is sent is what was read, whatever stands beside what.
bool has_the_same_tokens(std::string_view text, std::string_view other_text, const Dialect& dialect) {
  Lexer one(text, dialect);
  Lexer other(other_text, dialect);
  while (true) {
    Token token = one.next_code();
    Token other_token = other.next_code();
    if (token.kind != other_token.kind || token.in(text) != other_token.in(other_text)) {
      return false;
    }
    if (token.kind == TokenKind::end || token.kind == TokenKind::error) {
      return token.kind == TokenKind::end;
    }
  }
}

// A column's alias, to be put behind the token that ends at `end`.
struct ColumnName {
  std::uint32_t end;
  std::string name;
};

// The servers cut longer names of expressions.
constexpr std::size_t expression_name_bytes_max = 255;

bool has_comment(std::string_view text) {
  return text.find("/*") != std::string_view::npos || text.find('#') != std::string_view::npos ||
         text.find("--") != std::string_view::npos;
}

// Beyond ASCII a name may be converted on its way; it stays without its comment then.
bool is_ascii(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char byte) { return byte > 0; });
}

// Where the name of an expression begins in the text.
std::size_t name_begin(const Node* before, const Node& expression, std::string_view text, const Dialect& dialect) {
  if (before == nullptr || dialect.server != Server::mariadb ||
      !has_comment(text.substr(before->end, expression.begin - before->end))) {
    return expression.begin;
  }
  Lexer lexer(text.substr(before->end, expression.begin - before->end), dialect);
  for (Token token = lexer.next(); token.kind != TokenKind::end && token.kind != TokenKind::error;
       token = lexer.next()) {
    if (token.is(Symbol::comma)) {
      token = lexer.next();
      return before->end + (token.kind == TokenKind::white_space ? token.end : token.begin);
    }
  }
  return expression.begin;
}

// The part of a query that names its columns; null for one that has none.
const Node* naming_part(const Node& query) {
  const Node* node = &query;
  while (node != nullptr && !node->is(NodeKind::select) && !node->is(NodeKind::values_query)) {
    node = node->is(NodeKind::query)           ? node->child(Role::body)
           : node->is(NodeKind::subquery)      ? node->child(Role::query)
           : node->is(NodeKind::set_operation) ? node->child(Role::operand)
                                               : nullptr;
  }
  return node;
}

// Names with comments in them: of the result, and of derived tables and common ones, whose columns can be referred to.
class NamesWithComments {
 public:
  NamesWithComments(const Node& root, std::string_view text, const Dialect& dialect) : text_(text), dialect_(dialect) {
    name_columns(root);
    visit(root);
    std::sort(names_.begin(), names_.end(),
              [](const ColumnName& one, const ColumnName& other) { return one.end < other.end; });
  }
  const std::vector<ColumnName>& names() const { return names_; }
  // One of these can't be given in another way: MariaDB names the columns of VALUES by its first row.
  bool has_one_without_place() const { return has_one_without_place_; }

 private:
  void visit(const Node& node) {
    for (const Node& child : children(node)) {
      if (child.role == Role::query &&
          (node.is(NodeKind::derived_table) || node.is(NodeKind::common_table_expression))) {
        name_columns(child);
      }
      visit(child);
    }
  }

  void name_columns(const Node& query) {
    const Node* part = naming_part(query);
    if (part != nullptr && part->is(NodeKind::select)) {
      select(*part);
    } else if (part != nullptr && dialect_.server == Server::mariadb && part->first != nullptr) {
      first_row(*part->first);
    }
  }

  void select(const Node& select) {
    const Node* before = nullptr;
    const Node* next_before = nullptr;
    for (const Node& item : children(select)) {
      before = std::exchange(next_before, item.role == Role::item ? &item : nullptr);
      const Node* operand = item.is(NodeKind::select_item) ? item.child(Role::operand) : nullptr;
      if (operand != nullptr && item.child(Role::alias) == nullptr) {
        if (std::string name = commented_name(before, *operand); !name.empty()) {
          names_.push_back({.end = operand->end, .name = name.substr(0, expression_name_bytes_max)});
        }
      }
    }
  }

  void first_row(const Node& row) {
    const Node* before = nullptr;
    for (const Node& cell : children(row)) {
      has_one_without_place_ = has_one_without_place_ || !commented_name(before, cell).empty();
      before = &cell;
    }
  }

  // Empty where there is no comment in it.
  std::string commented_name(const Node* before, const Node& operand) const {
    if (self_named(operand, text_, dialect_) != nullptr) {
      return {};
    }
    std::string name = expression_name(before, operand, text_, dialect_, expression_name_bytes_max);
    return has_comment(name) && is_ascii(name) ? name : std::string{};
  }

  std::string_view text_;
  const Dialect& dialect_;
  std::vector<ColumnName> names_;
  bool has_one_without_place_ = false;
};

// Puts each name, as an alias, at its place in `out`.
struct NamePlace {
  std::size_t at;
  const std::string* name;
};
void put_names(std::string& out, const std::vector<NamePlace>& places) {
  for (auto place = places.rbegin(); place != places.rend(); ++place) {
    std::string alias = " AS `";
    for (char byte : *place->name) {
      alias.append(byte == '`' ? 2 : 1, byte);
    }
    alias += '`';
    out.insert(place->at, alias);
  }
}

// `text` may have comments.
Result<std::optional<std::string>, EmissionError> emit(std::string_view text, const Dialect& dialect,
                                                       const std::vector<ColumnName>& names) {
  Lexer lexer(text, dialect);
  std::string out;
  std::vector<NamePlace> places;
  Token previous;  // the last code
  bool dropped = false;
  bool gap = false;  // a comment has stood between what was printed and the token at hand
  for (Token token = lexer.next(); token.kind != TokenKind::end && token.kind != TokenKind::error;
       token = lexer.next()) {
    if (token.kind == TokenKind::comment || token.kind == TokenKind::code_begin || token.kind == TokenKind::code_end) {
      // Two dashes that a comment follows begin one where a blank does.
      if (out.ends_with("--")) {
        out.insert(out.size() - 1, " ");
      }
      if (token.kind == TokenKind::code_end) {
        end_code(out, dialect);
      }
      dropped = gap = true;
      continue;
    }
    if (gap && token.is_code() && !out.empty() && !is_blank(out.back()) && !may_touch(previous, token, text, dialect)) {
      out += ' ';
    }
    gap = false;
    out += token.in(text);
    previous = token.is_code() ? token : previous;
    if (places.size() < names.size() && token.end == names[places.size()].end) {
      places.push_back({.at = out.size(), .name = &names[places.size()].name});
    }
  }
  if (!dropped) {
    return std::optional<std::string>{};
  }
  if (!has_the_same_tokens(text, out, dialect)) {
    return Unexpected(EmissionError::tokens_differ);
  }
  put_names(out, places);
  return std::optional<std::string>{std::move(out)};
}

}  // namespace

Result<std::optional<std::string>, EmissionError> without_comments(std::string_view text, const Dialect& dialect) {
  if (!has_comment(text)) {
    return std::optional<std::string>{};
  }
  return emit(text, dialect, {});
}

Result<std::optional<std::string>, EmissionError> text_to_send(const Node& root, std::string_view text,
                                                               const Dialect& dialect) {
  if (!has_comment(text)) {
    return std::optional<std::string>{};
  }
  NamesWithComments found(root, text, dialect);
  if (found.has_one_without_place()) {
    return Unexpected(EmissionError::name_differs);
  }
  return emit(text, dialect, found.names());
}

std::string expression_name(const Node* before, const Node& expression, std::string_view text, const Dialect& dialect,
                            std::size_t bytes_max) {
  std::string_view written = text.substr(name_begin(before, expression, text, dialect));
  written = written.substr(0, expression.end - (text.size() - written.size()));
  if (written.find("/*") == std::string_view::npos && written.find("*/") == std::string_view::npos) {
    return std::string(written.substr(0, bytes_max));
  }
  std::string out;
  Lexer lexer(written, dialect);
  Token previous;
  for (Token token = lexer.next();
       out.size() <= bytes_max && token.kind != TokenKind::end && token.kind != TokenKind::error;
       previous = token, token = lexer.next()) {
    std::string_view token_text = token.in(written);
    bool is_skipped_code =
        token.kind == TokenKind::comment &&
        (token_text.starts_with("/*!") || (dialect.server == Server::mariadb && token_text.starts_with("/*M!")));
    // A star before a slash is no expression: the comment began before this one.
    bool ends_outer_code = token.is(Symbol::slash) && previous.is(Symbol::star) && previous.end == token.begin;
    if (token.kind == TokenKind::code_end || ends_outer_code) {
      if (ends_outer_code) {
        out.pop_back();
      }
      end_code(out, dialect);
    } else if (token.kind != TokenKind::code_begin && !is_skipped_code) {
      out += token_text;
    }
  }
  return out;
}

std::string canonical_text(const Node& root, std::string_view text, const Dialect& dialect) {
  return print(root, text, dialect, Literals::shown, nullptr);
}

std::string normalised_text(const Node& root, std::string_view text, const Dialect& dialect) {
  return print(root, text, dialect, Literals::hidden, nullptr);
}

std::string redacted_text(const Node& root, std::string_view text, const Dialect& dialect,
                          const std::function<bool(const Node& leaf)>& hides, Literals literals) {
  return print(root, text, dialect, literals, &hides);
}

}  // namespace sallyport::sql
