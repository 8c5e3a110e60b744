// Writes lines to a descriptor whose reader may be slow, or read nothing: then lines are lost, and nobody waits.
#pragma once

#include <cstdint>
#include <string_view>

namespace sallyport::net {

// For one thread at a time.
class LineWriter {
 public:
  // The descriptor stays the caller's. It may be a file, a terminal, a pipe or a socket, and need not be non-blocking.
  explicit LineWriter(int descriptor) : descriptor_(descriptor) {}

  // False: the line, or its rest, is lost. A reader that is behind is waited for some milliseconds, once.
  bool write(std::string_view line);

 private:
  bool has_room() const;

  int descriptor_;
  bool blocked_ = false;  // the last line was lost
  bool is_cut_ = false;   // and a part of it was written
};

}  // namespace sallyport::net
