#include "store/log_verification.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "store/answer_verification.h"
#include "store/hand_overs.h"
#include "store/log_directory.h"
#include "store/scan_pool.h"
#include "store/segment_reader.h"
#include "store/witness_files.h"

namespace sallyport::store {
namespace {

using audit::FindingCode;

// Files that are read whole. `checkpoints` grows by some 250 bytes for each segment and start.
constexpr std::size_t checkpoint_bytes_max = audit::note_bytes_max;
constexpr std::size_t tree_bytes_max = 64U << 10;
constexpr Milliseconds poll_interval{50};
// New segments may come while older ones are read; this many times they are looked for.
constexpr int listings_max = 1000;

class Verification {
 public:
  Verification(const VerificationOptions& options, audit::LogVerifier& verifier)
      : options_(options), verifier_(verifier), pool_(options.threads) {
    if (options.answers == VerificationOptions::Answers::verified) {
      answers_.emplace(options.directory, options.answers_keys,
                       [&verifier](FindingCode code, std::string file, std::string text, audit::RecordSpan records) {
                         verifier.fault(code, std::move(file), std::move(text), records);
                       });
    }
  }

  Result<Unit, std::string> run() {
    for (int listing = 0; listing < listings_max; ++listing) {
      auto log = list_log(options_.directory);
      if (!log) {
        return Unexpected(std::move(log).error());
      }
      bool any_new = false;
      for (const SegmentEntry& entry : log->segments) {
        bool is_new = !last_first_ || entry.first > *last_first_;
        if (is_new && (entry.has_records() || entry.has(SegmentFile::tree))) {
          any_new = true;
          read_unlisted(entry.first);
          read_segment(entry);
        }
      }
      if (!any_new) {
        break;
      }
    }
    pool_.finish();
    settle_tail();
    if (reader_ != nullptr) {
      // The last segment has a tree file only when it is closed, or was about to be.
      end_segment(reader_->is_compressed() && !stopped_ ? Closing::closed : Closing::open);
    }
    pool_.finish();
    return Unit{};
  }

  // After run().
  audit::AnswersReport answers() { return answers_ ? answers_->finish() : audit::AnswersReport{}; }

 private:
  enum class Closing : std::uint8_t { open, followed, closed };

  void fault(FindingCode code, std::string file, std::string text) {
    pool_.then([this, code, file = std::move(file), text = std::move(text)] { verifier_.fault(code, file, text); });
  }

  // A directory is not listed at one moment: the files of a segment that is being closed may be missed. So what should
  // come before a segment is tried by its name.
  void read_unlisted(std::uint64_t end) {
    while (true) {
      if (reader_ != nullptr) {
        drain();
      }
      if (last_first_ && (reader_ == nullptr || failed_)) {
        return;
      }
      std::uint64_t next = reader_ != nullptr ? next_index() : 0;
      bool is_unlisted = next < end && (!last_first_ || next > *last_first_);
      if (!is_unlisted || !SegmentReader::open(options_.directory, next)) {
        return;
      }
      read_segment({.first = next, .files = 0});
    }
  }

  void read_segment(const SegmentEntry& entry) {
    if (reader_ != nullptr) {
      // Another one has begun, so this one is complete.
      drain();
      end_segment(reader_->is_compressed() ? Closing::closed : Closing::followed);
    }
    last_first_ = entry.first;
    auto reader = SegmentReader::open(options_.directory, entry.first);
    if (!reader && reader.error().kind == SegmentError::Kind::absent) {
      read_pruned(entry.first);
      return;
    }
    if (!reader) {
      std::string file = name_of(SegmentFile::records, entry.first);
      fault(FindingCode::segment_unreadable, file, reader.error().text);
      // What its tree file says keeps the rest of the log provable.
      pool_.then([this, first = entry.first, file] {
        verifier_.begin_segment(first, file);
        if (answers_) {
          answers_->begin_segment(first, std::nullopt);
        }
      });
      pool_.then([this, tree = tree_file(entry.first)] { verifier_.end_segment(tree, false); });
      return;
    }
    reader_ = std::make_unique<SegmentReader>(std::move(*reader));
    begin_segment(entry.first);
    drain();
  }

  // Its answers are opened with it: retention may delete both meanwhile.
  void begin_segment(std::uint64_t first) {
    auto answers =
        answers_ ? AnswerPieceReader::open(options_.directory / name_of(SegmentFile::answers, first)) : std::nullopt;
    auto shared = std::make_shared<std::optional<AnswerPieceReader>>(std::move(answers));
    pool_.then([this, first, file = reader_->file().filename().string(), shared] {
      verifier_.begin_segment(first, file);
      if (answers_) {
        answers_->begin_segment(first, std::move(*shared));
      }
    });
  }

