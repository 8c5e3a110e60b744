#include "audit/log_scan.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

#include "audit/canonical_json.h"
#include "audit/record_members.h"

namespace sallyport::audit {
namespace {

// Digits: a text of them is none.
std::optional<std::uint64_t> number_in(std::string_view object, std::string_view name) {
  std::string_view value = find_member(object, name);
  return value.starts_with('"') ? std::nullopt : number_of(value);
}

std::optional<Hash> digest_in(std::string_view object, std::string_view name) {
  std::string_view text = find_member(object, name);
  Hash digest{};
  if (text.size() != 2 * digest.size() + 2) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const char* digits = text.data() + 1 + 2 * i;
    auto [end, error] = std::from_chars(digits, digits + 2, digest[i], 16);
    if (error != std::errc{} || end != digits + 2) {
      return std::nullopt;
    }
  }
  return digest;
}

std::uint64_t hash_of_command(std::string_view session, std::string_view number) {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15;
  std::hash<std::string_view> hash;
  return hash(session) * odd + hash(number);
}

// `record` is canonical, and an outcome. Yields what is wrong with it, or nothing.
std::string_view read_answer(std::string_view record, const RecordOutline& outline, std::uint64_t index,
                             std::vector<RecordedAnswer>& answers) {
  std::string_view recorded = find_member(record, "answer_recorded");
  if (recorded.empty()) {
    return {};
  }
  bool is_object = recorded.starts_with('{');
  auto recorded_bytes = is_object ? number_in(recorded, "bytes") : std::nullopt;
  auto recorded_sha256 = is_object ? digest_in(recorded, "sha256") : std::nullopt;
  auto command = number_in(record, "of");
  auto bytes = number_in(record, "bytes");
  if (!recorded_bytes || !recorded_sha256 || !command || !bytes || *recorded_bytes > *bytes ||
      !outline.session.starts_with('"')) {
    return "its answer_recorded does not say what is recorded of which answer";
  }
  auto sha256 = digest_in(record, "answer_sha256");
  if (*recorded_bytes == *bytes && sha256 && *sha256 != *recorded_sha256) {
    return "it has two different digests of one answer";
  }
  answers.push_back({.index = index,
                     .session = unescaped(outline.session),
                     .command = *command,
                     .command_hash = hash_of_command(outline.session, find_member(record, "of")),
                     .recorded_bytes = *recorded_bytes,
                     .recorded_sha256 = *recorded_sha256,
                     .bytes = *bytes});
  return {};
}

}  // namespace

RecordScan scan_records(std::string_view lines, std::uint64_t first, std::span<const std::uint64_t> cuts) {
  RecordScan scan{.first = first,
                  .count = 0,
                  .ranges = {},
                  .key_changes = {},
                  .deletions = {},
                  .commands = {},
                  .outcomes = {},
                  .answers = {},
                  .answers_keys = {},
                  .faults = {},
                  .fault_count = 0,
                  .time_first = {}};
  auto cut = std::ranges::upper_bound(cuts, first);
  RangeTree range(first);
  std::uint64_t index = first;
  RecordOutline outline;
  std::string_view time;
  auto fault = [&](std::string what) {
    ++scan.fault_count;
    if (scan.faults.size() < RecordScan::faults_max) {
      scan.faults.push_back({.index = index, .what = std::move(what)});
    }
  };
  while (!lines.empty()) {
    std::size_t end = std::min(lines.find('\n'), lines.size());
    std::string_view record = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    range.append(leaf_hash(record));
    outline = {};
    if (CanonicalFault found = check_canonical_object(record, outline)) {
      fault(std::string(found.what) + " (at byte " + std::to_string(found.at) + ")");
    } else if (outline.type.size() < 2 || outline.time.size() < 2) {
      fault("it has no type or no time");
    } else if (outline.type == "\"audit_key_changed\"") {
      scan.key_changes.push_back({.index = index, .text = std::string(record)});
    } else if (outline.type == "\"audit_pruned\"") {
      auto deleted_first = number_in(record, "first");
      auto deleted_end = number_in(record, "end");
      if (deleted_first && deleted_end) {
        scan.deletions.push_back({.first = *deleted_first, .end = *deleted_end});
      }
    } else if (outline.type == "\"audit_start\"" || outline.type == "\"audit_answers_key\"") {
      if (std::string_view key = find_member(record, "answers_key"); key.starts_with('"')) {
        scan.answers_keys.push_back(unescaped(key));
      }
    } else if (outline.type == "\"command\"") {
      scan.commands.push_back(hash_of_command(outline.session, outline.seq));
    } else if (outline.type == "\"outcome\"") {
      scan.outcomes.push_back(hash_of_command(outline.session, find_member(record, "of")));
      if (std::string_view what = read_answer(record, outline, index, scan.answers); !what.empty()) {
        fault(std::string(what));
      }
    }
    time = outline.time.size() < 2 ? "" : outline.time.substr(1, outline.time.size() - 2);
    if (index == first) {
      scan.time_first = time;
    }
    ++index;
    if (cut != cuts.end() && *cut == index) {
      scan.ranges.push_back({.range = range.range(), .time_last = std::string(time)});
      range = RangeTree(index);
      ++cut;
    }
  }
  if (range.range().first != index) {
    scan.ranges.push_back({.range = range.range(), .time_last = std::string(time)});
  }
  scan.count = index - first;
  return scan;
}

}  // namespace sallyport::audit
