// Reads the records of a log as they come, over the closing of segments.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/log_state.h"
#include "store/segment_reader.h"

namespace sallyport::store {

class LogFollower {
 public:
  // Begins with the record of that number. The directory may have no segment yet.
  LogFollower(std::filesystem::path directory, std::uint64_t from);

  // Nothing behind the log's end on the disk is read: what is there may yet be written anew. Ends are given in their
  // order.
  void read_up_to(const LogEnd& end) { end_ = end; }

  // The next lines that are there; empty when there are none for now. The view lives until the next call.
  // The error is for a person; so is it when records that are due were deleted meanwhile.
  Result<LineChunk, std::string> next();
  // Index of the record behind those that were read.
  std::uint64_t position() const { return next_; }
  // After an error: the first record that is there behind deleted ones, if that is what it says.
  std::optional<std::uint64_t> deleted_until() const { return deleted_until_; }

 private:
  Result<LineChunk, std::string> read();
  // The first records of segments that have records: of the last one that begins at the next record or before it, and
  // of the first behind that. A listing may miss a file that is renamed meanwhile, so what is missing is looked for
  // twice.
  struct Around {
    std::optional<std::uint64_t> at;
    std::optional<std::uint64_t> behind;
  };
  Result<Around, std::string> look() const;
  Unexpected<std::string> deleted(std::uint64_t until);
  Result<bool, std::string> is_left();
  // Opens the segment that has the next record; false when there is none yet.
  Result<bool, std::string> open();
  // Leaves out what stands before the next record.
  LineChunk behind(LineChunk chunk);

  std::filesystem::path directory_;
  std::uint64_t next_;
  std::uint64_t segment_ = 0;  // the first record of the one that is open
  std::optional<LogEnd> end_;
  std::optional<std::uint64_t> deleted_until_;
  std::optional<SegmentReader> reader_;
};

}  // namespace sallyport::store
