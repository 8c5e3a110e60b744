// Proofs that a record is in the tree of a log, and that one tree is the beginning of another: RFC 6962, sections 2.1.1
// and 2.1.2.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "audit/tree.h"

namespace sallyport::audit {

// The records from `first` up to but without `end`, whose hash is a node of the tree.
struct Node {
  std::uint64_t first;
  std::uint64_t end;

  friend bool operator==(const Node&, const Node&) = default;
};

// The nodes whose hashes prove that record `index` is in the tree of `size` records, the nearest first; index < size.
std::vector<Node> inclusion_nodes(std::uint64_t index, std::uint64_t size);
// The root that the tree of `size` records has if the proof is right; nothing when the proof has another number of
// hashes than one of that place, or index is not below size.
std::optional<Hash> root_by_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                                      std::span<const Hash> proof);

// The nodes whose hashes prove that the tree of `old_size` records is the beginning of that of `new_size`; none when
// the sizes are the same, or the old one is 0. old_size <= new_size.
std::vector<Node> consistency_nodes(std::uint64_t old_size, std::uint64_t new_size);

struct TreeHead {
  std::uint64_t size;
  Hash root;
};
bool is_consistent(const TreeHead& older, const TreeHead& newer, std::span<const Hash> proof);

// Hashes of nodes, made of the ranges that a log is known by.
class KnownRanges {
 public:
  // Follows on the last one. False, and nothing is changed, when it doesn't or is not well-formed.
  bool append(const Range& range);
  std::uint64_t size() const { return ends_.empty() ? 0 : ends_.back(); }
  // Nothing where a range's subtree lies across an end of the node, or the node is beyond.
  std::optional<Hash> hash_of(const Node& node) const;

 private:
  std::vector<std::uint64_t> ends_;  // of each subtree, in order
  std::vector<Hash> hashes_;
};

}  // namespace sallyport::audit
