// Texts of several statements: one at a time to the server, one answer to the client.
#include <gtest/gtest.h>

#include "session/session_test_fixture.h"

namespace sallyport::session::test {
namespace {

// Two statements to a server in mode NO_BACKSLASH_ESCAPES, else one with a syntax error.
constexpr std::string_view doubtful = R"(DO '\'; DO '2')";

class StatementsTest : public SessionTest {
 protected:
  void log_in_for_several() {
    capabilities_ |= wire::capability::multi_statements | wire::capability::multi_results;
    start();
    log_in();
  }

  static Buffer ok_with_more(std::uint8_t sequence_id) { return packet(sequence_id, Buffer{0, 0, 0, 0x0A, 0, 0, 0}); }
  std::string error_in(const Buffer& bytes) {
    auto error = bytes.size() > 4 ? wire::parse_err(Bytes{bytes}.subspan(4)) : std::nullopt;
    std::string_view message = error ? error->message : std::string_view{};
    return error ? std::to_string(bytes[3]) + " " + std::string(message.substr(message.rfind('[')))
                 : std::string(text_of(bytes));
  }
};

TEST_F(StatementsTest, EachIsSentOnceTheOneBeforeHasAnswered) {
  log_in_for_several();
  EXPECT_EQ(forwarded(query(" DO 1 ; DO ';' ; DO 3; ")), query("DO 1 "));
  EXPECT_EQ(sink_.count(R"("text":"DO 1 ")", R"("kind":"do","part":1)"), 1U);
  EXPECT_EQ(sink_.count("DO ';'"), 0U) << "the second is not read before the first has answered";
  from_backend(packet(1, ok_payload));
  EXPECT_EQ(to_client(), ok_with_more(1));
  EXPECT_TRUE(to_backend().empty()) << "not before its record is committed";
  commit();
  EXPECT_EQ(to_backend(), query("DO ';' "));
  from_backend(packet(1, ok_payload));
  EXPECT_EQ(to_client(), ok_with_more(2));
  commit();
  EXPECT_EQ(to_backend(), query("DO 3"));
  EXPECT_EQ(sink_.count(R"("text":"DO 3")", R"("kind":"do","part":3)"), 1U);
  from_backend(packet(1, ok_payload));
  EXPECT_EQ(to_client(), packet(3, ok_payload));
  EXPECT_TRUE(session_->idle());
  EXPECT_EQ(sink_.count(R"("type":"outcome")"), 3U);
}

TEST_F(StatementsTest, SequenceIdsGoOnOverResults) {
  log_in_for_several();
  forwarded(query("SELECT 1; SELECT 1"));
  Buffer result = answer_of({{1}, definition(), {0xFE, 0, 0, 2, 0}, {1, '1'}, {0xFE, 0, 0, 2, 0}});
  from_backend(result);
  EXPECT_EQ(to_client(), answer_of({{1}, definition(), {0xFE, 0, 0, 0x0A, 0}, {1, '1'}, {0xFE, 0, 0, 0x0A, 0}}));
  commit();
  to_backend();
  from_backend(result);
  Buffer second = to_client();
  ASSERT_FALSE(second.empty());
  EXPECT_EQ(second[3], 6);
  EXPECT_EQ(Buffer(second.end() - 9, second.end()), packet(10, Buffer{0xFE, 0, 0, 2, 0}));
}

TEST_F(StatementsTest, AnErrorEndsTheSeries) {
  log_in_for_several();
  forwarded(query("DO 1; DO 2; DO 3"));
  from_backend(packet(1, ok_payload));
  to_client();
  commit();
  to_backend();
  Buffer error = from_text("\xFF\x28\x04#42000You have an error");
  from_backend(packet(1, error));
  EXPECT_EQ(to_client(), packet(2, error));
  EXPECT_TRUE(session_->idle());
  EXPECT_EQ(sink_.count("DO 3"), 0U);
  EXPECT_EQ(forwarded(query("DO 4")), query("DO 4")) << "the client's own bytes";
}

TEST_F(StatementsTest, ARefusalEndsTheSeriesAndLeavesTheSessionUsable) {
  log_in_for_several();
  forwarded(query("DO 1; DELETE FROM denied; DO 3"));
  from_backend(packet(1, ok_payload));
  Buffer answers = to_client();
  EXPECT_EQ(Buffer(answers.begin(), answers.begin() + 11), ok_with_more(1));
  EXPECT_EQ(error_in(Buffer(answers.begin() + 11, answers.end())), "2 [denied_by_policy]");
  EXPECT_TRUE(to_backend().empty());
  EXPECT_EQ(sink_.count("DO 3"), 0U);
  EXPECT_TRUE(session_->idle());
  from_client(query("DELETE FROM denied; DO 2"));
  EXPECT_EQ(error_in(to_client()), "1 [denied_by_policy]");
  EXPECT_EQ(forwarded(query("DO 4")), query("DO 4"));
}

TEST_F(StatementsTest, OneStatementGoesOnAsItCame) {
  log_in_for_several();
  for (std::string_view text : {"DO 1", " DO 1 ;; ", "SELECT ';'", "CREATE PROCEDURE p() BEGIN DO 1; END", ";", ""}) {
    EXPECT_EQ(forwarded(query(text)), query(text));
    from_backend(packet(1, ok_payload));
    EXPECT_EQ(to_client(), packet(1, ok_payload));
  }
  EXPECT_EQ(sink_.count("\"part\""), 0U);
}

TEST_F(StatementsTest, WhatIsSentIsWhatWasReadWithoutComments) {
  log_in_for_several();
  EXPECT_EQ(forwarded(query("SELECT/*a*/1 /*!50000 + 2 */ -- b")), query("SELECT 1  + 2  "));
  EXPECT_EQ(
      sink_.count(R"("text":"SELECT/*a*/1 /*!50000 + 2 */ -- b")", R"("sent":"SELECT 1  + 2  ")", R"("kind":"select")"),
      1U);
  from_backend(packet(1, ok_payload));
  to_client();
  EXPECT_EQ(forwarded(query("DO 1 # a")), query("DO 1 "));
  from_backend(packet(1, ok_payload));
  EXPECT_EQ(to_client(), packet(1, ok_payload));
  EXPECT_EQ(forwarded(query("DO /*a*/ 1; DO /*b*/ 2")), query("DO  1"));
  from_backend(packet(1, ok_payload));
  commit();
  EXPECT_EQ(to_backend(), query("DO  2"));
  from_backend(packet(1, ok_payload));
  to_client();
  Buffer prepare = packet(0, from_text("\x16SELECT ? /*a*/"));
  EXPECT_EQ(forwarded(prepare), packet(0, from_text("\x16SELECT ? ")));
}

TEST_F(StatementsTest, WithACatalogueTheRecordHasWhatIsTouched) {
  catalog::Catalogue::Content content;
  content.schemas = {std::string(default_schema)};
  content.tables = {{.schema = std::string(default_schema), .name = "t", .columns = {{.name = "a", .type = "int"}}}};
  catalogues_.catalogue = std::make_shared<const catalog::Catalogue>(std::move(content), 1);
  log_in();
  auto run = [&](std::string_view text) {
    forwarded(query(text));
    from_backend(packet(1, ok_payload));
    to_client();
  };
  auto objects = [](std::string_view access) {
    return R"("objects":[{"access":[")" + std::string(access) + R"("],"name":"t","schema":")" +
           std::string(default_schema) + R"(","type":"table"}],)";
  };
  run("INSERT INTO t VALUES (1)");
  EXPECT_EQ(sink_.count(R"("kind":"insert",)" + objects("insert") + R"("rule")"), 1U);
  run("SELECT 1");
  EXPECT_EQ(sink_.count("objects"), 1U);
  EXPECT_EQ(catalogues_.changes, 0);
  catalog::Catalogue::Content part{.complete = false, .schemas = {}, .tables = {}, .routines = {}};
  auto whole = std::exchange(catalogues_.catalogue, std::make_shared<const catalog::Catalogue>(std::move(part), 2));
  run("SELECT 2");
  EXPECT_EQ(sink_.count(R"("text":"SELECT 2")", R"("kind":"select","objects_certain":false)"), 1U)
      << "of what is not known to be all nothing is certain";
  catalogues_.catalogue = whole;
  run("CREATE VIEW v AS SELECT 1");
  EXPECT_EQ(catalogues_.changes, 1);
  run("PREPARE p FROM 'CREATE TABLE u (a INT)'");
  EXPECT_EQ(catalogues_.changes, 1);
  run("EXECUTE p");
  EXPECT_EQ(catalogues_.changes, 2);
  forwarded(query("DROP TABLE t"));
  from_backend(packet(1, from_text("\xFF\x76\x04#42000DROP command denied")));
  to_client();
  EXPECT_EQ(catalogues_.changes, 2) << "who may not casts no doubt";
  forwarded(query("DROP TABLE t, u"));
  from_backend(packet(1, from_text("\xFF\x1B\x04#42S02Unknown table")));
  to_client();
  EXPECT_EQ(catalogues_.changes, 3) << "one of them may have been there";
  forwarded(query("CALL nowhere()"));
  EXPECT_EQ(catalogues_.changes_under_way, 1) << "it may define something while it runs";
  from_backend(packet(1, from_text("\xFF\x76\x04#42000DROP command denied")));
  to_client();
  EXPECT_EQ(catalogues_.changes, 4) << "and before it was refused";
  EXPECT_EQ(catalogues_.changes_under_way, 0);
  catalogues_.doubted = true;
  sink_.lines.clear();
  run("SELECT a FROM t");
  EXPECT_EQ(sink_.count(R"("kind":"select",)" + objects("read") + R"("objects_certain":false)"), 1U)
      << "something else may have the name by now";
  catalogues_.doubted = false;
  sink_.lines.clear();
  run("CREATE TEMPORARY TABLE t (b INT)");
  EXPECT_EQ(catalogues_.changes, 4);
  run("SELECT a FROM t");
  EXPECT_EQ(sink_.count(R"("kind":"select",)" + objects("read") + R"("objects_certain":false)"), 1U)
      << "a temporary table hides it";
}

