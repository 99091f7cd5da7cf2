#!/bin/sh
# Fuzzes the C part with libFuzzer, AddressSanitizer and UBSan, one target after the other, and says how far it came:
#   scripts/fuzz.sh MINUTES [TARGET...]     order options notify lines protocol coordinator
#   scripts/fuzz.sh corpus [TARGET...]      makes test/fuzz/TARGET of what was found: the smallest set that reaches the same,
#                                           bug-*, which once broke it, and story-*, which were written by hand
# Needs clang with libclang-rt (Debian: clang libclang-rt-14-dev). What broke a target is left in build/fuzz/TARGET/;
# test/fuzz/replay.test.ts replays the corpus with any compiler, as part of npm test.
set -eu
cd "$(dirname "$0")/.."
minutes=${1:?"minutes, or corpus"}
shift
[ $# -gt 0 ] || set -- order options notify lines protocol coordinator
export ASAN_OPTIONS=detect_leaks=0
bounds="-timeout=10 -rss_limit_mb=2048 -max_len=8192"
broken=0

seeds=build/fuzz/seeds
mkdir -p $seeds
node_modules/.bin/esbuild --log-level=error --bundle --platform=node --format=esm test/fuzz/make-seeds.ts |
  node --input-type=module - $seeds

for target in "$@"; do
  work=build/fuzz/$target
  mkdir -p "$work/found" "test/fuzz/$target"
  CC=${CC:-clang} SANITIZE=-fsanitize=fuzzer,address,undefined sh src/init/test/fuzz-build.sh "$target" "$work/fuzz"
  if [ "$minutes" = corpus ]; then
    rm -rf "$work/kept"
    mkdir "$work/kept"
    # Large inputs reach nothing that small ones do not, once they are merged in this order.
    # shellcheck disable=SC2086 # several words
    "$work/fuzz" -set_cover_merge=1 -timeout=10 -max_len=600 "$work/kept" "test/fuzz/$target" "$seeds/$target" "$work/found" >"$work/log" 2>&1
    # What says by its name what it tries stays, whatever it reaches.
    find "test/fuzz/$target" "$seeds/$target" '(' -name 'bug-*' -o -name 'story-*' ')' -exec cp {} "$work/kept" ';'
    rm -rf "test/fuzz/$target"
    mv "$work/kept" "test/fuzz/$target"
    echo "$target: $(find "test/fuzz/$target" -type f | wc -l) inputs, $(du -sb "test/fuzz/$target" | cut -f1) bytes"
    continue
  fi
  # shellcheck disable=SC2086 # several words
  nice "$work/fuzz" -max_total_time=$((minutes * 60)) $bounds -artifact_prefix="$work/" -print_final_stats=1 \
    "$work/found" "test/fuzz/$target" "$seeds/$target" >"$work/log" 2>&1 || broken=1
  grep -E 'broken:|ERROR:|runtime error:|Test unit written' "$work/log" || true
  echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log") inputs, $(grep -o 'cov: [0-9]*' "$work/log" | tail -1) edges"
done
exit $broken
