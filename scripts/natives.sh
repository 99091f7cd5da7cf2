#!/bin/sh
# The native entries of the package, as `npm pack` and `npm publish` call it: dist/native/gsup-x64 and dist/native/gsup-arm64, static,
# with musl. What is not there is installed on Debian as root: the cross compiler; the C library of the other machine is put
# into build/ and nowhere else. Fails where one of the two cannot be built: half a package is none.
set -eu
cd "$(dirname "$0")/.."

fail() {
  echo "natives.sh: $*" >&2
  exit 1
}

case $(uname -m) in
  x86_64) here=x64 ;;
  aarch64) here=arm64 ;;
  *) fail "cannot build here: x86_64 or aarch64 is needed, got $(uname -m)" ;;
esac

# The entry for this machine: with musl-gcc, or what src/init/build.sh finds.
OUT=dist/native/gsup-$here sh src/init/build.sh

if [ $here = x64 ]; then other=arm64 machine=aarch64 debian=arm64; else other=x64 machine=x86_64 debian=amd64; fi
compiler=$machine-linux-gnu-gcc
if ! command -v "$compiler" >/dev/null 2>&1; then
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 ||
    fail "there is no $compiler for the entry of $other; on Debian: apt-get install gcc-$(echo $machine | tr _ -)-linux-gnu"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "gcc-$(echo $machine | tr _ -)-linux-gnu"; } </dev/null >/dev/null 2>&1 || fail "cannot install $compiler"
fi

# musl of the other machine, from the archive that apt uses, without making that machine's packages known to this system.
musl=$PWD/build/musl-$other
if [ ! -f "$musl/specs" ]; then
  command -v apt-get >/dev/null 2>&1 || fail "there is no musl for $other in $musl, and no apt-get to fetch it"
  rm -rf "$musl"
  mkdir -p "$musl/lists/partial" "$musl/cache/archives/partial" "$musl/root"
  apt() {
    apt-get -qq -o APT::Architecture=$debian -o APT::Architectures::=$debian -o Dir::State::Lists="$musl/lists" \
      -o Dir::Cache="$musl/cache" -o Dir::State::status=/dev/null -o APT::Sandbox::User=root "$@" </dev/null
  }
  apt update && (cd "$musl" && apt download musl-dev) || fail "cannot fetch musl for $other"
  dpkg -x "$musl"/musl-dev_*.deb "$musl/root"
  rm -rf "$musl/lists" "$musl/cache"
  sed "s,/usr/,$musl/root/usr/,g" "$musl/root/usr/lib/$machine-linux-musl/musl-gcc.specs" >"$musl/specs"
fi
printf '#!/bin/sh\nexec %s "$@" -specs %s\n' "$compiler" "$musl/specs" >"$musl/gcc"
chmod +x "$musl/gcc"
CC=$musl/gcc OUT=dist/native/gsup-$other sh src/init/build.sh
