#include "session/session_test_fixture.h"

namespace sallyport::session::test {
namespace {

namespace capability = wire::capability;

// Types: LONG and VAR_STRING.
const Buffer types{3, 0, 253, 0};

class BulkTest : public SessionTest {
 protected:
  BulkTest() {
    capabilities_ |= capability::mariadb_bulk_operations;
    server_capabilities_ &= ~capability::long_password;
    start();
  }
  static Buffer bulk(const Buffer& rows, std::uint16_t flags = wire::bulk_flag_types_follow, std::uint8_t id = 1) {
    Buffer payload{0xFA, id, 0, 0, 0, static_cast<std::uint8_t>(flags), static_cast<std::uint8_t>(flags >> 8)};
    if ((flags & wire::bulk_flag_types_follow) != 0) {
      wire::test::append(payload, types);
    }
    wire::test::append(payload, rows);
    return packet(0, payload);
  }
  std::string refused(const Buffer& command) {
    from_client(command);
    std::string code = error_code_in(to_client());
    actions();
    EXPECT_TRUE(session_->idle());
    return code;
  }
  void answer() {
    from_backend(packet(1, ok_payload));
    EXPECT_EQ(to_client(), packet(1, ok_payload));
  }
};

const Buffer two_rows{0, 7, 0, 0, 0, 0, 1, 'a', 1, 0, 0};

TEST_F(BulkTest, AllRowsAreOnRecordBeforeTheyAreForwarded) {
  log_in();
  prepare(2);
  Buffer command = bulk({0, 7, 0, 0, 0, 0, 1, 'a', 1, 2, 3, 0, 1, 0xFF});
  from_client(command);
  EXPECT_TRUE(to_backend().empty());
  EXPECT_EQ(sink_.count(R"("command":"stmt_bulk_execute")"), 1U);
  EXPECT_EQ(sink_.count(R"x("text":"INSERT INTO t VALUES (?)",)x",
                        R"("kind":"insert","parameter_rows":)"
                        R"([[7,"a"],[null,{"default":true}],[{"ignore":true},{"value_base64":"/w=="}]],)"
                        R"("parameter_types":[3,253],"prepared_seq":3,"rule")",
                        R"("statement_id":1,)"),
            1U);
  commit();
  EXPECT_EQ(to_backend(), command);
  from_backend(packet(1, Buffer{0, 3, 0, 2, 0, 0, 0}));
  EXPECT_EQ(to_client(), packet(1, Buffer{0, 3, 0, 2, 0, 0, 0}));
  EXPECT_EQ(sink_.count(R"("affected_rows":3)"), 1U);
}

TEST_F(BulkTest, TheStatementPreparedLastIsNamedByItsNumber) {
  log_in();
  prepare(2);
  Buffer last = bulk(two_rows);
  std::fill_n(last.begin() + wire::frame_header_bytes + 1, 4, std::uint8_t{0xFF});
  EXPECT_EQ(forwarded(last), bulk(two_rows));
}

TEST_F(BulkTest, TypesAreSharedWithPlainExecutions) {
  log_in();
  prepare(2);
  forwarded(bulk(two_rows));
  answer();
  Buffer execute = packet(0, Buffer{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 'b'});
  EXPECT_EQ(forwarded(execute), execute);
  EXPECT_EQ(sink_.count(R"([{"type":3,"value":9},{"type":253,"value":"b"}])"), 1U);
  answer();
  EXPECT_EQ(forwarded(bulk(two_rows, 0)), bulk(two_rows, 0));
}

TEST_F(BulkTest, TypesOfARefusedExecutionReachTheServerWithTheNext) {
  log_in();
  prepare(2);
  denies_executions_ = true;
  EXPECT_EQ(refused(bulk(two_rows)), "[denied_by_policy]");
  EXPECT_EQ(refused(bulk(two_rows, 0)), "[denied_by_policy]");
  denies_executions_ = false;
  EXPECT_EQ(forwarded(bulk(two_rows, 0)), bulk(two_rows));
  answer();
  EXPECT_EQ(forwarded(bulk(two_rows, 0)), bulk(two_rows, 0));
  answer();
  // Those of a bulk execution that is refused, with a plain one.
  denies_executions_ = true;
  EXPECT_EQ(refused(bulk(two_rows)), "[denied_by_policy]");
  denies_executions_ = false;
  Buffer execute{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 'b'};
  Buffer expected = execute;
  expected[11] = 1;
  expected.insert(expected.begin() + 12, types.begin(), types.end());
  EXPECT_EQ(forwarded(packet(0, execute)), packet(0, expected));
}

TEST_F(BulkTest, WhatIsMalformedIsRefusedAndChangesNothing) {
  log_in();
  prepare(2);
  EXPECT_EQ(refused(bulk(two_rows, 0)), "[command_malformed]") << "no types yet";
  EXPECT_EQ(refused(bulk({})), "[command_malformed]") << "no rows";
  EXPECT_EQ(refused(bulk({0, 7, 0, 0, 0, 4, 1, 'a'})), "[command_malformed]") << "an indicator that is none";
  EXPECT_EQ(refused(bulk({0, 7, 0, 0, 0})), "[command_malformed]") << "half a row";
  EXPECT_EQ(refused(bulk(two_rows, 128 | 1)), "[command_malformed]") << "an unknown flag";
  EXPECT_EQ(refused(packet(0, Buffer{0xFA, 1, 0})), "[command_malformed]");
  EXPECT_EQ(refused(bulk(two_rows, 128, 9)), "[statement_unknown]");
  EXPECT_EQ(forwarded(bulk(two_rows)), bulk(two_rows));
}

TEST_F(BulkTest, WithLongDataItIsRefusedAndTheDataForgotten) {
  log_in();
  prepare(2);
  forwarded(packet(0, Buffer{0x18, 1, 0, 0, 0, 0, 0, 'a'}));
  EXPECT_EQ(refused(bulk(two_rows)), "[command_malformed]");
  Buffer expected = packet(0, Buffer{0x1A, 1, 0, 0, 0});
  wire::test::append(expected, bulk(two_rows));
  EXPECT_EQ(forwarded(bulk(two_rows)), expected);
  from_backend(packet(1, ok_payload));
  answer();
}

TEST_F(BulkTest, MoreValuesThanTheLimitAreRefused) {
  bulk_values_max_ = 4;
  start();
  log_in();
  prepare(2);
  Buffer six(6, 1);
  EXPECT_EQ(refused(bulk(six)), "[bulk_too_large]");
  Buffer four(4, 1);
  EXPECT_EQ(forwarded(bulk(four)), bulk(four));
}

TEST_F(BulkTest, UnitResultsAreRefusedWhereTheServerHasNone) {
  log_in();
  prepare(2);
  EXPECT_EQ(refused(bulk(two_rows, 128 | 64)), "[command_not_supported]");
  EXPECT_EQ(forwarded(bulk(two_rows)), bulk(two_rows));
}

TEST_F(BulkTest, UnitResultsPassAsAResult) {
  listener_.server_version = "11.8.2-MariaDB";
  capabilities_ |= capability::mariadb_bulk_unit_results;
  start();
  log_in();
  prepare(2);
  EXPECT_EQ(forwarded(bulk(two_rows, 128 | 64)), bulk(two_rows, 128 | 64));
  Buffer eof{0xFE, 0, 0, 2, 0};
  Buffer results = answer_of({{2}, definition(), definition(), eof, {0, 0, 1, 1}, {0, 0, 2, 1}, eof});
  from_backend(results);
  EXPECT_EQ(to_client(), results);
  EXPECT_EQ(sink_.count(R"("rows":2,)"), 1U);
}

TEST_F(BulkTest, ACommandOfSeveralFramesThatNeedsItsTypesIsAnsweredWithTheClientsNumbers) {
  packet_bytes_max_ = 32U << 20;
  start();
  log_in();
  prepare(2);
  denies_executions_ = true;
  EXPECT_EQ(refused(bulk(two_rows)), "[denied_by_policy]");
  denies_executions_ = false;
  Buffer row{1, 0, 0xFD};
  std::size_t value_bytes = wire::frame_payload_max - 1 - 7 - row.size() - 3;
  for (int shift = 0; shift < 24; shift += 8) {
    row.push_back(static_cast<std::uint8_t>(value_bytes >> shift));
  }
  row.resize(row.size() + value_bytes, 'v');
  Buffer command = bulk(row, 0);
  EXPECT_EQ(forwarded(command).size(), command.size() + types.size() + wire::frame_header_bytes);
  from_backend(packet(2, ok_payload));
  EXPECT_EQ(to_client(), packet(1, ok_payload));
}

class NoBulkTest : public SessionTest {};

TEST_F(NoBulkTest, WithoutTheCapabilityItIsRefused) {
  log_in();
  prepare(2);
  from_client(packet(0, Buffer{0xFA, 1, 0, 0, 0, 128, 0, 3, 0, 253, 0, 1, 1}));
  EXPECT_EQ(error_code_in(to_client()), "[command_not_supported]");
}

}  // namespace
}  // namespace sallyport::session::test
