#include "store/log_consistency.h"

#include <algorithm>
#include <optional>

#include "audit/log_scan.h"
#include "audit/proof.h"
#include "audit/range_json.h"
#include "store/log_directory.h"
#include "store/segment_reader.h"

namespace sallyport::store {
namespace {

constexpr std::size_t tree_bytes_max = 64U << 10;

class ConsistencyProver {
 public:
  ConsistencyProver(const std::filesystem::path& directory, std::uint64_t old_size, const audit::Checkpoint& checkpoint)
      : directory_(directory), checkpoint_(checkpoint), nodes_(audit::consistency_nodes(old_size, checkpoint.size)) {
    cuts_.push_back(checkpoint.size);
    for (const audit::Node& node : nodes_) {
      cuts_.push_back(node.first);
      cuts_.push_back(node.end);
    }
    std::ranges::sort(cuts_);
    cuts_.erase(std::unique(cuts_.begin(), cuts_.end()), cuts_.end());
  }

  Result<std::vector<audit::Hash>, std::string> prove() {
    auto log = list_log(directory_);
    if (!log) {
      return Unexpected(std::move(log).error());
    }
    for (const SegmentEntry& entry : log->segments) {
      bool is_segment = entry.has_records() || entry.has(SegmentFile::tree);
      if (!is_segment || known_.size() >= checkpoint_.size) {
        continue;
      }
      if (entry.first != known_.size()) {
        return Unexpected("the segment before record " + std::to_string(entry.first) + " ends at " +
                          std::to_string(known_.size()));
      }
      if (auto added = add_segment(entry.first); !added) {
        return Unexpected(std::move(added).error());
      }
    }
    if (tree_.size() != checkpoint_.size || tree_.root() != checkpoint_.root) {
      return Unexpected("the first " + std::to_string(checkpoint_.size) +
                        " records are not those that were signed. `sallyport audit verify` says more");
    }
    std::vector<audit::Hash> proof;
    for (const audit::Node& node : nodes_) {
      auto hash = known_.hash_of(node);
      if (!hash) {
        return Unexpected("of records " + std::to_string(node.first) + " to " + std::to_string(node.end - 1) +
                          " there is no hash");
      }
      proof.push_back(*hash);
    }
    return proof;
  }

 private:
  // Whether a cut is within one of the complete subtrees of which the range has only the hash.
  bool is_cut(const audit::Range& range) const {
    return std::ranges::any_of(audit::subtrees_of(range.first, range.end), [&](const audit::Subtree& subtree) {
      auto cut = std::ranges::upper_bound(cuts_, subtree.first);
      return cut != cuts_.end() && *cut < subtree.first + subtree.size();
    });
  }

  void add(const audit::Range& range) {
    known_.append(range);
    audit::Range covered{.first = range.first, .end = std::min(range.end, checkpoint_.size), .hashes = range.hashes};
    covered.hashes.resize(audit::subtrees_of(covered.first, covered.end).size());  // no subtree is cut
    if (covered.first < covered.end) {
      tree_.append_range(covered);
    }
  }

  Result<Unit, std::string> add_segment(std::uint64_t first) {
    auto text = read_small_file(directory_ / name_of(SegmentFile::tree, first), tree_bytes_max);
    if (!text) {
      return Unexpected(std::move(text).error());
    }
    auto declared = *text ? audit::parse_segment_range(**text) : std::nullopt;
    if (declared && !is_cut(declared->range)) {
      add(declared->range);
      return Unit{};
    }
    auto reader = SegmentReader::open(directory_, first);
    if (!reader) {
      return Unexpected(reader.error().text + (declared ? ". They were deleted" : ""));
    }
    while (known_.size() < checkpoint_.size) {
      auto chunk = reader->next();
      if (!chunk) {
        return Unexpected(std::move(chunk).error().text);
      }
      if (chunk->empty()) {
        return Unit{};
      }
      for (const audit::ScannedRange& part : audit::scan_records(chunk->lines, chunk->index, cuts_).ranges) {
        add(part.range);
      }
    }
    return Unit{};
  }

  const std::filesystem::path& directory_;
  const audit::Checkpoint& checkpoint_;
  std::vector<audit::Node> nodes_;
  std::vector<std::uint64_t> cuts_;
  audit::KnownRanges known_;
  audit::Tree tree_;
};

}  // namespace

Result<std::vector<audit::Hash>, std::string> prove_consistency(const std::filesystem::path& directory,
                                                                std::uint64_t old_size,
                                                                const audit::Checkpoint& checkpoint) {
  if (old_size == 0 || old_size == checkpoint.size) {
    return std::vector<audit::Hash>{};
  }
  return ConsistencyProver(directory, old_size, checkpoint).prove();
}

}  // namespace sallyport::store
