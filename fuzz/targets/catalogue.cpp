// The reading of a catalogue from a server that says anything: the same outcome however its bytes arrive, and a content
// whose tables and routines are all found by their names.
//
// Input: options, arrival size, then what the server answers, one answer after the other: a number of rows in one byte,
// then cells, each behind its length in one byte (255: NULL), for as many columns as were asked for. With option 1 it
// is MariaDB, and with option 2 the rest is the bytes that follow the login, as they are.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "base/check.h"
#include "fuzz/targets.h"
#include "session/catalogue_reader.h"
#include "wire/response.h"

namespace sallyport::fuzz {
namespace {

using session::CatalogueReader;
using State = CatalogueReader::State;
using Buffer = std::vector<std::uint8_t>;

constexpr std::uint8_t option_mariadb = 1;
constexpr std::uint8_t option_raw = 2;
constexpr std::size_t definition_columns = 6;

class Dialogue {
 public:
  Dialogue(Bytes script, std::uint8_t options, std::size_t arrival_bytes)
      : script_(script), options_(options), arrival_bytes_(arrival_bytes), reader_(order(), Now{}) {}

  std::string run() {
    reader_.connected();
    log_in();
    SALLYPORT_CHECK(reader_.state() == State::wants_to_begin);
    reader_.begin();
    if ((options_ & option_raw) != 0) {
      asked();
      give(script_.rest());
      script_.take(script_.remaining());
      asked();
    }
    while (reader_.state() == State::busy && !script_.at_end()) {
      std::size_t queries = asked();
      for (std::size_t i = 0; i < queries && reader_.state() == State::busy; ++i) {
        answer();
      }
      if (queries == 0) {
        break;
      }
    }
    reader_.closed();
    return outcome();
  }

 private:
  static CatalogueReader::Order order() {
    session::ConnectionSettings connection;
    connection.name = "c";
    connection.servers = {{.name = "s", .host = "h"}};
    connection.tls.mode = session::BackendTlsMode::disabled;
    connection.logins.push_back({.name = "l", .user = "u", .password = Secret{std::string("p")}});
    auto environment =
        std::make_shared<session::Environment>(session::Environment{.limits = {},
                                                                    .connections = {connection},
                                                                    .server_public_keys = {},
                                                                    .accounts = identity::AccountDirectory({}),
                                                                    .policy = {}});
    return {.environment = environment,
            .kind = {.connection = "c", .server = "s", .login = "l"},
            .limits = {.tables_max = 20, .columns_max = 40, .routines_max = 10, .row_bytes_max = 2000}};
  }

  void log_in() {
    Buffer greeting;
    wire::PacketWriter writer{greeting};
    writer.begin(0);
    wire::write_greeting(writer, {.server_version = (options_ & option_mariadb) != 0 ? "10.11.2-MariaDB" : "8.4.6",
                                  .connection_id = 3,
                                  .nonce = {},
                                  .capabilities = wire::understood_capabilities,
                                  .auth_plugin = std::string(wire::plugin::mysql_native_password)});
    writer.end();
    give(greeting);
    asked();
    give(Buffer{7, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0});
  }

  // How many commands were sent.
  std::size_t asked() {
    Buffer bytes;
    std::array<Bytes, 4> pieces;
    while (!reader_.output().empty()) {
      std::size_t count = 0;
      for (Bytes piece : std::span{pieces}.first(reader_.output().gather(pieces))) {
        bytes.insert(bytes.end(), piece.begin(), piece.end());
        count += piece.size();
      }
      reader_.output().sent(count);
    }
    std::size_t commands = 0;
    Bytes rest{bytes};
    while (auto header = wire::read_frame_header(rest)) {
      ++commands;
      if (text_of(rest.subspan(wire::frame_header_bytes)).substr(1).starts_with("SET NAMES")) {
        answered_ = 0;  // from the beginning
      }
      rest = rest.subspan(wire::frame_header_bytes + header->payload_bytes);
    }
    return commands;
  }

  void give(Bytes bytes) {
    while (!bytes.empty() && reader_.wants_bytes()) {
      MutableBytes space = reader_.space();
      std::size_t count = std::min({space.size(), bytes.size(), arrival_bytes_});
      SALLYPORT_CHECK(count > 0);
      std::copy_n(bytes.begin(), count, space.begin());
      reader_.received(count);
      bytes = bytes.subspan(count);
    }
  }

  void answer() {
    auto kind = (options_ & option_mariadb) != 0 ? catalog::ServerKind::mariadb : catalog::ServerKind::mysql;
    auto queries = catalog::catalogue_queries(kind);
    std::size_t columns = answered_ < queries.size() ? queries[answered_].columns : definition_columns;
    ++answered_;
    Buffer bytes;
    wire::PacketWriter writer{bytes};
    if (columns == 0) {
      writer.begin(1);
      writer.bytes(Buffer{0, 0, 0, 2, 0, 0, 0});
      writer.end();
      give(bytes);
      return;
    }
    writer.begin(1);
    writer.lenenc(columns);
    std::uint8_t sequence_id = writer.end();
    auto eof = [&] {
      writer.begin(sequence_id);
      wire::write_eof(writer, {.warnings = 0, .status_flags = 2});
      sequence_id = writer.end();
    };
    for (std::size_t i = 0; i < columns; ++i) {
      writer.begin(sequence_id);
      wire::write_column_definition(writer, {}, 0);
      sequence_id = writer.end();
    }
    eof();
    std::size_t rows = script_.u8();
    for (std::size_t row = 0; row < rows && !script_.at_end(); ++row) {
      writer.begin(sequence_id);
      for (std::size_t i = 0; i < columns; ++i) {
        std::size_t size = script_.u8();
        if (size == 255) {
          writer.u8(0xFB);
        } else {
          writer.lenenc_bytes(script_.take(std::min(size, script_.remaining())));
        }
      }
      sequence_id = writer.end();
    }
    eof();
    give(bytes);
  }

  std::string outcome() {
    auto content = reader_.take_content();
    if (!content) {
      SALLYPORT_CHECK(!reader_.failure().empty());
      return reader_.failure();
    }
    SALLYPORT_CHECK(reader_.failure().empty());
    std::string said = content->complete ? "complete" : "part";
    catalog::Catalogue catalogue(std::move(*content), 1);
    for (const catalog::Table& table : catalogue.tables()) {
      SALLYPORT_CHECK(catalogue.find_table(table.schema, table.name) != nullptr);
      said += " " + table.schema + "." + table.name + ":" + std::to_string(table.columns.size());
    }
    for (const catalog::Routine& routine : catalogue.routines()) {
      SALLYPORT_CHECK(catalogue.find_routine(routine.kind, routine.schema, routine.name) != nullptr);
      said += " " + routine.schema + "." + routine.name + "=" + routine.body.value_or("?");
    }
    SALLYPORT_CHECK(catalogue.tables().size() <= 20 && catalogue.routines().size() <= 10);
    return said;
  }

  ByteReader script_;
  std::uint8_t options_;
  std::size_t arrival_bytes_;
  CatalogueReader reader_;
  std::size_t answered_ = 0;
};

}  // namespace

void fuzz_catalogue(Bytes input) {
  ByteReader head{input};
  std::uint8_t options = head.u8();
  std::size_t arrival_bytes = std::size_t{1} + head.u8();
  std::string whole = Dialogue(head.rest(), options, std::size_t(-1)).run();
  SALLYPORT_CHECK(Dialogue(head.rest(), options, arrival_bytes).run() == whole);
  SALLYPORT_CHECK(Dialogue(head.rest(), options, 1).run() == whole);
}

}  // namespace sallyport::fuzz