TEST_F(StatementsTest, WhatIsNotUnderstoodIsRefusedWithItsPlace) {
  log_in_for_several();
  from_client(query("SELECT 1\nFORM t"));
  Buffer error = to_client();
  EXPECT_EQ(error_in(error), "1 [statement_not_understood]");
  EXPECT_NE(text_of(error).find("near 't' at line 2."), std::string_view::npos) << text_of(error);
  from_client(query("SELECT"));
  EXPECT_NE(text_of(to_client()).find("near '' at line 1."), std::string_view::npos);
  from_client(query("SELECT 1 WHERE"));
  EXPECT_EQ(error_in(to_client()), "1 [statement_not_understood]");
  from_client(query("SELECT " + std::string(1000, '(') + "1" + std::string(1000, ')')));
  EXPECT_EQ(error_in(to_client()), "1 [statement_too_complex]");
  from_client(packet(0, from_text("\x16SELEC ?")));
  EXPECT_EQ(error_in(to_client()), "1 [statement_not_understood]");
  from_client(query("SELECT ?"));
  EXPECT_EQ(error_in(to_client()), "1 [statement_not_understood]") << "there is no value for it";
  EXPECT_TRUE(to_backend().empty());
  EXPECT_EQ(forwarded(query("DO 1")), query("DO 1"));
}

