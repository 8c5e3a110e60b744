// The index of a segment: what a search needs to know of it, so that it reads only the blocks that can hold what is
// looked for.
//
// A segment's records lie in blocks: of a closed segment its zstd frames, of an open one stretches of lines. For each
// field that can be searched by, the index lists its values in the segment, and for each value the blocks with records
// that have it. A record of a session counts as having the session's account, subject, connection, client and user; a
// command as having the status and reason of its outcome, though that lies in a later block. Then come the sessions:
// all that have records here, and those that are still open at the end, so that the index of the next segment can be
// made from it and the next segment alone.
//
// The index is made anew from the segment when it is missing, damaged, or not of this segment. It proves nothing.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/text_hash.h"

namespace sallyport::store {

enum class Field : std::uint8_t {
  account,
  subject,
  connection,
  client,  // its address without the port
  user,
  object,  // object_term()
  kind,
  digest,
  status,
  reason,
  decision,
  type
};
inline constexpr std::size_t field_count = 12;

// A field with more values than this in one segment is not indexed there: a search by it reads all blocks.
inline constexpr std::size_t terms_max = 1U << 16;
// Commands of one session that wait for their outcome; those beyond count as having any.
inline constexpr std::size_t pending_commands_max = 64;
// Sessions that are carried over to the next segment. Those beyond are not known there until they end.
inline constexpr std::size_t carried_sessions_max = 1U << 20;

struct LogBlock {
  std::uint64_t first_record = 0;  // index in the log
  std::uint32_t records = 0;
  std::uint64_t offset = 0;  // in the segment's file
  std::uint64_t stored_bytes = 0;
  std::uint64_t content_bytes = 0;  // of records, with their line ends
  std::int64_t time_min = 0;        // nanoseconds since 1970
  std::int64_t time_max = 0;
};

struct IndexTerm {
  std::string text;
  std::vector<std::uint32_t> blocks;  // numbers, ascending
};

struct IndexedField {
  bool complete = true;
  std::vector<IndexTerm> terms;  // by text
};

// A session, as far as the records of one segment tell, and those before it of who it is.
struct SessionSummary {
  std::string id;
  std::string account, subject, connection, role, client, user;
  std::string end_reason;
  enum class End : std::uint8_t { open, ended, refused };
  End end = End::open;
  std::int64_t began = 0;     // when it logged in; 0: not known
  std::int64_t time_min = 0;  // of its records here
  std::int64_t time_max = 0;
  std::uint64_t first_record = 0;
  std::uint64_t records = 0;  // here; 0: it is only carried over
  std::uint64_t commands = 0;
  std::uint64_t denied = 0;
  std::uint64_t errors = 0;
  std::uint64_t aborted = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::vector<std::uint32_t> blocks;
  bool is_carried_on = false;  // to the next segment
};

// Takes over what a record of the session says of who it is, and of its login and end.
void note_identity(SessionSummary& session, const struct RecordView& record);

struct LogIndex {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  std::uint64_t segment_bytes = 0;  // of the segment's file
  std::vector<LogBlock> blocks;
  std::array<IndexedField, field_count> fields;
  // With a command whose outcome is not in the segment: as if they had any status and reason.
  std::vector<std::uint32_t> unfinished_blocks;
  std::vector<SessionSummary> sessions;  // in the order of their first records, carried ones first

  std::int64_t time_min() const;
  std::int64_t time_max() const;
};

// Makes an index of records given in their order. One segment each.
class LogIndexBuilder {
 public:
  // `before` is the index of the segment before this one, null when there is none or it is not known.
  LogIndexBuilder(std::uint64_t first, const std::vector<SessionSummary>* before);

  // Without its line end. What is no record is counted, and not indexed.
  void add(std::string_view record);

  struct Stored {
    std::uint64_t offset;
    std::uint64_t bytes;
  };
  // The records given since the last call lie there. Not before one was given.
  void end_block(const Stored& stored);

  LogIndex finish(std::uint64_t segment_bytes);

 private:
  struct Pending {
    std::uint64_t seq;
    std::uint32_t block;
  };
  struct Session {
    SessionSummary summary;
    std::vector<Pending> pending;
    bool may_have_gone = false;  // a gateway began after its last record
  };
  struct Terms {
    using Blocks = std::unordered_map<std::string, std::vector<std::uint32_t>, TextHash, std::equal_to<>>;
    Blocks blocks;
    std::array<Blocks::value_type*, 2> recent{};  // the newest first: most records say what one of the last two said
    bool complete = true;

    // The blocks of that text, where it is one of these.
    std::vector<std::uint32_t>* of_recent(std::string_view text);
  };

  std::uint32_t block() const { return static_cast<std::uint32_t>(index_.blocks.size()); }
  void add_term(Field field, std::string_view text, std::uint32_t block);
  void add_json_term(Field field, std::string_view value, std::uint32_t block);
  Session& session_of(std::string_view id);
  Session& add_to_session(const struct RecordView& view);
  void add_outcome(Session& session, const struct RecordView& view);
  void add_session_terms(const SessionSummary& summary);

  LogIndex index_;
  LogBlock open_block_;
  std::array<Terms, field_count> terms_;
  std::vector<Session> sessions_;
  std::unordered_map<std::string, std::size_t, TextHash, std::equal_to<>> by_id_;
  std::string scratch_;
};

// index-FIRST.zst, as docs/audit-format.md describes it: a head with all but the sessions, and the sessions.
std::string encode_index(const LogIndex& index);

// The parts of such a file. What is malformed yields nothing.
class EncodedIndex {
 public:
  // Takes the file's whole content, or as much of its beginning as holds the head.
  static std::optional<EncodedIndex> open(std::string content);
  // Without its sessions.
  std::optional<LogIndex> head() const;
  // One after the other, without a copy of them all; the value is overwritten by the next. False when malformed, which
  // may show after some. `blocks`: how many the head has; none of a session's is beyond.
  bool each_session(std::size_t blocks, const std::function<void(const SessionSummary&)>& each) const;
  std::optional<std::vector<SessionSummary>> sessions() const;

 private:
  std::string content_;
  std::size_t head_bytes_ = 0;
};

}  // namespace sallyport::store
