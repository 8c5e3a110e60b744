// The Merkle tree over a log's records: RFC 6962, section 2.1, with SHA-256.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "crypto/hash.h"

namespace sallyport::audit {

using Hash = crypto::Sha256Digest;

// Of a record without its LF.
Hash leaf_hash(std::string_view record);
Hash node_hash(const Hash& left, const Hash& right);

// A complete subtree: 2^level records, the first of which has an index that is a multiple of 2^level.
struct Subtree {
  std::uint64_t first;
  unsigned level;

  std::uint64_t size() const { return std::uint64_t{1} << level; }
  friend bool operator==(const Subtree&, const Subtree&) = default;
};

// The largest complete subtrees that lie in the records `first` to `end` (which is behind the last), from left to
// right: at most 126 of them. None where `end` is not above `first`.
std::vector<Subtree> subtrees_of(std::uint64_t first, std::uint64_t end);

// What the tree needs to know of a range of records: the hashes of its largest complete subtrees, from left to right.
struct Range {
  std::uint64_t first = 0;
  std::uint64_t end = 0;  // behind the last
  std::vector<Hash> hashes = {};

  friend bool operator==(const Range&, const Range&) = default;
};

// Whether a range holds at least one record, and as many hashes as one of its place has.
bool is_well_formed(const Range& range);

// The right edge of the tree of all records so far; takes as much memory whatever their number.
class Tree {
 public:
  void append(const Hash& leaf) { append_subtree(0, leaf); }
  // The records of a range, which follow on those that are there. False, and nothing is changed, when they do not or
  // when the range is not well-formed.
  bool append_range(const Range& range);

  std::uint64_t size() const { return size_; }
  // Of an empty tree: SHA-256 of nothing.
  Hash root() const;

 private:
  void append_subtree(unsigned level, const Hash& hash);

  std::uint64_t size_ = 0;
  // At each level whose bit is set in `size_`, the hash of a complete subtree; the higher, the more to the left.
  std::array<Hash, 64> subtrees_;
};

// Makes the Range of consecutive records, the first of which has the index `first`.
class RangeTree {
 public:
  explicit RangeTree(std::uint64_t first) : range_{.first = first, .end = first} {}

  void append(const Hash& leaf) { append_subtree(0, leaf); }
  // The records of a range, which follow on. False, and nothing is changed, when they do not or when it is not
  // well-formed.
  bool append_range(const Range& range);
  const Range& range() const { return range_; }

 private:
  void append_subtree(unsigned level, const Hash& hash);

  Range range_;
  std::vector<unsigned> levels_;  // of range_.hashes
};

}  // namespace sallyport::audit
