#include "net/line_writer.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace sallyport::net {
namespace {

constexpr int patience_ms = 10;
// A pipe that poll(2) calls writable takes as much without waiting, pipe(7); and so do the others.
constexpr std::size_t piece_bytes_max = PIPE_BUF;

}  // namespace

bool LineWriter::has_room() const {
  pollfd watched{.fd = descriptor_, .events = POLLOUT, .revents = 0};
  return ::poll(&watched, 1, blocked_ ? 0 : patience_ms) > 0;
}

bool LineWriter::write(std::string_view line) {
  if (is_cut_ && has_room()) {
    is_cut_ = ::write(descriptor_, "\n", 1) != 1;
  }
  std::size_t bytes = line.size();
  while (!line.empty() && !is_cut_ && has_room()) {
    ssize_t count = ::write(descriptor_, line.data(), std::min(line.size(), piece_bytes_max));
    if (count <= 0 && errno != EINTR) {
      break;
    }
    line.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
  blocked_ = !line.empty();
  is_cut_ = is_cut_ || (blocked_ && line.size() < bytes);
  return !blocked_;
}

}  // namespace sallyport::net
