// Prints a catalogue as JSON, and what the statements of standard input, one a line, read by it.
//
//   catalogue_dump live mysql|mariadb SOCKET USER PASSWORD_FILE DATABASE   of a server, by session::CatalogueReader
//   catalogue_dump definitions VERSION SCHEMA_FILE DATABASE                of CREATE statements; VERSION as in a
//   greeting
//
// One JSON object: {"seconds", "complete", "schemas", "tables", "routines", "statements"}.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>

#include "lineage/analyzer.h"
#include "lineage/definitions.h"
#include "session/catalogue_reader.h"
#include "session/protocol.h"
#include "sql/parse.h"
#include "sql/statement_splitter.h"

namespace sallyport {
namespace {

namespace json = boost::json;
using catalog::Catalogue;
using session::CatalogueReader;

[[noreturn]] void give_up(const std::string& why) {
  std::cerr << "catalogue_dump: " << why << "\n";
  std::exit(1);
}

Now read_clocks() {
  return {.wall = std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now()),
          .mono = std::chrono::steady_clock::now()};
}

std::string text_of_file(const char* name) {
  std::ifstream file(name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) {
    give_up(std::string("can't read ") + name);
  }
  return text.str();
}

struct Read {
  Catalogue::Content content;
  sql::Dialect dialect;
  double seconds = 0;
};

struct Server {
  session::Flavor flavor;
  const char* socket;
  const char* user;
  std::string password;
};

int connect_to(const char* path) {
  int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::string_view name(path);
  if (name.size() >= sizeof address.sun_path) {
    give_up("the socket's path is too long");
  }
  std::copy(name.begin(), name.end(), address.sun_path);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    give_up("no connection");
  }
  return socket;
}

void send_output(CatalogueReader& reader, int socket) {
  while (!reader.output().empty()) {
    std::array<Bytes, 1> piece;
    reader.output().gather(piece);
    ssize_t count = ::send(socket, piece[0].data(), piece[0].size(), MSG_NOSIGNAL);
    if (count <= 0) {
      give_up("the server closed the connection");
    }
    reader.output().sent(static_cast<std::size_t>(count));
  }
}

