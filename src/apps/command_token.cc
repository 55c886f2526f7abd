#include "apps/command_token.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <optional>

#include "io/secret_source.h"

namespace dendro {
namespace {

constexpr const char* kTokenVariable = "DENDRO_API_KEY";

std::optional<std::string> variable_of_process(const std::string& name) {
  const char* const value = std::getenv(name.c_str());  // NOLINT: nothing here sets any
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

void add_token_option(CLI::App& app, std::string& token) {
  app.add_option("--token", token,
                 "API key or token: file:PATH, env:NAME or itself; default the variable DENDRO_API_KEY")
      ->type_name("KEY");
}

Result<std::string> command_token(const std::string& flag, CommandIo& io) {
  const std::string value = flag.empty() ? variable_of_process(kTokenVariable).value_or("") : flag;
  Result<SecretText> read = SecretReader(&variable_of_process).read(value);
  if (!read) return read.error().with_context(flag.empty() ? kTokenVariable : "--token");
  if (!read->warning.empty()) std::fprintf(io.err, "warning: %s\n", read->warning.c_str());
  if (!flag.empty() && (!has_secret_reference_form(flag) || flag.starts_with("literal:"))) {
    std::fprintf(io.err,
                 "warning: --token can be seen in the list of processes; use --token file:PATH or the variable %s\n",
                 kTokenVariable);
  }
  return std::move(read->text);
}

}  // namespace dendro
