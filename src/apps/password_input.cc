#include "apps/password_input.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

namespace dendro {
namespace {

constexpr std::size_t kLineBytesMax = 4'096;

constexpr char kInterrupt = 3;  ///< Ctrl-C

/// Up to the line feed, which goes, or through an interrupt typed at a terminal. Reads byte by byte: what follows is
/// somebody else's.
Result<std::string> read_line(int fd, bool is_typed = false) {
  std::string line;
  for (char c = 0; line.size() < kLineBytesMax && !(is_typed && c == kInterrupt);) {
    const ssize_t got = ::read(fd, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error(ErrorCode::io_error, "the password cannot be read: " + errno_text(errno));
    if (got == 0 || c == '\n') break;
    line.push_back(c);
  }
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return Error(ErrorCode::invalid_argument, "no password was given");
  return line;
}

/// What is typed is not shown while it lives. Ctrl-C arrives as a byte: ending the process here would leave the
/// terminal mute.
class HiddenInput {
 public:
  explicit HiddenInput(int fd) : fd_(fd) {
    ::tcgetattr(fd_, &before_);
    termios hidden = before_;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    hidden.c_cc[VEOL] = kInterrupt;  // handed over at once
    ::tcsetattr(fd_, TCSAFLUSH, &hidden);
  }
  ~HiddenInput() { ::tcsetattr(fd_, TCSAFLUSH, &before_); }
  HiddenInput(const HiddenInput&) = delete;
  HiddenInput& operator=(const HiddenInput&) = delete;

 private:
  const int fd_;
  termios before_{};
};

/// Nothing typed is shown: what comes between prompt and answer neither.
Result<std::string> ask(CommandIo& io, const char* prompt) {
  std::fputs(prompt, io.err);
  std::fflush(io.err);
  Result<std::string> line = read_line(io.in_fd, true);
  std::fputc('\n', io.err);
  if (line && line->find(kInterrupt) != std::string::npos) return Error(ErrorCode::cancelled, "interrupted");
  return line;
}

}  // namespace

Result<std::string> read_new_password(CommandIo& io, const std::string& file) {
  if (!file.empty() && file != "-") {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Error(ErrorCode::invalid_argument, file + ": " + errno_text(errno));
    Result<std::string> line = read_line(fd);
    ::close(fd);
    return line;
  }
  if (::isatty(io.in_fd) == 0 || file == "-") return read_line(io.in_fd);
  const HiddenInput hidden(io.in_fd);
  DENDRO_TRY_ASSIGN(std::string first, ask(io, "New password (12 to 128 characters): "));
  DENDRO_TRY_ASSIGN(const std::string second, ask(io, "The same again: "));
  if (first != second) return Error(ErrorCode::invalid_argument, "the two passwords differ");
  return first;
}

}  // namespace dendro
