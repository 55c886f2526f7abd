#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "apps/command.h"

namespace dendro {

CommandIo process_command_io() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool is_plain =
      (no_color != nullptr && *no_color != '\0') || (terminal != nullptr && std::string_view(terminal) == "dumb");
  CommandIo io;
  io.out_is_terminal = !is_plain && isatty(STDOUT_FILENO) != 0;
  io.err_is_terminal = !is_plain && isatty(STDERR_FILENO) != 0;
  return io;
}

}  // namespace dendro