Read read_live(const Server& server) {
  session::ConnectionSettings connection;
  connection.name = "live";
  connection.flavor = server.flavor;
  connection.servers = {{.name = "live", .socket_path = server.socket}};
  connection.tls.mode = session::BackendTlsMode::disabled;
  connection.logins.push_back({.name = "login", .user = server.user, .password = Secret{server.password}});
  auto environment =
      std::make_shared<session::Environment>(session::Environment{.limits = {},
                                                                  .connections = {connection},
                                                                  .server_public_keys = {},
                                                                  .accounts = identity::AccountDirectory({}),
                                                                  .policy = {}});
  auto began = std::chrono::steady_clock::now();
  CatalogueReader reader({.environment = environment,
                          .kind = {.connection = "live", .server = "live", .login = "login"},
                          .timeout = Milliseconds{60'000}},
                         read_clocks());
  int socket = connect_to(server.socket);
  reader.connected();
  while (reader.state() != CatalogueReader::State::over) {
    if (reader.state() == CatalogueReader::State::wants_to_begin) {
      reader.begin();
    }
    send_output(reader, socket);
    MutableBytes space = reader.space();
    ssize_t count = ::recv(socket, space.data(), space.size(), 0);
    if (count <= 0) {
      reader.closed();
    } else {
      reader.received(static_cast<std::size_t>(count));
    }
  }
  ::close(socket);
  auto content = reader.take_content();
  if (!content) {
    give_up(reader.failure());
  }
  return {
      .content = std::move(*content),
      .dialect = session::dialect_of_version(server.flavor == session::Flavor::mariadb ? "10.11.19-MariaDB" : "9.7.4"),
      .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count()};
}

Read read_definitions(const char* version, const char* file, std::string database) {
  sql::Dialect dialect = session::dialect_of_version(version);
  auto read = lineage::read_definitions(text_of_file(file), dialect, std::move(database));
  if (read.mistake) {
    give_up(std::string(file) + ": " + read.mistake->what + " at " + std::to_string(read.mistake->offset));
  }
  return {.content = std::move(read.content), .dialect = dialect};
}

json::array texts(const std::vector<std::string>& values) {
  return json::array(values.begin(), values.end());
}

json::value maybe(const std::optional<std::string>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::object describe(const catalog::Table& table) {
  constexpr std::array<std::string_view, 3> kinds{"table", "view", "sequence"};
  json::array columns;
  for (const catalog::Column& column : table.columns) {
    columns.push_back({{"name", column.name},
                       {"type", column.type},
                       {"collation", column.collation},
                       {"nullable", column.nullable},
                       {"invisible", column.invisible},
                       {"generated_from", maybe(column.generated_from)}});
  }
  json::array keys;
  for (const catalog::Key& key : table.keys) {
    keys.push_back({{"name", key.name},
                    {"unique", key.unique},
                    {"columns", texts(key.columns)},
                    {"expressions", texts(key.expressions)}});
  }
  json::array foreign_keys;
  for (const catalog::ForeignKey& key : table.foreign_keys) {
    foreign_keys.push_back({{"columns", texts(key.columns)},
                            {"table", key.schema + "." + key.table},
                            {"referred", texts(key.referred_columns)},
                            {"cascades", key.cascades}});
  }
  json::array triggers;
  for (const catalog::Trigger& trigger : table.triggers) {
    triggers.push_back({{"name", trigger.name}, {"event", trigger.event}, {"body", trigger.body}});
  }
  return {{"schema", table.schema},
          {"name", table.name},
          {"kind", kinds[static_cast<std::size_t>(table.kind)]},
          {"columns", std::move(columns)},
          {"keys", std::move(keys)},
          {"foreign_keys", std::move(foreign_keys)},
          {"triggers", std::move(triggers)},
          {"query", table.view_query}};
}

json::object describe(const catalog::Routine& routine) {
  return {{"schema", routine.schema},
          {"name", routine.name},
          {"kind", routine.kind == catalog::Routine::Kind::function ? "function" : "procedure"},
          {"parameters", texts(routine.parameters)},
          {"body", maybe(routine.body)},
          {"sql_mode", routine.sql_mode}};
}

json::array names_of(const lineage::SourceSet& sources) {
  std::vector<std::string> names;
  for (const lineage::Source& source : sources) {
    names.push_back(lineage::text_of(source));
  }
  std::sort(names.begin(), names.end());
  return texts(names);
}

json::object analyse(std::string_view text, const Read& read, const Catalogue& catalogue, const std::string& database) {
  sql::Arena arena;
  auto root = sql::parse(sql::statement_text(text), read.dialect, sql::ParseFor::executing, arena);
  if (!root) {
    return {{"text", text}, {"error", root.error().offset}};
  }
  lineage::Facts facts = lineage::analyze({.root = **root,
                                           .text = sql::statement_text(text),
                                           .dialect = read.dialect,
                                           .database = database,
                                           .catalogue = catalogue});
  json::array output;
  for (const lineage::OutputColumn& column : facts.output) {
    lineage::SourceSet all = column.lineage.copied;
    all.add(column.lineage.derived);
    output.push_back({{"name", column.name}, {"from", names_of(all)}, {"certain", column.lineage.certain}});
  }
  json::array doubts;
  for (const lineage::Doubt& doubt : facts.doubts) {
    doubts.emplace_back(doubt.what);
  }
  return {{"text", text}, {"output", std::move(output)}, {"certain", facts.certain()}, {"doubts", std::move(doubts)}};
}

void print(Read read, const std::string& database) {
  Catalogue catalogue(std::move(read.content), 1);
  json::array tables;
  for (const catalog::Table& table : catalogue.tables()) {
    tables.push_back(describe(table));
  }
  json::array routines;
  for (const catalog::Routine& routine : catalogue.routines()) {
    routines.push_back(describe(routine));
  }
  json::array statements;
  for (std::string line; std::getline(std::cin, line);) {
    statements.push_back(analyse(line, read, catalogue, database));
  }
  std::cout << json::serialize(json::object{{"seconds", read.seconds},
                                            {"complete", catalogue.complete()},
                                            {"schemas", texts(catalogue.content().schemas)},
                                            {"tables", std::move(tables)},
                                            {"routines", std::move(routines)},
                                            {"statements", std::move(statements)}})
            << "\n";
}

}  // namespace
}  // namespace sallyport

int main(int count, char** arguments) {
  using namespace sallyport;
  std::string_view what = count > 1 ? arguments[1] : "";
  if (what == "live" && count == 7) {
    std::string password = text_of_file(arguments[5]);
    password.erase(password.find_last_not_of('\n') + 1);
    print(read_live({.flavor = std::string_view(arguments[2]) == "mariadb" ? session::Flavor::mariadb
                                                                           : session::Flavor::mysql,
                     .socket = arguments[3],
                     .user = arguments[4],
                     .password = password}),
          arguments[6]);
  } else if (what == "definitions" && count == 5) {
    print(read_definitions(arguments[2], arguments[3], arguments[4]), arguments[4]);
  } else {
    std::cerr
        << "usage: catalogue_dump live FLAVOR SOCKET USER PASSWORD_FILE DATABASE | definitions VERSION FILE DATABASE\n";
    return 2;
  }
}
