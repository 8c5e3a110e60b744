// The first audit log: JSON lines appended to a file, one file an event loop.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "audit/sink.h"
#include "base/result.h"

namespace sallyport::store {

class AuditFile final : public audit::Sink {
 public:
  // Opens for appending, created with mode 0640 if need be. The error is a sentence for the operator.
  static Result<std::unique_ptr<AuditFile>, std::string> open(const std::filesystem::path& path);
  ~AuditFile() override;

  bool append(std::string_view line) override;

  // Writes what was appended to the kernel. False when not all of it could be written; what is left is written first by
  // the next commit, so no line is ever torn or lost.
  bool commit();
  bool has_uncommitted() const { return written_ < pending_.size(); }
  // Of the last failed commit, for logs and readiness; empty after a good one.
  const std::string& last_error() const { return last_error_; }

  // Opens the path anew, for log rotation. When that fails the old file stays in use.
  Result<Unit, std::string> reopen();

 private:
  AuditFile(std::filesystem::path path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}

  std::filesystem::path path_;
  int descriptor_;
  std::string pending_;
  std::size_t written_ = 0;  // of pending_
  std::string last_error_;
};

}  // namespace sallyport::store
