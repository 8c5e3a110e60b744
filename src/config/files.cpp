#include "config/files.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

namespace sallyport::config {

namespace {

constexpr std::size_t file_bytes_max = 1U << 20;
constexpr std::size_t secret_bytes_max = 64U << 10;

struct PemForm {
  std::string_view marker;  // what its BEGIN line ends with
  std::string_view described;
};

PemForm form_of(PemContent content) {
  switch (content) {
    case PemContent::certificate:
      return {"CERTIFICATE-----", "certificate"};
    case PemContent::private_key:
      return {"PRIVATE KEY-----", "private key"};
    case PemContent::public_key:
      return {"PUBLIC KEY-----", "public key"};
  }
  check_failed("unknown enumerator", __FILE__, __LINE__);
}

bool has_pem_block(std::string_view text, std::string_view marker) {
  constexpr std::string_view begin = "-----BEGIN ";
  for (auto at = text.find(begin); at != std::string_view::npos; at = text.find(begin, at + 1)) {
    auto line = text.substr(at, text.find('\n', at) - at);
    if (line.find(marker) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

void check_private(SectionReader& section, std::string_view name, const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    section.mistake(name, in_quotes(file.string()) + " can be read or written by every user.",
                    "Run chmod 600 (or 640) on it.");
  }
}

// Without the line break that editors and `echo` put at the end.
Secret without_line_break(const Secret& secret) {
  auto text = secret.reveal();
  if (text.ends_with('\n')) {
    text.remove_suffix(1);
    if (text.ends_with('\r')) {
      text.remove_suffix(1);
    }
  }
  return Secret(std::string(text));
}

// These three: nothing after a mistake, which is reported.
std::optional<Secret> read_secret_file(SectionReader& section) {
  auto file = section.path("file");
  if (file.empty()) {
    return std::nullopt;
  }
  check_private(section, "file", file);
  auto content = read_file(section, "file", file);
  return content.empty() ? std::nullopt : std::optional(without_line_break(content));
}

std::optional<Secret> read_environment(SectionReader& section) {
  auto variable = section.text("env");
  if (variable.empty()) {
    return std::nullopt;
  }
  const char* value = std::getenv(variable.c_str());
  if (value == nullptr) {
    section.mistake("env", "The environment variable " + in_quotes(variable) + " is not set.",
                    "Set it for the gateway's process.");
    return std::nullopt;
  }
  return Secret(std::string(value));
}

std::optional<Secret> read_systemd_credential(SectionReader& section) {
  auto credential = section.text("systemd_credential");
  if (credential.empty()) {
    return std::nullopt;
  }
  if (credential.find('/') != std::string::npos || credential == "." || credential == "..") {
    section.mistake("systemd_credential", in_quotes(credential) + " can't be the name of a credential.",
                    "Write the name that LoadCredential= gives it.");
    return std::nullopt;
  }
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr || *directory == '\0') {
    section.mistake("systemd_credential", "systemd passes no credentials to this process.",
                    "Start it as a systemd unit with LoadCredential=, or use file.");
    return std::nullopt;
  }
  auto content = read_file(section, "systemd_credential", std::filesystem::path(directory) / credential);
  return content.empty() ? std::nullopt : std::optional(without_line_break(content));
}

}  // namespace

Secret read_file(SectionReader& section, std::string_view name, const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) {
    section.mistake(name, in_quotes(file.string()) + " is a directory.", "Write the path of a file.");
    return Secret();
  }
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    section.mistake(name, in_quotes(file.string()) + " can't be read: " + std::strerror(errno) + ".",
                    "Correct the path, or let the gateway's user read it.");
    return Secret();
  }
  std::string text(file_bytes_max + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  auto length = static_cast<std::size_t>(stream.gcount());
  if (length == 0 || length > file_bytes_max) {
    wipe(text.data(), text.size());
    section.mistake(name, in_quotes(file.string()) + (length == 0 ? " is empty." : " is larger than 1 MiB."),
                    "Look whether it is the right file.");
    return Secret();
  }
  Secret content(text.substr(0, length));
  wipe(text.data(), text.size());
  return content;
}

std::filesystem::path read_pem_path(SectionReader& section, std::string_view name, PemContent content) {
  auto file = section.path(name);
  if (file.empty()) {
    return file;
  }
  auto form = form_of(content);
  auto text = read_file(section, name, file);
  if (text.empty()) {
    return file;
  }
  if (!has_pem_block(text.reveal(), form.marker)) {
    section.mistake(name, in_quotes(file.string()) + " has no PEM block with a " + std::string(form.described) + ".",
                    "Write the path of a PEM file (it has a line that begins with -----BEGIN).");
  } else if (content == PemContent::private_key) {
    check_private(section, name, file);
  }
  return file;
}

Secret read_secret(SectionReader& section) {
  std::optional<Secret> secret;
  std::string_view source;
  if (section.present("file")) {
    source = "file";
    secret = read_secret_file(section);
  } else if (section.present("env")) {
    source = "env";
    secret = read_environment(section);
  } else if (section.present("systemd_credential")) {
    source = "systemd_credential";
    secret = read_systemd_credential(section);
  }
  if (!secret) {
    return Secret();
  }
  auto text = secret->reveal();
  if (text.empty()) {
    section.mistake(source, "The secret is empty.", "Look whether it is the right source.");
  } else if (text.size() > secret_bytes_max || text.find('\0') != std::string_view::npos) {
    section.mistake(source, "The secret is longer than 64 KiB or has a NUL character.",
                    "Look whether it is the right source.");
  }
  return std::move(*secret);
}

}  // namespace sallyport::config
