// The files of the listeners' certificates and keys, and whether they were replaced since they were read.
#pragma once

#include <filesystem>
#include <utility>
#include <vector>

#include "net/settings.h"

namespace sallyport::net {

class ListenersTls {
 public:
  // To be called before the files are read: what is replaced while they are read is then found changed.
  void add(const ListenerTls& files);
  const std::vector<ListenerTls>& files() const { return files_; }
  // Which of files() were replaced since they were added, or since this was asked last.
  std::vector<std::size_t> take_changed();

 private:
  using Times = std::pair<std::filesystem::file_time_type, std::filesystem::file_time_type>;  // of certificate, of key

  static Times times_of(const ListenerTls& files);

  std::vector<ListenerTls> files_;
  std::vector<Times> times_;
};

}  // namespace sallyport::net
