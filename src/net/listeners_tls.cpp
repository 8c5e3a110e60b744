#include "net/listeners_tls.h"

#include <system_error>
#include <utility>

namespace sallyport::net {
namespace {

std::filesystem::file_time_type time_of(const std::filesystem::path& file) {
  std::error_code error;
  auto time = std::filesystem::last_write_time(file, error);
  return error ? std::filesystem::file_time_type::min() : time;
}

}  // namespace

void ListenersTls::add(const ListenerTls& files) {
  files_.push_back(files);
  times_.push_back(time_of(files.certificate_file));
  times_.push_back(time_of(files.key_file));
}

bool ListenersTls::have_changed() {
  std::vector<std::filesystem::file_time_type> times;
  for (const ListenerTls& files : files_) {
    times.push_back(time_of(files.certificate_file));
    times.push_back(time_of(files.key_file));
  }
  return std::exchange(times_, times) != times;
}

}  // namespace sallyport::net