TEST_F(StatementsTest, TheServerIsAskedWhereItsModeMakesADifference) {
  log_in_for_several();
  EXPECT_EQ(forwarded(query(R"(SET sql_mode=1; SELECT '\'; DO 2; SET sql_mode=2; SELECT '\'; DO 3; -- ')")),
            query("SET sql_mode=1"));
  from_backend(packet(1, ok_payload));
  EXPECT_EQ(to_client(), ok_with_more(1));
  say_reading({.mode = "NO_BACKSLASH_ESCAPES"});
  EXPECT_TRUE(to_client().empty()) << "what the gateway asks is none of the client's";
  commit();
  EXPECT_EQ(to_backend(), query(R"(SELECT '\')"));
  from_backend(packet(1, ok_payload));
  commit();
  EXPECT_EQ(to_backend(), query("DO 2")) << "a SELECT changes no mode";
  from_backend(packet(1, ok_payload));
  commit();
  EXPECT_EQ(to_backend(), query("SET sql_mode=2"));
  from_backend(packet(1, ok_payload));
  EXPECT_EQ(to_client().size(), 3U * 11);
  say_reading({.mode = ""});
  commit();
  EXPECT_EQ(to_backend(), query(R"(SELECT '\'; DO 3; -- ')"));
  from_backend(packet(1, ok_payload));
  EXPECT_EQ(to_client(), packet(5, ok_payload));
  EXPECT_EQ(sink_.count("@@SESSION"), 0U);
}

