#include "wire/response_reader.h"

#include <gtest/gtest.h>

#include "wire/captured_answers.h"
#include "wire/response.h"
#include "wire/test_packets.h"

namespace sallyport::wire {
namespace {

using test::answer_of;
using test::Buffer;
using test::follow;
using test::from_hex;
using Events = std::vector<std::string>;

constexpr Capabilities old_way = capability::protocol_41;
constexpr Capabilities new_way = capability::protocol_41 | capability::deprecate_eof | capability::session_track;

const Buffer ok = from_hex("00 00 00 0200 0000");
const Buffer ok_and_more = from_hex("00 00 00 0a00 0000");
const Buffer eof = from_hex("fe 0000 0200");
const Buffer eof_and_more = from_hex("fe 0000 0a00");
const Buffer eof_with_cursor = from_hex("fe 0000 4200");
const Buffer ok_as_eof = from_hex("fe 00 00 0200 0000");
const Buffer ok_as_eof_and_more = from_hex("fe 00 00 0a00 0000");
const Buffer err = from_hex("ff 4804 234859303030 6e6f");
const Buffer column = from_hex("03646566 00 00 00 0131 00 0c 3f00 01000000 08 8100 00 0000");
const Buffer row = from_hex("0131");

// Stage 1 of 2, at 50 %.
const Buffer report = from_hex("ff ffff 01 01 02 50c300 07 636f7079696e67");
constexpr Capabilities reporting = capability::mariadb_progress;

ResponseReader started(Command command, Capabilities negotiated) {
  ResponseReader reader;
  reader.start(command, negotiated);
  return reader;
}

TEST(ResponseReader, FollowsCapturedAnswersToTheirVeryEnd) {
  for (const auto& captured : test::captured_answers) {
    SCOPED_TRACE(testing::Message() << captured.server << (captured.new_capabilities ? " new " : " old ")
                                    << captured.what);
    Buffer stream = from_hex(captured.hex);
    auto reader = started(captured.command, captured.new_capabilities ? new_way : old_way);
    if (captured.what == "execute cursor") {
      reader.expect_cursor();
    }
    Events whole = follow(reader, stream, stream.size());
    ASSERT_GE(whole.size(), 2U);
    EXPECT_EQ(whole[whole.size() - 2], "done");
    EXPECT_EQ(follow(reader, stream, 1), whole);
    EXPECT_EQ(follow(reader, stream, 7), whole);
    stream.pop_back();
    Events cut = follow(reader, stream, 3);
    EXPECT_TRUE(cut[cut.size() - 2].starts_with("waits"));
  }
}

struct AnswerCase {
  std::string_view why;
  Command command;
  Capabilities negotiated;
  std::vector<Buffer> payloads;
  Events events;
};

void check(const AnswerCase& c) {
  SCOPED_TRACE(c.why);
  Buffer stream = answer_of(c.payloads);
  auto reader = started(c.command, c.negotiated);
  Events whole = follow(reader, stream, stream.size());
  EXPECT_EQ(whole, c.events);
  EXPECT_EQ(follow(reader, stream, 1), whole);
}

TEST(ResponseReader, ReportsOfProgressAreNeitherErrorsNorRowsNorEnds) {
  const Buffer signalled = from_hex("ff ffff 233435303030 6e6f");
  const AnswerCase cases[] = {
      {"before an OK",
       Command::query,
       old_way | reporting,
       {report, report, ok},
       {"progress", "progress", "ok", "done", "rows=0"}},
      {"before an ERR",
       Command::stmt_execute,
       new_way | reporting,
       {report, err},
       {"progress", "err", "done", "rows=0"}},
      {"amid rows",
       Command::query,
       old_way | reporting,
       {{1}, column, eof, report, row, report, row, eof},
       {"column_count", "column_definition", "columns_end", "progress", "row:6", "progress", "row:6", "rows_end",
        "done", "rows=2"}},
      {"amid rows without EOF",
       Command::query,
       new_way | reporting,
       {{1}, column, report, row, report, ok_as_eof},
       {"column_count", "column_definition", "progress", "row:6", "progress", "rows_end", "done", "rows=1"}},
      {"an error of the same code is one", Command::query, old_way | reporting, {signalled}, {"err", "done", "rows=0"}},
      {"so it is where none is reported", Command::query, old_way, {signalled}, {"err", "done", "rows=0"}},
      {"one that was not negotiated", Command::query, old_way, {report, ok}, {"!malformed"}},
      {"one that was not negotiated amid rows",
       Command::query,
       old_way,
       {{1}, column, eof, report},
       {"column_count", "column_definition", "columns_end", "!malformed"}},
      {"one without its text",
       Command::query,
       old_way | reporting,
       {from_hex("ff ffff 01 01 02 50c300")},
       {"!malformed"}},
      {"one with more behind it",
       Command::query,
       old_way | reporting,
       {from_hex("ff ffff 01 01 02 50c300 00 00")},
       {"!malformed"}},
      {"one of two texts",
       Command::query,
       old_way | reporting,
       {from_hex("ff ffff 02 01 02 50c300 00")},
       {"!malformed"}},
      {"the header alone", Command::query, old_way | reporting, {from_hex("ff ffff")}, {"!malformed"}}};
  for (const AnswerCase& one : cases) {
    check(one);
  }
}

TEST(ResponseReader, AReportOfProgressIsBounded) {
  for (std::size_t size : {progress_report_bytes_max, progress_report_bytes_max + 1}) {
    std::size_t text = size - 10;  // its length takes one byte
    Buffer longest = from_hex("ff ffff 01 01 02 50c300");
    longest.push_back(static_cast<std::uint8_t>(text));
    longest.resize(size, 'x');
    auto reader = started(Command::query, old_way | reporting);
    bool fits = size == progress_report_bytes_max;
    EXPECT_EQ(follow(reader, answer_of({longest, ok}), 1)[0], fits ? "progress" : "!malformed");
  }
}

TEST(ResponseReader, AfterAFileOfTheClientsProgressMayBeReportedNotBefore) {
  auto reader = started(Command::query, old_way | reporting);
  Buffer request = answer_of({from_hex("fb 66")});
  ASSERT_EQ(reader.next(request)->kind, PacketKind::local_infile);
  EXPECT_EQ(follow(reader, answer_of({report}, 2), 1)[0], "!malformed");
  reader.resume(4);
  EXPECT_EQ(follow(reader, answer_of({report, ok}, 4), 1), (Events{"progress", "ok", "done", "rows=0"}));
}

TEST(ResponseReader, FollowsTheAnswersToAQuery) {
  const AnswerCase cases[] = {
      {"OK", Command::query, old_way, {ok}, {"ok", "done", "rows=0"}},
      {"ERR", Command::query, old_way, {err}, {"err", "done", "rows=0"}},
      {"a result set",
       Command::query,
       old_way,
       {{1}, column, eof, row, row, eof},
       {"column_count", "column_definition", "columns_end", "row:6", "row:6", "rows_end", "done", "rows=2"}},
      {"a result set without EOF",
       Command::query,
       new_way,
       {{1}, column, row, row, ok_as_eof},
       {"column_count", "column_definition", "row:6", "row:6", "rows_end", "done", "rows=2"}},
      {"several results",
       Command::query,
       old_way,
       {{1}, column, eof, row, eof_and_more, ok_and_more, {1}, column, eof, eof},
       {"column_count", "column_definition", "columns_end", "row:6", "rows_end", "ok", "column_count",
        "column_definition", "columns_end", "rows_end", "done", "rows=1"}},
      {"several results without EOF",
       Command::query,
       new_way,
       {{1}, column, row, ok_as_eof_and_more, ok_and_more, err},
       {"column_count", "column_definition", "row:6", "rows_end", "ok", "err", "done", "rows=1"}},
      {"ERR amid rows",
       Command::query,
       old_way,
       {{1}, column, eof, row, err},
       {"column_count", "column_definition", "columns_end", "row:6", "err", "done", "rows=1"}},
      {"ERR amid column definitions",
       Command::query,
       new_way,
       {{2}, column, err},
       {"column_count", "column_definition", "err", "done", "rows=0"}},
      {"a row that begins with a long NULL or text is no end",
       Command::query,
       old_way,
       {{1}, column, eof, {0xFB}, from_hex("fe 0900000000000000 616263646566676869"), eof},
       {"column_count", "column_definition", "columns_end", "row:5", "row:22", "rows_end", "done", "rows=2"}},
      {"no columns", Command::query, old_way, {from_hex("fc0000")}, {"!malformed"}},
      {"too many columns", Command::query, old_way, {from_hex("fe0100000100000000")}, {"!malformed"}},
      {"a column count with bytes behind", Command::query, old_way, {from_hex("0101")}, {"!malformed"}},
      {"a column count cut short", Command::query, old_way, {from_hex("fc01")}, {"!malformed"}},
      {"an empty packet", Command::query, old_way, {{}}, {"!malformed"}},
      {"an empty row", Command::query, new_way, {{1}, column, {}}, {"column_count", "column_definition", "!malformed"}},
      {"rows before the EOF",
       Command::query,
       old_way,
       {{1}, column, row},
       {"column_count", "column_definition", "!malformed"}},
      {"OK cut short", Command::query, old_way, {from_hex("00 00 00 0200 00")}, {"!malformed"}},
      {"a request for a file", Command::query, old_way, {from_hex("fb 61")}, {"local_infile", "waits", "rows=0"}}};
  for (const AnswerCase& c : cases) {
    check(c);
  }
}

TEST(ResponseReader, BehindAFileOnlyTheEndOfTheStatementFollows) {
  Buffer request = test::packet(1, from_hex("fb 61"));
  for (const auto& [payload, follows] :
       {std::pair{ok, true}, {err, true}, {from_hex("fb 61"), false}, {from_hex("01"), false}, {eof, false}}) {
    ResponseReader reader;
    reader.start(Command::query, old_way);
    auto asked = reader.next(request);
    ASSERT_TRUE(asked && asked->kind == PacketKind::local_infile);
    reader.resume(4);
    auto next = reader.next(test::packet(4, payload));
    EXPECT_EQ(next.has_value(), follows);
    EXPECT_EQ(reader.done(), follows);
  }
}

TEST(ResponseReader, FollowsTheAnswersToPreparedStatements) {
  auto prepare_ok = [](int columns, int parameters) {
    Buffer payload = from_hex("00 01000000 0000 0000 00 0000");
    payload[5] = static_cast<std::uint8_t>(columns);
    payload[7] = static_cast<std::uint8_t>(parameters);
    return payload;
  };
  const AnswerCase cases[] = {
      {"neither", Command::stmt_prepare, old_way, {prepare_ok(0, 0)}, {"prepare_ok", "done", "rows=0"}},
      {"neither, new", Command::stmt_prepare, new_way, {prepare_ok(0, 0)}, {"prepare_ok", "done", "rows=0"}},
      {"parameters",
       Command::stmt_prepare,
       old_way,
       {prepare_ok(0, 2), column, column, eof},
       {"prepare_ok", "prepare_parameter", "prepare_parameter", "prepare_parameters_end", "done", "rows=0"}},
      {"parameters, new",
       Command::stmt_prepare,
       new_way,
       {prepare_ok(0, 2), column, column},
       {"prepare_ok", "prepare_parameter", "prepare_parameter", "done", "rows=0"}},
      {"columns",
       Command::stmt_prepare,
       old_way,
       {prepare_ok(1, 0), column, eof},
       {"prepare_ok", "prepare_column", "prepare_columns_end", "done", "rows=0"}},
      {"columns, new",
       Command::stmt_prepare,
       new_way,
       {prepare_ok(1, 0), column},
       {"prepare_ok", "prepare_column", "done", "rows=0"}},
      {"both",
       Command::stmt_prepare,
       old_way,
       {prepare_ok(1, 1), column, eof, column, eof},
       {"prepare_ok", "prepare_parameter", "prepare_parameters_end", "prepare_column", "prepare_columns_end", "done",
        "rows=0"}},
      {"both, new",
       Command::stmt_prepare,
       new_way,
       {prepare_ok(1, 1), column, column},
       {"prepare_ok", "prepare_parameter", "prepare_column", "done", "rows=0"}},
      {"ERR amid", Command::stmt_prepare, old_way, {prepare_ok(1, 1), err}, {"prepare_ok", "err", "done", "rows=0"}},
      {"no EOF",
       Command::stmt_prepare,
       old_way,
       {prepare_ok(0, 1), column, column},
       {"prepare_ok", "prepare_parameter", "!malformed"}},
      {"a result behind a cursor of a function's, where none was asked for",
       Command::stmt_execute,
       old_way,
       {{1}, column, eof_with_cursor, {0, 0, 7}, eof_with_cursor},
       {"column_count", "column_definition", "columns_end", "row:7", "rows_end", "done", "rows=1"}},
      {"a text's result while a cursor of the routine's is open",
       Command::query,
       old_way,
       {{1}, column, from_hex("fe 0000 4a00"), row, from_hex("fe 0000 4a00"), ok},
       {"column_count", "column_definition", "columns_end", "row:6", "rows_end", "ok", "done", "rows=1"}},
      {"a statement's result while a cursor of the routine's is open",
       Command::stmt_execute,
       old_way,
       {{1}, column, from_hex("fe 0000 4a00"), {0, 0, 7}, from_hex("fe 0000 4a00"), ok},
       {"column_count", "column_definition", "columns_end", "row:7", "rows_end", "ok", "done", "rows=1"}},
      {"OUT parameters as MySQL sends them",
       Command::stmt_execute,
       old_way,
       {{1}, column, from_hex("fe 0000 0a10"), {0, 0, 7}, eof, ok},
       {"column_count", "column_definition", "columns_end", "row:7", "rows_end", "ok", "done", "rows=1"}},
      {"a fetch", Command::stmt_fetch, old_way, {{0, 0, 7}, eof}, {"row:7", "rows_end", "done", "rows=1"}},
      {"a fetch, new", Command::stmt_fetch, new_way, {{0, 0, 7}, ok_as_eof}, {"row:7", "rows_end", "done", "rows=1"}},
      {"a fetch that fails", Command::stmt_fetch, new_way, {err}, {"err", "done", "rows=0"}}};
  for (const AnswerCase& c : cases) {
    check(c);
  }
}

TEST(ResponseReader, ACursorThatWasAskedForIsAnAnswerWithoutRows) {
  auto follow_cursor = [](Capabilities negotiated, const std::vector<Buffer>& payloads) {
    auto reader = started(Command::stmt_execute, negotiated);
    reader.expect_cursor();
    Buffer stream = answer_of(payloads);
    EXPECT_EQ(follow(reader, stream, 1), follow(reader, stream, stream.size()));
    return follow(reader, stream, stream.size());
  };
  EXPECT_EQ(follow_cursor(old_way, {{1}, column, eof_with_cursor}),
            (Events{"column_count", "column_definition", "columns_end", "done", "rows=0"}));
  EXPECT_EQ(follow_cursor(new_way, {{1}, column, from_hex("fe 00 00 4200 0000")}),
            (Events{"column_count", "column_definition", "rows_end", "done", "rows=0"}));
  // CALL opens none: its results, amid which a cursor of the routine's own is open, say that more follow.
  EXPECT_EQ(follow_cursor(old_way, {{1}, column, from_hex("fe 0000 4a00"), {0, 0, 7}, from_hex("fe 0000 4a00"), ok}),
            (Events{"column_count", "column_definition", "columns_end", "row:7", "rows_end", "ok", "done", "rows=1"}));
  EXPECT_EQ(follow_cursor(old_way, {{1}, column, eof, {0, 0, 7}, eof}),
            (Events{"column_count", "column_definition", "columns_end", "row:7", "rows_end", "done", "rows=1"}));
}

TEST(ResponseReader, ResultsWithoutColumnDefinitions) {
  constexpr Capabilities old_optional = old_way | capability::optional_resultset_metadata;
  constexpr Capabilities new_optional = new_way | capability::optional_resultset_metadata;
  constexpr Capabilities caching = new_way | capability::mariadb_cache_metadata;
  auto prepare_ok = [](std::uint8_t columns, std::uint8_t parameters, std::uint8_t follows) {
    return Buffer{0, 1, 0, 0, 0, columns, 0, parameters, 0, 0, 0, 0, follows};
  };
  const AnswerCase cases[] = {
      {"with them",
       Command::query,
       old_optional,
       {{1, 1}, column, eof, row, eof},
       {"column_count", "column_definition", "columns_end", "row:6", "rows_end", "done", "rows=1"}},
      {"without",
       Command::query,
       old_optional,
       {{2, 0}, eof, row, eof},
       {"column_count", "columns_end", "row:6", "rows_end", "done", "rows=1"}},
      {"without, new",
       Command::query,
       new_optional,
       {{2, 0}, row, ok_as_eof},
       {"column_count", "row:6", "rows_end", "done", "rows=1"}},
      {"without, an error for rows",
       Command::query,
       new_optional,
       {{2, 0}, err},
       {"column_count", "err", "done", "rows=0"}},
      {"several",
       Command::query,
       new_optional,
       {{1, 0}, row, ok_as_eof_and_more, {1, 1}, column, row, ok_as_eof},
       {"column_count", "row:6", "rows_end", "column_count", "column_definition", "row:6", "rows_end", "done",
        "rows=2"}},
      {"MariaDB's",
       Command::stmt_execute,
       caching,
       {{1, 0}, ok_as_eof},
       {"column_count", "rows_end", "done", "rows=0"}},
      {"prepared",
       Command::stmt_prepare,
       old_optional,
       {prepare_ok(1, 2, 0), eof, eof},
       {"prepare_ok", "prepare_parameters_end", "prepare_columns_end", "done", "rows=0"}},
      {"prepared, parameters only",
       Command::stmt_prepare,
       old_optional,
       {prepare_ok(0, 2, 0), eof},
       {"prepare_ok", "prepare_parameters_end", "done", "rows=0"}},
      {"prepared, new", Command::stmt_prepare, new_optional, {prepare_ok(1, 2, 0)}, {"prepare_ok", "done", "rows=0"}},
      {"prepared with them",
       Command::stmt_prepare,
       new_optional,
       {prepare_ok(1, 1, 1), column, column},
       {"prepare_ok", "prepare_parameter", "prepare_column", "done", "rows=0"}},
      {"a byte that is neither", Command::query, old_optional, {{1, 2}}, {"!malformed"}},
      {"a byte too few", Command::query, old_optional, {{1}}, {"!malformed"}},
      {"a byte too many", Command::query, old_way, {{1, 0}}, {"!malformed"}},
      {"no columns", Command::query, old_optional, {from_hex("fc 0000 00")}, {"!malformed"}},
      {"prepared, a byte too few",
       Command::stmt_prepare,
       new_optional,
       {{0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}},
       {"!malformed"}},
      {"prepared, a byte that is neither", Command::stmt_prepare, new_optional, {prepare_ok(1, 0, 2)}, {"!malformed"}}};
  for (const AnswerCase& c : cases) {
    check(c);
  }
}

TEST(ResponseReader, FollowsTheAnswersToOtherCommands) {
  const AnswerCase cases[] = {
      {"ping", Command::ping, old_way, {ok}, {"ok", "done", "rows=0"}},
      {"set_option", Command::set_option, old_way, {eof}, {"rows_end", "done", "rows=0"}},
      {"set_option, new", Command::set_option, new_way, {ok_as_eof}, {"rows_end", "done", "rows=0"}},
      {"set_option, with tracking",
       Command::set_option,
       new_way,
       {from_hex("fe 00 00 0240 0000 00 03 020131")},
       {"rows_end", "done", "rows=0"}},
      {"an EOF of no known size", Command::set_option, old_way, {from_hex("fe0000")}, {"!malformed"}},
      {"neither OK nor ERR", Command::ping, old_way, {{1}}, {"!malformed"}},
      {"an empty packet", Command::ping, old_way, {{}}, {"!malformed"}},
      {"field_list", Command::field_list, old_way, {column, eof}, {"column_definition", "rows_end", "done", "rows=0"}},
      {"field_list of nothing", Command::field_list, new_way, {ok_as_eof}, {"rows_end", "done", "rows=0"}},
      {"statistics", Command::statistics, old_way, {{'U', 'p'}}, {"text", "done", "rows=0"}},
      {"statistics with nothing to say", Command::statistics, old_way, {{}}, {"text", "done", "rows=0"}},
      {"process_info",
       Command::process_info,
       old_way,
       {{1}, column, eof, row, eof},
       {"column_count", "column_definition", "columns_end", "row:6", "rows_end", "done", "rows=1"}},
      {"bulk execute RETURNING",
       Command::stmt_bulk_execute,
       new_way,
       {{1}, column, {0, 0, 1}, ok_as_eof},
       {"column_count", "column_definition", "row:7", "rows_end", "done", "rows=1"}}};
  for (const AnswerCase& c : cases) {
    check(c);
  }
}

TEST(ResponseReader, ExpectsNoAnswerToSomeCommands) {
  for (Command command : {Command::quit, Command::stmt_close, Command::stmt_send_long_data}) {
    EXPECT_TRUE(started(command, old_way).done());
  }
}

TEST(ResponseReader, RefusesAnotherSequenceId) {
  Buffer stream = answer_of({{1}, column, row, row, ok_as_eof});
  std::vector<std::size_t> headers;
  for (std::size_t at = 0; at < stream.size();
       at += frame_header_bytes + read_frame_header(Bytes{stream}.subspan(at))->payload_bytes) {
    headers.push_back(at);
  }
  for (std::size_t at : headers) {
    Buffer wrong = stream;
    ++wrong[at + 3];
    auto reader = started(Command::query, new_way);
    Events events = follow(reader, wrong, wrong.size());
    EXPECT_EQ(events.back(), "!wrong_sequence_id");
    EXPECT_EQ(follow(reader, wrong, 1), events);
  }
}

TEST(ResponseReader, WrapsTheSequenceIdAfter255) {
  std::vector<Buffer> payloads{{1}, column};
  payloads.resize(600, row);
  payloads.push_back(ok_as_eof);
  Buffer stream = answer_of(payloads);
  auto reader = started(Command::query, new_way);
  Events events = follow(reader, stream, stream.size());
  EXPECT_EQ(events.back(), "rows=598");
  EXPECT_EQ(follow(reader, stream, 1), events);
}

TEST(ResponseReader, GoesOnFromTheSequenceIdOfACommandOfSeveralFrames) {  // seen with both servers
  ResponseReader reader;
  reader.start(Command::query, new_way, 2);
  EXPECT_EQ(follow(reader, answer_of({ok}, 2), 100), (Events{"ok", "done", "rows=0"}));
  EXPECT_EQ(follow(reader, answer_of({ok}, 1), 100), (Events{"!wrong_sequence_id"}));
}

TEST(ResponseReader, RefusesAControlPacketBeyondItsLimitByTheHeaderAlone) {
  Buffer largest = err;
  largest.resize(control_packet_bytes_max, 'x');
  EXPECT_EQ(follow(started(Command::query, old_way), answer_of({largest}), 1U << 21),
            (Events{"err", "done", "rows=0"}));
  EXPECT_EQ(follow(started(Command::query, old_way), from_hex("01001001"), 4), (Events{"!packet_too_large"}));
  EXPECT_EQ(follow(started(Command::stmt_fetch, new_way), from_hex("01001001ff"), 5), (Events{"!packet_too_large"}));
}

TEST(ResponseReader, CountsARowOfSeveralFramesOnce) {
  constexpr std::size_t full = frame_payload_max;
  for (std::size_t payload_bytes : {full - 1, full, full + 1, 2 * full - 1, 2 * full, 2 * full + 1}) {
    Buffer stream = answer_of({Buffer(payload_bytes, 'x'), row, ok_as_eof});
    std::size_t row_bytes = payload_bytes + (payload_bytes / full + 1) * frame_header_bytes;
    Events expected{"row:" + std::to_string(row_bytes), "row:6", "rows_end", "done", "rows=2"};
    auto reader = started(Command::stmt_fetch, new_way);
    EXPECT_EQ(follow(reader, stream, stream.size()), expected);
    EXPECT_EQ(follow(reader, stream, 65521), expected);
  }
}

TEST(ResponseReader, TellsARowWithAFirstCellOf16MiBFromTheEnd) {
  constexpr std::size_t cell_bytes = std::size_t{1} << 24;
  Buffer big = from_hex("fe 0000000100000000");
  big.resize(big.size() + cell_bytes, 'x');
  for (Capabilities negotiated : {old_way, new_way}) {
    bool is_new = has(negotiated, capability::deprecate_eof);
    Buffer stream = answer_of({big, row, is_new ? ok_as_eof : eof});
    Events expected{"row:" + std::to_string(big.size() + 2 * frame_header_bytes), "row:6", "rows_end", "done",
                    "rows=2"};
    auto reader = started(Command::stmt_fetch, negotiated);
    EXPECT_EQ(follow(reader, stream, stream.size()), expected);
    EXPECT_EQ(follow(reader, stream, 1000003), expected);
  }
}

TEST(ResponseReader, ReportsARowAsFarAsItIsThere) {
  Buffer stream = answer_of({Buffer(100, 'x'), ok_as_eof});
  auto reader = started(Command::stmt_fetch, new_way);
  EXPECT_TRUE(reader.at_packet_boundary());
  auto part = reader.next(Bytes{stream}.first(30));
  ASSERT_TRUE(part.has_value());
  EXPECT_EQ(part->bytes, 30U);
  EXPECT_TRUE(part->packet_starts && !part->packet_ends && reader.frame_starts());
  EXPECT_FALSE(reader.at_packet_boundary());
  EXPECT_EQ(reader.rows(), 0U);
  part = reader.next(Bytes{stream}.subspan(30));
  ASSERT_TRUE(part.has_value());
  EXPECT_EQ(part->bytes, 74U);
  EXPECT_TRUE(!part->packet_starts && part->packet_ends && !reader.frame_starts());
  EXPECT_TRUE(reader.at_packet_boundary());
  EXPECT_EQ(reader.rows(), 1U);
  EXPECT_EQ(reader.next_sequence_id(), 2);
}

TEST(ResponseReader, IsNotAtAPacketBoundaryBetweenTheFramesOfARow) {
  Buffer stream = answer_of({Buffer(frame_payload_max, 'x'), ok_as_eof});
  auto reader = started(Command::stmt_fetch, new_way);
  auto part = reader.next(Bytes{stream}.first(frame_header_bytes + frame_payload_max));
  ASSERT_TRUE(part.has_value());
  EXPECT_FALSE(part->packet_ends);
  EXPECT_FALSE(reader.at_packet_boundary());
  part = reader.next(Bytes{stream}.subspan(frame_header_bytes + frame_payload_max));
  ASSERT_TRUE(part.has_value());
  EXPECT_EQ(part->bytes, frame_header_bytes);
  EXPECT_TRUE(part->packet_ends && !part->packet_starts && reader.frame_starts());
}

}  // namespace
}  // namespace sallyport::wire
