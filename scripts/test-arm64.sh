#!/bin/sh
# The C part for arm64, tried on this machine: cross-compiled, and run by qemu-user. As root, for the PID namespace:
#   scripts/test-arm64.sh
# Layouts of protocol.h, the vectors of options and orders, and a few whole runs. What this cannot show: qemu-user gives the
# host's kernel to the program, so signals, waiting and /proc are those of this machine's kernel, and a command that gsup
# starts is one of this machine too (there is no binfmt_misc to run an arm64 one). qemu-user 7.2 refuses
# PR_SET_CHILD_SUBREAPER (EINVAL; gsup says so), so what escapes is tried as PID 1 only. Nothing here says anything of speed.
set -eu
cd "$(dirname "$0")/.."
out=$PWD/build/arm64
compiler=aarch64-linux-gnu-gcc

missing=
command -v $compiler >/dev/null || missing="$missing gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
command -v qemu-aarch64-static >/dev/null || missing="$missing qemu-user-static"
if [ -n "$missing" ]; then
  # shellcheck disable=SC2086 # several words
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } </dev/null >/dev/null 2>&1 ||
    { echo "cannot install:$missing; arm64 was not tried" >&2; exit 69; }
fi
qemu=$(command -v qemu-aarch64-static)
mkdir -p "$out"

CC=$compiler OUT=$out/gsup sh src/init/build.sh
for driver in options order; do
  units=src/init/$driver.c
  [ $driver = order ] || units="$units src/init/probe.c src/init/text.c"
  # shellcheck disable=SC2086 # several files
  $compiler -std=gnu11 -Wall -Wextra -Werror -Wno-missing-field-initializers -Os -static \
    -o "$out/$driver-driver.arm64" src/init/test/$driver-driver.c $units
  # A test gives its driver an environment of its own, without PATH.
  printf '#!/bin/sh\nexec %s %s "$@"\n' "$qemu" "$out/$driver-driver.arm64" >"$out/$driver-driver"
  chmod +x "$out/$driver-driver"
done

GSUP_CC="$compiler -static" GSUP_EMULATOR=$qemu GSUP_OPTIONS_DRIVER=$out/options-driver GSUP_ORDER_DRIVER=$out/order-driver \
  node_modules/.bin/vitest run test/host/protocol-layout.test.ts test/cli/vectors.test.ts test/signals/ladder-vectors.test.ts </dev/null

# ---- whole runs, as PID 1 and not

state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
failed=0
expect() { # CODE TITLE FIRST OPTION...: FIRST is exec (gsup is PID 1) or nothing (it is a subreaper)
  code=$1 title=$2 first=$3
  shift 3
  rm -rf "$state/t"
  got=0
  # shellcheck disable=SC2016 # for the inner shell
  timeout 60 unshare --pid --fork --kill-child --mount-proc -- sh -c 'first=$1; shift; if [ "$first" = exec ]; then exec "$@"; fi; "$@"; exit $?' \
    sh "$first" "$qemu" "$out/gsup" run --state-dir "$state" --name t "$@" >/dev/null 2>"$state/said" </dev/null || got=$?
  if [ "$got" = "$code" ]; then echo "ok: $title"; return; fi
  echo "failed: $title: exit code $got, not $code"
  cat "$state/said" "$state/t/init.log" 2>/dev/null
  failed=1
}
expect_record() { # PATTERN: a record of the last run
  grep -q "$1" "$state/t/init.log" && return
  echo "failed: no record like $1"
  failed=1
}

for first in exec ''; do
  who=${first:+PID 1}
  who=${who:-subreaper}
  # shellcheck disable=SC2016 # for the command's shell
  {
    expect 0 "$who: exit code 0" "$first" -- true
    expect 7 "$who: exit code 7" "$first" -- sh -c 'exit 7'
    expect 127 "$who: no such command" "$first" -- no-such-command
    expect 137 "$who: death by signal" "$first" -- sh -c 'kill -KILL $$'
    expect 9 "$who: USR1 is forwarded" "$first" -- sh -c 'trap "exit 9" USR1; kill -USR1 $PPID; while :; do sleep 0.1; done'
    expect 5 "$who: TERM, and the command ends within its grace" "$first" -g 30s -- sh -c 'trap "exit 5" TERM; kill -TERM $PPID; while :; do sleep 0.1; done'
    expect 137 "$who: TERM, grace, SIGKILL" "$first" -g 500ms -- sh -c 'trap "" TERM; kill -TERM $PPID; while :; do sleep 0.1; done'
    expect_record '"type":"run-ended".*"forced":true'
    [ -n "$first" ] || continue
    expect 3 "$who: what escaped into a session of its own is killed too" "$first" -g 500ms -- sh -c 'setsid sh -c "trap \"\" TERM; : >$1; while :; do sleep 0.1; done" & while ! [ -e "$1" ]; do sleep 0.05; done; exit 3' sh "$state/ready"
    expect_record '"type":"kill".*"pids":\[[0-9]'
    rm -f "$state/ready"
  }
done
[ $failed = 0 ] && echo "ok: arm64"
exit $failed
