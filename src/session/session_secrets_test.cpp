// What secrets a client or server may write is in no record.
#include "session/session_test_fixture.h"

namespace sallyport::session::test {
namespace {

class SecretsTest : public SessionTest {
 protected:
  SecretsTest() {
    capabilities_ |= wire::capability::multi_statements;
    start();
    log_in();
  }
  static Buffer error(std::string_view text) {
    Buffer payload{0xFF, 0x28, 0x04, '#', '4', '2', '0', '0', '0'};
    payload.insert(payload.end(), text.begin(), text.end());
    return packet(1, payload);
  }
};

TEST_F(SecretsTest, AreForwardedAndNotRecorded) {
  Buffer command = query("CREATE USER u IDENTIFIED BY /*hunter1*/ 'hunter2'");
  EXPECT_EQ(forwarded(command), query("CREATE USER u IDENTIFIED BY  'hunter2'"));
  from_backend(error("near 'hunter2'"));
  EXPECT_EQ(to_client(), error("near 'hunter2'"));
  EXPECT_EQ(sink_.count(R"("redacted":true)", R"("text":"CREATE USER u IDENTIFIED BY ?")"), 1U);
  EXPECT_EQ(sink_.count(R"("error_code":1064)", R"("sql_state":"42000")", R"("status":"error")"), 1U);
  EXPECT_EQ(sink_.count("hunter"), 0U);
  forwarded(query("SELECT 1"));
  from_backend(error("no"));
  EXPECT_EQ(sink_.count(R"("error":"no")"), 1U) << "it quotes no secret";
}

TEST_F(SecretsTest, AreNotRecordedOfWhatIsRefused) {
  for (std::string_view text :
       {"CREATE USER u IDENTIFIED 'hunter2'", "SET PASSWORD = hunter2 hunter2", "GRANT x TO u IDENTIFED BY 'hunter2' !",
        "SELECT 1 FROM; CREATE USER u IDENTIFIED BY x"}) {
    from_client(query(text));
    to_client();
    EXPECT_TRUE(session_->idle()) << text;
  }
  forwarded(query("DO 1; CREATE USER u IDENTIFIED BY hunter2"));
  from_backend(packet(1, ok_payload));
  to_client();
  from_client(packet(0, from_text("\x16"
                                  "CREATE USER u IDENTIFIED 'hunter2'")));
  to_client();
  EXPECT_EQ(sink_.count("hunter"), 0U);
  EXPECT_EQ(sink_.count(R"("redacted":true)", R"("type":"command")"), 5U)
      << "of a text of several, each statement by itself";
}

TEST_F(SecretsTest, AreNotRecordedOfWhatIsPrepared) {
  forwarded(packet(0, from_text("\x16"
                                "ALTER USER u IDENTIFIED BY 'hunter2'")));
  from_backend(packet(1, Buffer{0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  to_client();
  forwarded(packet(0, Buffer{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0}));
  from_backend(packet(1, ok_payload));
  to_client();
  EXPECT_EQ(sink_.count("hunter"), 0U);
  EXPECT_EQ(sink_.count(R"("text":"ALTER USER u IDENTIFIED BY ?")"), 2U);
}

// The text around it does not look like having any: they are words cut in two, arguments, names that only one server
// has.
TEST_F(SecretsTest, AreNotRecordedAroundATextThatIsRun) {
  for (std::string_view text : {"PREPARE s FROM 'SET GLOBAL wsrep_sst_auth = ''u:hunter2'''",
                                "PREPARE s FROM 'CREATE USRE u IDENTIFIED BY ''hunter2'''",
                                "EXECUTE IMMEDIATE 'SET GLOBAL wsrep_sst_auth = ?' USING 'u:hunter2'",
                                "PREPARE s FROM 'SET PASS\\WORD = ''hunter2'''"}) {
    from_client(query(text));
    actions();
    to_backend();
    to_client();
    EXPECT_EQ(sink_.count("hunter"), 0U) << text;
    EXPECT_EQ(sink_.count(R"("redacted":true)", "FROM ?") + sink_.count(R"("redacted":true)", "IMMEDIATE ?"), 1U)
        << text;
    sink_.lines.clear();
    start();
    log_in();
    sink_.lines.clear();
  }
}

TEST_F(SecretsTest, AreNotRecordedOfParametersThatMayBeSome) {
  send_to("SET GLOBAL wsrep_sst_auth = ?", "hunter2");
  EXPECT_EQ(sink_.count("hunter"), 0U);
  EXPECT_EQ(sink_.count(R"("parameters":[{"type":253}])"), 1U);
  EXPECT_EQ(sink_.count(R"("command":"stmt_send_long_data")", R"("redacted":true)"), 1U);
}

// A value becomes a text for a variable or a procedure there, and that may be a statement with a secret.
TEST_F(SecretsTest, AreNotRecordedOfParametersThatMakeTextsOfStatements) {
  struct Case {
    std::string_view text, value;
    bool hidden;
  };
  for (const auto& [text, value, hidden] :
       std::vector<Case>{{"SET @s = ?", "ALTER USER u IDENTIFIED BY 'hunter2'", true},
                         {"SELECT ? INTO @s", "ALTER USER u IDENTIFIED BY 'hunter2'", true},
                         {"CALL p(?)", "ALTER USER u IDENTIFIED BY 'hunter2'", true},
                         {"SET @s = CONCAT('ALTER USER u IDENTIFIED BY ''', ?, '''')", "hunter2", true},
                         {"SET @s = CONCAT('ALTER USER u ', ?)", "IDENTIFIED BY 'hunter2'", true},
                         {"SET @s = ?", "hunter2", false},
                         {"INSERT INTO posts VALUES (?)", "ALTER USER u IDENTIFIED BY 'hunter2'", false}}) {
    send_to(text, value);
    bool in_pieces = hidden || text == "SET @s = ?";  // what comes in pieces may be any
    EXPECT_EQ(sink_.count("hunter"), hidden ? 0U : in_pieces ? 1U : 2U) << text;
    EXPECT_EQ(sink_.count(R"("command":"stmt_execute")", R"("redacted":true)"), hidden ? 1U : 0U) << text;
    start();
    log_in();
    sink_.lines.clear();
  }
}

TEST_F(SecretsTest, AreNotRecordedOfATextWithinATextThatIsRun) {
  from_client(
      query("EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE CONCAT(''CREATE USER u IDENTI'', ''FIED BY ''''hunter2'''''')'"));
  to_client();
  EXPECT_EQ(sink_.count("hunter"), 0U);
  EXPECT_EQ(sink_.count(R"("text":"EXECUTE IMMEDIATE ?")", R"=("runs":"EXECUTE IMMEDIATE CONCAT(?, ?)")="), 1U);
}

TEST_F(SecretsTest, TokensWhereASchemaIsNamedAreNotRecorded) {
  forwarded(packet(0, from_text("\x02"
                                "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1In0.c2ln")));
  from_backend(error("no such schema"));
  to_client();
  EXPECT_EQ(sink_.count("eyJ"), 0U);
  EXPECT_EQ(sink_.count(R"("command":"init_db")", R"=("text":"(a token)")="), 1U);
}

}  // namespace
}  // namespace sallyport::session::test
