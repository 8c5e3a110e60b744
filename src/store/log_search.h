// Looks for records in an audit log's directory, which may be written to meanwhile.
//
// What is found are statements (a command with its outcome), and all other records but outcomes. They come in the order
// of the log, or the other way round; a record's number is its index in the log, so that a page begins where the one
// before ended. Blocks that the indexes don't rule out are read by several threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "store/log_query.h"
#include "store/record_seal.h"
#include "store/segment_blocks.h"

namespace sallyport::store {

struct LogRecord {
  std::uint64_t number = 0;  // index in the log
  std::string text;          // without its line end
};

struct LogHit {
  LogRecord record;
  std::optional<LogRecord> outcome;  // of a command
  std::int64_t time = 0;             // of the record
  SessionSummary session;            // who it is, without counts; an empty id for records of none
};

enum class IndexUse : std::uint8_t {
  files,  // as they are found; one that is missing is made, and written where the directory lets us
  none    // all are made anew, in memory only
};

// Of records that are sealed, and were met by who has asked for them to be opened.
struct ClosedSeals {
  std::set<std::string> wanted_keys;  // ids, in hexadecimal
  bool damaged = false;               // one is not what was sealed for its record
};

class Log {
 public:
  // With keys, sealed records are opened wherever they are met, and found by texts that are sealed; none wanted means
  // that they are shown as they stand. The error is for a person. A log of no records is none.
  using SealKeys = std::optional<std::vector<audit::AnswersKey>>;
  static Result<Log, std::string> open(const std::filesystem::path& directory, IndexUse use, const SealKeys& keys = {});
  Log(Log&&) noexcept;
  Log& operator=(Log&&) = delete;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();

  std::uint64_t first() const;
  std::uint64_t end() const;

  // Calls `each` for what is found, until it returns false.
  Result<Unit, std::string> search(const LogQuery& query, const std::function<bool(const LogHit&)>& each) const;

  // The sessions that match by session's fields and were under way in the time asked for, from their first records to
  // their last ones, in the order of their first records. What is told of each is of the whole session. Fields that
  // only a statement has are not looked at.
  Result<std::vector<SessionSummary>, std::string> sessions(const LogQuery& query) const;

  // The ids of sessions that begin so, up to `limit` of them.
  Result<std::vector<std::string>, std::string> session_ids(const std::string& prefix, std::size_t limit) const;

  // Whether the log begins amid sessions of which it is not known who they were: their logins are deleted, and no index
  // of a segment before them was there to tell.
  Result<bool, std::string> begins_amid_unknown_sessions() const;

  // Those that are open at the end of the log.
  Result<std::vector<SessionSummary>, std::string> live_sessions() const;

  // All records of one session, outcomes among them, in the order of the log.
  Result<std::vector<LogRecord>, std::string> records_of(const std::string& session) const;

  // Those that could not be opened so far.
  ClosedSeals closed_seals() const;

 private:
  struct Segment;
  struct Part;
  struct Finding;
  class Unsealing;
  class Looking;
  using Sessions = std::unordered_map<std::string, SessionSummary>;

  Log(std::vector<std::unique_ptr<Segment>> segments, SealKeys keys);

  static Result<Log, std::string> open_listed(const std::filesystem::path& directory, IndexUse use,
                                              const SealKeys& keys);

  Result<std::vector<Part>, std::string> parts_of(const LogQuery& query) const;
  static Result<Unit, std::string> choose_sessions(const LogQuery& query, const Segment& segment);
  static Result<Unit, std::string> look_through(const Segment& segment, const std::vector<std::uint32_t>& candidates,
                                                const Sessions& sessions, Looking& looking);
  Result<Finding, std::string> find_in(const LogQuery& query, const Part& part) const;

  std::vector<std::unique_ptr<Segment>> segments_;
  std::unique_ptr<Unsealing> unsealing_;
};

}  // namespace sallyport::store
