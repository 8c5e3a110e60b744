#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cstdarg>
#include <cstdio>

#include "audit_files.h"
#include "cli.h"
#include "review/display_text.h"
#include "store/log_directory.h"
#include "store/segment_reader.h"

namespace sallyport {

Result<std::string, std::string> read_given_file(const std::string& path, std::size_t bytes_max) {
  auto text = store::read_small_file(path, bytes_max);
  if (text && !*text) {
    return Unexpected(path + " can't be read: No such file or directory");
  }
  if (!text) {
    return Unexpected(std::move(text).error());
  }
  return std::move(**text);
}

std::string shown(std::string_view text) {
  return review::for_terminal(text, review::Lines::escaped);
}

void say(const char* format, ...) {  // NOLINT(cert-dcl50-cpp)
  std::va_list arguments;
  va_start(arguments, format);
  std::va_list again;
  va_copy(again, arguments);
  int size = std::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  std::string text(size > 0 ? static_cast<std::size_t>(size) : 0, '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  std::fputs(review::for_terminal(text, review::Lines::kept).c_str(), stdout);
}

void say_json(const boost::json::value& document) {
  std::puts(review::json_for_terminal(boost::json::serialize(document)).c_str());
}

ExitCode failed(const std::string& sentence) {
  std::fprintf(stderr, "sallyport: %s\n", shown(sentence).c_str());
  return ExitCode::failed;
}

Result<std::uint64_t, std::string> count_records(const store::LogDirectory& log) {
  auto last = std::find_if(log.segments.rbegin(), log.segments.rend(),
                           [](const store::SegmentEntry& entry) { return entry.has_records(); });
  if (last == log.segments.rend()) {
    return std::uint64_t{0};
  }
  auto reader = store::SegmentReader::open(log.path, last->first);
  if (!reader) {
    return Unexpected(reader.error().text);
  }
  while (true) {
    auto chunk = reader->next();
    if (!chunk) {
      return Unexpected(std::move(chunk).error().text);
    }
    if (chunk->empty()) {
      return reader->position();
    }
  }
}

void add_audit(CLI::App& parent, ExitCode& result) {
  auto* audit = parent.add_subcommand(
      "audit",
      "The audit log: what is in it, whether it is whole and unaltered, proofs of its records, and their deletion.");
  audit->require_subcommand(1);
  audit->footer(
      help_footer("  sallyport audit search --config sallyport.yaml --account agent-reporter --since today\n"
                  "  sallyport audit verify /var/lib/sallyport/audit --public-key audit.key.pub\n"
                  "  sallyport audit prove 1234 --directory /var/lib/sallyport/audit > proof.json\n"
                  "  sallyport audit check-proof proof.json --public-key audit.key.pub\n"));
  add_audit_verify(*audit, result);
  add_audit_prove(*audit, result);
  add_audit_check_proof(*audit, result);
  add_audit_stats(*audit, result);
  add_audit_sinks(*audit, result);
  add_audit_search(*audit, result);
  add_audit_prune(*audit, result);
}

}  // namespace sallyport
