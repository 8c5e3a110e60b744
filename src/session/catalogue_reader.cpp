#include "session/catalogue_reader.h"

#include <utility>

#include "session/protocol.h"
#include "sql/parse.h"
#include "sql/statement_splitter.h"

namespace sallyport::session {
namespace {

using catalog::CatalogueMistake;
using wire::PacketKind;

// Definitions that are asked for ahead of their answers.
constexpr std::size_t definitions_ahead_max = 32;
// How often all is asked again because something was made meanwhile.
constexpr std::uint32_t repetitions_max = 3;

constexpr std::string_view too_early = "the server sent bytes that nothing had asked for";

catalog::ServerKind kind_of(sql::Server server) {
  switch (server) {
    case sql::Server::mysql:
      return catalog::ServerKind::mysql;
    case sql::Server::mariadb:
      return catalog::ServerKind::mariadb;
  }
  return catalog::ServerKind::mysql;
}

}  // namespace

CatalogueReader::CatalogueReader(Order order, Now since)
    : order_(std::move(order)),
      spare_({.environment = order_.environment, .kind = order_.kind}, since),
      deadline_(since.mono + order_.timeout) {}

void CatalogueReader::connected() {
  if (state_ == State::connecting) {
    state_ = State::busy;
  }
}

void CatalogueReader::failed(std::string why) {
  end(std::move(why));
}

void CatalogueReader::tls_established() {
  if (state_ == State::wants_tls) {
    spare_.tls_established();
    state_ = State::busy;
  }
}

void CatalogueReader::begin() {
  if (state_ != State::wants_to_begin) {
    return;
  }
  begun_ = true;
  state_ = State::busy;
  dialect_ = dialect_of_version(spare_.facts().server_version);
  queries_ = catalog::catalogue_queries(kind_of(dialect_.server));
  ask_all();
}

MutableBytes CatalogueReader::space() {
  return begun_ ? input_.space(wire::control_packet_bytes_max + input_buffer_bytes) : spare_.space();
}

void CatalogueReader::received(std::size_t count) {
  if (begun_) {
    input_.received(count);
    read();
  } else {
    spare_.received(count);
    follow_login();
  }
}

void CatalogueReader::closed() {
  end("the server closed the connection");
}

void CatalogueReader::violated(std::string how) {
  end(std::move(how));
}

std::optional<NextMessage> CatalogueReader::next_message() const {
  if (!begun_) {
    return spare_.next_message();
  }
  if (!input_.unclaimed().empty()) {
    return std::nullopt;
  }
  return NextMessage{.kind = NextMessage::Kind::more, .sequence_id = reader_.next_sequence_id()};
}

void CatalogueReader::time_passed(Now now) {
  if (now.mono >= deadline_) {
    end(begun_ ? "the catalogue was not read in time" : "the server was not reached in time");
  }
}

void CatalogueReader::follow_login() {
  switch (spare_.state()) {
    case SpareBackend::State::busy:
      break;
    case SpareBackend::State::wants_tls:
      state_ = State::wants_tls;
      break;
    case SpareBackend::State::idle:
      state_ = State::wants_to_begin;
      break;
    case SpareBackend::State::failed:
      end(spare_.failure());
      break;
  }
}

void CatalogueReader::read() {
  while (state_ == State::busy && !asked_.empty()) {
    Bytes received{std::as_const(input_).unclaimed()};
    auto packet = reader_.next(received);
    if (!packet) {
      violate("a packet is malformed or out of turn");
      return;
    }
    if (packet->bytes == 0) {
      return;
    }
    answer_bytes_ += packet->bytes;
    if (answer_bytes_ > order_.limits.answer_bytes_max) {
      end("the server's answers have more than " + std::to_string(order_.limits.answer_bytes_max) + " bytes");
      return;
    }
    take(*packet, received.first(packet->bytes));
    input_.claim(packet->bytes);
    input_.release(packet->bytes);
    if (state_ == State::busy && reader_.done()) {
      answered();
    }
  }
  if (state_ == State::busy && !input_.unclaimed().empty()) {
    violate(std::string(too_early));
  }
}

// `bytes` with the header.
void CatalogueReader::take(const wire::ResponseReader::Step& packet, Bytes bytes) {
  const catalog::CatalogueQueryText* query = asked_.front().query;
  switch (packet.kind) {
    case PacketKind::column_count: {
      columns_ = bytes[wire::frame_header_bytes];  // of so few that it is one byte
      bool as_asked = query != nullptr ? columns_ == query->columns
                                       : columns_ >= catalog::definition_columns_min && columns_ < 0xFB;
      if (++results_ != 1 || !as_asked) {
        violate("a result has other columns than were asked for");
      }
      return;
    }
    case PacketKind::column_definition:
    case PacketKind::columns_end:
    case PacketKind::rows_end:
      return;
    case PacketKind::row:
      take_row_part(packet, bytes);
      return;
    case PacketKind::ok:
      if (query == nullptr || query->columns != 0) {
        violate("OK is no answer to a query");
      }
      return;
    case PacketKind::err:
      take_err(bytes.subspan(wire::frame_header_bytes));
      return;
    case PacketKind::prepare_ok:
    case PacketKind::prepare_parameter:
    case PacketKind::prepare_parameters_end:
    case PacketKind::prepare_column:
    case PacketKind::prepare_columns_end:
    case PacketKind::local_infile:
    case PacketKind::text:
    case PacketKind::progress:
      violate("the answer is none to a query");
      return;
  }
}

// A definition may not be for the login to see, or be gone.
void CatalogueReader::take_err(Bytes payload) {
  auto err = wire::parse_err(payload);
  if (!err) {
    violate("an error is malformed");
  } else if (asked_.front().query != nullptr) {
    end("the server refused: " + std::to_string(err->code) + " " + std::string(err->message));
  }
}

void CatalogueReader::take_row_part(const wire::ResponseReader::Step& packet, Bytes bytes) {
  Bytes part = reader_.frame_starts() ? bytes.subspan(wire::frame_header_bytes) : bytes;
  if (row_.size() + part.size() > order_.limits.row_bytes_max) {
    end("a row has more than " + std::to_string(order_.limits.row_bytes_max) + " bytes");
    return;
  }
  if (packet.packet_starts && packet.packet_ends) {
    take_row(part);
    return;
  }
  row_.insert(row_.end(), part.begin(), part.end());
  if (packet.packet_ends) {
    take_row(row_);
    row_.clear();
  }
}

void CatalogueReader::take_row(Bytes payload) {
  if (changed_) {
    return;
  }
  if (!wire::parse_text_row(payload, columns_, cells_)) {
    violate("a row is malformed");
    return;
  }
  const Asked& asked = asked_.front();
  if (asked.query == nullptr) {
    if (cells_[catalog::definition_column]) {
      take_definition(text_of(*cells_[catalog::definition_column]));
    }
    return;
  }
  texts_.clear();
  for (const auto& cell : cells_) {
    texts_.push_back(cell ? std::optional(text_of(*cell)) : std::nullopt);
  }
  note(builder_->add(asked.query->query, texts_));
}

void CatalogueReader::take_definition(std::string_view text) {
  const catalog::CatalogueDefinition& definition = definitions_[asked_.front().definition];
  if (auto body = body_of(text, definition.sql_mode)) {
    note(builder_->set_body(definition, *body));
  }
}

void CatalogueReader::note(const Result<Unit, CatalogueMistake>& added) {
  if (added) {
    return;
  }
  switch (added.error().kind) {
    case CatalogueMistake::Kind::malformed:
      violate(added.error().what);
      break;
    case CatalogueMistake::Kind::changed:
      changed_ = added.error().what;
      break;
    case CatalogueMistake::Kind::too_much:
      end(added.error().what);
      break;
  }
}

// A body that is not understood stays unknown.
std::optional<std::string> CatalogueReader::body_of(std::string_view definition, std::string_view sql_mode) const {
  std::string_view text = sql::statement_text(definition);
  sql::Dialect dialect = dialect_;
  dialect.mode = sql::parse_sql_mode(sql_mode);
  sql::Arena arena;
  auto parsed = sql::parse(text, dialect, sql::ParseFor::executing, arena);
  const sql::Node* body = parsed ? (*parsed)->child(sql::Role::body) : nullptr;
  return body == nullptr ? std::nullopt : std::optional(std::string(body->in(text)));
}

void CatalogueReader::answered() {
  asked_.pop_front();
  if (changed_) {
    if (++repetitions_ > repetitions_max) {
      end("the schemas change while they are read: " + *changed_);
      return;
    }
    ask_all();
    return;
  }
  if (next_query_ < queries_.size()) {
    ask_next_query();
    return;
  }
  if (next_query_ == queries_.size()) {
    ++next_query_;
    definitions_ = builder_->definitions();
  }
  ask_definitions();
  if (asked_.empty()) {
    complete();
  } else {
    start_answer();
  }
}

void CatalogueReader::ask_all() {
  changed_.reset();
  builder_.emplace(kind_of(dialect_.server), order_.limits);
  definitions_.clear();
  next_definition_ = 0;
  next_query_ = 0;
  ask_next_query();
}

void CatalogueReader::ask_next_query() {
  const catalog::CatalogueQueryText& query = queries_[next_query_++];
  ask({.query = &query}, query.text);
  start_answer();
}

void CatalogueReader::ask_definitions() {
  if (asked_.size() > definitions_ahead_max / 2) {
    return;
  }
  while (asked_.size() < definitions_ahead_max && next_definition_ < definitions_.size()) {
    ask({.definition = next_definition_}, definitions_[next_definition_].query);
    ++next_definition_;
  }
}

void CatalogueReader::ask(Asked asked, std::string_view text) {
  wire::PacketWriter writer{output_.made()};
  writer.begin(0);
  write_own_query(writer, text, spare_.facts().negotiated);
  writer.end();
  output_.queue_made();
  asked_.push_back(asked);
}

void CatalogueReader::start_answer() {
  reader_.start(wire::Command::query, spare_.facts().negotiated);
  results_ = 0;
  columns_ = 0;
  row_.clear();
}

void CatalogueReader::complete() {
  content_ = builder_->take();
  builder_.reset();
  wire::PacketWriter writer{output_.made()};
  writer.begin(0);
  writer.u8(static_cast<std::uint8_t>(wire::Command::quit));
  writer.end();
  output_.queue_made();
  state_ = State::over;
}

void CatalogueReader::violate(std::string how) {
  const catalog::CatalogueQueryText* query = asked_.empty() ? nullptr : asked_.front().query;
  std::string_view asked = query != nullptr ? query->text : asked_.empty() ? "" : "SHOW CREATE";
  end("the server's answer is not what it has to be: " + how + " (" + std::string(asked.substr(0, 60)) + ")");
}

// The first end counts.
void CatalogueReader::end(std::string failure) {
  if (state_ != State::over) {
    state_ = State::over;
    failure_ = std::move(failure);
    builder_.reset();
  }
}

}  // namespace sallyport::session
