#include "audit/proof.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace sallyport::audit {
namespace {

Hash leaf_of(std::uint64_t index) {
  return leaf_hash(std::to_string(index));
}

Hash hash_of_leaves(std::uint64_t first, std::uint64_t end) {
  Tree tree;
  for (std::uint64_t i = first; i < end; ++i) {
    tree.append(leaf_of(i));
  }
  return tree.root();
}

std::vector<Hash> hashes_of(const std::vector<Node>& nodes) {
  std::vector<Hash> hashes;
  for (const Node& node : nodes) {
    hashes.push_back(hash_of_leaves(node.first, node.end));
  }
  return hashes;
}

TEST(InclusionProof, LeadsToTheRootForEveryRecordOfEverySize) {
  for (std::uint64_t size = 1; size <= 70; ++size) {
    Hash root = hash_of_leaves(0, size);
    for (std::uint64_t index = 0; index < size; ++index) {
      std::vector<Hash> proof = hashes_of(inclusion_nodes(index, size));
      ASSERT_EQ(root_by_inclusion(leaf_of(index), index, size, proof), root) << index << " of " << size;
      for (std::uint64_t other = 0; other < size; ++other) {
        if (other != index) {
          ASSERT_NE(root_by_inclusion(leaf_of(index), other, size, proof), root) << index << " as " << other;
          ASSERT_NE(root_by_inclusion(leaf_of(other), index, size, proof), root);
        }
      }
    }
  }
}

TEST(InclusionProof, OfAnotherLengthOrPlaceIsNone) {
  std::vector<Hash> proof = hashes_of(inclusion_nodes(5, 8));
  EXPECT_EQ(root_by_inclusion(leaf_of(5), 8, 8, proof), std::nullopt);
  EXPECT_EQ(root_by_inclusion(leaf_of(5), 5, 0, proof), std::nullopt);
  EXPECT_EQ(root_by_inclusion(leaf_of(5), 5, 8, std::span(proof).first(2)), std::nullopt);
  proof.push_back(proof[0]);
  EXPECT_EQ(root_by_inclusion(leaf_of(5), 5, 8, proof), std::nullopt);
  EXPECT_EQ(root_by_inclusion(leaf_of(0), 0, 1, {}), leaf_of(0));
  EXPECT_EQ(inclusion_nodes(~std::uint64_t{0} - 1, ~std::uint64_t{0}).size(), 63U);
}

// RFC 6962, section 2.1.3: the tree of seven leaves.
TEST(InclusionProof, HasTheNodesOfTheExamplesOfRfc6962) {
  EXPECT_EQ(inclusion_nodes(0, 7), (std::vector<Node>{{1, 2}, {2, 4}, {4, 7}}));
  EXPECT_EQ(inclusion_nodes(3, 7), (std::vector<Node>{{2, 3}, {0, 2}, {4, 7}}));
  EXPECT_EQ(inclusion_nodes(4, 7), (std::vector<Node>{{5, 6}, {6, 7}, {0, 4}}));
  EXPECT_EQ(inclusion_nodes(6, 7), (std::vector<Node>{{4, 6}, {0, 4}}));
}

TEST(ConsistencyProof, HasTheNodesOfTheExamplesOfRfc6962) {
  EXPECT_EQ(consistency_nodes(3, 7), (std::vector<Node>{{2, 3}, {3, 4}, {0, 2}, {4, 7}}));
  EXPECT_EQ(consistency_nodes(4, 7), (std::vector<Node>{{4, 7}}));
  EXPECT_EQ(consistency_nodes(6, 7), (std::vector<Node>{{4, 6}, {6, 7}, {0, 4}}));
}

TEST(ConsistencyProof, HoldsForEveryPairOfSizesAndForNoOtherTree) {
  for (std::uint64_t new_size = 0; new_size <= 40; ++new_size) {
    TreeHead newer{.size = new_size, .root = hash_of_leaves(0, new_size)};
    for (std::uint64_t old_size = 0; old_size <= new_size; ++old_size) {
      TreeHead older{.size = old_size, .root = hash_of_leaves(0, old_size)};
      std::vector<Hash> proof = hashes_of(consistency_nodes(old_size, new_size));
      ASSERT_TRUE(is_consistent(older, newer, proof)) << old_size << " " << new_size;
      TreeHead rewritten{.size = old_size, .root = leaf_hash("rewritten")};
      ASSERT_FALSE(is_consistent(rewritten, newer, proof));
      if (old_size != 0) {
        ASSERT_FALSE(is_consistent(older, {.size = new_size, .root = leaf_hash("rewritten")}, proof));
      }
      for (std::size_t i = 0; i < proof.size(); ++i) {
        std::vector<Hash> changed = proof;
        changed[i][0] ^= 1;
        ASSERT_FALSE(is_consistent(older, newer, changed));
      }
      proof.push_back(leaf_of(0));
      ASSERT_FALSE(is_consistent(older, newer, proof));
      if (old_size < new_size) {
        ASSERT_FALSE(is_consistent(newer, older, proof));
      }
    }
  }
}

TEST(KnownRanges, HaveTheHashesOfTheNodesThatTheyDoNotCut) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 100; ++round) {
    std::uint64_t size = 2 + random() % 100;
    std::uint64_t index = random() % size;
    // Ranges as segments have them, one of them cut at the record and at the nodes of its proof.
    std::vector<std::uint64_t> cuts{index, index + 1, size};
    for (const Node& node : inclusion_nodes(index, size)) {
      cuts.push_back(node.first);
      cuts.push_back(node.end);
    }
    for (int i = 0; i < 5; ++i) {
      cuts.push_back(random() % size);
    }
    std::ranges::sort(cuts);
    KnownRanges known;
    for (std::uint64_t end : cuts) {
      RangeTree range(known.size());
      for (std::uint64_t i = known.size(); i < end; ++i) {
        range.append(leaf_of(i));
      }
      if (range.range().end != range.range().first) {
        ASSERT_TRUE(known.append(range.range()));
      }
    }
    ASSERT_EQ(known.size(), size);
    for (const Node& node : inclusion_nodes(index, size)) {
      ASSERT_EQ(known.hash_of(node), hash_of_leaves(node.first, node.end));
    }
    ASSERT_EQ(known.hash_of({.first = index, .end = index + 1}), leaf_of(index));
    ASSERT_EQ(known.hash_of({.first = 0, .end = size}), hash_of_leaves(0, size));
    ASSERT_EQ(known.hash_of({.first = 0, .end = size + 1}), std::nullopt);
  }
}

}  // namespace
}  // namespace sallyport::audit
