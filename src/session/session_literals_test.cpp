// Literals that may tell of protected columns are in no record.
#include "session/session_test_fixture.h"

namespace sallyport::session::test {
namespace {

constexpr std::string_view value = "721-07-4426";

class LiteralsTest : public SessionTest {
 protected:
  LiteralsTest() {
    capabilities_ |= wire::capability::multi_statements;
    protected_columns_ = std::make_shared<const lineage::ProtectedColumns>(
        std::vector<lineage::ColumnPattern>{{.schema = "*", .table = "t", .column = "ssn"}});
    catalog::Catalogue::Content content;
    content.schemas = {std::string(default_schema)};
    content.tables = {{.schema = std::string(default_schema),
                       .name = "t",
                       .columns = {{.name = "id", .type = "int"}, {.name = "ssn", .type = "varchar(11)"}}}};
    catalogues_.catalogue = std::make_shared<const catalog::Catalogue>(std::move(content), 1);
    start();
    log_in();
  }
  void run(std::string_view text) {
    forwarded(query(text));
    from_backend(packet(1, ok_payload));
    to_client();
  }
  void execute_with_value() { execute_with(value); }
  void send_value_to(std::string_view text) { send_to(text, value); }
  std::size_t values() { return sink_.count(value); }
};

TEST_F(LiteralsTest, AreHiddenWithWhatMayQuoteThem) {
  Buffer command = query("SELECT id /*721-07-4426*/ FROM t WHERE ssn = '721-07-4426' LIMIT 5");
  EXPECT_EQ(forwarded(command), query("SELECT id  FROM t WHERE ssn = '721-07-4426' LIMIT 5"));
  Buffer error{0xFF, 0x28, 0x04, '#', '2', '2', '0', '0', '7'};
  wire::test::append(error, from_text("Truncated incorrect DOUBLE value: '721-07-4426'"));
  from_backend(packet(1, error));
  EXPECT_EQ(to_client(), packet(1, error));
  EXPECT_EQ(values(), 0U);
  EXPECT_EQ(sink_.count(R"("redacted":true)", R"("text":"SELECT `id` FROM `t` WHERE `ssn` = ? LIMIT ?")"), 1U);
  EXPECT_EQ(sink_.count(R"("digest":")"), 1U);
  EXPECT_EQ(sink_.count(R"("error_code":1064)", R"("sql_state":"22007")", R"("status":"error")"), 1U);
  run("SELECT ssn FROM t WHERE id = 721");
  EXPECT_EQ(sink_.count(R"("text":"SELECT ssn FROM t WHERE id = 721")"), 1U);
}

TEST_F(LiteralsTest, AreHiddenOfWhatIsNotUnderstood) {
  for (std::string_view text : {"SELECT id FORM t WHERE ssn = '721-07-4426'", "SELECT 721-07-4426 FORM t"}) {
    from_client(query(text));
    to_client();
    EXPECT_TRUE(session_->idle()) << text;
  }
  from_client(packet(0, from_text("\x16SELEC '721-07-4426'")));
  to_client();
  EXPECT_EQ(values(), 0U);
  EXPECT_EQ(sink_.count(R"("redacted":true)", R"("type":"command")"), 3U);
}

TEST_F(LiteralsTest, AreHiddenWhereATableMayNotBeTheCatalogues) {
  run("SELECT '721-07-4426'");
  EXPECT_EQ(values(), 1U) << "no column is near it";
  run("CREATE TEMPORARY TABLE u (a TEXT)");
  run("SELECT '721-07-4426'");
  run("SELECT * FROM t WHERE id = '721-07-4426'");
  EXPECT_EQ(values(), 1U);
  catalogues_.catalogue.reset();
  start();
  log_in();
  run("SELECT '721-07-4426'");
  EXPECT_EQ(values(), 1U) << "there is no catalogue";
}

TEST_F(LiteralsTest, AreHiddenOfParameters) {
  send_value_to("SELECT id, 'x' FROM t WHERE ssn = ?");
  EXPECT_EQ(values(), 0U);
  EXPECT_EQ(sink_.count(R"("parameters":[{"type":253}])"), 1U);
  EXPECT_EQ(sink_.count("'x'"), 0U);
  EXPECT_EQ(sink_.count(R"("text":"SELECT `id`, ? FROM `t` WHERE `ssn` = ?")"), 2U);
}

TEST_F(LiteralsTest, AreHiddenOnceATableMayBeAnotherThanWhenItWasPrepared) {
  forwarded(packet(0, from_text("\x16SELECT id FROM t WHERE id = ?")));
  from_backend(answer_of({{0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, definition(), {0xFE, 0, 0, 2, 0}}));
  to_client();
  run("PREPARE s FROM 'SELECT id FROM t WHERE id = 721'");
  execute_with_value();
  EXPECT_EQ(values(), 1U) << "it is no value of the column";
  catalogues_.catalogue = std::make_shared<const catalog::Catalogue>(catalogues_.catalogue->content(), 2);
  execute_with_value();
  EXPECT_EQ(values(), 2U) << "the same columns are there";
  auto whole = std::exchange(catalogues_.catalogue, nullptr);
  execute_with_value();
  EXPECT_EQ(values(), 2U);
  catalogues_.catalogue = whole;
  execute_with_value();
  EXPECT_EQ(values(), 3U) << "the catalogue is there again";
  run("CREATE TEMPORARY TABLE t AS SELECT ssn AS id FROM t");
  run("EXECUTE s");
  EXPECT_EQ(sink_.count("721"), 4U) << "what was prepared, and what was executed before";
  execute_with_value();
  EXPECT_EQ(values(), 3U);
}

TEST_F(LiteralsTest, AreHiddenOncePreparedTextsMeetAColumnThatIsProtectedSince) {
  protected_columns_ = std::make_shared<const lineage::ProtectedColumns>(
      std::vector<lineage::ColumnPattern>{{.schema = "*", .table = "t", .column = "other"}});
  start();
  log_in();
  send_value_to("SELECT id FROM t WHERE ssn = ?");
  run("PREPARE s FROM 'SELECT id FROM t WHERE ssn = ''721-07-4426'''");
  run("EXECUTE s");
  std::size_t before = values();
  EXPECT_GE(before, 4U);
  protected_columns_ = std::make_shared<const lineage::ProtectedColumns>(
      std::vector<lineage::ColumnPattern>{{.schema = "*", .table = "t", .column = "ssn"}});
  session_->environment_changed(environment(), now_);
  execute_with_value();
  run("EXECUTE s");
  EXPECT_EQ(values(), before);
}

// The server runs them in the schema in which they were prepared.
TEST_F(LiteralsTest, AreHiddenOfTextsThatWerePreparedInAnotherSchema) {
  catalog::Catalogue::Content content = catalogues_.catalogue->content();
  content.schemas.emplace_back("elsewhere");
  content.tables.push_back({.schema = "elsewhere", .name = "t", .columns = content.tables[0].columns});
  catalogues_.catalogue = std::make_shared<const catalog::Catalogue>(std::move(content), 2);
  auto protected_columns =
      std::vector<lineage::ColumnPattern>{{.schema = std::string(default_schema), .table = "t", .column = "ssn"}};
  protected_columns_ = std::make_shared<const lineage::ProtectedColumns>(protected_columns);
  start();
  log_in();
  send_value_to("SELECT id FROM t WHERE ssn = ?");
  run("PREPARE s FROM 'SELECT id FROM t WHERE ssn = ''721-07-4426'''");
  run("USE elsewhere");
  say_reading({.mode = "", .schema = "elsewhere"});
  protected_columns_ = std::make_shared<const lineage::ProtectedColumns>(protected_columns);
  session_->environment_changed(environment(), now_);
  execute_with_value();
  run("EXECUTE s");
  EXPECT_EQ(values(), 0U);
  run("SELECT id FROM t WHERE ssn = '721-07-4426'");
  EXPECT_EQ(values(), 1U) << "that is elsewhere";
}

TEST_F(LiteralsTest, AreHiddenOfTextsThatArePrepared) {
  run("PREPARE s FROM 'SELECT id FROM t WHERE ssn = ''721-07-4426'''");
  run("EXECUTE s");
  EXPECT_EQ(values(), 0U);
  EXPECT_EQ(sink_.count(R"("runs":"SELECT `id` FROM `t` WHERE `ssn` = ?")"), 2U);
  run("PREPARE s FROM 'SELECT id FROM t WHERE id = 721'");
  run("EXECUTE s");
  EXPECT_EQ(sink_.count(R"("runs":"SELECT id FROM t WHERE id = 721")"), 2U) << "what it runs decides";
  run("EXECUTE IMMEDIATE 'INSERT INTO t VALUES (1, ?)' USING '721-07-4426'");
  run("SET @a = '721-07-4426'");
  EXPECT_EQ(values(), 0U);
}

class SealedLiteralsTest : public LiteralsTest {
 protected:
  SealedLiteralsTest() {
    seals_literals_ = true;
    answer_bytes_recorded_ = 1000;
    start();
    log_in();
    sink_.has_key = true;
  }
};

TEST_F(SealedLiteralsTest, AreKeptForTheHoldersOfTheKey) {
  forwarded(query("SELECT id /*why*/ FROM t WHERE ssn = '721-07-4426'"));
  Buffer error{0xFF, 0x28, 0x04, '#', '2', '2', '0', '0', '7'};
  wire::test::append(error, from_text("Truncated: '721-07-4426'"));
  from_backend(packet(1, error));
  to_client();
  EXPECT_EQ(values(), 0U);
  ASSERT_EQ(sink_.sealed.size(), 2U);
  EXPECT_EQ(sink_.sealed[0],
            "s 3 {\"sent\":\"SELECT id  FROM t WHERE ssn = '721-07-4426'\","
            "\"text\":\"SELECT id /*why*/ FROM t WHERE ssn = '721-07-4426'\"}");
  EXPECT_EQ(sink_.sealed[1], R"(s 4 {"error":"Truncated: '721-07-4426'"})");
  EXPECT_EQ(sink_.count(R"("sealed":"seal 0","seq":3)", R"("text":"SELECT `id` FROM `t` WHERE `ssn` = ?")"), 1U);
  EXPECT_EQ(sink_.count(R"("sealed":"seal 1")", R"("answer_recorded":)", R"("error_code":1064)"), 1U);
  EXPECT_NE(sink_.answers.find(value), std::string::npos);
  run("SELECT ssn FROM t WHERE id = 721");
  EXPECT_EQ(sink_.sealed.size(), 2U) << "nothing of it is hidden";
}

TEST_F(SealedLiteralsTest, AreNowhereWithoutAKey) {
  sink_.has_key = false;
  run("SELECT id FROM t WHERE ssn = '721-07-4426'");
  EXPECT_EQ(values(), 0U);
  EXPECT_TRUE(sink_.sealed.empty());
  EXPECT_EQ(sink_.answers, "") << "an answer may quote them";
  EXPECT_EQ(sink_.count(R"("sealed")"), 0U);
  EXPECT_EQ(sink_.count(R"("answer_recorded":{"bytes":0,"failed":true)"), 1U);
}

TEST_F(SealedLiteralsTest, WhatACursorYieldsIsHiddenAsItsStatementIs) {
  sink_.has_key = false;
  forwarded(packet(0, from_text("\x16SELECT CONCAT(ssn, '721') FROM t")));
  from_backend(answer_of({{0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, definition(), {0xFE, 0, 0, 2, 0}}));
  to_client();
  forwarded(packet(0, Buffer{0x17, 1, 0, 0, 0, 1, 1, 0, 0, 0}));
  from_backend(answer_of({{1}, definition(), {0xFE, 0, 0, 0x42, 0}}));
  to_client();
  forwarded(packet(0, Buffer{0x1C, 1, 0, 0, 0, 1, 0, 0, 0}));
  Buffer row{0, 0, 11};
  wire::test::append(row, from_text(value));
  from_backend(answer_of({row, {0xFE, 0, 0, 0x42, 0}}));
  EXPECT_NE(text_of(to_client()).find(value), std::string_view::npos);
  EXPECT_EQ(sink_.answers, "");
  EXPECT_EQ(sink_.count(R"("answer_recorded":{"bytes":0,"failed":true)"), 3U);
  EXPECT_EQ(sink_.count(R"("command":"stmt_fetch")", "redacted"), 0U) << "its record lacks nothing";
}

TEST_F(LiteralsTest, AreHiddenWhileTheCatalogueMayBeOld) {
  run("SELECT id FROM t WHERE id = 721");
  EXPECT_EQ(sink_.count("id = 721"), 1U);
  send_value_to("SELECT id FROM t WHERE id = ?");
  EXPECT_EQ(values(), 2U);
  catalogues_.doubted = true;
  run("SELECT id FROM t WHERE id = 721");
  execute_with_value();
  EXPECT_EQ(sink_.count("id = 721"), 1U);
  EXPECT_EQ(values(), 2U);
  EXPECT_EQ(sink_.count(R"("redacted":true)"), 2U);
  catalogues_.doubted = false;
  run("SELECT id FROM t WHERE id = 721");
  EXPECT_EQ(sink_.count("id = 721"), 2U);
  execute_with_value();
  EXPECT_EQ(values(), 3U) << "what was read in doubt is read anew behind it";
}

TEST_F(SealedLiteralsTest, WhatACursorYieldsIsHiddenOnceItsColumnIsProtected) {
  auto protected_columns = std::exchange(protected_columns_, nullptr);
  start();
  log_in();
  sink_.has_key = false;
  forwarded(packet(0, from_text("\x16SELECT CONCAT(ssn, '721') FROM t")));
  from_backend(answer_of({{0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, definition(), {0xFE, 0, 0, 2, 0}}));
  forwarded(packet(0, Buffer{0x17, 1, 0, 0, 0, 1, 1, 0, 0, 0}));
  from_backend(answer_of({{1}, definition(), {0xFE, 0, 0, 0x42, 0}}));
  to_client();
  std::size_t before = sink_.answers.size();
  protected_columns_ = protected_columns;
  session_->environment_changed(environment(), now_);
  forwarded(packet(0, Buffer{0x1C, 1, 0, 0, 0, 1, 0, 0, 0}));
  Buffer row{0, 0, 11};
  wire::test::append(row, from_text(value));
  from_backend(answer_of({row, {0xFE, 0, 0, 0x42, 0}}));
  EXPECT_NE(text_of(to_client()).find(value), std::string_view::npos);
  EXPECT_EQ(sink_.answers.size(), before);
  EXPECT_EQ(sink_.answers.find(value), std::string::npos);
}

TEST_F(SealedLiteralsTest, SecretsAreNotSealed) {
  run("SET @a = 'SET PASSWORD = ''open sesame''', @b = '721-07-4426'");
  from_client(query("SELECT id FORM t WHERE ssn = '721-07-4426'"));
  from_client(query("CREATE USRE u IDENTIFIED BY 'open sesame'"));
  to_client();
  EXPECT_EQ(values() + sink_.count("sesame"), 0U);
  ASSERT_EQ(sink_.sealed.size(), 2U) << "of the last nothing is left that a seal could add";
  for (const std::string& sealed : sink_.sealed) {
    EXPECT_EQ(sealed.find("sesame"), std::string::npos) << sealed;
  }
  EXPECT_NE(sink_.sealed[0].find(R"("redacted":true)"), std::string::npos) << sink_.sealed[0];
  EXPECT_EQ(sink_.sealed[1], R"(s 5 {"text":"SELECT id FORM t WHERE ssn = '721-07-4426'"})");
}

// Texts that are run have secrets that the text around them does not look like having.
TEST_F(SealedLiteralsTest, SecretsOfTextsThatAreRunAreNotSealed) {
  for (std::string_view text :
       {"EXECUTE IMMEDIATE CONCAT('CREATE USER u IDENTIFIED BY ''', 'sesame', '''')",
        "PREPARE s FROM 'CREATE USRE u IDENTIFIED BY ''sesame'''", "PREPARE s FROM 'SELECT 1 FORM t WHERE a = sesame'",
        "PREPARE s FROM 'SET GLOBAL wsrep_sst_auth = ''u:sesame'''",
        "EXECUTE IMMEDIATE 'SET GLOBAL wsrep_sst_auth = ?' USING 'u:sesame'",
        "PREPARE s FROM 'SET PASS\\WORD = ''sesame'''"}) {
    bool is_asked = text.find("CONCAT") != std::string_view::npos;
    bool is_secret = text.find("FORM") == std::string_view::npos;
    from_client(query(text));
    actions();
    to_backend();
    if (is_asked) {  // the server fails to tell, so nobody knows what would run
      Buffer error{0xFF, 0x28, 0x04, '#', '2', '2', '0', '0', '7', 'x'};
      from_backend(packet(1, error));
    }
    to_client();
    EXPECT_EQ(sink_.count("sesame"), 0U) << text;
    EXPECT_EQ(sink_.sealed.size(), is_secret ? 0U : 1U) << text;
    for (const std::string& sealed : sink_.sealed) {
      EXPECT_NE(sealed.find("sesame"), std::string::npos) << "a literal, and no secret";
    }
    sink_.sealed.clear();
    start();
    log_in();
  }
}

TEST_F(SealedLiteralsTest, ParametersAreSealed) {
  send_value_to("SELECT id FROM t WHERE ssn = ?");
  run("PREPARE s FROM 'SELECT id FROM t WHERE ssn = ''721-07-4426'''");
  EXPECT_EQ(values(), 0U);
  ASSERT_EQ(sink_.sealed.size(), 4U);
  EXPECT_EQ(sink_.sealed[1], R"(s 5 {"value":"721-07-4426"})");
  EXPECT_EQ(sink_.sealed[2],
            R"(s 9 {"parameters":[{"type":253,"value":"721-07-4426"}],"text":"SELECT id FROM t WHERE ssn = ?"})");
  EXPECT_EQ(sink_.sealed[3],
            "s 11 {\"runs\":\"SELECT id FROM t WHERE ssn = '721-07-4426'\","
            "\"text\":\"PREPARE s FROM 'SELECT id FROM t WHERE ssn = ''721-07-4426'''\"}");
}

}  // namespace
}  // namespace sallyport::session::test
