#include "review/answers.h"

#include <gtest/gtest.h>

#include <random>

#include "review/replay.h"
#include "wire/captured_answers.h"

namespace sallyport::review {
namespace {

using wire::Command;
namespace capability = wire::capability;

constexpr wire::Capabilities plain = capability::protocol_41 | capability::transactions |
                                     capability::secure_connection | capability::multi_results |
                                     capability::ps_multi_results;
constexpr wire::Capabilities newer = plain | capability::deprecate_eof | capability::session_track;

std::vector<std::uint8_t> bytes_of_hex(std::string_view hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

const wire::test::CapturedAnswer& captured(std::string_view server, bool is_newer, std::string_view what) {
  for (const auto& one : wire::test::captured_answers) {
    if (one.server == server && one.new_capabilities == is_newer && one.what == what) {
      return one;
    }
  }
  ADD_FAILURE() << what;
  return wire::test::captured_answers[0];
}

std::string printed(const wire::test::CapturedAnswer& one, KnownColumns& known) {
  auto bytes = bytes_of_hex(one.hex);
  bool may_open_cursor = one.what == "execute cursor";
  return print_answer({.command = one.command,
                       .statement_id = 1,
                       .may_open_cursor = may_open_cursor,
                       .packets = bytes,
                       .capabilities = one.new_capabilities ? newer : plain},
                      known, {});
}

std::string printed(std::string_view server, bool is_newer, std::string_view what) {
  KnownColumns known;
  return printed(captured(server, is_newer, what), known);
}

TEST(Answers, OfRealServersArePrintedAsACommandLineClientDoes) {
  for (bool is_newer : {false, true}) {
    EXPECT_EQ(
        printed("mariadb", is_newer, "select"),
        "+----+------+\n| id | name |\n+----+------+\n|  1 | one  |\n|  2 | NULL |\n+----+------+\n2 rows in set\n");
    EXPECT_EQ(printed("mysql", is_newer, "empty"), "Empty set\n");
    EXPECT_EQ(printed("mysql", is_newer, "update"),
              "Query OK, 1 row affected\nRows matched: 1  Changed: 1  Warnings: 0\n");
    std::string error = printed("mysql", is_newer, "error");
    EXPECT_EQ(error.substr(0, 20), "ERROR 1064 (42000): ");
    EXPECT_EQ(printed("mariadb", is_newer, "ping"), "Query OK, 0 rows affected\n");
  }
}

TEST(Answers, OfBinaryRowsAreTheSameAsOfText) {
  for (std::string_view server : {"mariadb", "mysql"}) {
    for (bool is_newer : {false, true}) {
      EXPECT_EQ(printed(server, is_newer, "binary types"), printed(server, is_newer, "types"));
    }
  }
}

TEST(Answers, SeveralResultsFollowOnEachOther) {
  EXPECT_EQ(printed("mysql", true, "several"),
            "+---+\n| 1 |\n+---+\n| 1 |\n+---+\n1 row in set\nQuery OK, 0 rows affected\n+---+\n| 2 |\n+---+\n| 2 "
            "|\n+---+\n1 row in set\n");
  std::string fails = printed("mysql", false, "error in several");
  EXPECT_NE(fails.find("1 row in set\nERROR 1064"), std::string::npos);
  std::string amid = printed("mysql", true, "error amid rows");
  EXPECT_NE(amid.find("ERROR "), std::string::npos);
}

TEST(Answers, RowsOfACursorHaveTheColumnsOfItsExecution) {
  for (std::string_view server : {"mariadb", "mysql"}) {
    for (bool is_newer : {false, true}) {
      KnownColumns known;
      printed(captured(server, is_newer, "execute cursor"), known);
      std::string rows = printed(captured(server, is_newer, "fetch 1"), known);
      EXPECT_NE(rows.find("| id | name |"), std::string::npos) << server << is_newer << rows;
      EXPECT_NE(rows.find("|  1 | one  |"), std::string::npos) << rows;
    }
  }
}

TEST(Answers, CapabilitiesCanBeToldFromAnAnswerWithRows) {
  for (const auto& one : wire::test::captured_answers) {
    if (one.what == "select" || one.what == "types" || one.what == "execute") {
      auto bytes = bytes_of_hex(one.hex);
      wire::Capabilities guessed = guess_capabilities(one.command, bytes);
      EXPECT_EQ(wire::has(guessed, capability::deprecate_eof), one.new_capabilities) << one.server << " " << one.what;
    }
  }
}

TEST(Answers, HaveTheirColumnsWithExtendedMetadataToo) {
  constexpr wire::Capabilities extended = newer | capability::mariadb_extended_metadata;
  std::vector<std::uint8_t> packets;
  wire::PacketWriter writer{packets};
  auto packet = [&, sequence_id = std::uint8_t{1}](const auto& write) mutable {
    writer.begin(sequence_id++);
    write();
    writer.end();
  };
  packet([&] { writer.lenenc(1); });
  packet([&] {
    wire::write_column_definition(
        writer, {.name = "note", .type = wire::ColumnType::var_string, .extended = "\x01\x04json"}, extended);
  });
  packet([&] { writer.lenenc_text("[1]"); });
  packet([&] { writer.bytes(bytes_of_hex("fe000002000000")); });
  for (wire::Capabilities given : {extended, guess_capabilities(wire::Command::query, packets)}) {
    KnownColumns known;
    EXPECT_EQ(print_answer({.packets = packets, .capabilities = given}, known, {}),
              "+------+\n| note |\n+------+\n| [1]  |\n+------+\n1 row in set\n");
  }
}

// Whatever is recorded, by a server that lies or on a disk that fails, is printed without harm.
TEST(Answers, DamagedOnesAreSafeForATerminalAndNeverReadBeyond) {
  std::mt19937 random{5};
  for (const auto& one : wire::test::captured_answers) {
    auto whole = bytes_of_hex(one.hex);
    for (std::size_t length = 0; length <= whole.size(); length += 1 + length / 50) {
      std::vector<std::uint8_t> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
      for (int flips = 0; flips < 4; ++flips) {
        KnownColumns known;
        std::string text = print_answer({.command = one.command,
                                         .statement_id = 1,
                                         .packets = cut,
                                         .capabilities = one.new_capabilities ? newer : plain,
                                         .is_whole = false},
                                        known, {});
        for (char c : text) {
          ASSERT_TRUE(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F));
        }
        if (!cut.empty()) {
          cut[random() % cut.size()] = static_cast<std::uint8_t>(random());
        }
      }
    }
  }
}

TEST(Cells, AreShownByTypeAndCharacterSet) {
  AnswerLimits limits{.rows_max = 10, .cell_bytes_max = 8};
  AnswerColumn text{.name = "", .type = wire::ColumnType::var_string, .collation_id = 45};
  AnswerColumn bytes{.name = "", .type = wire::ColumnType::blob, .collation_id = 63};
  AnswerColumn latin{.name = "", .type = wire::ColumnType::var_string, .collation_id = 8};
  auto shown = [&](std::string_view value, const AnswerColumn& column) {
    return shown_cell(std::optional(sallyport::bytes_of(value)), column, limits);
  };
  EXPECT_EQ(shown("ü", text), "ü");
  EXPECT_EQ(shown("ü", bytes), "0xC3BC");
  EXPECT_EQ(shown("\xFC\x80", latin), "ü€");
  EXPECT_EQ(shown("\xFF", text), "0xFF");
  EXPECT_EQ(shown("123456789", text), "12345678… (9 bytes)");
  EXPECT_EQ(shown("1234567ü", text), "1234567… (9 bytes)");
  EXPECT_EQ(shown_cell(std::optional<Bytes>{}, text, limits), "NULL");
  AnswerColumn real{.name = "", .type = wire::ColumnType::double_, .decimals = 31};
  for (auto [value, expected] :
       {std::pair{1.5, "1.5"}, {-0.1, "-0.1"}, {1e100, "1e100"}, {1e-300, "1e-300"}, {123456789.0, "123456789"}}) {
    EXPECT_EQ(shown_cell(wire::Value(value), real, limits), expected);
  }
  real.decimals = 3;
  EXPECT_EQ(shown_cell(wire::Value(1.5), real, limits), "1.500");
  EXPECT_EQ(shown_cell(wire::Value(1e10), real, limits), "10000000000.000");
  constexpr std::uint16_t unsigned_zerofill = 32 | 64;
  AnswerColumn filled{.name = "", .type = wire::ColumnType::long_, .flags = unsigned_zerofill, .length = 8};
  EXPECT_EQ(shown_cell(wire::Value(std::uint64_t{42}), filled, limits), "00000042");
  EXPECT_EQ(shown_cell(wire::Value(std::uint64_t{1234567890}), filled, limits), "1234567890");
  AnswerColumn filled_real{
      .name = "", .type = wire::ColumnType::float_, .flags = unsigned_zerofill, .decimals = 31, .length = 12};
  EXPECT_EQ(shown_cell(wire::Value(1.5), filled_real, limits), "0000000001.5");
  AnswerColumn year{.name = "", .type = wire::ColumnType::year, .length = 4};
  EXPECT_EQ(shown_cell(wire::Value(std::uint64_t{0}), year, limits), "0000");
  AnswerColumn moment{.name = "", .type = wire::ColumnType::datetime, .decimals = 3};
  EXPECT_EQ(shown_cell(wire::Value(wire::DateTime{2024, 2, 29, 1, 2, 3, 40000}), moment, limits),
            "2024-02-29 01:02:03.040");
  AnswerColumn span{.name = "", .type = wire::ColumnType::time};
  EXPECT_EQ(shown_cell(wire::Value(wire::TimeSpan{true, 34, 22, 59, 59, 0}), span, limits), "-838:59:59");
}

}  // namespace
}  // namespace sallyport::review
