// Writes lines to a descriptor whose reader may be slow, or read nothing: then lines are lost, and nobody waits.
#pragma once

#include <sys/types.h>

#include <string_view>

#include "base/descriptor.h"

namespace sallyport::net {

// For one thread at a time.
class LineWriter {
 public:
  // The descriptor stays the caller's, and as it is: it may be shared with other processes. It may be a file, whose
  // disk is waited for, a terminal, a pipe or a socket.
  explicit LineWriter(int descriptor);

  // False: the line, or its rest, is lost. A reader that is behind is waited for some milliseconds, once.
  bool write(std::string_view line);

 private:
  bool has_room() const;
  ssize_t put(std::string_view text) const;

  int descriptor_;
  Descriptor reopened_;  // of a terminal or a pipe, which does not block
  bool is_socket_ = false;
  bool blocked_ = false;  // the last line was lost
  bool is_cut_ = false;   // and a part of it was written
};

}  // namespace sallyport::net
