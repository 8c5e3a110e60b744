// The files of the listeners' certificates and keys, and whether they were replaced since they were read.
#pragma once

#include <filesystem>
#include <vector>

#include "net/settings.h"

namespace sallyport::net {

class ListenersTls {
 public:
  // To be called before the files are read: what is replaced while they are read is then found changed.
  void add(const ListenerTls& files);
  const std::vector<ListenerTls>& files() const { return files_; }
  // Since they were added, or since this was asked last.
  bool have_changed();

 private:
  std::vector<ListenerTls> files_;
  std::vector<std::filesystem::file_time_type> times_;  // of certificate and key of each
};

}  // namespace sallyport::net
