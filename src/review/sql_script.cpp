#include "review/sql_script.h"

#include <map>
#include <utility>

#include "base/bytes.h"
#include "base/json_text.h"
#include "crypto/base64.h"
#include "review/display_text.h"
#include "review/session_charset.h"
#include "review/time_range.h"
#include "sql/lexer.h"

namespace sallyport::review {
namespace {

namespace json = boost::json;

// A client splits at semicolons but for those in strings and comments; in the body of a routine there are others.
constexpr std::string_view plain_delimiter = ";";

// The script's own client logs in with it.
constexpr std::string_view login_charset = "utf8mb4";

std::string quoted_name(std::string_view name) {
  std::string out = "`";
  for (char c : name) {
    out += c == '`' ? "``" : std::string(1, c);
  }
  return out + "`";
}

class Script {
 public:
  explicit Script(const SessionStory& story) : story_(story) {
    std::string version = text_of(story.start, "server_version");
    dialect_.server = version.find("MariaDB") != std::string::npos ? sql::Server::mariadb : sql::Server::mysql;
    dialect_.version =
        sql::parse_server_version(version.starts_with("5.5.5-") ? std::string_view(version).substr(6) : version);
    for (const StoryEvent& event : story.events) {
      if (event.kind == StoryEvent::Kind::command) {
        by_seq_[number_of(event.record, "seq")] = &event;
      }
    }
  }

  std::vector<std::string> write() {
    begin();
    for (const StoryEvent& event : story_.events) {
      if (event.kind == StoryEvent::Kind::command) {
        add(event);
      }
    }
    parts_.push_back(std::move(out_));
    return std::move(parts_);
  }

 private:
  void comment(std::string_view text) { out_ += "-- " + for_terminal(text, Lines::escaped) + "\n"; }

  void begin() {
    comment("session " + story_.id + (parts_.empty() ? "" : ", reset"));
    comment("account " + text_of(story_.login, "account") + ", connection " + text_of(story_.login, "connection") +
            ", client " + text_of(story_.login, "client"));
    comment("began " + (story_.login.empty() ? std::string("before what the log holds")
                                             : shown_time(time_of(story_.login)) + " UTC"));
    comment("run with: mysql --binary-mode --comments --force --default-character-set=utf8mb4");
    delimiter_ = plain_delimiter;
    schema_.clear();
    charset_ = SessionCharset{login_charset};
    use(text_of(story_.start, "schema"));
  }

  // A default schema that a statement was run in.
  void use(const std::string& schema) {
    if (!schema.empty() && schema != schema_) {
      statement("USE " + quoted_name(schema));
      schema_ = schema;
    }
  }

  void set_delimiter(const std::string& delimiter) {
    if (delimiter != delimiter_) {
      delimiter_ = delimiter;
      out_ += "DELIMITER " + delimiter + "\n";
    }
  }

  void statement(std::string_view text) {
    bool is_plain = text.find(';') == std::string_view::npos;
    std::string delimiter(plain_delimiter);
    for (int i = 0; !is_plain && (delimiter == plain_delimiter || text.find(delimiter) != std::string_view::npos);
         ++i) {
      delimiter = "//" + (i == 0 ? std::string{} : std::to_string(i)) + "//";
    }
    set_delimiter(delimiter);
    out_ += text;
    // On a line of its own, so that a comment at the statement's end does not swallow it.
    out_ += "\n" + delimiter + "\n";
  }

  void add(const StoryEvent& event) {
    const json::object& record = event.record;
    std::string command = text_of(record, "command");
    std::string status = event.outcome ? text_of(*event.outcome, "status") : "";
    if (command == "stmt_send_long_data") {
      long_data_[{number_of(record, "statement_id"), number_of(record, "parameter")}] += text_of(record, "value");
      return;
    }
    if (command == "stmt_reset" || command == "stmt_close") {
      forget_long_data(number_of(record, "statement_id"));
      return;
    }
    if (command == "reset_connection" && status == "ok") {
      parts_.push_back(std::exchange(out_, {}));
      begin();
      return;
    }
    bool does_something =
        command == "query" || command == "stmt_execute" || command == "stmt_bulk_execute" || command == "init_db";
    if (!does_something) {
      return;
    }
    add_statement(event, command, status);
    forget_long_data(number_of(record, "statement_id"));
  }

