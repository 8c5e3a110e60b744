#include "audit/tree.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace sallyport::audit {
namespace {

constexpr std::array<std::uint8_t, 1> leaf_prefix{0};
constexpr std::array<std::uint8_t, 1> node_prefix{1};

Subtree first_subtree_of(std::uint64_t first, std::uint64_t end) {
  auto level_by_size = static_cast<unsigned>(std::bit_width(end - first)) - 1;
  auto level_by_place = static_cast<unsigned>(std::countr_zero(first));  // 64 at the left edge
  return {.first = first, .level = std::min(level_by_size, level_by_place)};
}

}  // namespace

Hash leaf_hash(std::string_view record) {
  return crypto::sha256({leaf_prefix, bytes_of(record)});
}

Hash node_hash(const Hash& left, const Hash& right) {
  return crypto::sha256({node_prefix, left, right});
}

std::vector<Subtree> subtrees_of(std::uint64_t first, std::uint64_t end) {
  std::vector<Subtree> found;
  while (first < end) {
    found.push_back(first_subtree_of(first, end));
    first += found.back().size();
  }
  return found;
}

bool is_well_formed(const Range& range) {
  return range.first < range.end && range.hashes.size() == subtrees_of(range.first, range.end).size();
}

void Tree::append_subtree(unsigned level, const Hash& hash) {
  std::uint64_t bit = std::uint64_t{1} << level;
  SALLYPORT_CHECK((size_ & (bit - 1)) == 0);
  Hash merged = hash;
  while ((size_ >> level & 1) != 0) {
    merged = node_hash(subtrees_[level], merged);
    ++level;
  }
  subtrees_[level] = merged;
  size_ += bit;
}

bool Tree::append_range(const Range& range) {
  if (range.first != size_ || !is_well_formed(range)) {
    return false;
  }
  std::vector<Subtree> subtrees = subtrees_of(range.first, range.end);
  for (std::size_t i = 0; i < subtrees.size(); ++i) {
    append_subtree(subtrees[i].level, range.hashes[i]);
  }
  return true;
}

Hash Tree::root() const {
  if (size_ == 0) {
    return crypto::sha256({});
  }
  auto level = static_cast<unsigned>(std::countr_zero(size_));
  Hash right = subtrees_[level];
  for (std::uint64_t rest = size_ & (size_ - 1); rest != 0; rest &= rest - 1) {
    right = node_hash(subtrees_[static_cast<unsigned>(std::countr_zero(rest))], right);
  }
  return right;
}

bool RangeTree::append_range(const Range& range) {
  if (range.first != range_.end || !is_well_formed(range)) {
    return false;
  }
  std::vector<Subtree> subtrees = subtrees_of(range.first, range.end);
  for (std::size_t i = 0; i < subtrees.size(); ++i) {
    append_subtree(subtrees[i].level, range.hashes[i]);
  }
  return true;
}

void RangeTree::append_subtree(unsigned level, const Hash& hash) {
  Hash merged = hash;
  range_.end += std::uint64_t{1} << level;
  // Two of a level are one of the next where that begins at a multiple of its size.
  while (!levels_.empty() && levels_.back() == level && (range_.end & ((std::uint64_t{2} << level) - 1)) == 0) {
    merged = node_hash(range_.hashes.back(), merged);
    range_.hashes.pop_back();
    levels_.pop_back();
    ++level;
  }
  range_.hashes.push_back(merged);
  levels_.push_back(level);
}

}  // namespace sallyport::audit
