#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "audit/canonical_json.h"
#include "audit/record_members.h"
#include "base/json_text.h"
#include "crypto/base64.h"
#include "sink/backoff.h"
#include "sink/cursor.h"
#include "sink/formatter.h"
#include "sink/http_receiver.h"
#include "sink/native_format.h"
#include "sink/resend.h"
#include "sink/syslog_format.h"

namespace sallyport::sink {
namespace {

const std::filesystem::path golden = std::filesystem::path(__FILE__).parent_path() / "../../tests/golden";

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

const std::string record =
    R"({"command":"query","seq":3,"session":"s1","text":"SELECT 'é' AS \"x\"","time":"2026-01-31T12:34:56.000000789Z","type":"command"})";

TEST(NativeFormat, HasTheRecordsBytesAndItsIndex) {
  EXPECT_EQ(native_message(7, "{\"a\":1}"), R"({"index":7,"record":{"a":1}})");
}

TEST(NativeFormat, ALongRecordIsCutAndSaysSo) {
  std::string text(100'000, 'x');
  std::string longer =
      R"({"seq":3,"session":"s1","text":")" + text + R"(","time":"2026-01-31T12:34:56.000000789Z","type":"command"})";
  for (std::size_t most : {message_bytes_least, std::size_t{5000}, std::size_t{8191}}) {
    std::string message = cut_native_message(9, longer, most);
    EXPECT_LE(message.size(), most);
    EXPECT_GE(message.size(), most - 8);
    audit::RecordOutline outline;
    EXPECT_FALSE(audit::check_canonical_object(message, outline)) << message;
    std::string_view cut = audit::member_value(message, "cut");
    EXPECT_EQ(audit::member_value(cut, "bytes"), std::to_string(longer.size()));
    EXPECT_EQ(audit::member_value(cut, "seq"), "3");
    EXPECT_EQ(audit::string_of(audit::member_value(cut, "type")), "command");
    EXPECT_TRUE(longer.starts_with(audit::string_of(audit::member_value(cut, "beginning"))));
    EXPECT_EQ(audit::member_value(message, "index"), "9");
  }
}

TEST(NativeFormat, ACutNeverSplitsACharacterOrBreaksTheLimit) {
  for (std::string piece : {"é", "€", "😀", "\\\"", "\\u0001", "a"}) {
    std::string text;
    for (int i = 0; i < 3000; ++i) {
      text += piece;
    }
    std::string longer = "{\"text\":\"" + text + "\",\"type\":\"command\"}";
    for (std::size_t most = message_bytes_least; most < message_bytes_least + 12; ++most) {
      std::string message = cut_native_message(1, longer, most);
      EXPECT_LE(message.size(), most);
      EXPECT_TRUE(is_utf8(message));
      audit::RecordOutline outline;
      EXPECT_FALSE(audit::check_canonical_object(message, outline)) << message;
    }
  }
}

TEST(NativeFormat, WhatIsNoRecordIsNotPassedOnAsOne) {
  SinkSettings settings{.message_bytes_max = 4096};
  Formatter formatter(settings, "log", [](const std::string&) { return std::nullopt; });
  std::string odd = std::string("{\"a\":1}} garbage \xff\x00", 19);
  Message message = formatter.message(4, odd);
  EXPECT_EQ(message.type, "damaged");
  std::string_view damaged = audit::member_value(message.text, "damaged");
  EXPECT_EQ(audit::member_value(damaged, "bytes"), std::to_string(odd.size()));
  EXPECT_EQ(audit::string_of(audit::member_value(damaged, "beginning_base64")), crypto::base64_encode(bytes_of(odd)));
}

TEST(SyslogFormat, IsThatOfRfc5424) {
  SyslogSettings settings;
  settings.host_name = "gw1.example.org";
  Message message{.index = 12,
                  .session = "s\"]\\1",
                  .time = *audit::parse_time("2026-01-31T12:34:56.123456789Z"),
                  .type = "command",
                  .text = R"({"index":12,"record":{}})"};
  std::string out;
  append_syslog_message(out, settings, message);
  EXPECT_EQ(out,
            "<110>1 2026-01-31T12:34:56.123456Z gw1.example.org sallyport - command "
            "[sallyport@32473 index=\"12\" session=\"s\\\"\\]\\\\1\"] {\"index\":12,\"record\":{}}");
  message.type = "login_refused";
  message.session = "";
  settings.facility = 16;
  settings.enterprise_number = 99;
  out.clear();
  append_counted_syslog_message(out, settings, message);
  std::string expected =
      "<132>1 2026-01-31T12:34:56.123456Z gw1.example.org sallyport - login_refused [sallyport@99 index=\"12\"] "
      "{\"index\":12,\"record\":{}}";
  EXPECT_EQ(out, std::to_string(expected.size()) + " " + expected);
}

TEST(SyslogFormat, HeadersStayWithinTheirBoundWhateverTheRecordSays) {
  SyslogSettings settings;
  settings.host_name = std::string(1000, 'h');
  settings.app_name = std::string(1000, 'a');
  settings.facility = 23;
  settings.enterprise_number = UINT32_MAX;
  Message message{.index = json_integer_max,
                  .session = std::string(64, '"'),
                  .time = {},
                  .type = std::string(1000, ' ') + "\n",
                  .text = {}};
  std::string out;
  append_counted_syslog_message(out, settings, message);
  EXPECT_LE(out.size(), syslog_header_bytes_max);
  EXPECT_EQ(out.find('\n'), std::string::npos);
  message.session += '"';
  out.clear();
  append_counted_syslog_message(out, settings, message);
  EXPECT_LE(out.size(), syslog_header_bytes_max);
  for (std::string_view odd : {"a\nb", "a b", "\x7F", "\xC3\xA9", "\x1B[2J"}) {
    message.session = odd;
    out.clear();
    append_counted_syslog_message(out, settings, message);
    EXPECT_EQ(out.find("session="), std::string::npos) << "no gateway's";
    EXPECT_EQ(out.find('\n'), std::string::npos);
  }
}

TEST(SyslogFormat, AMessageWithItsHeaderFitsIntoTheLimit) {
  SinkSettings settings{.message_bytes_max = 4096, .receiver = SyslogSettings{.host_name = "gw1"}};
  for (Format format : {Format::native, Format::ocsf}) {
    settings.format = format;
    Formatter formatter(settings, "log", [](const std::string&) { return std::nullopt; });
    std::string longer = R"({"seq":3,"session":"s1","text":")" + std::string(100'000, 'x') +
                         R"(","time":"2026-01-31T12:34:56.000000789Z","type":"command"})";
    std::string out;
    append_counted_syslog_message(out, std::get<SyslogSettings>(settings.receiver), formatter.message(1, longer));
    EXPECT_LE(out.size(), 4096U);
    EXPECT_GT(out.size(), 3300U);
  }
}

