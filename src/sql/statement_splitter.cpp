#include "sql/statement_splitter.h"

#include <algorithm>
#include <array>

#include "sql/lexer.h"

namespace sallyport::sql {
namespace {

bool is_blank(char byte) {
  return byte == ' ' || (byte >= 9 && byte <= 13);
}

// The words at which a statement in a stored program can begin, except the compound ones.
constexpr std::array<std::string_view, 63> simple_beginnings{
    "ALTER",    "ANALYZE",   "BINLOG",     "CACHE",  "CALL",    "CHANGE",   "CHECK",    "CHECKSUM", "CLOSE",
    "COMMIT",   "CREATE",    "DEALLOCATE", "DELETE", "DESC",    "DESCRIBE", "DO",       "DROP",     "EXECUTE",
    "EXPLAIN",  "FETCH",     "FLUSH",      "GET",    "GRANT",   "HANDLER",  "HELP",     "IMPORT",   "INSERT",
    "INSTALL",  "ITERATE",   "KILL",       "LEAVE",  "LOAD",    "LOCK",     "OPEN",     "OPTIMIZE", "PREPARE",
    "PURGE",    "RELEASE",   "RENAME",     "REPAIR", "REPLACE", "RESET",    "RESIGNAL", "RETURN",   "REVOKE",
    "ROLLBACK", "SAVEPOINT", "SELECT",     "SET",    "SHOW",    "SHUTDOWN", "SIGNAL",   "START",    "STOP",
    "TABLE",    "TRUNCATE",  "UNINSTALL",  "UNLOCK", "UPDATE",  "USE",      "VALUES",   "WITH",     "XA"};

enum class Block : std::uint8_t { begin, if_, case_, loop, while_, repeat, for_ };
struct BlockWord {
  std::string_view word;
  Block block;
};
constexpr std::array<BlockWord, 7> block_words{{{"BEGIN", Block::begin},
                                                {"IF", Block::if_},
                                                {"CASE", Block::case_},
                                                {"LOOP", Block::loop},
                                                {"WHILE", Block::while_},
                                                {"REPEAT", Block::repeat},
                                                {"FOR", Block::for_}}};
// Blocks in blocks.
constexpr std::size_t depth_max = 256;

// Reads one statement, whatever it holds, up to the semicolon that ends it.
class StatementReader {
 public:
  StatementReader(std::string_view text, const Dialect& dialect)
      : text_(text), dialect_(dialect), lexer_(text, dialect) {
    advance();
  }

  // Stands at the end of the first statement then: at its semicolon, at the end, or at an error.
  void read();

  const Token& token() const { return token_; }
  LexError error() const { return lexer_.error(); }
  bool in_executable_comment() const { return lexer_.in_executable_comment(); }
  bool puzzled() const { return puzzled_; }
  // The statement is one that others can lie in: a stored program, or a compound statement.
  bool holds_statements() const { return holds_statements_; }

 private:
  void advance() {
    before_ = token_;
    token_ = lexer_.next_code();
  }
  bool is(std::string_view word) const {
    return token_.kind == TokenKind::word && equals_ignoring_case(token_.in(text_), word);
  }
  bool is(Symbol symbol) const { return token_.is(symbol); }
  bool stopped() const { return puzzled_ || token_.kind == TokenKind::end || token_.kind == TokenKind::error; }
  bool accept(std::string_view word) {
    bool found = is(word);
    if (found) {
      advance();
    }
    return found;
  }
  const BlockWord* block_word() const;
  // Where that turns out to be the mode.
  bool begins_oracle_body() const { return dialect_.server == Server::mariadb && (is("AS") || is("IS")); }
  bool is_label() const;

  void read_create();
  void read_oracle();
  void read_routine();
  void read_trigger();
  void read_event();
  bool skip_definer();
  void skip_to_semicolon();
  void skip_parentheses();
  void skip_to(std::string_view word);
  void read_body();
  void read_body_statement();
  void begin_block(Block block);
  void end_block();
  void read_declare();
  void read_simple();

