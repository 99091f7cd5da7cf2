#!/bin/sh
# An app below a shell that does not replace itself by it, as in `sh -c 'app; true'` or an entrypoint script without
# `exec`. On SIGTERM the shell dies at once, and the app needs a second to clean up. An init that takes the shell's
# death for the end cuts the clean-up off. gsup sends the signal to the whole process group and waits for the whole
# tree: the clean-up completes, and nobody is killed. The exit code is 143, because the shell has died of SIGTERM.
#
#   gsup run --grace 8s -- examples/shell-wrapper.sh
sh -c '
  trap "echo app: cleaning up; sleep 1; echo app: cleaned up; exit 0" TERM
  echo ready
  while true; do sleep 1; done
'
true
