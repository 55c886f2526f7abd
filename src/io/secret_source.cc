#include "io/secret_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace dendro {
namespace {

/// A private key of 16,384 bits has 13 KiB.
constexpr std::size_t kSecretBytesMax = std::size_t{64} << 10;

/// Schemes of managers that an adapter will read: their texts are references and no secrets, so they are told apart
/// before they can be taken for one.
constexpr std::string_view kUnbuiltSchemes[] = {"aws-secretsmanager", "ssm"};

Error secret_fault(ErrorCode code, const std::string& what) {
  return Error(code, "secret: " + what);
}

/// Editors end a file with a line feed.
void drop_line_end(std::string& text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
}

class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

class FileSecrets final : public SecretSource {
 public:
  Result<SecretText> read(const std::string& path) override {
    const OpenFile file(path);
    struct stat info{};
    if (file.fd() < 0 || ::fstat(file.fd(), &info) != 0) return unreadable(path, errno_text(errno));
    SecretText secret;
    std::array<char, 4096> bytes;
    for (ssize_t count = 0; (count = ::read(file.fd(), bytes.data(), bytes.size())) != 0;) {
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return unreadable(path, errno_text(errno));
      secret.text.append(bytes.data(), static_cast<std::size_t>(count));
      if (secret.text.size() > kSecretBytesMax) return unreadable(path, "is over 64 KiB");
    }
    drop_line_end(secret.text);
    if (secret.text.empty()) return unreadable(path, "is empty");
    if (S_ISREG(info.st_mode) && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
      secret.warning = "others than its owner may read the secret in '" + path + "'; chmod 600 it";
    }
    return secret;
  }

 private:
  static Error unreadable(const std::string& path, const std::string& why) {
    return secret_fault(ErrorCode::invalid_argument, "file '" + path + "': " + why);
  }
};

class VariableSecrets final : public SecretSource {
 public:
  explicit VariableSecrets(VariableFunction variable) : variable_(std::move(variable)) {}
  Result<SecretText> read(const std::string& name) override {
    std::optional<std::string> found = variable_(name);
    if (found && !found->empty()) return SecretText{std::move(*found)};
    return secret_fault(ErrorCode::invalid_argument, "the variable " + name + " is not set");
  }

 private:
  const VariableFunction variable_;
};

}  // namespace

SecretReader::SecretReader(VariableFunction variable) {
  add("file", std::make_unique<FileSecrets>());
  add("env", std::make_unique<VariableSecrets>(std::move(variable)));
}

void SecretReader::add(const std::string& scheme, std::unique_ptr<SecretSource> source) {
  sources_.insert_or_assign(scheme, std::move(source));
}

bool has_secret_reference_form(std::string_view value) {
  const std::size_t colon = value.find(':');
  if (colon == std::string_view::npos || colon < 2) return false;
  return std::ranges::all_of(value.substr(0, colon),
                             [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

Result<SecretText> SecretReader::read(const std::string& value) const {
  if (!has_secret_reference_form(value)) return SecretText{value};
  const std::size_t colon = value.find(':');
  const std::string_view scheme = std::string_view(value).substr(0, colon);
  std::string place = value.substr(colon + 1);
  if (scheme == "literal") return SecretText{std::move(place)};
  if (const auto found = sources_.find(scheme); found != sources_.end()) return found->second->read(place);
  if (std::ranges::find(kUnbuiltSchemes, scheme) != std::end(kUnbuiltSchemes)) {
    return secret_fault(ErrorCode::unimplemented,
                        std::string(scheme) + ": is not built into this version; use file:PATH or env:NAME");
  }
  std::string known = "literal";
  for (const auto& [name, source] : sources_) known += ", " + name;
  return secret_fault(ErrorCode::invalid_argument, "has the form SCHEME:PLACE and no scheme that is known (" + known +
                                                       "); a secret that looks so is written literal:SECRET");
}

}  // namespace dendro