  void forget_long_data(std::uint64_t statement_id) {
    long_data_.erase(long_data_.lower_bound({statement_id, 0}), long_data_.upper_bound({statement_id, UINT64_MAX}));
  }

  void add_statement(const StoryEvent& event, const std::string& command, const std::string& status) {
    const json::object& record = event.record;
    std::string where = "record " + std::to_string(event.number) + ", " + shown_time(time_of(record));
    std::string text = text_of(prepared(record), has_text(prepared(record), "sent") ? "sent" : "text");
    if (status == "denied") {
      comment(where + ": denied, " + text_of(*event.outcome, "reason") + ": " + text);
      return;
    }
    if (status != "ok" && status != "error") {
      charset_.note(text, dialect_, SessionCharset::Done::unknown);
      comment(where + ": it is not known whether this was done (" + (status.empty() ? "no outcome on record" : status) +
              "): " + text);
      return;
    }
    if (record.contains("redacted") || prepared(record).contains("redacted")) {
      comment(where + ": not repeated, as it held a secret that is not on record: " + text);
      return;
    }
    if (record.contains("target_session")) {
      comment(where + ": not repeated, as it was for another session: " + text);
      return;
    }
    if (number_of(*event.outcome, "uploaded_bytes") > 0) {
      comment(where + ": not repeated, as the file that the client sent is not on record: " + text);
      return;
    }
    if (status == "error" && !ends_in_itself(text)) {
      comment(where + ": not repeated, as it is no whole statement, error " +
              std::to_string(number_of(*event.outcome, "error_code")) + ": " + text);
      return;
    }
    if (status == "error") {
      comment(where + ": the server answered with error " + std::to_string(number_of(*event.outcome, "error_code")));
    }
    if (command == "init_db") {
      statement("USE " + quoted_name(text));
      schema_ = status == "ok" ? text : schema_;
      return;
    }
    use(text_of(prepared(record), "schema"));
    if (command == "query") {
      statement(text);
    } else if (command == "stmt_execute") {
      execute(record, text, where);
    } else {
      execute_rows(record, text, where);
    }
    note_schema(record, text, status);
    charset_.note(text, dialect_, status == "ok" ? SessionCharset::Done::yes : SessionCharset::Done::unknown);
  }

  // The default schema changes with USE; what the next record says of it may be that already.
  void note_schema(const json::object& record, std::string_view text, std::string_view status) {
    bool is_use =
        text_of(record, "kind") == "use" || (text.size() > 4 && sql::equals_ignoring_case(text.substr(0, 4), "use "));
    if (is_use && status == "ok") {
      schema_.clear();  // the next statement's record tells
    }
  }

  // The record of the prepare, for an execution; else the record itself.
  const json::object& prepared(const json::object& record) const {
    auto place = by_seq_.find(number_of(record, "prepared_seq"));
    return place == by_seq_.end() ? record : place->second->record;
  }

  // Whether no quote or comment is open at the end, which would go on in the next statement of the script.
  bool ends_in_itself(std::string_view text) const {
    sql::Lexer lexer{text, dialect_};
    while (true) {
      sql::Token token = lexer.next();
      if (token.kind == sql::TokenKind::end || token.kind == sql::TokenKind::error) {
        return token.kind == sql::TokenKind::end;
      }
    }
  }

  std::optional<std::string> bind(std::string_view text, const std::vector<std::string>& literals) {
    for (sql::SqlMode mode : {sql::SqlMode{0}, sql::sql_mode::no_backslash_escapes, sql::sql_mode::ansi_quotes}) {
      sql::Dialect dialect = dialect_;
      dialect.mode = mode;
      if (auto bound = with_literals(text, dialect, literals)) {
        return bound;
      }
    }
    return std::nullopt;
  }