// tests/golden/sinks/ocsf.jsonl; SALLYPORT_UPDATE_GOLDEN=1 writes it anew. tests/integration validates it by a schema
// of another origin.
TEST(Ocsf, EventsAreThoseOfTheGoldenFile) {
  SinkSettings settings{.format = Format::ocsf, .message_bytes_max = 1U << 20};
  Formatter formatter(settings, "gw1.example.org", [](const std::string&) { return std::nullopt; });
  std::vector<std::string> records = lines_of(golden / "sessions/records.jsonl");
  for (const std::string& other : lines_of(golden / "sinks/records.jsonl")) {
    records.push_back(other);
  }
  std::vector<std::string> events;
  for (std::size_t i = 0; i < records.size(); ++i) {
    events.push_back(formatter.message(i, records[i]).text);
    audit::RecordOutline outline;
    auto fault = audit::check_canonical_object(events.back(), outline);
    EXPECT_FALSE(fault) << (fault ? fault.what : "") << events.back();
  }
  if (std::getenv("SALLYPORT_UPDATE_GOLDEN") != nullptr) {
    std::ofstream stream(golden / "sinks/ocsf.jsonl");
    for (const std::string& event : events) {
      stream << event << "\n";
    }
  }
  EXPECT_EQ(lines_of(golden / "sinks/ocsf.jsonl"), events);
}