  std::optional<std::string> tree_file(std::uint64_t first) {
    auto text = read_small_file(options_.directory / name_of(SegmentFile::tree, first), tree_bytes_max);
    if (!text) {
      fault(FindingCode::tree_malformed, name_of(SegmentFile::tree, first), text.error());
    }
    return text ? *text : std::nullopt;
  }

  void read_pruned(std::uint64_t first) {
    if (auto tree = tree_file(first)) {
      pool_.then([this, first, text = std::move(*tree)] {
        verifier_.pruned_segment(first, name_of(SegmentFile::tree, first), text);
        if (answers_) {
          answers_->pruned_segment();
        }
      });
    }
  }

  // Reads what the segment at hand has by now.
  void drain() { read_until(~std::uint64_t{0}); }

  void read_until(std::uint64_t end) {
    std::vector<std::uint64_t> cuts(verifier_.cuts().begin(), verifier_.cuts().end());
    while (!failed_ && next_index() < end) {
      auto chunk = reader_->next();
      if (!chunk) {
        failed_ = true;
        fault(FindingCode::segment_unreadable, reader_->file().filename().string(),
              chunk.error().text + ". The records from there on can't be read");
        return;
      }
      if (chunk->empty()) {
        return;
      }
      std::string_view lines = chunk->lines;
      if (chunk->index + chunk->count > end) {
        lines = first_lines(lines, end - chunk->index);
        stopped_ = true;
      }
      pool_.scan(std::string(lines), chunk->index, cuts_in(cuts, *chunk), [this](const audit::RecordScan& scan) {
        verifier_.take(scan);
        if (answers_) {
          answers_->take(scan);
        }
      });
    }
  }

  std::uint64_t next_index() const { return reader_->position(); }

  static std::string_view first_lines(std::string_view lines, std::uint64_t count) {
    std::size_t at = 0;
    for (; count > 0; --count) {
      at = lines.find('\n', at) + 1;
    }
    return lines.substr(0, at);
  }

  static std::vector<std::uint64_t> cuts_in(const std::vector<std::uint64_t>& cuts, const LineChunk& chunk) {
    auto begin = std::ranges::upper_bound(cuts, chunk.index);
    auto end = std::upper_bound(begin, cuts.end(), chunk.index + chunk.count);
    return {begin, end};
  }

  void end_segment(Closing closing) {
    std::size_t left = stopped_ ? 0 : reader_->unfinished().size();
    if (left != 0) {
      pool_.then([this, left] { verifier_.unfinished(left); });
    }
    std::uint64_t first = *last_first_;
    std::optional<std::string> tree;
    bool is_closed = closing != Closing::open;
    if (is_closed) {
      tree = tree_file(first);
    }
    pool_.then([this, tree = std::move(tree), is_closed] { verifier_.end_segment(tree, is_closed); });
    failed_ = false;
    reader_.reset();
  }

  // With a log that is being written, there are records behind the checkpoint that was read first. A newer one comes
  // within a second or so; what it covers is read, and what comes behind it is not looked at. A large record may take
  // its time: as long as the file grows there is no hurry.
  void settle_tail() {
    if (reader_ == nullptr || failed_) {
      return;
    }
    auto deadline = std::chrono::steady_clock::now() + options_.patience;
    std::uint64_t size_seen = open_segment_bytes();
    while (true) {
      std::optional<std::uint64_t> wanted = verifier_.wanted_checkpoint();
      bool unfinished = !reader_->unfinished().empty();
      if (!wanted && !unfinished) {
        return;
      }
      std::uint64_t size_min = std::max(wanted.value_or(0), verifier_.position() + (unfinished ? 1 : 0));
      auto note = read_small_file(options_.directory / std::string(checkpoint_file), checkpoint_bytes_max);
      if (note && *note) {
        if (auto size = verifier_.renew_checkpoint(**note, size_min)) {
          read_on(*size);
          stopped_ = true;
          return;
        }
      }
      auto now = std::chrono::steady_clock::now();
      if (std::uint64_t bytes = open_segment_bytes(); unfinished && bytes > size_seen) {
        size_seen = bytes;
        deadline = now + options_.patience;
      }
      if (now >= deadline) {
        return;
      }
      std::this_thread::sleep_for(poll_interval);
    }
  }

