#include "session/answer_relay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "wire/captured_answers.h"
#include "wire/test_packets.h"

namespace sallyport::session {
namespace {

namespace capability = wire::capability;
using wire::Command;
using wire::test::answer_of;
using wire::test::Buffer;
using wire::test::from_hex;

constexpr wire::Capabilities old_leg = capability::protocol_41;
constexpr wire::Capabilities new_leg = capability::protocol_41 | capability::deprecate_eof | capability::session_track;

struct Relayed {
  Buffer to_client;
  bool done = false;
  std::optional<Reason> error;
  AnswerTotals totals;
  TrackedState state;
  std::uint64_t rows = 0;
};

enum class Asks : std::uint8_t { rows, cursor };

Asks asked_by(const wire::test::CapturedAnswer& captured) {
  return captured.what == "execute cursor" ? Asks::cursor : Asks::rows;
}

// Relays a stream that arrives `arrival_bytes` at a time to a client that takes `taken_bytes` at a time.
Relayed go_on(AnswerRelay& relay, InputBuffer& from, OutputQueue& to, Bytes stream, std::size_t arrival_bytes,
              std::size_t taken_bytes) {
  Relayed result;
  while (!result.error) {
    auto step = relay.relay(from, to, result.state);
    result.error = step ? std::nullopt : std::optional(step.error());
    std::array<Bytes, 4> pieces;
    std::size_t filled = to.gather(pieces);
    Buffer taken;
    for (std::size_t i = 0; i < filled; ++i) {
      taken.insert(taken.end(), pieces[i].begin(), pieces[i].end());
    }
    taken.resize(std::min(taken.size(), taken_bytes));
    to.sent(taken.size());
    result.to_client.insert(result.to_client.end(), taken.begin(), taken.end());
    MutableBytes space = from.space(64U << 10);
    std::size_t count = std::min({space.size(), stream.size(), arrival_bytes});
    std::copy_n(stream.begin(), count, space.begin());
    from.received(count);
    stream = stream.subspan(count);
    if (taken.empty() && count == 0) {
      break;
    }
  }
  result.done = relay.done();
  result.totals = relay.totals();
  result.rows = relay.rows();
  EXPECT_EQ(from.claimed().size(), 0U);
  return result;
}

Relayed relay(Command command, const Legs& legs, Bytes stream, std::size_t arrival_bytes, std::size_t taken_bytes,
              const AnswerRelay::Bounds& bounds = {}, Asks asks = Asks::rows) {
  InputBuffer from;
  OutputQueue to{from};
  AnswerRelay relay;
  relay.start(command, legs, {.client = 1, .backend = 1}, bounds);
  if (asks == Asks::cursor) {
    relay.expect_cursor();
  }
  return go_on(relay, from, to, stream, arrival_bytes, taken_bytes);
}
Relayed relay(Command command, const Legs& legs, Bytes stream) {
  return relay(command, legs, stream, 1U << 20, 1U << 20);
}

TEST(AnswerRelay, RealAnswersPassUnchangedBetweenLegsThatAgreeHoweverTheyArrive) {
  for (const auto& captured : wire::test::captured_answers) {
    if (captured.command == Command::stmt_bulk_execute) {
      continue;
    }
    // Without session-track data, of which a client is told a selection only.
    wire::Capabilities leg = captured.new_capabilities ? new_leg : old_leg;
    Buffer stream = from_hex(captured.hex);
    Relayed whole =
        relay(captured.command, {.client = leg, .backend = leg}, stream, 1U << 20, 1U << 20, {}, asked_by(captured));
    EXPECT_TRUE(whole.done) << captured.server << " " << captured.what;
    if (!captured.new_capabilities) {
      EXPECT_EQ(whole.to_client, stream) << captured.server << " " << captured.what;
    }
    for (std::size_t bytes = 1; bytes <= 7; bytes += 3) {
      Relayed parts =
          relay(captured.command, {.client = leg, .backend = leg}, stream, bytes, bytes + 1, {}, asked_by(captured));
      EXPECT_EQ(parts.to_client, whole.to_client) << captured.server << " " << captured.what;
      EXPECT_EQ(parts.totals.bytes, whole.to_client.size()) << captured.server << " " << captured.what;
    }
  }
}

// The same answer of the same server, captured with both sets of capabilities: what the relay makes of the one for a
// client of the other kind is what the server itself would have sent, but for flags that it can't know yet.
TEST(AnswerRelay, TranslatedAnswersEqualThoseOfTheServerItself) {
  for (const auto& from : wire::test::captured_answers) {
    for (const auto& to : wire::test::captured_answers) {
      bool same = from.server == to.server && from.what == to.what && from.new_capabilities != to.new_capabilities &&
                  from.command != Command::stmt_bulk_execute && from.command != Command::statistics &&
                  from.what != "process info";
      Buffer expected = same ? from_hex(to.hex) : Buffer{};
      if (!same) {
        continue;
      }
      SCOPED_TRACE(std::string(from.server) + " " + std::string(from.what) +
                   (to.new_capabilities ? " to new" : " to old"));
      Relayed result = relay(
          from.command,
          {.client = to.new_capabilities ? new_leg : old_leg, .backend = from.new_capabilities ? new_leg : old_leg},
          from_hex(from.hex), 1U << 20, 1U << 20, {}, asked_by(from));
      EXPECT_TRUE(result.done);
      // The same packets with the same numbers; payloads may differ in status flags and statement ids.
      auto shape = [](const Buffer& stream) {
        std::vector<std::pair<int, int>> packets;
        for (std::size_t at = 0; at + 4 <= stream.size();) {
          std::size_t length = stream[at] | std::size_t{stream[at + 1]} << 8;
          packets.emplace_back(stream[at + 3], length == 0 ? -1 : stream[at + 4]);
          at += 4 + length;
        }
        return packets;
      };
      EXPECT_EQ(shape(result.to_client), shape(expected));
    }
  }
}

const Buffer ok{0, 0, 0, 2, 0, 0, 0};
const Buffer one_column{1};
const Buffer definition = from_hex("03646566000000013100 0c3f00 01000000 03 8100 00 0000");
const Buffer row{1, 'x'};

TEST(AnswerRelay, ACursorThatAnEarlierAnswerOpenedIsNotAnnouncedAgain) {
  TrackedState state;
  state.status_flags = wire::status::autocommit | wire::status::cursor_exists | wire::status::more_results_exist;
  InputBuffer from;
  OutputQueue to{from};
  AnswerRelay relay;
  relay.start(Command::stmt_execute, {.client = old_leg, .backend = new_leg}, {.client = 1, .backend = 1}, {});
  Buffer stream = answer_of({one_column, definition, row, {0xFE, 0, 0, 2, 0, 0, 0}});
  std::copy(stream.begin(), stream.end(), from.space(1U << 16).begin());
  from.received(stream.size());
  ASSERT_TRUE(relay.relay(from, to, state));
  std::array<Bytes, 8> pieces;
  Buffer sent;
  std::size_t filled = to.gather(pieces);
  for (std::size_t i = 0; i < filled; ++i) {
    sent.insert(sent.end(), pieces[i].begin(), pieces[i].end());
  }
  EXPECT_EQ(sent, answer_of({one_column, definition, {0xFE, 0, 0, 2, 0}, row, {0xFE, 0, 0, 2, 0}}));
}

TEST(AnswerRelay, AnEofSaysNothingOfStateChangesThatItCannotDescribe) {
  Buffer end = from_hex("fe 00 00 0240 0000 00 0f 00 0d 0974696d655f7a6f6e65 02 5554");
  Legs legs{.client = capability::protocol_41 | capability::session_track, .backend = new_leg};
  Relayed result = relay(Command::query, legs, answer_of({one_column, definition, end}));
  EXPECT_TRUE(result.done);
  EXPECT_EQ(result.to_client, answer_of({one_column, definition, {0xFE, 0, 0, 2, 0}, {0xFE, 0, 0, 2, 0}}));
}

TEST(AnswerRelay, SchemaChangesAreFollowedAlsoForClientsThatAreNotTold) {
  // USE sales, with the schema and sql_mode tracked.
  Buffer use = from_hex("00 00 00 0240 0000 00 18 01 06 05 73616c6573 00 0e 0873716c5f6d6f6465 04 414e5349");
  Relayed untold = relay(Command::query, {.client = old_leg, .backend = new_leg}, answer_of({use}));
  EXPECT_TRUE(untold.done);
  EXPECT_EQ(untold.state.schema, "sales");
  EXPECT_EQ(untold.to_client, answer_of({ok}));
  Relayed told = relay(Command::query, {.client = new_leg, .backend = new_leg}, answer_of({use}));
  EXPECT_EQ(told.state.schema, "sales");
  EXPECT_TRUE(told.state.schema_reported);
  EXPECT_EQ(told.to_client, answer_of({use})) << "the server's own words";
}

TEST(AnswerRelay, AnswersThatCannotGoOn) {
  struct Case {
    std::string_view why;
    Command command;
    Buffer stream;
  };
  const std::vector<Case> cases{{"a wrong sequence id", Command::query, answer_of({ok}, 2)},
                                {"an empty packet", Command::query, answer_of({Buffer{}})},
                                {"no columns", Command::query, answer_of({Buffer{0xFC, 0, 0}})},
                                {"rows in answer to a ping", Command::ping, answer_of({one_column})},
                                {"a malformed prepare-OK", Command::stmt_prepare, answer_of({Buffer{0, 1}})}};
  for (const Case& one : cases) {
    Relayed result = relay(one.command, {.client = new_leg, .backend = new_leg}, one.stream);
    EXPECT_EQ(result.error, Reason::backend_violation) << one.why;
    EXPECT_TRUE(result.to_client.empty()) << one.why;
  }
}

TEST(AnswerRelay, ARowOfSixteenMebibytesAndMoreIsRenumberedFrameByFrame) {
  Buffer large(2 * 0xFFFFFF + 3, 'x');
  large[0] = 0xFE;  // the length of a cell in eight bytes, which looks like the end of the rows
  Buffer end{0xFE, 0, 0, 2, 0, 0, 0};
  Relayed result = relay(Command::query, {.client = old_leg, .backend = new_leg},
                         answer_of({one_column, definition, large, row, end}), 40'000, 30'000);
  EXPECT_TRUE(result.done);
  EXPECT_EQ(result.rows, 2U);
  EXPECT_TRUE(result.to_client ==
              answer_of({one_column, definition, {0xFE, 0, 0, 2, 0}, large, row, {0xFE, 0, 0, 2, 0}}));
}

TEST(AnswerRelay, AnswersBearTheClientsNumbersWhereTheCommandWasSentOnInOtherFrames) {
  InputBuffer from;
  OutputQueue to{from};
  TrackedState state;
  AnswerRelay relay;
  relay.start(Command::query, {.client = new_leg, .backend = new_leg}, {.client = 1, .backend = 2}, {});
  Buffer stream = answer_of({ok}, 2);
  std::copy(stream.begin(), stream.end(), from.space(1U << 16).begin());
  from.received(stream.size());
  ASSERT_TRUE(relay.relay(from, to, state));
  std::array<Bytes, 2> pieces;
  ASSERT_EQ(to.gather(pieces), 1U);
  EXPECT_EQ(Buffer(pieces[0].begin(), pieces[0].end()), answer_of({ok}, 1));
}

TEST(AnswerRelay, AnAnswerIsCutAtARowHoweverItArrives) {
  Buffer end{0xFE, 0, 0, 2, 0, 0, 0};
  Buffer stream = answer_of({one_column, definition, row, row, row, end});
  for (wire::Capabilities client : {old_leg, new_leg}) {
    Legs legs{.client = client, .backend = new_leg};
    std::size_t head =
        relay(Command::query, legs, answer_of({one_column, definition, row, row, row, end})).to_client.size() -
        (client == old_leg ? 9 : 11) - 3 * (4 + row.size());
    struct Case {
      AnswerRelay::Bounds bounds;
      std::uint64_t rows;
    };
    const std::array<Case, 4> cases{{{{.rows_max = 1, .bytes_max = 0}, 1},
                                     {{.rows_max = 2, .bytes_max = 0}, 2},
                                     {{.rows_max = 0, .bytes_max = 1}, 0},
                                     {{.rows_max = 0, .bytes_max = head + 1}, 1}}};
    for (const Case& expected : cases) {
      Relayed whole = relay(Command::query, legs, stream, 1U << 20, 1U << 20, expected.bounds);
      EXPECT_TRUE(whole.done);
      EXPECT_EQ(whole.rows, expected.rows) << expected.bounds.rows_max << " " << expected.bounds.bytes_max;
      EXPECT_EQ(whole.totals.error_code, 1105);
      EXPECT_EQ(whole.state.status_flags, wire::status::autocommit);
      for (std::size_t bytes = 1; bytes <= 7; bytes += 3) {
        EXPECT_EQ(relay(Command::query, legs, stream, bytes, bytes + 1, expected.bounds).to_client, whole.to_client);
      }
    }
  }
}

TEST(AnswerRelay, ReportsOfProgressPassAndAreDroppedBehindACut) {
  const Buffer report = from_hex("ff ffff 01 01 02 50c300 07 636f7079696e67");
  const Buffer end{0xFE, 0, 0, 2, 0, 0, 0};
  const Buffer eof_packet{0xFE, 0, 0, 2, 0};
  constexpr wire::Capabilities reporting = capability::mariadb_progress;
  Buffer stream = answer_of({one_column, definition, report, row, report, row, report, end});
  for (std::size_t bytes : {1U, 4U, 1U << 20}) {
    Legs alike{.client = new_leg | reporting, .backend = new_leg | reporting};
    Relayed passed = relay(Command::query, alike, stream, bytes, bytes + 1);
    EXPECT_TRUE(passed.done);
    EXPECT_EQ(passed.to_client, stream);
    EXPECT_EQ(passed.rows, 2U);
    EXPECT_EQ(passed.totals.bytes, stream.size());
    EXPECT_EQ(passed.totals.error_code, std::nullopt);

    // The EOF behind the columns is due until it is clear what follows them.
    Legs translated{.client = old_leg | reporting, .backend = new_leg | reporting};
    EXPECT_EQ(relay(Command::query, translated, stream, bytes, bytes + 1).to_client,
              answer_of({one_column, definition, report, eof_packet, row, report, row, report, eof_packet}));

    Relayed cut = relay(Command::query, alike, stream, bytes, bytes + 1, {.rows_max = 1, .bytes_max = 0});
    EXPECT_TRUE(cut.done);
    EXPECT_EQ(cut.totals.error_code, 1105);
    Buffer before = answer_of({one_column, definition, report, row, report});
    ASSERT_GT(cut.to_client.size(), before.size() + 5);
    EXPECT_TRUE(std::equal(before.begin(), before.end(), cut.to_client.begin()));
    EXPECT_EQ(cut.to_client[before.size()] + 4 + before.size(), cut.to_client.size());
    EXPECT_EQ(cut.to_client[before.size() + 3], 6);
    EXPECT_EQ(cut.to_client[before.size() + 5], 1105 & 0xFF);
  }
  Relayed unasked = relay(Command::query, {.client = new_leg, .backend = new_leg}, stream);
  EXPECT_EQ(unasked.error, Reason::backend_violation);
}

// MySQL's OK behind an empty result says that a cursor exists where a function of the statement's had one of its own.
TEST(AnswerRelay, AnEmptyResultIsNoCursorWhereNoneWasAskedFor) {
  const Buffer ok_with_cursor{0xFE, 0, 0, 0x62, 0, 0, 0};
  const Buffer eof_with_cursor{0xFE, 0, 0, 0x62, 0};
  Legs legs{.client = old_leg, .backend = new_leg};
  Buffer stream = answer_of({one_column, definition, ok_with_cursor});
  EXPECT_EQ(relay(Command::stmt_execute, legs, stream).to_client,
            answer_of({one_column, definition, {0xFE, 0, 0, 2, 0}, eof_with_cursor}));
  EXPECT_EQ(relay(Command::stmt_execute, legs, stream, 1, 9, {}, Asks::cursor).to_client,
            answer_of({one_column, definition, eof_with_cursor}));
}

TEST(AnswerRelay, EofsAroundDefinitionsThatAreLeftOutAreTranslated) {
  constexpr wire::Capabilities optional = capability::optional_resultset_metadata;
  const Buffer eof_packet{0xFE, 0, 0, 2, 0};
  const Buffer end{0xFE, 0, 0, 2, 0, 0, 0};
  const Buffer prepare_ok{0, 1, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0};
  Legs to_old{.client = old_leg | optional, .backend = new_leg | optional};
  Legs to_new{.client = new_leg | optional, .backend = old_leg | optional};
  const Buffer header{1, 0};
  for (std::size_t bytes : {1U, 5U, 1U << 20}) {
    auto told = [&](Command command, const Legs& legs, const std::vector<Buffer>& payloads) {
      Relayed relayed = relay(command, legs, answer_of(payloads), bytes, bytes + 1);
      EXPECT_TRUE(relayed.done);
      EXPECT_EQ(relayed.totals.bytes, relayed.to_client.size());
      return relayed.to_client;
    };
    EXPECT_EQ(told(Command::query, to_old, {header, row, end}), answer_of({header, eof_packet, row, eof_packet}));
    EXPECT_EQ(told(Command::query, to_old, {header, end}), answer_of({header, eof_packet, eof_packet}));
    EXPECT_EQ(told(Command::query, to_new, {header, eof_packet, row, eof_packet}), answer_of({header, row, end}));
    EXPECT_EQ(told(Command::stmt_prepare, to_old, {prepare_ok}), answer_of({prepare_ok, eof_packet, eof_packet}));
    EXPECT_EQ(told(Command::stmt_prepare, to_new, {prepare_ok, eof_packet, eof_packet}), answer_of({prepare_ok}));
  }
}

// A statement's executions, one after the other, by a client that caches definitions; the server always sends them.
class CachingClient {
 public:
  explicit CachingClient(const Legs& legs, std::size_t arrival_bytes) : legs_(legs), arrival_bytes_(arrival_bytes) {}
  Buffer prepared(const std::vector<Buffer>& payloads) {
    relay_.start(Command::stmt_prepare, legs_, {.client = 1, .backend = 1}, {});
    return answered(payloads);
  }
  Buffer executed(const std::vector<Buffer>& payloads, Asks asks = Asks::rows) {
    ColumnDefinitions known = relay_.take_known_definitions();
    known_bytes_ = known.size();
    relay_.start(Command::stmt_execute, legs_, {.client = 1, .backend = 1}, {});
    relay_.leave_out_known_definitions(std::move(known));
    if (asks == Asks::cursor) {
      relay_.expect_cursor();
    }
    return answered(payloads);
  }
  // Before the last execution.
  std::size_t known_bytes() const { return known_bytes_; }

