#include "store/log_verification.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <future>
#include <random>
#include <sstream>
#include <thread>

#include "audit/checkpoint.h"
#include "audit/range_json.h"
#include "store/log_directory.h"
#include "store/log_proof.h"

namespace sallyport::store {
namespace {

using audit::FindingCode;

constexpr std::string_view origin = "log.example";

audit::NoteSigner signer_of(std::uint8_t seed_byte) {
  std::vector<std::uint8_t> seed(32, seed_byte);
  auto key = crypto::PrivateKey::ed25519_from_seed(seed);
  return std::move(audit::NoteSigner::make(std::move(*key), origin).value());
}

std::string record_of(std::uint64_t index) {
  return "{\"n\":" + std::to_string(index) + ",\"time\":\"t" + std::to_string(index) + "\",\"type\":\"x\"}";
}

// Writes a log as docs/audit-format.md has it.
class LogVerificationTest : public testing::Test {
 protected:
  LogVerificationTest() {
    char name[] = "/tmp/sallyport-verify-XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  ~LogVerificationTest() override { std::filesystem::remove_all(directory_); }

  void put(const std::string& name, std::string_view content, std::ios::openmode mode = std::ios::trunc) {
    std::ofstream(directory_ / name, mode | std::ios::binary) << content;
  }
  std::string content(const std::string& name) const {
    std::ifstream file(directory_ / name, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  void append(std::string_view record) {
    put(name_of(SegmentFile::records, segment_.range().first), std::string(record) + "\n", std::ios::app);
    tree_.append(audit::leaf_hash(record));
    segment_.append(audit::leaf_hash(record));
  }
  void append_many(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      append(record_of(tree_.size()));
    }
  }
  std::string checkpoint(bool keep = false) {
    const audit::NoteSigner* signers[] = {&signer_};
    std::string note =
        audit::sign({.origin = std::string(origin), .size = tree_.size(), .root = tree_.root()}, signers);
    put("checkpoint.new", note);
    std::filesystem::rename(directory_ / "checkpoint.new", directory_ / "checkpoint");
    if (keep) {
      put("checkpoints", note + "\n", std::ios::app);
    }
    return note;
  }
  void close_segment(bool compress) {
    const audit::Range& range = segment_.range();
    put(name_of(SegmentFile::tree, range.first),
        audit::to_json_line({.range = range,
                             .time_first = "t" + std::to_string(range.first),
                             .time_last = "t" + std::to_string(range.end - 1)}));
    put(name_of(SegmentFile::records, range.end), "");
    if (compress) {
      std::string records = content(name_of(SegmentFile::records, range.first));
      std::string out(ZSTD_compressBound(records.size()), '\0');
      out.resize(ZSTD_compress(out.data(), out.size(), records.data(), records.size(), 1));
      put(name_of(SegmentFile::compressed_records, range.first), out);
      std::filesystem::remove(directory_ / name_of(SegmentFile::records, range.first));
    }
    segment_ = audit::RangeTree(range.end);
    checkpoint(true);
  }

  VerificationOptions options() const {
    return {.directory = directory_,
            .public_key = signer_.verifier_key().to_line(),
            .saved = {},
            .patience = Milliseconds{0}};
  }
  audit::VerificationReport verify() const { return std::move(verify_log(options()).value()); }
  std::vector<FindingCode> codes() const {
    std::vector<FindingCode> found;
    for (const audit::Finding& finding : verify().findings) {
      found.push_back(finding.code);
    }
    return found;
  }

  std::filesystem::path directory_;
  audit::NoteSigner signer_ = signer_of(1);
  audit::Tree tree_;
  audit::RangeTree segment_{0};
};

TEST_F(LogVerificationTest, FindsEverySingleBitThatIsFlippedAndEveryFileThatIsCut) {
  append_many(3);
  close_segment(false);
  append_many(2);
  checkpoint();
  ASSERT_TRUE(verify().is_proven());
  std::size_t changes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    std::string name = entry.path().filename();
    std::string good = content(name);
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      std::string changed = good;
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
      put(name, changed);
      ASSERT_FALSE(verify().is_proven()) << name << " bit " << bit;
      ++changes;
    }
    // A kept checkpoint that is missing as a whole takes nothing away from the others.
    for (std::size_t length = name == "checkpoints" ? 1 : 0; length < good.size(); ++length) {
      put(name, good.substr(0, length));
      ASSERT_FALSE(verify().is_proven()) << name << " cut to " << length;
    }
    for (char more : {'\n', '\0', 'x', '{'}) {
      put(name, good + more);
      ASSERT_FALSE(verify().is_proven()) << name << " with one more byte";
      put(name, more + good);
      ASSERT_FALSE(verify().is_proven()) << name << " with one more byte in front";
    }
    put(name, good);
  }
  EXPECT_GT(changes, 5000U);
  ASSERT_TRUE(verify().is_proven());
}

TEST_F(LogVerificationTest, ProvesLogsOfAnySizeWithAnyNumberOfThreads) {
  std::mt19937_64 random(7);
  for (int segment = 0; segment < 6; ++segment) {
    append_many(1 + random() % 20'000);
    checkpoint(true);
    append_many(random() % 5);
    if (segment % 2 == 0 || segment == 5) {
      close_segment(segment % 4 == 0);
    }
  }
  append_many(10);
  checkpoint();
  for (unsigned threads : {1U, 2U, 7U}) {
    VerificationOptions with = options();
    with.threads = threads;
    auto report = verify_log(with);
    ASSERT_TRUE(report && report->is_proven());
    EXPECT_EQ(report->records, tree_.size());
    EXPECT_EQ(report->proven, (std::vector<audit::RecordSpan>{{0, tree_.size()}}));
  }
  for (int i = 0; i < 20; ++i) {
    std::uint64_t index = random() % tree_.size();
    auto proof = prove_record(directory_, index, Milliseconds{0});
    ASSERT_TRUE(proof) << proof.error();
    EXPECT_EQ(proof->statement.record, record_of(index));
    EXPECT_TRUE(audit::check_proof(*proof, signer_.verifier_key().to_line()));
    auto read_back = audit::parse_proof_file(audit::to_json_line(*proof));
    ASSERT_TRUE(read_back);
    EXPECT_EQ(*read_back, *proof);
  }
}

TEST_F(LogVerificationTest, AProofWithAnyBitChangedProvesNothing) {
  append_many(9);
  checkpoint();
  auto proof = prove_record(directory_, 5, Milliseconds{0});
  ASSERT_TRUE(proof);
  std::string key = signer_.verifier_key().to_line();
  std::string good = audit::to_json_line(*proof);
  auto holds = [&](const std::string& text) {
    auto file = audit::parse_proof_file(text);
    return file && audit::check_proof(*file, key);
  };
  ASSERT_TRUE(holds(good));
  good.pop_back();  // the line end need not be there
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string changed = good;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    ASSERT_FALSE(holds(changed)) << "bit " << bit;
  }
  for (std::size_t length = 0; length < good.size(); ++length) {
    ASSERT_FALSE(holds(good.substr(0, length)));
  }
}

TEST_F(LogVerificationTest, FindsNoRecordOfASessionThatTheLogHasNot) {
  append(R"({"seq":4,"session":"a","time":"t0","type":"x"})");
  append(R"({"seq":5,"session":"a","text":"\"session\":\"a\"","time":"t1","type":"x"})");
  append(R"({"seq":5,"session":"b","time":"t2","type":"x"})");
  EXPECT_EQ(find_record(directory_, "a", 5).value(), 1U);
  EXPECT_EQ(find_record(directory_, "b", 5).value(), 2U);
  EXPECT_EQ(find_record(directory_, "b", 4).value(), std::nullopt);
  EXPECT_EQ(find_record(directory_, "c", 5).value(), std::nullopt);
  EXPECT_EQ(find_record(directory_, "\xFF", 5).value(), std::nullopt);
}

TEST_F(LogVerificationTest, SaysThatADamagedSegmentIsUnreadableAndProvesTheRest) {
  append_many(100);
  close_segment(true);
  append_many(100);
  close_segment(true);
  append_many(1);
  checkpoint();
  std::string name = name_of(SegmentFile::compressed_records, 0);
  std::string good = content(name);
  for (const std::string& bad : {good.substr(0, good.size() / 2), std::string("nothing"), good + "x"}) {
    put(name, bad);
    audit::VerificationReport report = verify();
    EXPECT_EQ(report.findings.front().code, FindingCode::segment_unreadable);
    EXPECT_EQ(report.proven_end, 201U);
    ASSERT_FALSE(report.proven.empty());
    EXPECT_EQ(report.proven.back(), (audit::RecordSpan{100, 201}));
  }
}

TEST_F(LogVerificationTest, CountsFindingsBeyondTheFirstThousand) {
  for (int i = 0; i < 400; ++i) {
    append("no JSON");
    checkpoint(true);
  }
  std::string kept = content("checkpoints");
  put("checkpoints", kept + kept + kept + kept);
  signer_ = signer_of(2);
  audit::VerificationReport report = verify();
  EXPECT_FALSE(report.is_proven());
  EXPECT_EQ(report.findings.size(), audit::VerificationReport::findings_max);
  EXPECT_GT(report.findings_left_out, 0U);
}

TEST_F(LogVerificationTest, FollowsABoundedNumberOfChangesOfKey) {
  std::string key = signer_.verifier_key().to_line();
  for (std::size_t i = 0; i <= audit::hand_overs_max; ++i) {
    append(R"({"key":")" + key + R"(","previous_key":")" + key + R"(","time":"t","type":"audit_key_changed"})");
  }
  checkpoint();
  audit::VerificationReport report = verify();
  ASSERT_FALSE(report.is_proven());
  EXPECT_EQ(report.findings.front().code, FindingCode::key_change_unproven);
  EXPECT_NE(report.findings.front().text.find("record 10000 tells of another change"), std::string::npos);
}

TEST_F(LogVerificationTest, TellsTheTreeFilesFaultFromTheRecords) {
  append_many(8);
  close_segment(false);
  append_many(8);
  checkpoint();
  std::string records = name_of(SegmentFile::records, 0);
  std::string tree = name_of(SegmentFile::tree, 0);
  std::string good_records = content(records);
  std::string good_tree = content(tree);
  std::string changed = good_records;
  changed[changed.find("\"n\":5") + 4] = '6';
  put(records, changed);
  EXPECT_EQ(codes(), std::vector{FindingCode::records_altered});
  EXPECT_EQ(verify().proven, (std::vector<audit::RecordSpan>{{8, 16}}));
  put(records, good_records);
  auto range = audit::parse_segment_range(good_tree);
  range->range.hashes[0][0] ^= 1;
  put(tree, audit::to_json_line(*range));
  EXPECT_EQ(codes(), std::vector{FindingCode::tree_altered});
  EXPECT_EQ(verify().proven, (std::vector<audit::RecordSpan>{{0, 16}}));
  put(records, changed);  // both
  EXPECT_EQ(verify().proven_end, 0U);
}

TEST_F(LogVerificationTest, WaitsForTheCheckpointOverWhatIsWrittenMeanwhile) {
  append_many(1);
  checkpoint();
  std::atomic<bool> ends{false};
  std::thread writer([&] {
    while (!ends) {
      append_many(3);
      std::this_thread::sleep_for(Milliseconds{1});
      if (tree_.size() % 5 == 0) {
        checkpoint();
      }
      if (tree_.size() % 14 == 0) {
        close_segment(tree_.size() % 4 == 0);
      }
    }
  });
  VerificationOptions with = options();
  with.patience = Milliseconds{20'000};
  std::uint64_t proven = 0;
  for (int i = 0; i < 10; ++i) {
    auto report = verify_log(with);
    EXPECT_TRUE(report && report->is_proven());
    if (!report || !report->is_proven()) {
      for (const audit::Finding& finding : report->findings) {
        ADD_FAILURE() << finding.text;
      }
      break;
    }
    EXPECT_GE(report->proven_end, proven);
    proven = report->proven_end;
  }
  ends = true;
  writer.join();
}

TEST_F(LogVerificationTest, ProvesAChangeOfKeyThatComesMeanwhile) {
  append_many(8);
  checkpoint();
  append_many(2);  // which a newer checkpoint is waited for
  VerificationOptions with = options();
  with.patience = Milliseconds{20'000};
  auto verified = std::async(std::launch::async, [&] { return verify_log(with); });
  std::this_thread::sleep_for(Milliseconds{200});
  audit::NoteSigner next = signer_of(2);
  append(R"({"key":")" + next.verifier_key().to_line() + R"(","previous_key":")" + signer_.verifier_key().to_line() +
         R"(","time":"t","type":"audit_key_changed"})");
  const audit::NoteSigner* both[] = {&signer_, &next};
  put("checkpoints",
      audit::sign({.origin = std::string(origin), .size = tree_.size(), .root = tree_.root()}, both) + "\n",
      std::ios::app);
  signer_ = std::move(next);
  append_many(2);
  checkpoint();
  auto report = verified.get();
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->is_proven()) << report->findings.front().text;
  EXPECT_EQ(report->proven_end, 13U);
}

}  // namespace
}  // namespace sallyport::store
