#include "net/line_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string>

namespace sallyport::net {
namespace {

constexpr int patience_ms = 10;
// A pipe that can't be opened once more, and that poll(2) calls writable, takes as much without waiting: pipe(7).
constexpr std::size_t piece_bytes_max = PIPE_BUF;

}  // namespace

LineWriter::LineWriter(int descriptor) : descriptor_(descriptor) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) {
    return;
  }
  is_socket_ = S_ISSOCK(info.st_mode);
  if (S_ISFIFO(info.st_mode) || S_ISCHR(info.st_mode)) {
    std::string name = "/proc/self/fd/" + std::to_string(descriptor);
    reopened_ = Descriptor(::open(name.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    descriptor_ = reopened_.is_open() ? reopened_.number() : descriptor;
  }
}

ssize_t LineWriter::put(std::string_view text) const {
  return is_socket_ ? ::send(descriptor_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                    : ::write(descriptor_, text.data(), text.size());
}

bool LineWriter::has_room() const {
  pollfd watched{.fd = descriptor_, .events = POLLOUT, .revents = 0};
  return ::poll(&watched, 1, blocked_ ? 0 : patience_ms) > 0;
}

bool LineWriter::write(std::string_view line) {
  if (is_cut_ && has_room()) {
    is_cut_ = put("\n") != 1;
  }
  std::size_t bytes = line.size();
  while (!line.empty() && !is_cut_ && has_room()) {
    ssize_t count = put(line.substr(0, piece_bytes_max));
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
