#include "audit/proof.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace sallyport::audit {
namespace {

// RFC 6962's k: the largest power of two below the number of a node's records, which is above 1.
std::uint64_t left_size(std::uint64_t count) {
  return std::bit_floor(count - 1);
}

}  // namespace

std::vector<Node> inclusion_nodes(std::uint64_t index, std::uint64_t size) {
  SALLYPORT_CHECK(index < size);
  std::vector<Node> nodes;
  Node at{.first = 0, .end = size};
  while (at.end - at.first > 1) {
    std::uint64_t middle = at.first + left_size(at.end - at.first);
    if (index < middle) {
      nodes.push_back({.first = middle, .end = at.end});
      at.end = middle;
    } else {
      nodes.push_back({.first = at.first, .end = middle});
      at.first = middle;
    }
  }
  std::ranges::reverse(nodes);
  return nodes;
}

std::optional<Hash> root_by_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                                      std::span<const Hash> proof) {
  if (index >= size) {
    return std::nullopt;
  }
  std::vector<Node> nodes = inclusion_nodes(index, size);
  if (nodes.size() != proof.size()) {
    return std::nullopt;
  }
  Hash root = leaf;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    root = nodes[i].first > index ? node_hash(root, proof[i]) : node_hash(proof[i], root);
  }
  return root;
}

std::vector<Node> consistency_nodes(std::uint64_t old_size, std::uint64_t new_size) {
  SALLYPORT_CHECK(old_size <= new_size);
  std::vector<Node> nodes;
  if (old_size == 0 || old_size == new_size) {
    return nodes;
  }
  // SUBPROOF: down the new tree to the node at whose end the old one ends.
  Node at{.first = 0, .end = new_size};
  while (at.end != old_size) {
    std::uint64_t middle = at.first + left_size(at.end - at.first);
    if (old_size <= middle) {
      nodes.push_back({.first = middle, .end = at.end});
      at.end = middle;
    } else {
      nodes.push_back({.first = at.first, .end = middle});
      at.first = middle;
    }
  }
  if (at.first != 0) {  // else it is the old root, which the verifier has
    nodes.push_back(at);
  }
  std::ranges::reverse(nodes);
  return nodes;
}

bool is_consistent(const TreeHead& older, const TreeHead& newer, std::span<const Hash> proof) {
  if (older.size > newer.size) {
    return false;
  }
  if (older.size == newer.size) {
    return proof.empty() && older.root == newer.root;
  }
  if (older.size == 0) {
    return proof.empty() && older.root == Tree().root();
  }
  std::vector<Node> nodes = consistency_nodes(older.size, newer.size);
  if (nodes.size() != proof.size()) {
    return false;
  }
  bool from_old_root = std::has_single_bit(older.size);
  Hash old_root = from_old_root ? older.root : proof[0];
  Hash new_root = old_root;
  for (std::size_t i = from_old_root ? 0 : 1; i < nodes.size(); ++i) {
    if (nodes[i].first >= older.size) {
      new_root = node_hash(new_root, proof[i]);
    } else {
      old_root = node_hash(proof[i], old_root);
      new_root = node_hash(proof[i], new_root);
    }
  }
  return old_root == older.root && new_root == newer.root;
}

bool KnownRanges::append(const Range& range) {
  if (range.first != size() || !is_well_formed(range)) {
    return false;
  }
  for (const Subtree& subtree : subtrees_of(range.first, range.end)) {
    ends_.push_back(subtree.first + subtree.size());
  }
  hashes_.insert(hashes_.end(), range.hashes.begin(), range.hashes.end());
  return true;
}

std::optional<Hash> KnownRanges::hash_of(const Node& node) const {
  if (node.first >= node.end) {
    return std::nullopt;
  }
  auto place_behind = [&](std::uint64_t index) -> std::optional<std::size_t> {
    if (index == 0) {
      return 0;
    }
    auto found = std::ranges::lower_bound(ends_, index);
    if (found == ends_.end() || *found != index) {
      return std::nullopt;
    }
    return static_cast<std::size_t>(found - ends_.begin()) + 1;
  };
  auto begin = place_behind(node.first);
  auto end = place_behind(node.end);
  if (!begin || !end) {
    return std::nullopt;
  }
  // A node begins where a tree of its own could: the same subtrees, counted from its first record.
  Tree tree;
  for (std::size_t i = *begin; i < *end; ++i) {
    std::uint64_t from = i == 0 ? 0 : ends_[i - 1];
    bool appended =
        tree.append_range({.first = from - node.first, .end = ends_[i] - node.first, .hashes = {hashes_[i]}});
    if (!appended) {
      return std::nullopt;
    }
  }
  return tree.root();
}

}  // namespace sallyport::audit
