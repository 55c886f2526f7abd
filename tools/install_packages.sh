#!/bin/sh
# Installs the Debian 12 packages dendro needs. Usage: tools/install_packages.sh build|test|lint|runtime
# Installs nothing and asks for no rights when everything is there already. Versions are the release's, security updates included.
set -eu

build='clang-19 lld-19 llvm-19 libclang-rt-19-dev make cmake ninja-build pkg-config ccache git ca-certificates tzdata
 libboost1.81-dev libssl-dev libsodium-dev libsimdjson-dev libzstd-dev liblz4-dev libisal-dev zlib1g-dev libxxhash-dev
 libre2-dev libhyperscan-dev libhowardhinnant-date-dev
 libpugixml-dev libmaxminddb-dev libsqlite3-dev libcurl4-openssl-dev libspdlog-dev libfmt-dev libcli11-dev libtomlplusplus-dev libjemalloc-dev'
test='libgtest-dev libgmock-dev nlohmann-json3-dev python3 python3-aiosmtpd python3-venv openssl zstd jq ripgrep curl'
lint='clang-tidy-19 clang-format-19'
runtime='libcurl4 libssl3 libsodium23 libpugixml1v5 libmaxminddb0 libsimdjson14 libzstd1 liblz4-1 libisal2 zlib1g libxxhash0 libre2-9 libhyperscan5 libdate-tz3 libsqlite3-0 libspdlog1.10 libfmt9 libtomlplusplus3
 libjemalloc2 libstdc++6 tzdata ca-certificates'

case "${1:-}" in
  build) packages=$build ;;
  test) packages="$build $test" ;;
  lint) packages="$build $lint" ;;
  runtime) packages=$runtime ;;
  *) echo "usage: tools/install_packages.sh build|test|lint|runtime" >&2; exit 2 ;;
esac

missing=''
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! grep -q '^VERSION_ID="12"' /etc/os-release 2>/dev/null || ! command -v apt-get >/dev/null; then
  echo "install_packages: made for Debian 12; install these yourself and run again:$missing" >&2
  exit 1
fi
as_root=''
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "install_packages: needs root; run as root: apt-get install$missing" >&2; exit 1; }
  as_root=sudo
fi
echo "installing Debian packages:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of words
if ! { $as_root apt-get update && $as_root apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
  cat "$log" >&2
  echo "install_packages: apt-get failed, see above" >&2
  exit 1
fi
