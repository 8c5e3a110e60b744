#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "cli.h"
#include "crypto/base64.h"
#include "lineage/analyzer.h"
#include "lineage/definitions.h"
#include "session/statement_reader.h"
#include "sql/parse.h"
#include "sql/printer.h"
#include "sql/reading.h"
#include "sql/statement_splitter.h"

namespace sallyport {
namespace {

namespace json = boost::json;

struct Options {
  std::string server = "mysql-9.7";
  std::string schema_file;
  std::string database;
  std::string mode;
  std::string charset = "utf8mb4";
  bool pretty = false;
};

struct Release {
  std::string_view name;
  sql::Server server;
  std::uint32_t version;
};
constexpr std::array<Release, 5> releases{{{"mysql-9.7", sql::Server::mysql, 90704},
                                           {"mysql-8.4", sql::Server::mysql, 80407},
                                           {"mysql-8.0", sql::Server::mysql, 80044},
                                           {"mariadb-10.11", sql::Server::mariadb, 101119},
                                           {"mariadb-11.8", sql::Server::mariadb, 110805}}};

struct Setting {
  sql::Dialect dialect;
  std::string database;
  catalog::Catalogue catalogue;
};

constexpr std::size_t line_bytes_max = 16U << 20;

json::object error(std::string_view code, std::string_view message, std::size_t offset) {
  return {{"ok", false}, {"error", {{"code", code}, {"message", message}, {"offset", offset}}}};
}

json::array names_of(const lineage::SourceSet& sources) {
  json::array names;
  for (const lineage::Source& source : sources) {
    names.emplace_back(lineage::text_of(source));
  }
  return names;
}

json::array texts_of(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

json::array access_of(lineage::Access access) {
  json::array said;
  for (std::size_t bit = 0; bit < lineage::access_names.size(); ++bit) {
    if ((access >> bit & 1) != 0) {
      said.emplace_back(lineage::access_names[bit]);
    }
  }
  return said;
}

// Whether JSON can hold the text as it is.
bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    std::size_t bytes = sql::character_bytes(sql::Charset::utf8, text);
    if (bytes == 1 && (static_cast<unsigned char>(text[0]) & 0x80) != 0) {
      return false;
    }
    text.remove_prefix(bytes);
  }
  return true;
}

// A text that may hold any bytes: in base64 beside it where it is not UTF-8.
void add_text(json::object& object, std::string_view name, std::string text) {
  if (!is_utf8(text)) {
    object[std::string(name) + "_base64"] = crypto::base64_encode(bytes_of(text));
  }
  object[name] = std::move(text);
}

json::object describe(const sql::Node& root, std::string_view text, const sql::Dialect& dialect,
                      const Setting& setting) {
  lineage::Facts facts = lineage::analyze(
      {.root = root, .text = text, .dialect = dialect, .database = setting.database, .catalogue = setting.catalogue});
  json::array output;
  for (const lineage::OutputColumn& column : facts.output) {
    output.push_back({{"name", column.name},
                      {"copied", names_of(column.lineage.copied)},
                      {"derived", names_of(column.lineage.derived)},
                      {"variables", column.lineage.variables},
                      {"certain", column.lineage.certain}});
  }
  json::array objects;
  for (const lineage::Object& object : facts.objects) {
    objects.push_back({{"type", object.type_name},
                       {"schema", object.schema},
                       {"name", object.name},
                       {"access", access_of(object.access)},
                       {"known", object.known}});
  }
  json::array flows;
  for (const lineage::Flow& flow : facts.flows) {
    flows.push_back({{"target", flow.target},
                     {"copied", names_of(flow.lineage.copied)},
                     {"derived", names_of(flow.lineage.derived)},
                     {"certain", flow.lineage.certain}});
  }
  json::array doubts;
  for (const lineage::Doubt& doubt : facts.doubts) {
    doubts.push_back({{"what", doubt.what}, {"offset", doubt.offset}});
  }
  std::string normalised = sql::normalised_text(root, text, dialect);
  json::object statement{{"kind", facts.kind}, {"digest", session::statement_digest(normalised)}};
  add_text(statement, "canonical", sql::canonical_text(root, text, dialect));
  add_text(statement, "normalised", std::move(normalised));
  json::object said{{"objects", std::move(objects)},
                    {"reads", names_of(facts.reads)},
                    {"writes", names_of(facts.writes)},
                    {"output", std::move(output)},
                    {"output_certain", facts.output_certain},
                    {"influences", names_of(facts.influences)},
                    {"influences_certain", facts.influences_certain},
                    {"flows", std::move(flows)},
                    {"has_where", facts.has_where},
                    {"where_restricts", facts.where_restricts},
                    {"has_limit", facts.has_limit},
                    {"functions", texts_of(facts.functions)},
                    {"marked_functions", texts_of(facts.marked_functions)},
                    {"variables_read", texts_of(facts.variables_read)},
                    {"variables_written", texts_of(facts.variables_written)},
                    {"files_read", texts_of(facts.files_read)},
                    {"files_written", texts_of(facts.files_written)},
                    {"dynamic_sql", facts.dynamic_sql},
                    {"implicit_commit", facts.implicit_commit},
                    {"changes_session", facts.changes_session},
                    {"certain", facts.certain()},
                    {"doubts", std::move(doubts)}};
  statement.insert(said.begin(), said.end());
  return statement;
}

json::object analyze_text(std::string_view text, const sql::Dialect& dialect, const Setting& setting,
                          std::string* tree) {
  json::array statements;
  bool in_doubt = false;
  std::string_view rest = sql::statement_text(text);
  auto offset_of = [&](std::string_view part) {
    return part.empty() ? text.size() : static_cast<std::size_t>(part.data() - text.data());
  };
  do {
    auto first = sql::first_statement(rest, dialect);
    if (!first) {
      return error(first.error() == sql::SplitRefusal::not_understood ? "lexical" : "not_separable",
                   "it can't be told where the statement ends", offset_of(rest));
    }
    sql::Arena arena;
    auto root = sql::parse(first->text, dialect, sql::ParseFor::preparing, arena);
    if (!root) {
      const sql::ParseError& why = root.error();
      std::string code(sql::name_of(why.code));
      std::string message = why.code == sql::ParseErrorCode::lexical
                                ? "not understood: " + std::string(sql::name_of(why.lexical))
                                : "not understood from here on: " + std::string(first->text.substr(why.offset, 40));
      return error(code, message, offset_of(first->text) + why.offset);
    }
    if (tree != nullptr) {
      *tree += sql::describe(**root, first->text);
    }
    auto emitted = sql::text_to_send(**root, first->text, dialect);
    if (!emitted) {
      return error("comments_needed",
                   "without its comments it would be read as something else, or have other names of columns",
                   offset_of(first->text));
    }
    json::object statement = describe(**root, first->text, dialect, setting);
    if (*emitted) {
      add_text(statement, "emitted", std::move(**emitted));
    }
    if (in_doubt) {
      statement["certain"] = false;
      statement["doubts"].as_array().push_back(
          {{"what", "an earlier statement of the text may have changed what this one means"}, {"offset", 0}});
    }
    in_doubt = in_doubt || sql::may_change_reading(**root, first->text) || (*root)->is(sql::NodeKind::create) ||
               (*root)->is(sql::NodeKind::alter) || (*root)->is(sql::NodeKind::drop) ||
               (*root)->is(sql::NodeKind::rename) || (*root)->is(sql::NodeKind::use);
    statements.push_back(std::move(statement));
    rest = first->has_more ? first->rest : std::string_view{};
  } while (!rest.empty());
  return {{"ok", true}, {"statements", std::move(statements)}};
}

// The line's own sql_mode and character set in place of the command's.
std::optional<sql::Dialect> dialect_of(const json::object& line, sql::Dialect dialect) {
  if (const json::value* mode = line.if_contains("sql_mode"); mode != nullptr) {
    if (!mode->is_string()) {
      return std::nullopt;
    }
    dialect.mode = sql::parse_sql_mode(std::string_view(mode->as_string()));
    if ((dialect.mode & sql::sql_mode::unknown) != 0) {
      return std::nullopt;
    }
  }
  if (const json::value* name = line.if_contains("charset"); name != nullptr) {
    auto charset = name->is_string() ? sql::parse_charset(std::string_view(name->as_string())) : std::nullopt;
    if (!charset) {
      return std::nullopt;
    }
    dialect.charset = *charset;
  }
  return dialect;
}

json::object analyze_line(const std::string& line, const Setting& setting, std::string* tree) {
  boost::system::error_code failed;
  json::value value = json::parse(line, failed);
  if (failed || !value.is_object()) {
    return error("not_json", "the line is no JSON object", 0);
  }
  const json::object& object = value.as_object();
  auto dialect = dialect_of(object, setting.dialect);
  if (!dialect) {
    return error("bad_setting",
                 "sql_mode names modes of a server, with commas, and charset a character set that a client can have",
                 0);
  }
  if (const json::value* text = object.if_contains("sql"); text != nullptr && text->is_string()) {
    return analyze_text(text->as_string(), *dialect, setting, tree);
  }
  if (const json::value* coded = object.if_contains("sql_base64"); coded != nullptr && coded->is_string()) {
    auto bytes = crypto::base64_decode(std::string_view(coded->as_string()));
    return bytes ? analyze_text({reinterpret_cast<const char*>(bytes->data()), bytes->size()}, *dialect, setting, tree)
                 : error("not_base64", "sql_base64 is no base64", 0);
  }
  return error("no_sql", "the object has neither a text \"sql\" nor \"sql_base64\"", 0);
}

// JSON is UTF-8: a replacement character for each byte that is of none.
std::string as_utf8(std::string_view text) {
  std::string found;
  while (!text.empty()) {
    std::size_t bytes = sql::character_bytes(sql::Charset::utf8, text);
    bool is_other = bytes == 1 && (static_cast<unsigned char>(text[0]) & 0x80) != 0;
    found += is_other ? "\\ufffd" : text.substr(0, bytes);
    text.remove_prefix(bytes);
  }
  return found;
}

ExitCode run(const Options& options) {
  auto release =
      std::find_if(releases.begin(), releases.end(), [&](const Release& one) { return one.name == options.server; });
  auto charset = sql::parse_charset(options.charset);
  if (!charset) {
    std::fprintf(stderr, "sallyport: %s is no character set that a client can have\n", options.charset.c_str());
    return ExitCode::usage;
  }
  if (auto unknown = std::string(sql::unknown_sql_mode(options.mode)); !unknown.empty()) {
    std::fprintf(stderr, "sallyport: no server has an sql_mode %s; several are separated by commas alone\n",
                 unknown.c_str());
    return ExitCode::usage;
  }
  sql::Dialect dialect{.server = release->server,
                       .version = release->version,
                       .mode = sql::parse_sql_mode(options.mode),
                       .charset = *charset};
  catalog::Catalogue::Content content;
  if (!options.schema_file.empty()) {
    std::ifstream file(options.schema_file, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    if (!file) {
      std::fprintf(stderr, "sallyport: %s can't be read\n", options.schema_file.c_str());
      return ExitCode::failed;
    }
    std::string definitions = text.str();
    // As dumps are written, whatever the session that is asked about has set.
    auto read = lineage::read_definitions(definitions, {.server = release->server, .version = release->version},
                                          options.database);
    if (read.mistake) {
      auto line = std::count(definitions.begin(),
                             definitions.begin() + static_cast<std::ptrdiff_t>(read.mistake->offset), '\n');
      std::fprintf(stderr, "sallyport: %s:%ld: %s\n", options.schema_file.c_str(), static_cast<long>(line + 1),
                   read.mistake->what.c_str());
      return ExitCode::failed;
    }
    content = std::move(read.content);
  }
  Setting setting{
      .dialect = dialect, .database = options.database, .catalogue = catalog::Catalogue(std::move(content), 1)};
  std::string line;
  while (std::getline(std::cin, line)) {
    std::string tree;
    json::object answer = line.size() > line_bytes_max ? error("line_too_long", "the line is longer than 16 MiB", 0)
                                                       : analyze_line(line, setting, options.pretty ? &tree : nullptr);
    std::string out = tree + as_utf8(json::serialize(answer)) + "\n";
    std::fwrite(out.data(), 1, out.size(), stdout);
  }
  return ExitCode::ok;
}

}  // namespace

void add_sql(CLI::App& parent, ExitCode& result) {
  auto options = std::make_shared<Options>();
  auto* sql = parent.add_subcommand("sql", "What the gateway makes of SQL texts.");
  sql->require_subcommand(1);
  auto* command = sql->add_subcommand("analyze",
                                      "Reads one JSON object a line from standard input, {\"sql\": \"...\"} or "
                                      "{\"sql_base64\": \"...\"}, and writes what "
                                      "is known of its statements, one object a line in the same order.");
  std::vector<std::string> names;
  for (const Release& release : releases) {
    names.emplace_back(release.name);
  }
  command->add_option("--server", options->server, "Whose grammar.")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
  command
      ->add_option("--schema", options->schema_file,
                   "CREATE statements of what the server has, in UTF-8 and as with no sql_mode.")
      ->type_name("FILE");
  command->add_option("--database", options->database, "The default schema.")->type_name("NAME");
  command->add_option("--sql-mode", options->mode, "The session's sql_mode: ANSI_QUOTES,NO_BACKSLASH_ESCAPES.")
      ->type_name("MODES");
  command->add_option("--charset", options->charset, "The session's character_set_client.")->capture_default_str();
  command->add_flag("--pretty", options->pretty, "The syntax tree before each object, for a person.");
  command->footer(help_footer("  sallyport sql analyze --schema shop.sql --database shop < statements.jsonl\n"));
  command->callback([options, &result] { result = run(*options); });
}

}  // namespace sallyport
