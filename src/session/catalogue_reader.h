// Reads a server's catalogue: a connection of the gateway's own that logs in, asks what catalog/information_schema.h
// lists, then for the definitions of routines and triggers, and goes. Without I/O, like Session; the shell is
// net::Catalogues.
//
// The answers are not of one moment: information_schema knows no transactions. Where one refers to what an earlier one
// lacks, something was made meanwhile, and all is asked again. What that does not show is as a catalogue that is a
// little old; net::Catalogues asks again soon after any change, until nothing changes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "catalog/information_schema.h"
#include "session/environment.h"
#include "session/spare_backend.h"
#include "sql/dialect.h"
#include "wire/response_reader.h"

namespace sallyport::session {

class CatalogueReader {
 public:
  struct Order {
    std::shared_ptr<const Environment> environment;  // has the connection, server and login that `kind` names
    BackendKind kind;                                // no capabilities
    Milliseconds timeout{10'000};                    // from the connection to the last answer
    catalog::CatalogueLimits limits{};
  };
  // `since`: when the connection was asked for.
  CatalogueReader(Order order, Now since);

  enum class State : std::uint8_t {
    connecting,  // connected() or failed() follows
    busy,
    wants_tls,       // once output() is sent; then tls_established()
    wants_to_begin,  // it has logged in; begin() goes on
    over             // take_content() or failure(); the connection is to be closed, after output() was sent
  };
  State state() const { return state_; }
  const BackendKind& kind() const { return order_.kind; }
  // Nothing: failure() says why, for logs; never a secret.
  std::optional<catalog::Catalogue::Content> take_content() { return std::move(content_); }
  const std::string& failure() const { return failure_; }

  void connected();
  void failed(std::string why);  // no connection came about
  void tls_established();
  void begin();
  bool wants_bytes() const { return state_ == State::busy; }
  MutableBytes space();
  void received(std::size_t count);
  void closed();
  // As of SpareBackend.
  void violated(std::string how);
  std::optional<NextMessage> next_message() const;
  std::optional<CompressionStart> compression_due() const { return spare_.compression_due(); }
  void time_passed(Now now);
  MonoTime deadline() const { return deadline_; }
  OutputQueue& output() { return begun_ ? output_ : spare_.output(); }

 private:
  // What was asked and not answered yet, in order.
  struct Asked {
    const catalog::CatalogueQueryText* query = nullptr;  // null: a definition
    std::size_t definition = 0;                          // its place in definitions_
  };

  void follow_login();
  void read();
  void take(const wire::ResponseReader::Step& packet, Bytes bytes);
  void take_err(Bytes payload);
  void take_row_part(const wire::ResponseReader::Step& packet, Bytes bytes);
  void take_row(Bytes payload);
  void take_definition(std::string_view text);
  void note(const Result<Unit, catalog::CatalogueMistake>& added);
  void answered();
  void ask_all();
  void ask_next_query();
  void ask_definitions();
  void ask(Asked asked, std::string_view text);
  void start_answer();
  void complete();
  std::optional<std::string> body_of(std::string_view definition, std::string_view sql_mode) const;
  void violate(std::string how);
  void end(std::string failure);

  Order order_;
  SpareBackend spare_;
  State state_ = State::connecting;
  MonoTime deadline_;
  bool begun_ = false;
  sql::Dialect dialect_;
  std::span<const catalog::CatalogueQueryText> queries_;
  std::size_t next_query_ = 0;
  std::optional<catalog::CatalogueBuilder> builder_;
  std::vector<catalog::CatalogueDefinition> definitions_;
  std::size_t next_definition_ = 0;
  std::deque<Asked> asked_;
  wire::ResponseReader reader_;
  std::uint32_t results_ = 0;  // of the answer at hand
  std::size_t columns_ = 0;    // of its rows
  std::vector<std::uint8_t> row_;
  std::vector<std::optional<Bytes>> cells_;
  std::vector<std::optional<std::string_view>> texts_;
  std::uint64_t answer_bytes_ = 0;
  std::optional<std::string> changed_;  // what was made meanwhile; the rest of the answer is passed over
  std::uint32_t repetitions_ = 0;
  InputBuffer input_;
  InputBuffer nothing_;  // that is passed on
  OutputQueue output_{nothing_};
  std::optional<catalog::Catalogue::Content> content_;
  std::string failure_;
};

}  // namespace sallyport::session