TEST_F(StatementsTest, ATextWaitsUnreadUntilTheServerHasSaidHowItReads) {
  log_in_for_several();
  forget_reading();
  from_client(query(doubtful));
  EXPECT_EQ(sink_.count("DO '"), 0U);
  Buffer answer = reading({.mode = "NO_BACKSLASH_ESCAPES", .schema = "other"});
  EXPECT_EQ(to_backend(), query(state_query_text));
  from_client(query("DO 9"));
  for (std::uint8_t byte : answer) {
    EXPECT_TRUE(to_backend().empty());
    from_backend({byte});
  }
  EXPECT_EQ(sink_.count(R"("schema":"other")", R"("text":"DO '\\'")", R"("kind":"do","part":1)"), 1U);
  commit();
  EXPECT_EQ(to_backend(), query(R"(DO '\')"));
  EXPECT_TRUE(to_client().empty());
}

TEST_F(StatementsTest, WhatTheServerSaidIsForgottenWithAStatementThatMayChangeIt) {
  log_in_for_several();
  for (std::string_view text : {"BEGIN NOT ATOMIC END", "SET NAMES gbk", "EXECUTE s", "SET @@sql_mode=1"}) {
    EXPECT_EQ(forwarded(query(text)), query(text));
    from_backend(packet(1, from_text("\xFF\x28\x04#42000An error")));
    to_client();
    from_client(query(doubtful));
    say_reading({.mode = "NO_BACKSLASH_ESCAPES,ORACLE"});
    to_client();
    from_client(query(doubtful));
    EXPECT_TRUE(to_backend().empty()) << "it is known";
    to_client();
  }
  for (std::string_view text : {"START TRANSACTION", "CALL p()", "SET autocommit=0"}) {
    forwarded(query(text));
    from_backend(packet(1, ok_payload));
    to_client();
    from_client(query(doubtful));
    EXPECT_TRUE(to_backend().empty()) << "it is still known";
    to_client();
  }
}

TEST_F(StatementsTest, WhatCanNotBeSeparatedIsRefused) {
  log_in_for_several();
  from_client(query("/*!50000 DO 1; */ DO 2"));
  EXPECT_EQ(error_in(to_client()), "1 [statements_not_separable]") << "in every mode";
  forget_reading();
  from_client(query(doubtful));
  say_reading({.mode = "NO_BACKSLASH_ESCAPES,ORACLE"});
  EXPECT_EQ(error_in(to_client()), "1 [statements_not_separable]");
  forget_reading();
  from_client(query("DO 1; " + std::string(doubtful)));
  say_reading({.mode = "", .charset = "unheard"});
  EXPECT_EQ(error_in(to_client()), "1 [statements_not_separable]");
  EXPECT_TRUE(session_->idle());
}

TEST_F(StatementsTest, UnderAModeThatIsNotKnownOnlyWhatEachModeReadsAlikeIsForwarded) {
  log_in_for_several();
  EXPECT_EQ(forwarded(query("SET sql_mode=1")), query("SET sql_mode=1"));
  from_backend(packet(1, ok_payload));
  to_client();
  from_client(query(R"(SELECT "a")"));
  say_reading({.mode = "STRICT_TRANS_TABLES,MODE_OF_TOMORROW"});
  EXPECT_EQ(error_in(to_client()), "1 [reading_unknown]");
  EXPECT_EQ(forwarded(query("DO 2")), query("DO 2"));
}

