#!/bin/sh
# S42 and S68 with real processes, all of it:  scripts/real-crashes.sh [RANDOM] [TITLE]
# Each story of test/support/crash-stories.ts (`run`) and crash-stories-up.ts (`up`) with SIGKILL for its supervisor before, within and after every write that it
# makes, two crashes in a row, and at RANDOM random moments (200); and 100 upgrades under a running command. Says how many
# supervisors were killed. TITLE: only those that match it, such as 'up: '. 40 minutes and more on two cores.
set -eu
cd "$(dirname "$0")/.."
case ${1-200} in
  "" | *[!0-9]* | 0*) echo "real-crashes: cannot take \"$1\" for RANDOM, how many crashes at random moments: a whole number from 1 on is needed; RANDOM stands before TITLE" >&2; exit 64 ;;
esac
GSUP_TEST_CRASHES=${1-200} GSUP_TEST_UPGRADES=${GSUP_TEST_UPGRADES:-100}
export GSUP_TEST_CRASHES GSUP_TEST_UPGRADES
exec node_modules/.bin/vitest run test/scenarios/crash.test.ts test/scenarios/crash-up.test.ts test/scenarios/upgrade.test.ts \
  --disable-console-intercept -t "${2:-}"