TEST(Ocsf, WhoASessionIsIsKnownOfRecordsThatAreNotDelivered) {
  SinkSettings settings{.format = Format::ocsf, .message_bytes_max = 1U << 20};
  int searches = 0;
  Formatter formatter(settings, "log", [&](const std::string&) {
    ++searches;
    return std::nullopt;
  });
  formatter.pass(
      R"({"account":"agent","client":"10.0.0.1:5","connection":"shop","principal":{"issuer":"https://idp","subject":"sub"},"seq":1,"session":"s","time":"2026-01-31T12:34:56Z","type":"login_accepted"})");
  formatter.pass(
      R"({"seq":2,"server":"replica-1","session":"s","time":"2026-01-31T12:34:56Z","type":"session_start"})");
  formatter.pass("no record");
  std::string text =
      formatter.message(3, R"({"command":"ping","seq":3,"session":"s","time":"2026-01-31T12:34:57Z","type":"command"})")
          .text;
  for (std::string_view part : {"\"agent\"", "https://idp", "replica-1", "10.0.0.1"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
  EXPECT_EQ(searches, 0);
}

TEST(Ocsf, ALongEventIsCutAndSaysSo) {
  std::string longer = R"({"account":"a","error":")" + std::string(9000, 'e') + R"(","seq":3,"session":"s1","text":")" +
                       std::string(100'000, 'x') + R"(","time":"2026-01-31T12:34:56.000000789Z","type":"command"})";
  for (std::size_t most : {ocsf_bytes_least, std::size_t{8000}, std::size_t{50'000}}) {
    OcsfSession session{.account = std::string(5000, 'a'),
                        .subject = std::string(5000, 's'),
                        .issuer = std::string(5000, 'i'),
                        .issuer_name = std::string(5000, 'n'),
                        .client = std::string(5000, 'c'),
                        .connection = std::string(5000, 'd'),
                        .server = std::string(5000, 'v'),
                        .commands = {}};
    std::string origin(255, 'o');
    std::string event = ocsf_event({.index = 1, .record = longer, .origin = origin, .bytes_max = most}, session);
    EXPECT_LE(event.size(), most);
    audit::RecordOutline outline;
    EXPECT_FALSE(audit::check_canonical_object(event, outline)) << event;
    EXPECT_EQ(audit::member_value(audit::member_value(event, "metadata"), "labels"), "[\"cut\"]");
    EXPECT_EQ(audit::member_value(audit::member_value(event, "unmapped"), "record_bytes"),
              std::to_string(longer.size()));
  }
}

TEST(Ocsf, RemembersAsManySessionsAndCommandsAsItMay) {
  OcsfSessions sessions([](const std::string&) { return std::nullopt; });
  std::string login = R"({"account":"a","client":"1.2.3.4:5","type":"login_accepted"})";
  for (std::size_t i = 0; i < OcsfSessions::sessions_max + 10; ++i) {
    sessions.see(std::to_string(i), "login_accepted", login);
    EXPECT_EQ(sessions.see("0", "command", record).account, "a") << "the one that is in use stays";
  }
  EXPECT_EQ(sessions.size(), OcsfSessions::sessions_max);
  OcsfSession session;
  for (int i = 0; i < 100; ++i) {
    std::string command = "{\"command\":\"query\",\"seq\":" + std::to_string(i) + ",\"type\":\"command\"}";
    ocsf_event({.index = 1, .record = command, .origin = "o", .bytes_max = 1U << 20}, session);
  }
  EXPECT_EQ(session.commands.size(), OcsfSessions::commands_max);
}

TEST(Cursor, IsReadAsItIsWritten) {
  Cursor cursor{.first = 3, .next = 12345678901, .start = 7, .needed = 11, .leaf = "ab12", .origin = "a.example/log"};
  EXPECT_EQ(
      to_text(cursor, WallTime{}),
      "{\"first\":3,\"leaf\":\"ab12\",\"needed\":11,\"next\":12345678901,\"origin\":\"a.example/log\",\"start\":7,"
      "\"time\":\"1970-01-01T00:00:00.000000000Z\"}\n");
  EXPECT_EQ(parse_cursor(to_text(cursor, WallTime{})), cursor);
}

TEST(Cursor, OneThatDoesNotSayWhatItNeedsNeedsAllOfIts) {
  auto cursor = parse_cursor("{\"first\":3,\"next\":12,\"start\":5,\"time\":\"1970-01-01T00:00:00.000000000Z\"}\n");
  ASSERT_TRUE(cursor);
  EXPECT_EQ(cursor->needed, 3U);
}

TEST(Cursor, OneThatIsDamagedIsNone) {
  std::string good = to_text({.first = 3, .next = 12, .start = 5}, WallTime{});
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_EQ(parse_cursor(good.substr(0, i)), std::nullopt) << i;
  }
  for (const char* text : {"", "\n", "{}\n", "{\"first\":13,\"next\":12,\"start\":1}\n", "{\"first\":1,\"next\":12}\n",
                           "{\"first\":-1,\"next\":12}\n", "{\"first\":\"x\",\"next\":12}\n", "[3,12]\n"}) {
    EXPECT_EQ(parse_cursor(text), std::nullopt) << text;
  }
}

TEST(Resend, GoesOnBehindWhatTheReceiverHasCertainlyRead) {
  Resend resend;
  resend.begin(100, 10'000);
  EXPECT_FALSE(resend.is_halfway());
  for (std::uint64_t first : {100U, 600U}) {
    resend.acknowledged(first, 500);
    EXPECT_FALSE(resend.is_halfway()) << "the receiver's kernel may have had all of it";
  }
  resend.acknowledged(1100, 500);
  ASSERT_TRUE(resend.is_halfway());
  EXPECT_EQ(resend.read_until(), 600U);
  // Records of types that are not sent hold no place in the kernel.
  resend.acknowledged(5000, 10);
  EXPECT_EQ(resend.read_until(), 600U);
  resend.begin(600, 1600);
  resend.acknowledged(600, 1000);
  resend.acknowledged(1600, 1000);
  EXPECT_EQ(resend.read_until(), 1600U);
  EXPECT_FALSE(resend.is_halfway()) << "it is through";
}

TEST(Backoff, DoublesWithChanceUpToALimitAndBeginsAnewAfterASuccess) {
  Backoff backoff;
  DeliveryError away{.kind = DeliveryError::Kind::unreachable, .text = {}, .retry_after = {}};
  for (std::int64_t pause = retry_pause_min.count(); pause < retry_pause_max.count(); pause *= 2) {
    Milliseconds waited = backoff.failed(away, 12345);
    EXPECT_GE(waited.count(), pause / 2);
    EXPECT_LE(waited.count(), pause);
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_LE(backoff.failed(away, 999), retry_pause_max);
  }
  backoff.succeeded();
  EXPECT_LE(backoff.failed(away, 12345), retry_pause_min);
}

TEST(Backoff, DoesAsTheReceiverAsksWithinReason) {
  Backoff backoff;
  EXPECT_EQ(backoff.failed({.kind = DeliveryError::Kind::unreachable, .text = {}, .retry_after = Seconds{7}}, 1),
            Seconds{7});
  EXPECT_EQ(
      backoff.failed({.kind = DeliveryError::Kind::unreachable, .text = {}, .retry_after = Seconds{1'000'000}}, 1),
      retry_after_max);
  EXPECT_GE(backoff.failed({.kind = DeliveryError::Kind::refused, .text = {}, .retry_after = {}}, 0),
            refused_pause / 2);
}

TEST(HttpOutcome, Only2xxAcknowledgesAndMistakesAreToldFromBadTimes) {
  for (long status : {200L, 202L, 204L}) {
    EXPECT_TRUE(outcome_of(status, std::nullopt)) << status;
  }
  for (long status : {408L, 425L, 429L, 500L, 503L}) {
    auto outcome = outcome_of(status, Seconds{3});
    ASSERT_FALSE(outcome) << status;
    EXPECT_EQ(outcome.error().kind, DeliveryError::Kind::unreachable) << status;
    EXPECT_EQ(outcome.error().retry_after, Seconds{3});
  }
  for (long status : {0L, 199L, 301L, 400L, 401L, 403L, 404L}) {
    auto outcome = outcome_of(status, Seconds{3});
    ASSERT_FALSE(outcome) << status;
    EXPECT_EQ(outcome.error().kind, DeliveryError::Kind::refused) << status;
  }
  EXPECT_EQ(outcome_of(413, std::nullopt).error().kind, DeliveryError::Kind::too_large);
}

}  // namespace
}  // namespace sallyport::sink
