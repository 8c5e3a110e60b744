#include "config/config.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "config/document.h"
#include "config/mistakes.h"
#include "config/section_reader.h"
#include "config/sections.h"
#include "config/settings_table.h"

namespace sallyport::config {

namespace {

std::vector<Mistake> only(Mistake mistake) {
  std::vector<Mistake> mistakes;
  mistakes.push_back(std::move(mistake));
  return mistakes;
}

}  // namespace

Result<Config, std::vector<Mistake>> parse(std::string_view yaml, std::string_view file_name,
                                           const std::filesystem::path& base_directory) {
  Reading reading{.mistakes = Mistakes(file_name), .base_directory = base_directory};
  auto document = read_document(yaml);
  if (!document) {
    auto& error = document.error();
    reading.mistakes.add(error.place, "", std::move(error.message), std::move(error.mend));
    return Unexpected(reading.mistakes.take_sorted());
  }
  SectionReader root(reading, root_section(), *document, "");
  Config config;
  config.digest = crypto::sha256({bytes_of(yaml)});
  read_limits(root, config);
  read_listeners(root, config);
  read_issuers(root, config);
  read_connections(root, config);
  read_service_accounts(root, config);
  if (!reading.mistakes.empty()) {
    return Unexpected(reading.mistakes.take_sorted());
  }
  return config;
}

Result<Config, std::vector<Mistake>> load(const std::filesystem::path& file) {
  std::error_code error;
  auto absolute = std::filesystem::absolute(file, error);
  errno = 0;
  std::ifstream stream(absolute, std::ios::binary);
  // One byte more than a document may have, so that a larger one is seen to be.
  std::string yaml(document_bytes_max + 1, '\0');
  bool readable = stream && !std::filesystem::is_directory(absolute, error);
  if (readable) {
    stream.read(yaml.data(), static_cast<std::streamsize>(yaml.size()));
  }
  if (!readable || stream.bad()) {
    std::string reason = errno != 0 ? std::strerror(errno) : "it is not a file";
    return Unexpected(only({.file = file.string(),
                            .line = 0,
                            .column = 0,
                            .path = {},
                            .message = "The configuration can't be read: " + reason + ".",
                            .mend = "Correct the path, or let this user read the file."}));
  }
  yaml.resize(static_cast<std::size_t>(stream.gcount()));
  return parse(yaml, file.string(), absolute.parent_path());
}

}  // namespace sallyport::config
