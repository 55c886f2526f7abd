#!/bin/sh
# `make install`: copies the release build below the folder given: bin/dendro, bin/analyze, man page, shell completion.
set -eu
cd "$(dirname "$0")/.."
prefix=${1:?usage: tools/install.sh PREFIX}
tools/build.sh release
dendro=build/release/dendro
install -d "$prefix/bin" "$prefix/share/man/man1" "$prefix/share/bash-completion/completions" \
  "$prefix/share/zsh/site-functions" "$prefix/share/fish/vendor_completions.d"
install -m 755 "$dendro" "$prefix/bin/dendro"
ln -sf dendro "$prefix/bin/analyze"
"$dendro" man > "$prefix/share/man/man1/dendro.1"
"$dendro" completion bash > "$prefix/share/bash-completion/completions/dendro"
"$dendro" completion zsh > "$prefix/share/zsh/site-functions/_dendro"
"$dendro" completion fish > "$prefix/share/fish/vendor_completions.d/dendro.fish"
echo "installed below $prefix"
