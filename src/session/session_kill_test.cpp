// KILL: rewritten to the server's number of a session of one's own, refused for any other.
#include <gtest/gtest.h>

#include "session/session_test_fixture.h"

namespace sallyport::session::test {
namespace {

SessionRegistry::Entry entry(std::uint32_t number, std::string account) {
  return {.connection_id = first_connection_id + number,
          .server_connection_id = number,
          .session_id = "s" + std::to_string(number),
          .account = std::move(account),
          .connection = "shop",
          .server_name = "primary",
          .login = "reader"};
}

TEST(SessionRegistry, FindsSessionsOfTheSameAccountInEitherNumbering) {
  SessionRegistry registry;
  auto first = registry.enter(entry(7, "reporter"));
  {
    auto second = registry.enter(entry(8, "writer"));
    auto find = [&](std::uint64_t id, std::string_view account, std::string_view connection = "shop") {
      return registry.find_target({.id = id, .account = account, .connection = connection, .server = "a"});
    };
    EXPECT_EQ(find(7, "reporter")->session_id, "s7");
    EXPECT_EQ(find(first_connection_id + 7, "reporter")->server_connection_id, 7U);
    EXPECT_EQ(find(first_connection_id + 7, "reporter", "other")->login, "reader");
    EXPECT_FALSE(find(8, "reporter"));
    EXPECT_FALSE(find(7, "reporter", "other")) << "another server's number";
    EXPECT_TRUE(find(8, "writer"));
  }
  EXPECT_TRUE(first.leave());
  EXPECT_FALSE(first.leave()) << "it has left";
  EXPECT_FALSE(registry.find_target({.id = 7, .account = "reporter", .connection = "shop", .server = "a"}));
  auto third = registry.enter(entry(9, "reporter"));
  EXPECT_FALSE(third.leave()) << "nobody has asked for it";
  for (std::uint64_t id : {std::uint64_t{8}, std::uint64_t{first_connection_id} + 8,
                           (std::uint64_t{1} << 32) + first_connection_id + 8, std::uint64_t{0}, ~std::uint64_t{0}}) {
    EXPECT_FALSE(registry.find_target({.id = id, .account = "writer", .connection = "shop", .server = "a"})) << id;
  }
}

TEST(SessionRegistry, OfTwoServersThatNumberTheSameTheAskersIsMeant) {
  for (std::string_view asker : {"a", "b"}) {
    SessionRegistry registry;
    std::vector<SessionRegistry::Place> places;
    for (std::uint32_t i = 0; i < 8; ++i) {
      auto one = entry(i, "reporter");
      one.server_connection_id = 7;
      one.server = i == 5 ? "a" : i == 6 ? "b" : "c";
      places.push_back(registry.enter(one));
    }
    auto target = registry.find_target({.id = 7, .account = "reporter", .connection = "shop", .server = asker});
    EXPECT_EQ(target->server, asker);
  }
}

class KillTest : public SessionTest {
 protected:
  KillTest() { log_in(); }
  std::string code_in(const Buffer& bytes) {
    auto error = wire::parse_err(Bytes{bytes}.subspan(4));
    std::string_view message = error ? error->message : std::string_view{};
    return error ? std::to_string(error->code) + " " + std::string(message.substr(message.rfind('['))) : "none";
  }
};

TEST_F(KillTest, IsSentWithTheServersNumber) {
  auto other = registry_.enter(entry(77, "reporter"));
  EXPECT_EQ(forwarded(query("/* a */ kill query 2147483725 ;")), query("KILL QUERY 77"));
  EXPECT_EQ(sink_.count("\"target_session\":\"s77\""), 1U);
  from_backend(packet(1, ok_payload));
  EXPECT_EQ(to_client(), packet(1, ok_payload));
  EXPECT_EQ(forwarded(query("KILL HARD 77")), query("KILL HARD CONNECTION 77"));
  from_backend(packet(1, ok_payload));
  to_client();
  EXPECT_EQ(forwarded(packet(0, Buffer{0x0C, 77, 0, 0, 0x80})), query("KILL CONNECTION 77"));
  from_backend(packet(1, ok_payload));
  EXPECT_EQ(to_client(), packet(1, ok_payload));
  EXPECT_EQ(forwarded(query("DO 2")), query("DO 2"));
}

TEST_F(KillTest, OfAnotherSessionOrInAnotherFormIsRefused) {
  auto other = registry_.enter(entry(77, "writer"));
  for (std::string_view text : {"KILL 77", "KILL QUERY 2147483725", "KILL 1", "KILL 18446744073709551615"}) {
    from_client(query(text));
    EXPECT_EQ(code_in(to_client()), "1094 [kill_target_unknown]") << text;
  }
  from_client(packet(0, Buffer{0x0C, 77, 0, 0, 0x80}));
  EXPECT_EQ(code_in(to_client()), "1094 [kill_target_unknown]");
  for (std::string_view text : {"KILL 1+1", "KILL USER a", "BEGIN NOT ATOMIC KILL 77; END"}) {
    from_client(query(text));
    EXPECT_EQ(code_in(to_client()), "1235 [kill_form_not_supported]") << text;
  }
  from_client(packet(0, from_text("\x16KILL ?")));
  EXPECT_EQ(code_in(to_client()), "1235 [kill_form_not_supported]");
  from_client(packet(0, Buffer{0x0C, 77, 0}));
  EXPECT_EQ(code_in(to_client()), "1835 [command_malformed]");
  EXPECT_TRUE(to_backend().empty());
  EXPECT_EQ(forwarded(query("SELECT 'KILL 77'")), query("SELECT 'KILL 77'"));
}

TEST_F(KillTest, WhereTheModeDecidesWhetherThereIsOneTheServerIsAsked) {
  Buffer text = query(R"(SELECT '\' AND KILL 77 -- ')");
  forget_reading();
  from_client(text);
  say_reading({.mode = ""});
  commit();
  EXPECT_EQ(to_backend(), text) << "a string";
  from_backend(packet(1, ok_payload));
  to_client();
  forget_reading();
  from_client(text);
  say_reading({.mode = "NO_BACKSLASH_ESCAPES"});
  EXPECT_EQ(code_in(to_client()), "1064 [statement_not_understood]");
}

TEST_F(KillTest, AServerThatDoesNotSayHowItReadsGetsNone) {
  forget_reading();
  from_client(packet(0, from_text("\x16"
                                  R"(SELECT '\' AND KILL 77 -- ')")));
  EXPECT_EQ(to_backend(), query(state_query_text));
  from_backend(packet(1, from_text("\xFF\x28\x04#42000Not now")));
  EXPECT_EQ(code_in(to_client()), "1235 [reading_unknown]");
}

}  // namespace
}  // namespace sallyport::session::test
