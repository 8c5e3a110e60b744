// Compares recorded answers with the records of their outcomes: part of verifying a log.
//
// Outcomes come in the order of the log, and the files of answers are read along with them: pieces stand in the file of
// the segment of their outcome, or of one before, but of none before that of their command. So what is kept are the
// answers that are not ended yet.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "audit/log_verifier.h"
#include "crypto/hash.h"
#include "store/answer_pieces.h"

namespace sallyport::store {

class AnswerVerification {
 public:
  // Of so many answers that have no outcome yet the beginnings are kept; of more, the oldest are forgotten.
  static constexpr std::size_t open_answers_max = 1U << 18;
  // Of so many answers whose command may be a deleted record that is found out at the end.
  static constexpr std::size_t doubts_max = 100'000;
  // Of so many commands without an outcome the segment is kept; of more, those of older segments are forgotten.
  static constexpr std::size_t commands_max = 1U << 18;

  // Keys that one answer may need: a change of key is rare.
  static constexpr std::size_t answer_keys_max = 8;
  // Ids of keys that are told apart.
  static constexpr std::size_t keys_max = 1000;
  // Files that are open at a time, besides that of the newest segment.
  static constexpr std::size_t files_max = 8;

  using Find = std::function<void(audit::FindingCode, std::string file, std::string text, audit::RecordSpan)>;
  AnswerVerification(std::filesystem::path directory, std::vector<audit::AnswersKey> keys, Find find);

  // `answers`: the segment's file, where it was there when the segment's records were opened.
  void begin_segment(std::uint64_t first, std::optional<AnswerPieceReader> answers);
  void pruned_segment() { any_pruned_ = true; }
  void take(const audit::RecordScan& scan);
  // Once, when all was taken.
  audit::AnswersReport finish();

 private:
  struct OpenAnswer {
    std::string name;            // session and command
    std::size_t first_file = 0;  // of segments_: where its first piece is
    std::uint64_t bytes = 0;
    crypto::Sha256 digest;
    std::set<audit::AnswersKey::Id> wanted_keys;  // of answer_keys_max at most
    bool damaged = false;
  };
  using OpenAnswers = std::list<OpenAnswer>;

  void add_commands(const std::vector<std::uint64_t>& commands);
  bool is_before_command(const audit::RecordedAnswer& outcome, const OpenAnswer& answer) const;
  void judge(const audit::RecordedAnswer& outcome);
  OpenAnswer* read_on(const std::string& name, std::uint64_t bytes);
  OpenAnswer* take_piece();
  bool next_file();
  void count(const audit::RecordedAnswer& outcome, const OpenAnswer& answer);
  void want_key(const std::string& key, const audit::RecordedAnswer& outcome);
  void missing(const audit::RecordedAnswer& outcome, std::uint64_t bytes);
  void settle_doubts();
  void settle_keys();

  std::filesystem::path directory_;
  bool any_key_;  // was given: then all answers are to be compared
  AnswerOpener opener_;
  Find find_;
  audit::AnswersReport report_;
  std::vector<std::uint64_t> segments_;  // that have begun; of the files of the last ones nothing was read yet
  std::size_t at_ = 0;                   // of segments_: whose file is read
  std::vector<std::optional<AnswerPieceReader>> files_;
  std::string damage_;                                       // where a file can't be read on
  OpenAnswers open_;                                         // oldest first
  std::unordered_map<std::uint64_t, std::size_t> commands_;  // that have no outcome yet: of segments_, by their hash
  std::unordered_map<std::string, OpenAnswers::iterator> by_name_;
  std::size_t purged_before_ = 0;  // of segments_: commands_ has none of those before any more
  bool any_pruned_ = false;
  struct Doubt {
    audit::RecordedAnswer outcome;
    std::uint64_t bytes;
  };
  std::vector<Doubt> doubts_;
  std::set<std::string> known_keys_;  // that the log's records name
  struct Sealed {
    std::uint64_t count = 0;
    audit::RecordedAnswer first;
  };
  std::map<std::string, Sealed> sealed_;  // by the key that they name; of keys_max at most
};

}  // namespace sallyport::store
