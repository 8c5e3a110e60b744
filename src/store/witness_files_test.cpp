#include "store/witness_files.h"

#include <gtest/gtest.h>

#include <fstream>

#include "audit/cosignature.h"
#include "audit/range_json.h"
#include "store/log_consistency.h"
#include "store/log_directory.h"
#include "store/log_test_support.h"

namespace sallyport::store {
namespace {

audit::NoteSigner signer_of(std::string_view origin) {
  auto key = crypto::PrivateKey::ed25519_from_seed(std::vector<std::uint8_t>(32, 1));
  return std::move(audit::NoteSigner::make(std::move(*key), origin).value());
}

class WitnessFilesTest : public testing::Test {
 protected:
  WitnessFilesTest() { test::write_open(log_, 0, std::vector<std::string>(records, record_of(1))); }

  static std::string record_of(int history) { return "{\"history\":" + std::to_string(history) + "}"; }
  audit::Checkpoint checkpoint(std::uint64_t size, int history = 1) const {
    audit::Tree tree;
    while (tree.size() < size) {
      tree.append(audit::leaf_hash(record_of(history)));
    }
    return {.origin = origin_, .size = size, .root = tree.root()};
  }
  std::string note(const audit::Checkpoint& checkpoint) const {
    audit::NoteSigner signer = signer_of(checkpoint.origin);
    const audit::NoteSigner* signers[] = {&signer};
    return audit::sign(checkpoint, signers);
  }
  Result<Unit, CopyError> add(CheckpointCopies& copies, const audit::Checkpoint& one) const {
    return copies.add(note(one), one,
                      [&](std::uint64_t old_size) { return prove_consistency(log_.directory(), old_size, one); });
  }
  static std::string cosignature_of(const audit::Checkpoint& checkpoint, std::string_view witness) {
    auto key = crypto::PrivateKey::ed25519_from_seed(std::vector<std::uint8_t>(32, 2));
    return audit::Cosigner::make(std::move(*key), witness)->cosign(text_of(checkpoint), WallTime{});
  }
  std::string cosigned(std::uint64_t size, std::string_view witness) const {
    return note(checkpoint(size)) + cosignature_of(checkpoint(size), witness);
  }
  std::string content(const std::string& name) const {
    std::ifstream file(log_.directory() / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  static constexpr std::size_t records = 20;
  test::TestLog log_;
  std::string origin_ = "log.example";
};

TEST_F(WitnessFilesTest, CopiesAreAppendedAndATornOneIsCutOff) {
  auto path = log_.directory() / "copies";
  {
    CheckpointCopies copies(system_files(), path);
    EXPECT_TRUE(add(copies, checkpoint(3)));
    EXPECT_TRUE(add(copies, checkpoint(3))) << "which is there, and is not written again";
    EXPECT_TRUE(add(copies, checkpoint(7)));
  }
  EXPECT_EQ(content("copies"), note(checkpoint(3)) + "\n" + note(checkpoint(7)) + "\n");
  log_.append("copies", "log.example\n9\nAAAA");
  CheckpointCopies copies(system_files(), path);
  EXPECT_TRUE(add(copies, checkpoint(8)));
  EXPECT_EQ(content("copies"), note(checkpoint(3)) + "\n" + note(checkpoint(7)) + "\n" + note(checkpoint(8)) + "\n");
}

TEST_F(WitnessFilesTest, ALogThatWasPutBackIsNotWrittenOverItsCopies) {
  auto path = log_.directory() / "copies";
  {
    CheckpointCopies copies(system_files(), path);
    ASSERT_TRUE(add(copies, checkpoint(7)));
  }
  std::string before = content("copies");
  CheckpointCopies copies(system_files(), path);
  EXPECT_NE(add(copies, checkpoint(6)).error().text.find("does not go on from"), std::string::npos);
  EXPECT_FALSE(add(copies, checkpoint(7, 2)));
  test::write_open(log_, 0, std::vector<std::string>(records, record_of(2)));
  EXPECT_EQ(add(copies, checkpoint(9, 2)).error().kind, CopyError::Kind::other_history) << "longer by now";
  test::write_open(log_, 0, std::vector<std::string>(8, record_of(1)));
  EXPECT_EQ(add(copies, checkpoint(9)).error().kind, CopyError::Kind::unusable) << "nothing proves that it does";
  origin_ = "other.example";
  EXPECT_NE(add(copies, checkpoint(9)).error().text.find("of the log 'log.example'"), std::string::npos);
  EXPECT_EQ(content("copies"), before);
  log_.write("copies", "something else\n\nx\n\n");
  CheckpointCopies other(system_files(), path);
  EXPECT_FALSE(add(other, checkpoint(9)));
}

TEST_F(WitnessFilesTest, WhatEachWitnessCosignedStaysUntilItCosignsMore) {
  {
    CosignedCheckpoints kept(system_files(), log_.directory());
    ASSERT_TRUE(kept.put("one", cosigned(3, "one")));
    ASSERT_TRUE(kept.put("two", cosigned(3, "two")));
    ASSERT_TRUE(kept.put("one", cosigned(4, "one")));
  }
  log_.append("cosigned", "log.example\n9\nAAAA");
  CosignedCheckpoints again(system_files(), log_.directory());
  ASSERT_TRUE(again.put("one", cosigned(5, "one")));
  EXPECT_EQ(content("cosigned"), cosigned(5, "one") + "\n" + cosigned(3, "two") + "\n");
  std::filesystem::remove(log_.directory() / "cosigned");
  std::filesystem::create_directory(log_.directory() / "cosigned");
  CosignedCheckpoints unreadable(system_files(), log_.directory());
  EXPECT_FALSE(unreadable.put("one", cosigned(6, "one")));
}

TEST_F(WitnessFilesTest, WhatOthersWriteToCosignedStaysNeitherForGoodNorManyTimes) {
  std::string strange = note(checkpoint(3));
  for (std::string_view name : {"a", "b", "c"}) {
    strange += cosignature_of(checkpoint(3), name);
  }
  std::string other = note(checkpoint(4));
  signer_of("signs").append_signature(other, text_of(checkpoint(4)));
  log_.write("cosigned", strange + "\n" + other + "\n");
  CosignedCheckpoints kept(system_files(), log_.directory());
  ASSERT_TRUE(kept.put("one", cosigned(5, "one")));
  EXPECT_EQ(content("cosigned"), strange + "\n" + cosigned(5, "one") + "\n");
  std::string many;
  for (int i = 0; i < 1000; ++i) {
    many += cosigned(3, std::to_string(i)) + "\n";
  }
  log_.write("cosigned", many);
  CosignedCheckpoints bounded(system_files(), log_.directory());
  ASSERT_TRUE(bounded.put("one", cosigned(6, "one")));
  EXPECT_EQ(audit::split_notes(content("cosigned")).notes.size(), 65U);
  std::filesystem::resize_file(log_.directory() / "cosigned", std::uintmax_t{1} << 30);
  CosignedCheckpoints unreadable(system_files(), log_.directory());
  ASSERT_TRUE(unreadable.put("one", cosigned(7, "one")));
  EXPECT_EQ(content("cosigned"), cosigned(7, "one") + "\n");
}

TEST_F(WitnessFilesTest, WhatIsWitnessedIsKeptByLog) {
  WitnessedLogs logs(system_files(), log_.directory() / "witness");
  EXPECT_EQ(logs.newest(origin_).value(), std::nullopt);
  ASSERT_TRUE(logs.put(checkpoint(5), note(checkpoint(5))));
  ASSERT_TRUE(logs.put(checkpoint(6), note(checkpoint(6))));
  WitnessedLogs again(system_files(), log_.directory() / "witness");
  EXPECT_EQ(again.newest(origin_).value()->size, 6U);
  EXPECT_EQ(again.newest("other.example").value(), std::nullopt);
  for (const auto& file : std::filesystem::directory_iterator(log_.directory() / "witness")) {
    std::ofstream(file.path(), std::ios::trunc) << "x";
  }
  EXPECT_FALSE(again.newest(origin_)) << "what can't be read is not taken for nothing";
}

// Of each pair of sizes, over segments that are closed, deleted and open.
TEST_F(WitnessFilesTest, ConsistencyIsProvenBetweenAnySizesThatTheFilesTellOf) {
  audit::Tree tree;
  std::vector<audit::TreeHead> heads{{.size = 0, .root = tree.root()}};
  constexpr std::uint64_t count = 40;
  std::string lines;
  audit::RangeTree segment(0);
  std::uint64_t first = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string line = "{\"n\":" + std::to_string(i) + ",\"time\":\"t\",\"type\":\"x\"}";
    lines += line + "\n";
    tree.append(audit::leaf_hash(line));
    segment.append(audit::leaf_hash(line));
    heads.push_back({.size = i + 1, .root = tree.root()});
    if (i % 13 == 12) {
      log_.write(name_of(SegmentFile::records, first), lines);
      log_.write(name_of(SegmentFile::tree, first),
                 audit::to_json_line({.range = segment.range(), .time_first = "t", .time_last = "t"}));
      lines.clear();
      first = i + 1;
      segment = audit::RangeTree(first);
    }
  }
  log_.write(name_of(SegmentFile::records, first), lines);
  auto prove = [&](std::uint64_t from, std::uint64_t to) {
    return prove_consistency(log_.directory(), from, {.origin = origin_, .size = to, .root = heads[to].root});
  };
  for (std::uint64_t to = 1; to <= count; ++to) {
    for (std::uint64_t from = 1; from <= to; ++from) {
      auto proof = prove(from, to);
      ASSERT_TRUE(proof) << proof.error();
      ASSERT_TRUE(is_consistent(heads[from], heads[to], *proof)) << from << " " << to;
    }
  }
  EXPECT_FALSE(prove_consistency(log_.directory(), 3, {.origin = origin_, .size = 20, .root = heads[21].root}));
  std::filesystem::remove(log_.directory() / name_of(SegmentFile::records, 0));
  auto proof = prove(13, count);
  ASSERT_TRUE(proof) << "the hashes of what was deleted are enough: " << proof.error();
  EXPECT_TRUE(is_consistent(heads[13], heads[count], *proof));
  EXPECT_FALSE(prove(6, count)) << "of a size within what was deleted nothing can be proven";
}

}  // namespace
}  // namespace sallyport::store
