#include "net/listeners_tls.h"

#include <algorithm>
#include <iterator>
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

ListenersTls::Times ListenersTls::times_of(const ListenerTls& files) {
  return {time_of(files.certificate_file), time_of(files.key_file)};
}

void ListenersTls::add(const ListenerTls& files) {
  files_.push_back(files);
  times_.push_back(times_of(files));
}

bool ListenersTls::have_changed() {
  std::vector<Times> times;
  std::transform(files_.begin(), files_.end(), std::back_inserter(times), times_of);
  return std::exchange(times_, times) != times;
}

}  // namespace sallyport::net