  std::string_view text_;
  const Dialect& dialect_;
  Lexer lexer_;
  Token token_;
  Token before_;
  std::array<Block, depth_max> blocks_{};
  std::size_t depth_ = 0;
  bool puzzled_ = false;
  bool holds_statements_ = false;
};

const BlockWord* StatementReader::block_word() const {
  const auto* found =
      std::find_if(block_words.begin(), block_words.end(), [&](const BlockWord& entry) { return is(entry.word); });
  return found == block_words.end() ? nullptr : &*found;
}

// "x:", where ":=" is another symbol.
bool StatementReader::is_label() const {
  if (token_.kind != TokenKind::word && token_.kind != TokenKind::name && token_.kind != TokenKind::quoted_name) {
    return false;
  }
  Lexer ahead = lexer_;
  return ahead.next_code().is(Symbol::colon);
}

void StatementReader::skip_to_semicolon() {
  while (!stopped() && !is(Symbol::semicolon)) {
    advance();
  }
}

void StatementReader::skip_parentheses() {
  std::size_t open = 0;
  do {
    open += is(Symbol::parenthesis_open) ? 1U : 0U;
    open -= is(Symbol::parenthesis_close) && open > 0 ? 1U : 0U;
    advance();
  } while (open > 0 && !stopped());
}

// Past `word`, which ends an expression: those of CASE expressions in it are passed over.
void StatementReader::skip_to(std::string_view word) {
  std::size_t cases = 0;
  while (!stopped() && !is(Symbol::semicolon)) {
    if (cases == 0 && accept(word)) {
      return;
    }
    if (is("CASE")) {
      ++cases;
    } else if (cases > 0 && is("END")) {
      --cases;
    }
    advance();
  }
}

void StatementReader::read() {
  if (dialect_.server == Server::mariadb && is("SET")) {
    advance();
    if (accept("STATEMENT")) {
      skip_to("FOR");
    }
  }
  if ((dialect_.mode & (sql_mode::oracle | sql_mode::mssql)) != 0) {
    read_oracle();
    return;
  }
  if (is("CREATE") || is("ALTER")) {
    read_create();
    return;
  }
  if (dialect_.server == Server::mariadb && is("DECLARE")) {  // a block, where the mode turns out to be ORACLE
    read_oracle();
    return;
  }
  const BlockWord* block = dialect_.server == Server::mariadb ? block_word() : nullptr;
  if (block != nullptr && block->block == Block::begin) {
    Lexer ahead = lexer_;
    Token following = ahead.next_code();
    bool is_block = following.kind == TokenKind::word && equals_ignoring_case(following.in(text_), "NOT");
    block = is_block ? block : nullptr;
  }
  if (block != nullptr) {
    holds_statements_ = true;
    read_body();
  }
  skip_to_semicolon();
}

// Of that grammar only so much is known as what the statement is.
void StatementReader::read_oracle() {
  holds_statements_ = is("DECLARE") || is("BEGIN");
  if (accept("CREATE")) {
    while (!stopped() && !holds_statements_ && !is(Symbol::semicolon) && !is(Symbol::parenthesis_open)) {
      holds_statements_ = is("PROCEDURE") || is("FUNCTION") || is("TRIGGER") || is("EVENT") || is("PACKAGE");
      advance();
    }
  }
  skip_to_semicolon();
  puzzled_ = puzzled_ || is(Symbol::semicolon);
}

// CREATE or ALTER, of which only stored programs have semicolons inside.
void StatementReader::read_create() {
  bool creates = is("CREATE");
  advance();
  if (accept("OR")) {
    accept("REPLACE");
  }
  if (is("DEFINER") && !skip_definer()) {
    puzzled_ = true;
    return;
  }
  accept("AGGREGATE");
  holds_statements_ = is("EVENT") || (creates && (is("PROCEDURE") || is("FUNCTION") || is("TRIGGER") || is("PACKAGE")));
  if (creates && (is("PROCEDURE") || is("FUNCTION"))) {
    read_routine();
  } else if (creates && is("TRIGGER")) {
    read_trigger();
  } else if (is("EVENT")) {
    read_event();
  } else if (creates && is("PACKAGE")) {
    skip_to_semicolon();
    puzzled_ = puzzled_ || is(Symbol::semicolon);
  }
  skip_to_semicolon();
}

// DEFINER = user, where the user is 'x'@'y', x@y, CURRENT_USER, CURRENT_USER() and the like.
bool StatementReader::skip_definer() {
  advance();
  if (!is(Symbol::equal)) {
    return false;
  }
  advance();
  advance();
  if (is(Symbol::parenthesis_open)) {
    skip_parentheses();
  } else if (is(Symbol::at)) {
    advance();
    advance();
  }
  return true;
}

// PROCEDURE name (parameters) characteristics body.
void StatementReader::read_routine() {
  while (!stopped() && !is(Symbol::semicolon) && !is(Symbol::parenthesis_open) && !begins_oracle_body()) {
    advance();
  }
  if (is(Symbol::parenthesis_open)) {
    skip_parentheses();
  }
  while (!stopped() && !is(Symbol::semicolon)) {
    if (block_word() != nullptr || is_label()) {
      read_body();
      return;
    }
    if (begins_oracle_body()) {
      puzzled_ = true;
      return;
    }
    bool is_type =
        is("SET") && before_.kind == TokenKind::word &&
        (equals_ignoring_case(before_.in(text_), "CHARACTER") || equals_ignoring_case(before_.in(text_), "CHAR") ||
         equals_ignoring_case(before_.in(text_), "RETURNS"));
    bool begins = token_.kind == TokenKind::word && !is_type &&
                  std::any_of(simple_beginnings.begin(), simple_beginnings.end(),
                              [&](std::string_view word) { return is(word); });
    if (begins) {
      return;
    }
    if (is(Symbol::parenthesis_open)) {
      skip_parentheses();
    } else {
      advance();
    }
  }
}

// TRIGGER name ... FOR EACH ROW [FOLLOWS|PRECEDES other] body.
void StatementReader::read_trigger() {
  while (!stopped() && !is(Symbol::semicolon)) {
    if (accept("EACH") && accept("ROW")) {
      break;
    }
    advance();
  }
  if (accept("FOLLOWS") || accept("PRECEDES")) {
    advance();
  }
  read_body();
}

// EVENT name ... DO body.
void StatementReader::read_event() {
  advance();
  if (accept("IF")) {
    accept("NOT");
    accept("EXISTS");
  }
  advance();
  skip_to("DO");
  read_body();
}

// One statement, and while it is a compound one all that it holds.
void StatementReader::read_body() {
  if (stopped() || is(Symbol::semicolon)) {
    return;
  }
  do {
    read_body_statement();
    if (depth_ > 0 && is(Symbol::semicolon)) {
      advance();
    }
  } while (depth_ > 0 && !stopped());
}

// Stands where a statement begins; stops at a semicolon, or where the next statement begins.
void StatementReader::read_body_statement() {
  if (is_label()) {
    advance();
    advance();
  }
  if (const BlockWord* block = block_word()) {
    advance();
    begin_block(block->block);
  } else if (depth_ > 0 && is("END")) {
    end_block();
  } else if (depth_ > 0 && is("ELSE")) {
    advance();
  } else if (depth_ > 0 && (is("ELSEIF") || is("WHEN"))) {
    skip_to("THEN");
  } else if (depth_ > 0 && is("UNTIL")) {
    skip_to("END");
    puzzled_ = puzzled_ || blocks_[depth_ - 1] != Block::repeat || !accept("REPEAT");
    --depth_;
    skip_to_semicolon();
  } else if (is("DECLARE")) {
    read_declare();
  } else {
    read_simple();
  }
}

void StatementReader::begin_block(Block block) {
  if (depth_ == depth_max) {
    puzzled_ = true;
    return;
  }
  blocks_[depth_++] = block;
  switch (block) {
    case Block::begin:
      if (accept("NOT")) {
        accept("ATOMIC");
      }
      break;
    case Block::if_:
      skip_to("THEN");
      break;
    case Block::case_:
      // CASE x WHEN, or CASE WHEN: the value before the first WHEN may hold CASE expressions.
      skip_to("WHEN");
      skip_to("THEN");
      break;
    case Block::while_:
    case Block::for_:
      skip_to("DO");
      break;
    case Block::loop:
    case Block::repeat:
      break;
  }
}

// END, the word of the block unless that is BEGIN, and a label.
void StatementReader::end_block() {
  advance();
  Block block = blocks_[--depth_];
  const BlockWord* named = block_word();
  if (block == Block::begin ? named != nullptr : named == nullptr || named->block != block) {
    puzzled_ = true;
    return;
  }
  skip_to_semicolon();
}

// DECLARE ... HANDLER FOR conditions statement; any other declaration is a simple statement.
void StatementReader::read_declare() {
  advance();
  accept("CONTINUE");
  accept("EXIT");
  accept("UNDO");
  if (!accept("HANDLER")) {
    skip_to_semicolon();
    return;
  }
  accept("FOR");
  bool more = true;
  while (more && !stopped()) {
    if (accept("SQLSTATE")) {
      accept("VALUE");
    } else {
      accept("NOT");
    }
    advance();
    more = is(Symbol::comma);
    if (more) {
      advance();
    }
  }
  if (!stopped() && !is(Symbol::semicolon)) {
    read_body_statement();
  }
}

void StatementReader::read_simple() {
  bool defines = is("CREATE") || is("ALTER");
  bool of_program = false;
  while (!stopped() && !is(Symbol::semicolon)) {
    of_program = of_program || (defines && (is("PROCEDURE") || is("FUNCTION") || is("TRIGGER") || is("EVENT")));
    // No server takes one stored program in another, but what it would make of the semicolons is not known.
    puzzled_ = puzzled_ || (of_program && is("BEGIN"));
    advance();
  }
}

std::string_view without_end(std::string_view text) {
  while (!text.empty() && (is_blank(text.back()) || text.back() == ';')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

std::string_view statement_text(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  text = without_end(text);
  // One NUL is the end of the text: some clients send that of their strings.
  if (text.ends_with('\0')) {
    text = without_end(text.substr(0, text.size() - 1));
  }
  return text;
}

Result<FirstStatement, SplitRefusal> first_statement(std::string_view text, const Dialect& dialect) {
  FirstStatement whole{.text = text, .rest = {}};
  if (text.find(';') == std::string_view::npos) {
    return whole;
  }
  StatementReader reader(text, dialect);
  bool is_empty = reader.token().is(Symbol::semicolon);
  if (!is_empty) {
    reader.read();
  }
  if (reader.token().kind == TokenKind::error && !is_syntax_error(reader.error())) {
    return Unexpected(SplitRefusal::not_understood);
  }
  bool ends_in_comment = reader.token().is(Symbol::semicolon) && reader.in_executable_comment();
  if (ends_in_comment || (reader.puzzled() && !reader.holds_statements())) {
    return Unexpected(SplitRefusal::not_separable);
  }
  if (reader.puzzled() || is_empty || !reader.token().is(Symbol::semicolon)) {
    return whole;
  }
  std::string_view statement = text.substr(0, reader.token().begin);
  std::string_view rest = text.substr(reader.token().end);
  while (!rest.empty() && is_blank(rest.front())) {
    rest.remove_prefix(1);
  }
  // At the end of a text two dashes are a comment, and before a semicolon they are not.
  if (statement.ends_with("--")) {
    return Unexpected(SplitRefusal::not_separable);
  }
  return FirstStatement{.text = statement, .rest = rest, .has_more = true};
}

}  // namespace sallyport::sql
