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

std::vector<std::size_t> ListenersTls::take_changed() {
  std::vector<std::size_t> changed;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    Times times = times_of(files_[i]);
    if (std::exchange(times_[i], times) != times) {
      changed.push_back(i);
    }
  }
  return changed;
}

}  // namespace sallyport::net
