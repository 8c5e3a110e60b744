// The journal of one event loop: a ring of frames in a file that is mapped into memory. What is put there survives the
// end of the process, for the file's pages are the kernel's; putting makes no system call.
//
// One thread puts, one takes. The file is a header of one page and `capacity` bytes behind it. A frame is a header of
// 32 bytes and its payload, and begins at a multiple of eight; a position counts the bytes ever put, so that position
// modulo capacity is the place. A frame's checksum covers its header, its payload, its position and the journal's
// generation: one that was left by an earlier round or life of the file is none.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sallyport::store {

enum class FrameKind : std::uint32_t {
  records = 1,  // lines, each a record
  answer = 2    // bytes for the answers' file
};

// What one commit of a loop puts.
struct FrameHead {
  FrameKind kind = FrameKind::records;
  std::uint64_t number = 0;    // of the loop's commit; ascending
  std::uint64_t stamp_ns = 0;  // of the monotonic clock, read when the commit began
};

class JournalRing {
 public:
  struct Frame {
    FrameHead head;
    std::string_view payload;  // in the ring; lives until it is released
    std::uint64_t end = 0;     // the position behind it
  };

  // Makes the file anew, empty, with all its blocks and pages there, so that a full disk is an error here and not a
  // signal later. `capacity`: at least a page, rounded up to whole pages. The error is a sentence for the operator.
  static Result<std::unique_ptr<JournalRing>, std::string> create(const std::filesystem::path& path,
                                                                  std::uint64_t capacity);
  ~JournalRing();
  JournalRing(const JournalRing&) = delete;
  JournalRing& operator=(const JournalRing&) = delete;

  std::uint64_t capacity() const { return capacity_; }
  // The longest payload that a ring of this capacity ever takes.
  static std::uint64_t payload_bytes_max(std::uint64_t capacity);

  // The producer's. False, and nothing put, when there is no room.
  bool put(const FrameHead& head, std::string_view payload);
  // For one payload; or for two that together have overhead_bytes less.
  bool has_room(std::uint64_t payload_bytes) const;
  static constexpr std::uint64_t overhead_bytes = 40;

  // The consumer's. The frame at a position between released() and the last one put; nothing when none is there yet.
  std::optional<Frame> at(std::uint64_t position) const;
  // Gives the room of all frames before `position` to the producer.
  void release(std::uint64_t position);
  std::uint64_t released() const;
  // Returns when the header is on the disk.
  bool sync_header();

  // From any thread.
  std::uint64_t waiting_bytes() const;

 private:
  struct Header;
  JournalRing(std::uint8_t* mapping, std::uint64_t capacity, std::uint64_t generation);

  Header& header() const;
  std::uint8_t* place(std::uint64_t position) const;

  std::uint8_t* mapping_;
  std::uint64_t capacity_;
  std::uint64_t generation_;
  std::uint64_t put_until_ = 0;          // the producer's own copy of the header's
  std::uint64_t released_as_known_ = 0;  // to the producer; the header's is read when this leaves no room
};

// What a gateway that ended left in a journal.
struct LeftFrame {
  FrameHead head;
  std::string payload;
};
struct LeftJournal {
  std::vector<LeftFrame> frames;  // not released; up to the first that is not whole
  bool readable = true;           // false: the file is no journal
};
// The error is a sentence for the operator: the file can't be read.
Result<LeftJournal, std::string> read_journal(const std::filesystem::path& path);

}  // namespace sallyport::store