  void execute(const json::object& record, std::string_view text, const std::string& where) {
    std::vector<std::string> literals;
    const json::value* parameters = record.if_contains("parameters");
    std::uint64_t index = 0;
    for (const json::value& one :
         parameters != nullptr && parameters->is_array() ? parameters->get_array() : json::array{}) {
      const json::object& parameter = one.is_object() ? one.get_object() : json::object{};
      std::uint64_t type = number_of(parameter, "type");
      std::optional<std::string> literal;
      if (parameter.contains("long_data")) {
        literal = sql_literal(long_value(number_of(record, "statement_id"), index), type, charset_.name());
      } else {
        literal = sql_literal(one, type, charset_.name());
      }
      if (!literal) {
        comment(where + ": not repeated, as a parameter " + why_not_written() + ": " + std::string(text));
        return;
      }
      literals.push_back(std::move(*literal));
      ++index;
    }
    auto bound = bind(text, literals);
    if (!bound) {
      comment(where + ": not repeated, as the places of its parameters were not found: " + std::string(text));
      return;
    }
    statement(*bound);
  }

  std::string why_not_written() const {
    return charset_.name() ? "has no value that can be written"
                           : "can't be written, as the session's character set is not known";
  }

  json::value long_value(std::uint64_t statement_id, std::uint64_t parameter) {
    const std::string& bytes = long_data_[{statement_id, parameter}];
    if (is_utf8(bytes)) {
      return json::value(json::string(bytes));
    }
    // As sql_literal() takes bytes: the record's form.
    return json::object{{"value_base64", crypto::base64_encode(bytes_of(bytes))}};
  }

  void execute_rows(const json::object& record, std::string_view text, const std::string& where) {
    const json::value* types = record.if_contains("parameter_types");
    const json::value* rows = record.if_contains("parameter_rows");
    if (types == nullptr || rows == nullptr || !types->is_array() || !rows->is_array()) {
      comment(where + ": not repeated, as its parameters are not on record: " + std::string(text));
      return;
    }
    for (const json::value& row : rows->get_array()) {
      std::vector<std::string> literals;
      bool is_known = row.is_array();
      for (std::size_t i = 0; is_known && i < row.get_array().size() && i < types->get_array().size(); ++i) {
        const json::value& cell = row.get_array()[i];
        // In an INSERT it is the default; there is no word for it in an UPDATE.
        bool is_ignored = cell.is_object() && cell.get_object().contains("ignore");
        bool is_insert = text_of(prepared(record), "kind") != "update";
        const json::value& type = types->get_array()[i];
        auto literal = is_ignored
                           ? (is_insert ? std::optional<std::string>("DEFAULT") : std::nullopt)
                           : sql_literal(cell, type.is_int64() ? static_cast<std::uint64_t>(type.get_int64()) : 0,
                                         charset_.name());
        is_known = literal.has_value();
        literals.push_back(literal.value_or(""));
      }
      auto bound = is_known ? bind(text, literals) : std::nullopt;
      if (!bound) {
        std::string why = is_known ? "the places of its parameters were not found" : "a parameter " + why_not_written();
        comment(where + ": a row is not repeated, as " + why + ": " + std::string(text));
        continue;
      }
      statement(*bound);
    }
  }

  const SessionStory& story_;
  sql::Dialect dialect_;
  std::map<std::uint64_t, const StoryEvent*> by_seq_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> long_data_;
  std::vector<std::string> parts_;
  std::string out_;
  std::string delimiter_{plain_delimiter};
  std::string schema_;
  SessionCharset charset_{login_charset};
};

}  // namespace

std::vector<std::string> sql_scripts(const SessionStory& story) {
  return Script(story).write();
}

}  // namespace sallyport::review
