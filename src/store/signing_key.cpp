#include "store/signing_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace sallyport::store {
namespace {

constexpr mode_t private_mode = 0600;
constexpr mode_t public_mode = 0644;
constexpr mode_t others_may_read = S_IROTH | S_IWOTH;

std::string failure(std::string_view what, const std::filesystem::path& path) {
  return std::string(what) + " " + path.string() + ": " + std::strerror(errno);
}

// A file that was not there; on the disk when this returns.
Result<Unit, std::string> make_file(const std::filesystem::path& path, std::string_view text, mode_t mode) {
  int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) {
    return Unexpected(failure("cannot make", path));
  }
  bool done = ::fchmod(descriptor, mode) == 0 &&
              ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
              ::fsync(descriptor) == 0;
  std::string error = done ? std::string{} : failure("cannot write", path);
  ::close(descriptor);
  if (!done) {
    ::unlink(path.c_str());
    return Unexpected(std::move(error));
  }
  return Unit{};
}

Result<Unit, std::string> make_key(const std::filesystem::path& path) {
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);
  auto key = crypto::PrivateKey::generate(crypto::KeyType::ed25519);
  if (!key) {
    return Unexpected("cannot make a key: " + std::string(crypto::describe(key.error())));
  }
  return make_file(path, key->to_pem().reveal(), private_mode);
}

Result<crypto::PrivateKey, std::string> read_key(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return Unexpected(failure("cannot read", path));
  }
  if ((info.st_mode & others_may_read) != 0) {
    return Unexpected(path.string() + " can be read by everyone; take that right away (chmod o-rw)");
  }
  std::ifstream file(path, std::ios::binary);
  Secret text{std::string{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()}};
  if (!file.is_open() || file.bad()) {
    return Unexpected(failure("cannot read", path));
  }
  auto key = crypto::PrivateKey::from_pem(text.reveal());
  if (!key) {
    return Unexpected(path.string() + " holds no private key in PEM: " + std::string(crypto::describe(key.error())));
  }
  if (key->type() != crypto::KeyType::ed25519) {
    return Unexpected(path.string() + " holds a key of another kind than Ed25519");
  }
  return std::move(key).value();
}

// The verifier key's line, where it isn't there.
Result<Unit, std::string> put_beside(const std::filesystem::path& path, const std::string& key_line) {
  std::filesystem::path beside = path;
  beside += ".pub";
  std::string line = key_line + "\n";
  std::ifstream present(beside, std::ios::binary);
  if (std::string{std::istreambuf_iterator<char>(present), std::istreambuf_iterator<char>()} == line) {
    return Unit{};
  }
  ::unlink(beside.c_str());
  return make_file(beside, line, public_mode);
}

}  // namespace

Result<audit::NoteSigner, std::string> load_signing_key(const std::filesystem::path& path, std::string_view origin) {
  auto key = read_key(path);
  if (!key) {
    return Unexpected(std::move(key).error());
  }
  auto signer = audit::NoteSigner::make(std::move(key).value(), origin);
  if (!signer) {
    return Unexpected("audit.origin: '" + std::string(origin) + "' can't be the name of a log");
  }
  if (auto put = put_beside(path, signer->verifier_key().to_line()); !put) {
    return Unexpected(std::move(put).error());
  }
  return std::move(signer).value();
}

Result<audit::NoteSigner, std::string> load_or_make_signing_key(const std::filesystem::path& path,
                                                                std::string_view origin) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    if (auto made = make_key(path); !made) {
      return Unexpected(std::move(made).error());
    }
  }
  return load_signing_key(path, origin);
}

Result<audit::Cosigner, std::string> load_or_make_cosigner(const std::filesystem::path& path, std::string_view name) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    if (auto made = make_key(path); !made) {
      return Unexpected(std::move(made).error());
    }
  }
  auto key = read_key(path);
  if (!key) {
    return Unexpected(std::move(key).error());
  }
  auto cosigner = audit::Cosigner::make(std::move(key).value(), name);
  if (!cosigner) {
    return Unexpected("witness.name: '" + std::string(name) + "' can't be the name of a witness");
  }
  if (auto put = put_beside(path, cosigner->witness_key().to_line()); !put) {
    return Unexpected(std::move(put).error());
  }
  return std::move(cosigner).value();
}

}  // namespace sallyport::store
