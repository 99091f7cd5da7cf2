#!/bin/sh
# A process that does not want to end: it hears SIGTERM, says so, and goes on. Under gsup it lives as long as its grace
# lasts and no longer. Then SIGKILL goes to its group and whatever else it has started, gsup names on stderr who ignored
# termination, and the exit code is 137. A second SIGTERM or SIGINT to gsup ends the wait at once.
#
#   gsup run --grace 2s -- examples/stubborn.sh
trap 'echo "heard SIGTERM, going on"' TERM
echo ready
while true; do
  sleep 1
done
