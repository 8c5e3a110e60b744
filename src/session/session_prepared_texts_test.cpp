// Texts that the server keeps or makes itself: what PREPARE and EXECUTE IMMEDIATE run.
#include <gtest/gtest.h>

#include "session/session_test_fixture.h"
#include "session/state_query.h"

namespace sallyport::session::test {
namespace {

class PreparedTextsTest : public SessionTest {
 protected:
  PreparedTextsTest() { log_in(); }

  void answer_ok() {
    from_backend(packet(1, ok_payload));
    EXPECT_EQ(to_client(), packet(1, ok_payload));
  }
  // What the server is asked is answered by it: value and character set of the expression. Without a character set it
  // was not evaluated.
  void say_value(std::string_view expression, std::optional<std::string_view> value,
                 std::optional<std::string_view> charset = "utf8mb4") {
    ASSERT_EQ(to_backend(),
              query(state_query_with({.expression = std::string(expression), .variables = {std::string(expression)}})));
    Buffer row;
    for (std::string_view cell : {std::string_view{}, std::string_view("utf8mb4"), std::string_view("sales")}) {
      append_cell(row, cell);
    }
    append_cell(row, value);
    append_cell(row, charset);
    append_cell(row, value.value_or(""));
    append_cell(row, "utf8mb4");
    from_backend(answer_of({{7},
                            definition(),
                            definition(),
                            definition(),
                            definition(),
                            definition(),
                            definition(),
                            definition(),
                            {0xFE, 0, 0, 2, 0},
                            row,
                            {0xFE, 0, 0, 2, 0}}));
  }
  static void append_cell(Buffer& row, std::optional<std::string_view> content) {
    if (!content) {
      row.push_back(0xFB);
      return;
    }
    std::string_view cell = *content;
    if (cell.size() > 250) {
      row.push_back(0xFD);
      row.push_back(static_cast<std::uint8_t>(cell.size()));
      row.push_back(static_cast<std::uint8_t>(cell.size() >> 8));
      row.push_back(static_cast<std::uint8_t>(cell.size() >> 16));
    } else {
      row.push_back(static_cast<std::uint8_t>(cell.size()));
    }
    row.insert(row.end(), cell.begin(), cell.end());
  }
  std::string refused(const Buffer& command) {
    from_client(command);
    return code();
  }
  std::string code() {
    std::string found = error_code_in(to_client());
    actions();
    EXPECT_TRUE(session_->idle());
    EXPECT_TRUE(to_backend().empty());
    return found;
  }
};

TEST_F(PreparedTextsTest, ALiteralIsReadAndOnRecord) {
  Buffer prepare = query("PREPARE s FROM 'SELECT ''a'''");
  EXPECT_EQ(forwarded(prepare), prepare);
  EXPECT_EQ(sink_.count(R"("kind":"prepare")", R"("runs":"SELECT 'a'")"), 1U);
  answer_ok();
  EXPECT_EQ(refused(query("PREPARE s FROM 'SELEC 1'")), "[statement_not_understood]");
  EXPECT_EQ(sink_.count(R"("runs":"SELEC ")"), 1U) << "also where it is not understood, but for what may be a secret";
  EXPECT_EQ(refused(query("PREPARE s FROM 'KILL 5'")), "[kill_form_not_supported]");
  EXPECT_EQ(sink_.count(R"("runs":"KILL 5")"), 1U);
  EXPECT_EQ(refused(query("PREPARE s FROM 'CREAT USER u IDENTIFIED BY ''hunter2'''")), "[statement_not_understood]");
  EXPECT_EQ(sink_.count("hunter2"), 0U);
}

TEST_F(PreparedTextsTest, AVariableIsAskedForBeforeItRuns) {
  Buffer prepare = query("PREPARE s FROM @a");
  from_client(prepare);
  say_value("@a", "SELECT 1");
  commit();
  EXPECT_EQ(to_backend(), prepare);
  EXPECT_EQ(sink_.count(R"("text":"PREPARE s FROM @a")", R"("runs":"SELECT 1")"), 1U);
  answer_ok();
  // It may be another the next time.
  from_client(prepare);
  say_value("@a", "KILL 5");
  EXPECT_EQ(code(), "[kill_form_not_supported]");
}

TEST_F(PreparedTextsTest, AValueThatCanNotBeReadIsNotRun) {
  struct Case {
    std::optional<std::string> value;
    std::string_view charset;
    std::string_view code;
  };
  for (const Case& c :
       std::vector<Case>{{std::nullopt, "binary", "[statement_not_understood]"},
                         {"SELECT '\xC3\xA9'", "ucs2", "[dynamic_text_hidden]"},
                         {"SELECT '\xE9'", "latin1", "[dynamic_text_hidden]"},
                         {std::string(evaluated_text_bytes_max + 1, ' '), "utf8mb4", "[dynamic_text_hidden]"}}) {
    std::string variable = "@" + std::string(c.charset) + std::to_string(c.value ? c.value->size() : 0);
    from_client(query("PREPARE s FROM " + variable));
    say_value(variable, c.value, c.charset);
    EXPECT_EQ(code(), c.code) << c.charset;
  }
  from_client(query("PREPARE s FROM @long"));
  say_value("@long", std::nullopt, std::nullopt);
  EXPECT_EQ(code(), "[dynamic_text_hidden]") << "what it is made of is too long";
  from_client(query("PREPARE s FROM @none"));
  EXPECT_EQ(to_backend(), query(state_query_with({.expression = "@none", .variables = {"@none"}})));
  from_backend(packet(1, from_text("\xFF\x10\x04#42000no")));
  EXPECT_EQ(code(), "[dynamic_text_hidden]") << "the server refuses to say";
}

TEST_F(PreparedTextsTest, AFailedPrepareLeavesNothingToExecute) {
  forwarded(query("PREPARE s FROM 'SELECT 1'"));
  from_backend(packet(1, from_text("\xFF\x10\x04#42000no")));
  to_client();
  forwarded(query("EXECUTE s"));
  EXPECT_EQ(sink_.count(R"("text":"EXECUTE s")", R"("runs")"), 0U) << "the server's to refuse";
}

TEST_F(PreparedTextsTest, TheirNumberIsLimited) {
  for (std::string_view name : {"a", "b", "c"}) {
    forwarded(query("PREPARE " + std::string(name) + " FROM 'SELECT 1'"));
    answer_ok();
  }
  EXPECT_EQ(refused(query("PREPARE d FROM 'SELECT 1'")), "[prepared_statements_max]");
  forwarded(query("PREPARE B FROM 'SELECT 2'"));
  answer_ok();
  forwarded(query("DROP PREPARE b"));
  answer_ok();
  forwarded(query("PREPARE d FROM 'SELECT 1'"));
  answer_ok();
}

// With a byte and a quote that gbk takes for one character.
TEST_F(PreparedTextsTest, WhatWouldBeReadOtherwiseIsNotExecuted) {
  std::string text = "SELECT '\xBF\\', a, ' -- '";
  forget_reading();
  from_client(packet(0, from_text("\x16" + text)));
  say_reading({.charset = "latin1"});
  commit();
  to_backend();
  from_backend(answer_of({{0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}));
  to_client();
  Buffer execute = packet(0, Buffer{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0});
  EXPECT_EQ(forwarded(execute), execute);
  answer_ok();
  forget_reading();
  from_client(execute);
  say_reading({.charset = "gbk"});
  EXPECT_EQ(code(), "[prepared_otherwise]");
  EXPECT_EQ(refused(execute), "[prepared_otherwise]") << "the server is not asked again";
  forget_reading();
  from_client(execute);
  say_reading({.mode = "ANSI_QUOTES", .charset = "latin2"});
  commit();
  EXPECT_EQ(to_backend(), execute) << "another character set, by which it says the same; MariaDB keeps the mode";
  answer_ok();
  EXPECT_EQ(forwarded(execute), execute) << "nobody is asked again";
}

TEST_F(PreparedTextsTest, OfALongTextNothingIsKeptButWhatThereWasToHide) {
  std::string blanks(prepared_text_bytes_max, ' ');
  forwarded(packet(0, from_text("\x16 CREATE USER u" + blanks + "IDENTIFIED BY 'hunter2'")));
  from_backend(answer_of({{0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}));
  to_client();
  Buffer execute = packet(0, Buffer{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0});
  EXPECT_EQ(forwarded(execute), execute);
  from_backend(packet(1, from_text("\xFF\x10\x04#42000near hunter2")));
  to_client();
  EXPECT_EQ(sink_.count(R"("command":"stmt_execute")", R"("redacted":true)"), 1U);
  EXPECT_EQ(sink_.count("hunter2"), 0U);
}

TEST_F(PreparedTextsTest, ANameInAnotherSpellingThatMayMeanOneIsNotExecuted) {
  from_client(query("EXECUTE `\xC3\x89`"));
  EXPECT_EQ(code(), "[dynamic_text_hidden]");
}

// As MySQL 9.7 and MariaDB 10.11 compare names.
TEST(NamedStatements, ANameThatTheServerMayTakeForAnotherReplacesItOrPutsItInDoubt) {
  struct Case {
    std::string_view name;
    std::string_view other;
    std::string_view found_by_mysql;
    std::string_view found_by_mariadb;
  };
  for (const Case& c : std::vector<Case>{{"s", "S", "other", "other"},
                                         {"s", "s ", "other", "name"},
                                         {"s  ", "s", "other", "name"},
                                         {"s", "t", "name", "name"},
                                         {"s", "\xC5\x9B", "name?", "name"},
                                         {"\xC5\x9B", "s", "name?", "name"},
                                         {"\xC3\xA9", "\xC3\x89", "name?", "name?"}}) {
    for (sql::Server server : {sql::Server::mysql, sql::Server::mariadb}) {
      NamedStatements named;
      named.set(server, c.name, {.text = "name", .reading = nullptr, .dialect = {}});
      named.set(server, c.other, {.text = "other", .reading = nullptr, .dialect = {}});
      const auto* found = named.find(server, c.name);
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(found->text.text + (found->is_doubtful ? "?" : ""),
                server == sql::Server::mysql ? c.found_by_mysql : c.found_by_mariadb)
          << c.name << ", " << c.other;
      EXPECT_EQ(named.size(), found->text.text == "other" ? 1U : 2U);
      named.set(server, c.name, {.text = "again", .reading = nullptr, .dialect = {}});
      EXPECT_FALSE(named.find(server, c.name)->is_doubtful);
    }
  }
}

TEST_F(PreparedTextsTest, WhatTheServerMayHaveReplacedIsNotSaidToRun) {
  auto run = [&](std::string_view text) {
    SCOPED_TRACE(text);
    forwarded(query(text));
    answer_ok();
  };
  auto said = [&](std::string_view text) {
    return sink_.count(R"("runs":")" + std::string(text) + "\"", R"("text":"EXECUTE s")");
  };
  run("PREPARE s FROM 'SELECT 1'");
  run("PREPARE S FROM 'SELECT 2'");
  run("EXECUTE s");
  EXPECT_EQ(said("SELECT 2"), 1U);
  run("EXECUTE unheard");
  run("EXECUTE s");
  EXPECT_EQ(said("SELECT 2"), 2U) << "there is nothing that was prepared unseen";
  run("PREPARE t FROM 'CALL p'");
  run("EXECUTE s");
  EXPECT_EQ(said("SELECT 2"), 3U) << "it has not run";
  for (std::string_view call : {"CALL p('SELECT 3')", "EXECUTE t", "EXECUTE unheard"}) {
    run("PREPARE s FROM 'SELECT 1'");
    run(call);
    run("EXECUTE s");
    EXPECT_EQ(said("SELECT 1"), 0U) << call;
  }
  EXPECT_EQ(sink_.count(R"("text":"EXECUTE s")"), 6U);
}

TEST_F(PreparedTextsTest, WhatMayHaveBeenReplacedIsCheckedAndCountedAsBefore) {
  forwarded(query("PREPARE s FROM 'SET PASSWORD FOR u = ''hunter2'''"));
  answer_ok();
  for (std::string_view name : {"a", "b"}) {
    forwarded(query("PREPARE " + std::string(name) + " FROM 'SELECT 1'"));
    answer_ok();
  }
  forwarded(query("CALL p()"));
  answer_ok();
  EXPECT_EQ(refused(query("PREPARE d FROM 'SELECT 1'")), "[prepared_statements_max]");
  forwarded(query("EXECUTE s"));
  from_backend(packet(1, from_text("\xFF\x10\x04#42000near hunter2")));
  to_client();
  EXPECT_EQ(sink_.count("hunter2"), 0U) << "it may be what runs";
}

TEST_F(PreparedTextsTest, TheLoginIsNotChanged) {
  for (std::string_view text :
       {"SET PASSWORD = PASSWORD('x')", "DROP USER reader_user", "PREPARE s FROM 'DROP USER reader_user'",
        "CREATE PROCEDURE p() SET PASSWORD = PASSWORD('x')", "EXECUTE IMMEDIATE 'SET DEFAULT ROLE r'"}) {
    from_client(query(text));
    EXPECT_EQ(code(), "[login_protected]") << text;
  }
  Buffer other = query("DROP USER another");
  EXPECT_EQ(forwarded(other), other) << "the server's to refuse";
  answer_ok();
  Buffer role = query("SET ROLE r");
  EXPECT_EQ(forwarded(role), role) << "the grant sets none";
}

}  // namespace
}  // namespace sallyport::session::test
