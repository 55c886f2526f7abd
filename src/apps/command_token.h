#pragma once

#include <string>

#include "apps/command.h"
#include "base/result.h"

namespace CLI {
class App;
}

namespace dendro {

/// Adds --token.
void add_token_option(CLI::App& app, std::string& token);

/// The credential of a command that asks a server: what --token says, else DENDRO_API_KEY; "" if neither is there. Both
/// may name where it lies (`file:PATH`, `env:NAME`). One that stands on the command line itself is warned of on stderr,
/// as a file that others may read is.
/// Errors: those of SecretReader, with the place in front.
Result<std::string> command_token(const std::string& flag, CommandIo& io);

}  // namespace dendro