  // 0: it is not there, or not any more.
  std::uint64_t open_segment_bytes() const {
    std::error_code error;
    auto bytes = std::filesystem::file_size(options_.directory / name_of(SegmentFile::records, *last_first_), error);
    return error ? 0 : bytes;
  }

  // What is covered is there, in this segment or in those that follow.
  void read_on(std::uint64_t end) {
    for (int listing = 0; listing < listings_max; ++listing) {
      read_until(end);
      pool_.finish();
      if (failed_ || next_index() >= end) {
        return;
      }
      auto log = list_log(options_.directory);
      const SegmentEntry* next = log ? log->segment(next_index()) : nullptr;
      if (next == nullptr || !next->has_records() || next->first == *last_first_) {
        return;
      }
      read_until(end);  // what came between the last look and the closing
      if (next->first != next_index()) {
        continue;
      }
      end_segment(Closing::followed);
      auto reader = SegmentReader::open(options_.directory, next->first);
      if (!reader) {
        return;
      }
      last_first_ = next->first;
      reader_ = std::make_unique<SegmentReader>(std::move(*reader));
      begin_segment(next->first);
    }
  }

  const VerificationOptions& options_;
  audit::LogVerifier& verifier_;
  std::optional<AnswerVerification> answers_;
  ScanPool pool_;
  std::optional<std::uint64_t> last_first_;  // of the segment that is read, or was last
  std::unique_ptr<SegmentReader> reader_;
  bool failed_ = false;   // to read that segment
  bool stopped_ = false;  // before its end, at a checkpoint
};

// Where a change of key came meanwhile, its note may be in what `checkpoints` has by now.
constexpr int attempts_max = 3;

Result<std::optional<std::string>, std::string> read_checkpoints(const std::filesystem::path& directory) {
  return read_small_file(directory / std::string(checkpoints_file), checkpoints_bytes_max);
}

bool misses_a_change_of_key(const audit::VerificationReport& report) {
  return std::ranges::any_of(report.findings, [](const audit::Finding& finding) {
    return finding.code == FindingCode::key_change_unproven && finding.file == "checkpoints";
  });
}

Result<audit::VerificationReport, std::string> verify_once(const VerificationOptions& options,
                                                           const std::optional<std::string>& checkpoints) {
  // Behind `checkpoints`: what that has, the newest one covers.
  auto checkpoint = read_small_file(options.directory / std::string(checkpoint_file), checkpoints_bytes_max);
  if (!checkpoint) {
    return Unexpected(std::move(checkpoint).error());
  }
  auto cosigned = read_small_file(options.directory / std::string(cosigned_file), checkpoints_bytes_max);
  if (!cosigned) {
    return Unexpected(std::move(cosigned).error());
  }
  audit::LogVerifier verifier({.public_key = options.public_key,
                               .checkpoint = checkpoint->value_or(""),
                               .checkpoints = checkpoints.value_or(""),
                               .saved = options.saved,
                               .copies = options.copies,
                               .witness_keys = options.witness_keys,
                               .cosigned = cosigned->value_or("")});
  audit::AnswersReport answers;
  {
    Verification verification(options, verifier);
    if (auto done = verification.run(); !done) {
      return Unexpected(std::move(done).error());
    }
    answers = verification.answers();
  }
  // Behind the segments: what a deletion meanwhile took is there.
  auto hand_overs = read_hand_overs(options.directory);
  if (!hand_overs) {
    return Unexpected(std::move(hand_overs).error());
  }
  verifier.hand_overs(*hand_overs);
  audit::VerificationReport report = verifier.finish();
  report.answers = std::move(answers);
  return report;
}

}  // namespace

Result<audit::VerificationReport, std::string> verify_log(const VerificationOptions& options) {
  if (auto log = list_log(options.directory); !log) {
    return Unexpected(std::move(log).error());
  }
  auto checkpoints = read_checkpoints(options.directory);
  for (int attempt = 1;; ++attempt) {
    if (!checkpoints) {
      return Unexpected(std::move(checkpoints).error());
    }
    auto report = verify_once(options, *checkpoints);
    if (!report || !misses_a_change_of_key(*report) || attempt == attempts_max) {
      return report;
    }
    auto before = std::exchange(checkpoints, read_checkpoints(options.directory));
    if (checkpoints && *checkpoints == *before) {
      return report;
    }
  }
}

}  // namespace sallyport::store
