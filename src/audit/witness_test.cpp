#include "audit/witness.h"

#include <gtest/gtest.h>

#include "base/hex.h"

namespace sallyport::audit {
namespace {

crypto::PrivateKey private_key(std::uint8_t seed) {
  return std::move(crypto::PrivateKey::ed25519_from_seed(std::vector<std::uint8_t>(32, seed)).value());
}
NoteSigner signer_of(std::uint8_t seed, std::string_view origin = "log.example") {
  return std::move(NoteSigner::make(private_key(seed), origin).value());
}

class WitnessTest : public testing::Test {
 protected:
  WitnessTest() {
    Tree tree;
    heads_.push_back({.size = 0, .root = tree.root()});
    for (std::uint64_t i = 0; i < 20; ++i) {
      Hash leaf = leaf_hash(std::to_string(i));
      tree.append(leaf);
      known_.append({.first = i, .end = i + 1, .hashes = {leaf}});
      heads_.push_back({.size = i + 1, .root = tree.root()});
    }
  }
  std::string note(std::uint64_t size, std::uint8_t seed = 1, std::string_view origin = "log.example") const {
    NoteSigner signer = signer_of(seed, origin);
    const NoteSigner* signers[] = {&signer};
    return sign({.origin = std::string(origin), .size = size, .root = heads_[size].root}, signers);
  }
  // Of single leaves, hashes of nodes are made here.
  Hash hash_of(const Node& node) const {
    if (node.end - node.first == 1) {
      return *known_.hash_of(node);
    }
    std::uint64_t half = 1;
    while (2 * half < node.end - node.first) {
      half *= 2;
    }
    return node_hash(hash_of({node.first, node.first + half}), hash_of({node.first + half, node.end}));
  }
  AddCheckpoint request(std::uint64_t from, std::uint64_t to) const {
    AddCheckpoint made{.old_size = from, .proof = {}, .note = note(to)};
    for (const Node& node : consistency_nodes(from, to)) {
      made.proof.push_back(hash_of(node));
    }
    return made;
  }
  WitnessAnswer answer(const std::string& body, std::optional<std::uint64_t> known) const {
    std::vector<NoteKey> keys;
    keys.push_back(NoteKey::parse(signer_of(1).verifier_key().to_line()).value());
    keys.push_back(NoteKey::parse(signer_of(3, "third.example").verifier_key().to_line()).value());
    auto checked = check_add_checkpoint(body, keys);
    return checked ? judge(*checked, known ? std::optional(heads_[*known]) : std::nullopt) : checked.error();
  }

