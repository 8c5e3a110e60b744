// Appends messages to a file, one a line.
#pragma once

#include <filesystem>

#include "base/descriptor.h"
#include "sink/receiver.h"
#include "sink/settings.h"

namespace sallyport::sink {

// The file is made, with mode 0640, where there is none, and made anew when it was renamed or removed. Acknowledged is
// what is on the disk. A line that is not whole, as the end of a process leaves it, is cut off.
class FileReceiver final : public Receiver {
 public:
  explicit FileReceiver(FileSettings settings) : settings_(std::move(settings)) {}

  Delivered deliver(const std::vector<Message>& messages) override;

 private:
  Delivered open();
  bool is_in_place() const;

  FileSettings settings_;
  Descriptor file_;
  std::string text_;
};

}  // namespace sallyport::sink
