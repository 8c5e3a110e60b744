// LOAD DATA LOCAL, byte by byte; tests/simulation has it among other commands.
#include "session/session_test_fixture.h"

namespace sallyport::session::test {
namespace {

class LocalFileTest : public SessionTest {
 protected:
  LocalFileTest() {
    capabilities_ |= wire::capability::local_files;
    local_infile_ = true;
    restart();
  }
  void restart() {
    start();
    log_in();
  }
  static Buffer query(std::string_view text) { return packet(0, from_text("\x03" + std::string(text))); }
  static Buffer request(std::string_view file) { return packet(1, from_text("\xFB" + std::string(file))); }
  // As far as the session takes it, the server taking all that passes.
  void send_all(Buffer bytes) {
    while (!bytes.empty() && session_->wants_client_bytes()) {
      auto taken = static_cast<std::ptrdiff_t>(from_client(bytes));
      bytes.erase(bytes.begin(), bytes.begin() + taken);
      to_backend();
    }
  }
  void load() { forwarded(query("LOAD DATA LOCAL INFILE 'f.csv' INTO TABLE t")); }
};

TEST_F(LocalFileTest, TheFileOfTheStatementStreamsThrough) {
  load();
  from_backend(request("f.csv"));
  EXPECT_EQ(to_client(), request("f.csv"));
  from_client(packet(2, from_text("1\n2\n")));
  EXPECT_EQ(to_backend(), packet(2, from_text("1\n2\n")));
  from_client(packet(3, Buffer{}));
  EXPECT_EQ(to_backend(), packet(3, Buffer{}));
  from_backend(packet(4, ok_payload));
  EXPECT_EQ(to_client(), packet(4, ok_payload));
  EXPECT_TRUE(session_->idle());
  EXPECT_EQ(sink_.count(R"("uploaded_bytes":4)"), 1U);
}

TEST_F(LocalFileTest, NoOtherFileIsHandedOutAndTheSessionEnds) {
  for (std::string_view file : {"/etc/passwd", "f.cs", "f.csvx", ""}) {
    restart();
    load();
    from_backend(request(file));
    Buffer answer = to_client();
    EXPECT_EQ(answer[3], 1);
    EXPECT_NE(text_of(answer).find("backend_violation"), std::string_view::npos) << file;
    EXPECT_FALSE(session_->idle());
  }
}

TEST_F(LocalFileTest, AFileIsAskedForOnlyByAStatementThatLoads) {
  forwarded(query("SELECT 'f.csv'"));
  from_backend(request("f.csv"));
  EXPECT_NE(text_of(to_client()).find("backend_violation"), std::string_view::npos);
}

TEST_F(LocalFileTest, WithoutTheGrantNoServerMayAsk) {
  local_infile_ = false;
  restart();
  load();
  from_backend(request("f.csv"));
  EXPECT_NE(text_of(to_client()).find("backend_violation"), std::string_view::npos);
}

TEST_F(LocalFileTest, InDoubtTheServerGetsAnEmptyFileAndTheClientAnError) {
  forwarded(query("/*!50000 LOAD DATA LOCAL INFILE 'f.csv' INTO TABLE t */"));
  from_backend(request("f.csv"));
  EXPECT_EQ(to_backend(), packet(2, Buffer{}));
  Buffer answer = to_client();
  EXPECT_EQ(answer[3], 1);
  EXPECT_NE(text_of(answer).find("local_file_refused"), std::string_view::npos);
  from_backend(packet(3, ok_payload));
  EXPECT_EQ(to_client(), Buffer{});
  EXPECT_TRUE(session_->idle());
  EXPECT_EQ(sink_.count(R"("reason":"local_file_refused")"), 1U);
}

TEST_F(LocalFileTest, ARefusedServerThatAsksAgainEndsTheSession) {
  forwarded(query("/*!50000 LOAD DATA LOCAL INFILE 'f.csv' INTO TABLE t */"));
  from_backend(request("f.csv"));
  to_backend();
  to_client();
  from_backend(packet(3, from_text("\xFB"
                                   "f.csv")));
  EXPECT_NE(text_of(to_client()).find("backend_violation"), std::string_view::npos);
  EXPECT_GE(sink_.count(R"("reason":"backend_violation")"), 1U);
}

TEST_F(LocalFileTest, AServerThatHasTheFileAndAsksAgainEndsTheSession) {
  load();
  from_backend(request("f.csv"));
  EXPECT_EQ(to_client(), request("f.csv"));
  from_client(packet(2, Buffer{}));
  EXPECT_EQ(to_backend(), packet(2, Buffer{}));
  from_backend(packet(3, from_text("\xFB"
                                   "f.csv")));
  Buffer answer = to_client();
  EXPECT_EQ(answer[3], 4);
  EXPECT_NE(text_of(answer).find("backend_violation"), std::string_view::npos);
}

TEST_F(LocalFileTest, AServerThatAsksAgainWhileTheFileIsOnItsWayIsNotHeardBeforeItsEnd) {
  load();
  Buffer twice = request("f.csv");
  wire::test::append(twice, packet(4, from_text("\xFB"
                                                "f.csv")));
  from_backend(twice);
  EXPECT_EQ(to_client(), request("f.csv"));
  from_client(packet(2, from_text("1")));
  EXPECT_EQ(to_backend(), packet(2, from_text("1")));
  EXPECT_EQ(to_client(), Buffer{});
  from_client(packet(3, Buffer{}));
  EXPECT_NE(text_of(to_client()).find("backend_violation"), std::string_view::npos);
}

TEST_F(LocalFileTest, NoServerMayAskAtTheExecutionOfAStatementThatDoesNotLoad) {
  prepare(0);
  Buffer execute{0x17, 1, 0, 0, 0, 0, 1, 0, 0, 0};
  EXPECT_EQ(forwarded(packet(0, execute)), packet(0, execute));
  from_backend(request("f.csv"));
  EXPECT_NE(text_of(to_client()).find("backend_violation"), std::string_view::npos);
  EXPECT_EQ(to_backend(), Buffer{});
}

TEST_F(LocalFileTest, AFileBeyondTheLimitEndsTheSession) {
  load();
  from_backend(request("f.csv"));
  to_client();
  for (std::uint8_t i = 2; i < 20 && !session_->ended() && session_->wants_client_bytes(); ++i) {
    send_all(packet(i, Buffer(100'000, 'x')));
  }
  EXPECT_EQ(sink_.count(R"("reason":"local_file_too_large")"), 3U) << "outcome, kill, session_end";
  EXPECT_EQ(to_client(), Buffer{});
}

TEST_F(LocalFileTest, AServerThatIsSlowStopsTheReadingOfTheFile) {
  load();
  from_backend(request("f.csv"));
  to_client();
  std::size_t taken = from_client(packet(2, Buffer(500'000, 'x')));
  EXPECT_LE(taken, 128U << 10);
  EXPECT_FALSE(session_->wants_client_bytes());
  EXPECT_EQ(to_backend().size(), taken);
  EXPECT_TRUE(session_->wants_client_bytes());
}

TEST_F(LocalFileTest, PacketsOutOfOrderEndTheSession) {
  load();
  from_backend(request("f.csv"));
  to_client();
  from_client(packet(0, from_text("\x03SELECT 1")));
  EXPECT_EQ(sink_.count(R"("type":"session_end")"), 1U);
  EXPECT_EQ(sink_.count("client_violation"), 3U) << "outcome, kill, session_end";
  EXPECT_EQ(to_client(), Buffer{});
  EXPECT_EQ(to_backend(), Buffer{});
}

}  // namespace
}  // namespace sallyport::session::test
