#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace dendro {

/// A secret as it was read. Never logged.
struct SecretText {
  std::string text;
  std::string warning = {};  ///< what an operator should hear about where it lies; or ""
};

/// One kind of place where secrets lie: files, variables, a manager of secrets. Thread-safe; calls may wait for disk or
/// network.
class SecretSource {
 public:
  virtual ~SecretSource() = default;
  /// Reads it anew at each call: who keeps a secret for long asks again to learn of its change.
  /// @param place  what stands behind the scheme: a path, a name, an ARN.
  /// Errors: invalid_argument (there is no such secret), unavailable (ask again); the text names the place, never what
  /// lies there.
  virtual Result<SecretText> read(const std::string& place) = 0;
};

/// A variable of the environment; nothing if it is not set.
using VariableFunction = std::function<std::optional<std::string>(const std::string& name)>;

/// Reads references `SCHEME:PLACE` to secrets: `file:PATH`, `env:NAME`, `literal:TEXT`, and those of sources that are
/// added. Fixed after the last `add`, from then on thread-safe.
class SecretReader {
 public:
  /// With `file` and `env`.
  explicit SecretReader(VariableFunction variable);

  /// `scheme`: lower case, such as "aws-secretsmanager".
  void add(const std::string& scheme, std::unique_ptr<SecretSource> source);

  /// The secret that `value` names, or is, if it has not the form of a reference.
  /// Errors: those of SecretSource; invalid_argument (the form of a reference, of no scheme that is known),
  /// unimplemented (of one that is not built). None holds any part of `value` but the place behind a scheme that is
  /// known: the rest may be a secret.
  Result<SecretText> read(const std::string& value) const;

 private:
  std::map<std::string, std::unique_ptr<SecretSource>, std::less<>> sources_;
};

/// True of "scheme:..." with a scheme of two or more of a-z, 0-9 and "-".
bool has_secret_reference_form(std::string_view value);

}  // namespace dendro
