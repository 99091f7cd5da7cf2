#!/bin/sh
# Builds one fuzz target:  sh src/init/test/fuzz-build.sh TARGET OUT [FILE...]
# CC and SANITIZE as for libFuzzer (see scripts/fuzz.sh); without them any compiler does, and the target replays files.
set -eu
cd "$(dirname "$0")/../../.."
target=$1 out=$2
case $target in
order) units=order ;;
options) units='options probe text' ;;
notify) units=text ;;
lines) units= ;;
protocol) units='text installation orphans' ;;
coordinator) units='run usage order record text say options probe memory orphans' ;;
*) echo "cannot build \"$target\": order, options, notify, lines, protocol or coordinator is needed" >&2; exit 64 ;;
esac
main=
[ -n "${SANITIZE:-}" ] || main=src/init/test/fuzz-replay.c
sources=$(for unit in $units; do printf 'src/init/%s.c ' "$unit"; done)
# shellcheck disable=SC2086 # lists of words
${CC:-cc} -std=gnu11 -O1 -g -Wall -Wextra -Werror -Wno-missing-field-initializers -Wno-unused-function -Wno-unused-parameter \
	${SANITIZE:--fsanitize=address,undefined} -fno-sanitize-recover=all -include src/init/test/fuzz-world.h \
	-o "$out" "src/init/test/fuzz-$target.c" $sources $main