  std::vector<TreeHead> heads_;
  KnownRanges known_;
};

TEST_F(WitnessTest, ARequestIsReadAsItWasWritten) {
  for (std::uint64_t from : {0U, 1U, 6U, 20U}) {
    AddCheckpoint made = request(from, 20);
    auto read = parse_add_checkpoint(to_text(made));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->old_size, made.old_size);
    EXPECT_EQ(read->proof, made.proof);
    EXPECT_EQ(read->note, made.note);
  }
}

TEST_F(WitnessTest, ItCosignsWhatGoesOnFromWhatItKnows) {
  for (std::uint64_t to = 1; to <= 20; ++to) {
    EXPECT_EQ(answer(to_text(request(0, to)), std::nullopt).status, 200);
    for (std::uint64_t from = 1; from <= to; ++from) {
      EXPECT_EQ(answer(to_text(request(from, to)), from).status, 200) << from << " " << to;
    }
  }
}

TEST_F(WitnessTest, EachRefusalHasItsStatus) {
  std::string good = to_text(request(6, 20));
  EXPECT_EQ(answer(good, 6).status, 200);
  auto conflict = answer(good, 7);
  EXPECT_EQ(conflict.status, 409);
  EXPECT_EQ(conflict.content_type, "text/x.tlog.size");
  EXPECT_EQ(size_of_conflict(conflict.body), 7U);
  EXPECT_EQ(answer(good, std::nullopt).body, "0\n");
  EXPECT_EQ(answer(to_text(request(0, 20)), 20).body, "20\n");
  // An older one: a log that was put back.
  EXPECT_EQ(answer(to_text(request(3, 4)), 20).status, 409);
  AddCheckpoint other = request(6, 20);
  other.proof[0][0] ^= 1;
  EXPECT_EQ(answer(to_text(other), 6).status, 422);
  other = request(6, 20);
  other.proof.pop_back();
  EXPECT_EQ(answer(to_text(other), 6).status, 422);
  other = request(0, 20);
  other.proof.push_back(heads_[1].root);
  EXPECT_EQ(answer(to_text(other), std::nullopt).status, 422);
  // Of the same size with another root.
  NoteSigner signer = signer_of(1);
  const NoteSigner* signers[] = {&signer};
  other = {.old_size = 20,
           .proof = {},
           .note = sign({.origin = "log.example", .size = 20, .root = heads_[19].root}, signers)};
  EXPECT_EQ(answer(to_text(other), 20).status, 409);
  other = {
      .old_size = 0, .proof = {}, .note = sign({.origin = "log.example", .size = 0, .root = heads_[19].root}, signers)};
  EXPECT_EQ(answer(to_text(other), std::nullopt).status, 422);
  other = request(6, 20);
  other.note = note(20, 2);
  EXPECT_EQ(answer(to_text(other), 6).status, 403) << "signed by another key";
  other.note = note(20, 3);
  EXPECT_EQ(answer(to_text(other), 6).status, 403) << "signed by the key of another log that is known";
  other.note = note(20, 1, "stranger.example");
  EXPECT_EQ(answer(to_text(other), 6).status, 404);
  other = request(6, 20);
  other.old_size = 21;
  EXPECT_EQ(answer(to_text(other), 6).status, 400);
}

TEST_F(WitnessTest, WhatIsMalformedIsRefused) {
  std::string good = to_text(request(6, 20));
  std::string hash = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n";
  std::string many;
  for (int i = 0; i < 64; ++i) {
    many += hash;
  }
  for (const std::string& body :
       {std::string(), std::string("old 6"), std::string("old 6\n"), "old 06\n\n" + note(20), "old -1\n\n" + note(20),
        "old \n\n" + note(20), "Old 6\n\n" + note(20), "old 6\n" + note(20), "old 6\nAAAA\n\n" + note(20),
        "old 6\n" + many + "\n" + note(20), "old 6\r\n\r\n" + note(20), good.substr(0, good.size() - 1), good + "x",
        "old 99999999999999999999\n\n" + note(20), "old 6\n\n" + std::string(9000, 'x')}) {
    EXPECT_EQ(answer(body, 6).status, 400) << body;
  }
}

// The example of C2SP tlog-cosignature has another key; what is computed here was by another program.
TEST_F(WitnessTest, ACosignatureIsOfItsKeyTimeAndText) {
  Cosigner cosigner = std::move(Cosigner::make(private_key(9), "witness.example/w1").value());
  WitnessKey key = WitnessKey::parse(cosigner.witness_key().to_line() + "\n").value();
  EXPECT_EQ(key.to_line(), "witness.example/w1+24b5d9fe+BP0XJDhaoMdbZPt4zWAvodmR/ev3axPFjtcC6sg16fYY");
  std::string plain = note(20);
  std::string line = cosigner.cosign(parse_note(plain)->text, wall_from_unix_seconds(1'679'315'147));
  EXPECT_EQ(
      line,
      "\xE2\x80\x94 witness.example/w1 "
      "JLXZ/gAAAABkGFDLp2njLV6ai8tu+sKdyrycCGP8X20bQG+PElXv6gavAWXwN4BbTogsmSEHG3/dMIcWEX1EajdgDWKyNaeRkZZnCQ==\n");
  auto joined = with_cosignature(plain, "\xE2\x80\x94 other.example AAAAAAAA\n" + line, key);
  ASSERT_TRUE(joined);
  EXPECT_EQ(*joined, plain + line);
  auto read = parse_note(*joined);
  EXPECT_EQ(key.cosigned_at(*read), 1'679'315'147U);
  EXPECT_EQ(signed_by(*read, signer_of(1).verifier_key()), SignedBy::valid);
  Cosigner other = std::move(Cosigner::make(private_key(8), "witness.example/w1").value());
  EXPECT_EQ(other.witness_key().cosigned_at(*read), std::nullopt);
  EXPECT_FALSE(with_cosignature(plain, line, other.witness_key()));
  EXPECT_FALSE(with_cosignature(note(19), line, key)) << "of another checkpoint";
  EXPECT_FALSE(with_cosignature(plain, "", key));
  EXPECT_FALSE(with_cosignature(plain, "<html>\n", key));
  EXPECT_FALSE(NoteKey::parse(key.to_line())) << "it signs no notes";
  EXPECT_FALSE(WitnessKey::parse(signer_of(1).verifier_key().to_line()));
  for (std::size_t bit = 0; bit < line.size() * 8; ++bit) {
    std::string changed = line;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    ASSERT_FALSE(with_cosignature(plain, changed, key)) << bit;
  }
}

}  // namespace
}  // namespace sallyport::audit
