#!/bin/sh
# All checks, as `npm test` runs them: build, types, style, and every ring of tests. The last line is the sum.
set -u
cd "$(dirname "$0")/.." || exit 1
bin=node_modules/.bin
passed=0
failed=0

# Programs that some tests talk to. Where they cannot be had those tests say so and are skipped.
need() {
  command -v "$1" >/dev/null 2>&1 && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return
  missing="${missing-} $2"
}
need unshare util-linux
need ps procps
need expect expect
need tmux tmux
need tini tini
need dumb-init dumb-init
need musl-gcc musl-tools
need chromium chromium
need zsh zsh
need fish fish
need mandoc mandoc
need podman 'podman runc netavark debootstrap'
if [ -n "${missing-}" ]; then
  # shellcheck disable=SC2086 # several words
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } \
    </dev/null >/dev/null 2>&1 || echo "not installed:$missing"
fi

check() {
  title=$1
  shift
  if "$@" </dev/null; then
    passed=$((passed + 1))
    echo "ok: $title"
  else
    failed=$((failed + 1))
    echo "failed: $title"
  fi
}

mkdir -p build
check build npm run --silent build
check 'build of the C part with sanitizers' sh src/init/build.sh test
check types "$bin/tsc" --noEmit
check style "$bin/biome" check .

results=build/test-results.json
rm -f "$results"
"$bin/vitest" run --reporter=default --reporter=json --outputFile.json="$results" "$@" </dev/null
[ $? = 0 ] || tests=failed

# Vitest also fails for what is no test: an unhandled rejection, a file that does not load.
sum='
const { existsSync, readFileSync } = require("node:fs");
const [passed, failed, path, tests] = process.argv.slice(1);
const none = { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, numTodoTests: 0, numFailedTestSuites: 1 };
const got = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : none;
const broken = tests === "failed" && got.numFailedTests === 0 ? 1 : 0;
const bad = Number(failed) + got.numFailedTests + broken;
const skipped = got.numPendingTests + got.numTodoTests;
console.log(`\n${Number(passed) + got.numPassedTests} passed, ${bad} failed, ${skipped} skipped`);
process.exit(bad === 0 ? 0 : 1);
'
node -e "$sum" "$passed" "$failed" "$results" "${tests-passed}"