TEST_F(StatementsTest, AServerThatDoesNotSayHowItReadsGetsNoDoubtfulText) {
  log_in_for_several();
  forget_reading();
  from_client(query(doubtful));
  EXPECT_EQ(to_backend(), query(state_query_text));
  from_backend(packet(1, from_text("\xFF\x28\x04#42000Not now")));
  EXPECT_EQ(error_in(to_client()), "1 [statements_not_separable]");
  EXPECT_TRUE(session_->idle());
}

TEST_F(StatementsTest, AnAnswerThatIsNotToTheQuestionEndsTheSession) {
  Buffer end{0xFE, 0, 0, 2, 0};
  Buffer more{0xFE, 0, 0, 10, 0};
  Buffer row = from_text(std::string("\0\7utf8mb4\xFB", 10));
  const std::vector<Buffer> answers{
      packet(1, ok_payload),
      packet(1, from_text("\xFB"
                          "file")),
      packet(2, ok_payload),
      answer_of({{3}, definition(), definition(), definition(), end, end}),
      answer_of({{3}, definition(), definition(), definition(), end, row, row, end}),
      answer_of({{3}, definition(), definition(), definition(), end, from_text("\xFB\xFB\xFB"), end}),
      answer_of({{2}, definition(), definition(), end, row, end}),
      answer_of({{3}, definition(), definition(), definition(), end, row, more, ok_payload}),
      answer_of({{3}, definition(), definition(), definition(), end, Buffer(5000, 'x'), end})};
  for (const Buffer& answer : answers) {
    log_in_for_several();
    forget_reading();
    from_client(query(doubtful));
    to_backend();
    from_backend(answer);
    EXPECT_EQ(error_in(to_client()), "1 [backend_violation]") << &answer - answers.data();
    EXPECT_EQ(sink_.count("DO '"), 0U);
  }
}

TEST_F(StatementsTest, AServerThatDoesNotAnswerTheQuestionIsNotWaitedForLong) {
  log_in_for_several();
  forwarded(query("SET sql_mode=1; " + std::string(doubtful)));
  from_backend(packet(1, ok_payload));
  to_client();
  EXPECT_EQ(to_backend(), query(state_query_text));
  pass(Seconds{9});
  session_->time_passed(now_);
  EXPECT_TRUE(to_client().empty());
  pass(Seconds{2});
  session_->time_passed(now_);
  EXPECT_EQ(error_in(to_client()), "2 [backend_closed]");
}

TEST_F(StatementsTest, SetOptionIsAnsweredHere) {
  log_in();
  from_client(query("DO 1; DO 2"));
  EXPECT_EQ(error_in(to_client()), "1 [statement_not_understood]") << "not offered";
  EXPECT_TRUE(forwarded(packet(0, Buffer{0x1B, 0, 0})).empty());
  EXPECT_EQ(to_client(), packet(1, Buffer{0xFE, 0, 0, 2, 0}));
  EXPECT_EQ(forwarded(query("DO 1; DO 2")), query("DO 1"));
  from_backend(packet(1, ok_payload));
  to_client();
  commit();
  to_backend();
  from_backend(packet(1, ok_payload));
  to_client();
  EXPECT_TRUE(forwarded(packet(0, Buffer{0x1B, 1, 0})).empty());
  to_client();
  from_client(query("DO 1; DO 2"));
  EXPECT_EQ(error_in(to_client()), "1 [statement_not_understood]");
  from_client(packet(0, Buffer{0x1B, 7, 0}));
  EXPECT_EQ(error_in(to_client()), "1 [command_not_supported]");
}

TEST_F(StatementsTest, TheTokensExpiryEndsASeriesWithAnErrorInItsPlace) {
  log_in_for_several();
  forwarded(query("DO 1; DO 2"));
  from_backend(packet(1, ok_payload));
  to_client();
  pass(Seconds{7200});
  commit();
  EXPECT_EQ(error_in(to_client()), "2 [token_expired]");
  EXPECT_EQ(sink_.count(R"("status":"aborted")"), 1U);
}

}  // namespace
}  // namespace sallyport::session::test
