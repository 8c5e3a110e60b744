#include "audit/tree.h"

#include <gtest/gtest.h>

#include <random>
#include <span>
#include <string>

namespace sallyport::audit {
namespace {

std::string hex(const Hash& hash) {
  std::string text;
  for (std::uint8_t byte : hash) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::vector<Hash> numbered_leaves(std::size_t count) {
  std::vector<Hash> leaves;
  for (std::size_t i = 0; i < count; ++i) {
    leaves.push_back(leaf_hash("record " + std::to_string(i)));
  }
  return leaves;
}

// RFC 6962, section 2.1, as it is written there.
// NOLINTNEXTLINE(misc-no-recursion): as deep as the tree
Hash naive_root(std::span<const Hash> leaves) {
  if (leaves.empty()) {
    return crypto::sha256({});
  }
  if (leaves.size() == 1) {
    return leaves[0];
  }
  std::size_t left = 1;
  while (left * 2 < leaves.size()) {
    left *= 2;
  }
  return node_hash(naive_root(leaves.first(left)), naive_root(leaves.subspan(left)));
}

Range range_of(std::span<const Hash> leaves, std::size_t first, std::size_t end) {
  RangeTree tree(first);
  for (std::size_t i = first; i < end; ++i) {
    tree.append(leaves[i]);
  }
  return tree.range();
}

// The leaves and roots with which Certificate Transparency's own implementations are tested.
TEST(Tree, HasTheRootsOfCertificateTransparencysVectors) {
  using namespace std::string_view_literals;
  constexpr std::string_view leaves[] = {""sv,
                                         "\x00"sv,
                                         "\x10"sv,
                                         "\x20\x21"sv,
                                         "\x30\x31"sv,
                                         "\x40\x41\x42\x43"sv,
                                         "\x50\x51\x52\x53\x54\x55\x56\x57"sv,
                                         "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"sv};
  constexpr std::string_view roots[] = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  Tree tree;
  EXPECT_EQ(hex(tree.root()), roots[0]);
  for (std::size_t i = 0; i < std::size(leaves); ++i) {
    tree.append(leaf_hash(leaves[i]));
    EXPECT_EQ(tree.size(), i + 1);
    EXPECT_EQ(hex(tree.root()), roots[i + 1]);
  }
}

TEST(Tree, AgreesWithTheDefinitionAtEverySize) {
  std::vector<Hash> leaves = numbered_leaves(300);
  Tree tree;
  for (std::size_t size = 0; size < leaves.size(); ++size) {
    ASSERT_EQ(tree.root(), naive_root(std::span(leaves).first(size))) << size;
    tree.append(leaves[size]);
  }
}

TEST(Tree, SubtreesAreCompleteAlignedAndTheLargestPossible) {
  for (std::uint64_t first = 0; first < 70; ++first) {
    for (std::uint64_t end = first; end < 140; ++end) {
      std::uint64_t at = first;
      for (const Subtree& subtree : subtrees_of(first, end)) {
        ASSERT_EQ(subtree.first, at);
        ASSERT_EQ(at % subtree.size(), 0U);
        bool could_be_larger = at % (2 * subtree.size()) == 0 && at + 2 * subtree.size() <= end;
        ASSERT_FALSE(could_be_larger) << first << " " << end;
        at += subtree.size();
      }
      ASSERT_EQ(at, end);
    }
  }
  EXPECT_EQ(subtrees_of(5, 3), std::vector<Subtree>{});
  EXPECT_EQ(subtrees_of(1, ~std::uint64_t{0}).size(), 126U);
}

TEST(RangeTree, HasTheHashesOfItsSubtrees) {
  std::vector<Hash> leaves = numbered_leaves(80);
  for (std::size_t first = 0; first < 40; ++first) {
    for (std::size_t end = first + 1; end < leaves.size(); ++end) {
      Range range = range_of(leaves, first, end);
      std::vector<Hash> expected;
      for (const Subtree& subtree : subtrees_of(first, end)) {
        expected.push_back(naive_root(std::span(leaves).subspan(subtree.first, subtree.size())));
      }
      ASSERT_EQ(range, (Range{.first = first, .end = end, .hashes = expected}));
      ASSERT_TRUE(is_well_formed(range));
    }
  }
}

TEST(RangeTree, OfRangesIsThatOfTheirRecords) {
  std::mt19937_64 random(1);
  std::vector<Hash> leaves = numbered_leaves(210);
  for (int round = 0; round < 100; ++round) {
    std::size_t first = random() % 100;
    RangeTree whole(first);
    for (std::size_t at = first; at < 200;) {
      std::size_t end = std::min<std::size_t>(200, at + 1 + random() % 40);
      ASSERT_FALSE(whole.append_range(range_of(leaves, at + 1, end + 1)));
      ASSERT_TRUE(whole.append_range(range_of(leaves, at, end)));
      ASSERT_EQ(whole.range(), range_of(leaves, first, end));
      at = end;
    }
  }
}

TEST(Tree, OfRangesIsTheTreeOfTheirRecords) {
  std::mt19937_64 random(6962);
  std::vector<Hash> leaves = numbered_leaves(500);
  for (int round = 0; round < 200; ++round) {
    Tree tree;
    std::size_t size = 0;
    while (size < leaves.size()) {
      std::size_t end = std::min(leaves.size(), size + 1 + random() % 200);
      if (random() % 3 == 0) {
        tree.append(leaves[size]);
        end = size + 1;
      } else {
        ASSERT_TRUE(tree.append_range(range_of(leaves, size, end)));
      }
      size = end;
      ASSERT_EQ(tree.root(), naive_root(std::span(leaves).first(size)));
    }
  }
}

TEST(Tree, TakesNoRangeThatDoesNotFollowOnOrHasAnotherNumberOfHashes) {
  std::vector<Hash> leaves = numbered_leaves(10);
  Tree tree;
  ASSERT_TRUE(tree.append_range(range_of(leaves, 0, 4)));
  Hash root = tree.root();
  EXPECT_FALSE(tree.append_range(range_of(leaves, 5, 8)));
  EXPECT_FALSE(tree.append_range(range_of(leaves, 3, 8)));
  EXPECT_FALSE(tree.append_range({.first = 4, .end = 4}));
  EXPECT_FALSE(tree.append_range({.first = 4, .end = 3}));
  Range range = range_of(leaves, 4, 7);
  range.hashes.pop_back();
  EXPECT_FALSE(tree.append_range(range));
  range.hashes.resize(3);
  EXPECT_FALSE(tree.append_range(range));
  EXPECT_EQ(tree.root(), root);
  EXPECT_EQ(tree.size(), 4U);
}

}  // namespace
}  // namespace sallyport::audit