 private:
  Buffer answered(const std::vector<Buffer>& payloads) {
    InputBuffer from;
    OutputQueue to{from};
    Relayed relayed = go_on(relay_, from, to, answer_of(payloads), arrival_bytes_, arrival_bytes_ + 3);
    EXPECT_TRUE(relayed.done);
    EXPECT_EQ(relayed.totals.bytes, relayed.to_client.size());
    return relayed.to_client;
  }

  Legs legs_;
  std::size_t arrival_bytes_;
  AnswerRelay relay_;
  std::size_t known_bytes_ = 0;
};

const Buffer other_definition = from_hex("03646566000000013200 0c3f00 01000000 03 8100 00 0000");
const Buffer eof_of_old{0xFE, 0, 0, 2, 0};
const Buffer ok_of_new{0xFE, 0, 0, 2, 0, 0, 0};
const Buffer binary_row{0, 0, 7};

TEST(AnswerRelay, DefinitionsThatAClientKnowsAreLeftOut) {
  constexpr wire::Capabilities caching = capability::mariadb_cache_metadata;
  for (std::size_t bytes : {1U, 5U, 1U << 20}) {
    for (wire::Capabilities client : {old_leg, new_leg}) {
      for (wire::Capabilities backend : {old_leg, new_leg}) {
        CachingClient statement{{.client = client | caching, .backend = backend}, bytes};
        // What the server sends, and what the client gets of it.
        auto answer = [](wire::Capabilities leg, const Buffer& header, const std::vector<Buffer>& definitions) {
          std::vector<Buffer> packets{header};
          packets.insert(packets.end(), definitions.begin(), definitions.end());
          bool old = leg == old_leg;
          if (old) {
            packets.push_back(eof_of_old);
          }
          packets.push_back(binary_row);
          packets.push_back(old ? eof_of_old : ok_of_new);
          return packets;
        };
        std::vector<Buffer> prepare{{0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0}, definition, other_definition};
        std::vector<Buffer> told = prepare;
        prepare.insert(prepare.end(), backend == old_leg ? 1 : 0, eof_of_old);
        told.insert(told.end(), client == old_leg ? 1 : 0, eof_of_old);
        EXPECT_EQ(statement.prepared(prepare), answer_of(told));
        for (int i = 0; i < 2; ++i) {
          EXPECT_EQ(statement.executed(answer(backend, {2}, {definition, other_definition})),
                    answer_of(answer(client, {2, 0}, {})));
        }
        // The table was altered.
        EXPECT_EQ(statement.executed(answer(backend, {2}, {definition, definition})),
                  answer_of(answer(client, {2, 1}, {definition, definition})));
        EXPECT_EQ(statement.executed(answer(backend, {2}, {definition, definition})),
                  answer_of(answer(client, {2, 0}, {})));
        EXPECT_EQ(statement.executed(answer(backend, {1}, {definition})),
                  answer_of(answer(client, {1, 1}, {definition})));
        EXPECT_EQ(statement.executed({from_hex("ff 4804 234859303030 6e6f")}),
                  answer_of({from_hex("ff 4804 234859303030 6e6f")}));
        EXPECT_EQ(statement.executed(answer(backend, {1}, {definition})), answer_of(answer(client, {1, 0}, {})));
        // More columns, and fewer, that begin alike.
        for (int i = 0; i < 2; ++i) {
          EXPECT_EQ(statement.executed(answer(backend, {2}, {definition, other_definition})),
                    answer_of(answer(client, {2, 1}, {definition, other_definition})));
          EXPECT_EQ(statement.executed(answer(backend, {1}, {definition})),
                    answer_of(answer(client, {1, 1}, {definition})));
        }
        // A cursor in place of rows.
        Buffer eof_with_cursor{0xFE, 0, 0, 0x42, 0};
        Buffer ok_with_cursor{0xFE, 0, 0, 0x42, 0, 0, 0};
        EXPECT_EQ(
            statement.executed({{1}, definition, backend == old_leg ? eof_with_cursor : ok_with_cursor}, Asks::cursor),
            answer_of({{1, 0}, client == old_leg ? eof_with_cursor : ok_with_cursor}));
      }
    }
  }
}

TEST(AnswerRelay, DefinitionsOfWhichItIsNotCertainThatTheClientKnowsThemAreSent) {
  constexpr wire::Capabilities caching = new_leg | capability::mariadb_cache_metadata;
  const Buffer more{0xFE, 0, 0, 0x0A, 0, 0, 0};
  const Buffer ok_packet{0, 0, 0, 2, 0, 0, 0};
  CachingClient statement{{.client = caching, .backend = new_leg}, 1U << 20};
  auto once = [&] { return statement.executed({{1}, definition, ok_of_new}); };
  EXPECT_EQ(once(), answer_of({{1, 1}, definition, ok_of_new})) << "nothing was prepared";
  EXPECT_EQ(once(), answer_of({{1, 0}, ok_of_new}));
  // A procedure's results: which of them a client keeps is its own affair.
  std::vector<Buffer> results{{1}, other_definition, more, {1}, definition, more, ok_packet};
  EXPECT_EQ(statement.executed(results),
            answer_of({{1, 1}, other_definition, more, {1, 1}, definition, more, ok_packet}));
  EXPECT_EQ(statement.executed(results),
            answer_of({{1, 1}, other_definition, more, {1, 1}, definition, more, ok_packet}));
  EXPECT_EQ(once(), answer_of({{1, 1}, definition, ok_of_new}));
  EXPECT_EQ(statement.executed({ok_packet}), answer_of({ok_packet}));
  EXPECT_EQ(once(), answer_of({{1, 1}, definition, ok_of_new}));
  // A text's results have the byte too.
  EXPECT_EQ(
      relay(Command::query, {.client = caching, .backend = new_leg}, answer_of({{1}, definition, ok_of_new})).to_client,
      answer_of({{1, 1}, definition, ok_of_new}));
  // An error amid definitions takes the place of the result.
  const Buffer err = from_hex("ff 4804 234859303030 6e6f");
  EXPECT_EQ(once(), answer_of({{1, 0}, ok_of_new}));
  EXPECT_EQ(statement.executed({{2}, definition, err}), answer_of({err}));
}

TEST(AnswerRelay, DefinitionsBeyondTheBoundAreSentEachTime) {
  constexpr wire::Capabilities caching = new_leg | capability::mariadb_cache_metadata;
  std::vector<Buffer> answer{from_hex("fc a00f")};  // 4,000 columns
  answer.insert(answer.end(), 4000, definition);
  answer.push_back(ok_of_new);
  std::vector<Buffer> told = answer;
  told[0].push_back(1);
  CachingClient statement{{.client = caching, .backend = new_leg}, 1000};
  const std::vector<Buffer> small{{1}, definition, ok_of_new};
  statement.executed(small);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(statement.executed(answer), answer_of(told));
    EXPECT_LE(statement.known_bytes(), cached_definitions_bytes_max);
  }
  EXPECT_EQ(statement.known_bytes(), 0U);
  EXPECT_EQ(statement.executed(small), answer_of({{1, 1}, definition, ok_of_new}));
}

TEST(AnswerRelay, StopsWhileTheClientTakesNothing) {
  InputBuffer from;
  OutputQueue to{from};
  TrackedState state;
  AnswerRelay relay;
  // Each OK tells of a change, so that each is made anew for a client that is not told.
  Buffer use = from_hex("00 00 00 0a40 0000 00 08 01 06 05 73616c6573");
  relay.start(Command::query, {.client = old_leg, .backend = new_leg}, {.client = 1, .backend = 1}, {});
  Buffer stream = answer_of(std::vector<Buffer>(60'000, use));
  Bytes rest{stream};
  while (from.unclaimed().size() < (64U << 10)) {
    MutableBytes space = from.space(4U << 20);
    std::size_t count = std::min(space.size(), rest.size());
    ASSERT_GT(count, 0U);
    std::copy_n(rest.begin(), count, space.begin());
    from.received(count);
    rest = rest.subspan(count);
    ASSERT_TRUE(relay.relay(from, to, state));
    ASSERT_LE(to.made_bytes(), made_bytes_max + wire::control_packet_bytes_max);
  }
  EXPECT_GT(to.made_bytes(), made_bytes_max);
  EXPECT_FALSE(from.unclaimed().empty());
}

}  // namespace
}  // namespace sallyport::session
