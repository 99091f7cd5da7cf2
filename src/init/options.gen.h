/* Generated from src/cli/options.ts by `npm run generate`: do not edit. */

#ifndef GSUP_OPTIONS_GEN_H
#define GSUP_OPTIONS_GEN_H

#include <stddef.h>
#include <sys/resource.h>

#define GSUP_VERSION "0.1.0"

enum option_kind { K_TEXTS, K_FLAG, K_DURATION, K_SIGNAL, K_SIGNALS, K_CHOICE, K_RUNGS, K_NUMBER, K_EXIT_MAP, K_REWRITES, K_TEXT, K_USER, K_GROUP, K_OCTAL, K_ENV, K_ULIMITS, K_READY, K_HEALTH, K_LOG, K_ADDRESS, K_NAME };

enum option_flag { F_PLAIN = 1, F_COMMON = 2, F_ACTION = 4, F_FOREVER = 8, F_POSITIVE = 16, F_RUN = 32, F_UP = 64 };

/* X(id, long, short, variable, kind, flags, min, max, choices, need) */
#define OPTION_TABLE(X) \
  X(FILE, "file", 'f', "GSUP_FILE", K_TEXTS, F_UP, 0, 0, NULL, "a path") \
  X(DETACH, "detach", 'd', "GSUP_DETACH", K_FLAG, F_UP, 0, 0, NULL, "1, true, yes, 0, false, no or nothing") \
  X(GRACE, "grace", 'g', "GSUP_GRACE", K_DURATION, F_PLAIN | F_FOREVER | F_RUN, 0, 0, NULL, "a duration like 500ms, 8s, 1m30s, 0 or forever") \
  X(STOP_SIGNAL, "stop-signal", 's', "GSUP_STOP_SIGNAL", K_SIGNAL, F_PLAIN | F_RUN, 0, 0, NULL, "a signal like TERM, SIGUSR1, 15 or RTMIN+3") \
  X(STOP_ON, "stop-on", 0, "GSUP_STOP_ON", K_SIGNALS, F_PLAIN | F_RUN | F_UP, 0, 0, NULL, "a signal that can be caught, like WINCH, SIGUSR1 or RTMIN+3,") \
  X(TARGET, "target", 0, "GSUP_TARGET", K_CHOICE, F_PLAIN | F_RUN, 0, 0, "group" "\0" "leader" "\0" "tree" "\0", "group, leader or tree") \
  X(HOLD, "hold", 0, "GSUP_HOLD", K_DURATION, F_PLAIN | F_FOREVER | F_RUN, 0, 0, NULL, "a duration like 500ms, 8s, 1m30s, 0 or forever") \
  X(RUNG, "rung", 0, "GSUP_RUNG", K_RUNGS, F_RUN, 0, 0, NULL, "a rung like SIGTERM:8s, wait:5s, exec:./drain.sh:5s or http-post:http://127.0.0.1:9000/drain:10s") \
  X(STOP_BUDGET, "stop-budget", 0, "GSUP_STOP_BUDGET", K_DURATION, F_PLAIN | F_RUN, 0, 0, NULL, "a duration like 500ms, 8s, 1m30s or 0") \
  X(RESTART, "restart", 0, "GSUP_RESTART", K_CHOICE, F_RUN, 0, 0, "no" "\0" "on-failure" "\0" "always" "\0" "unless-stopped" "\0", "no, on-failure, always or unless-stopped") \
  X(MAX_FAILURES, "max-failures", 0, "GSUP_MAX_FAILURES", K_NUMBER, F_RUN, 0, 1000000, NULL, "a whole number from 0 to 1000000") \
  X(MIN_DURATION, "min-duration", 0, "GSUP_MIN_DURATION", K_DURATION, F_RUN, 0, 0, NULL, "a duration like 500ms, 8s, 1m30s or 0") \
  X(EXIT_MAP, "exit-map", 'e', "GSUP_EXIT_MAP", K_EXIT_MAP, F_PLAIN | F_RUN, 0, 0, NULL, "an exit code like 143, or a pair like 143=0, each from 0 to 255,") \
  X(REWRITE, "rewrite", 0, "GSUP_REWRITE", K_REWRITES, F_PLAIN | F_RUN, 0, 0, NULL, "a pair of signals like HUP:TERM, or HUP:0,") \
  X(PARENT_DEATH_SIGNAL, "parent-death-signal", 'p', "GSUP_PARENT_DEATH_SIGNAL", K_SIGNAL, F_PLAIN | F_RUN | F_UP, 0, 0, NULL, "a signal like TERM, SIGUSR1, 15 or RTMIN+3") \
  X(CWD, "cwd", 0, "GSUP_CWD", K_TEXT, F_PLAIN | F_RUN, 0, 0, NULL, "a path") \
  X(USER, "user", 0, "GSUP_USER", K_USER, F_PLAIN | F_RUN, 0, 0, NULL, "a user, by name or number, perhaps with :GROUP,") \
  X(GROUP_ID, "group-id", 0, "GSUP_GROUP_ID", K_GROUP, F_PLAIN | F_RUN, 0, 0, NULL, "a group, by name or number,") \
  X(UMASK, "umask", 0, "GSUP_UMASK", K_OCTAL, F_PLAIN | F_RUN, 0, 0, NULL, "an octal mode from 0 to 0777, like 022,") \
  X(ENV, "env", 0, "GSUP_ENV", K_ENV, F_PLAIN | F_RUN, 0, 0, NULL, "a variable like NAME=value, or NAME alone,") \
  X(ENV_FILE, "env-file", 0, "GSUP_ENV_FILE", K_TEXTS, F_PLAIN | F_RUN, 0, 0, NULL, "a path") \
  X(CLEAR_ENV, "clear-env", 0, "GSUP_CLEAR_ENV", K_FLAG, F_PLAIN | F_RUN, 0, 0, NULL, "1, true, yes, 0, false, no or nothing") \
  X(ULIMIT, "ulimit", 0, "GSUP_ULIMIT", K_ULIMITS, F_PLAIN | F_RUN, 0, 0, NULL, "a limit like nofile=1024, nofile=1024:2048 or core=unlimited") \
  X(NICE, "nice", 0, "GSUP_NICE", K_NUMBER, F_PLAIN | F_RUN, -20, 19, NULL, "a whole number from -20 to 19") \
  X(OOM_SCORE_ADJ, "oom-score-adj", 0, "GSUP_OOM_SCORE_ADJ", K_NUMBER, F_PLAIN | F_RUN, -1000, 1000, NULL, "a whole number from -1000 to 1000") \
  X(NO_NEW_PRIVS, "no-new-privs", 0, "GSUP_NO_NEW_PRIVS", K_FLAG, F_PLAIN | F_RUN, 0, 0, NULL, "1, true, yes, 0, false, no or nothing") \
  X(READY, "ready", 0, "GSUP_READY", K_READY, F_RUN, 0, 0, NULL, "a probe like notify, fd:3, tcp:5432, http://127.0.0.1:8080/ready, exec:./ready.sh or log:REGEX, perhaps with ,timeout=60s,") \
  X(HEALTH, "health", 0, "GSUP_HEALTH", K_HEALTH, F_RUN, 0, 0, NULL, "a probe like tcp:5432, http://127.0.0.1:8080/health, exec:./check.sh or watchdog:10s, perhaps with ,interval=10s or ,retries=3,") \
  X(PRE_STOP, "pre-stop", 0, "GSUP_PRE_STOP", K_TEXT, F_RUN, 0, 0, NULL, "a command") \
  X(PRE_STOP_TIMEOUT, "pre-stop-timeout", 0, "GSUP_PRE_STOP_TIMEOUT", K_DURATION, F_PLAIN | F_RUN, 0, 0, NULL, "a duration like 500ms, 8s, 1m30s or 0") \
  X(POST_STOP, "post-stop", 0, "GSUP_POST_STOP", K_TEXT, F_RUN, 0, 0, NULL, "a command") \
  X(START_TIMEOUT, "start-timeout", 0, "GSUP_START_TIMEOUT", K_DURATION, F_PLAIN | F_FOREVER | F_POSITIVE | F_RUN, 0, 0, NULL, "a positive duration like 500ms, 8s, 1m30s or forever") \
  X(LOG, "log", 0, "GSUP_LOG", K_LOG, F_PLAIN | F_RUN, 0, 0, NULL, "inherit, prefix, json or file:PATH") \
  X(REQUIRE_STATE, "require-state", 0, "GSUP_REQUIRE_STATE", K_FLAG, F_PLAIN | F_RUN | F_UP, 0, 0, NULL, "1, true, yes, 0, false, no or nothing") \
  X(STAY, "stay", 0, "GSUP_STAY", K_FLAG, F_RUN | F_UP, 0, 0, NULL, "1, true, yes, 0, false, no or nothing") \
  X(HTTP, "http", 0, "GSUP_HTTP", K_ADDRESS, F_RUN | F_UP, 0, 0, NULL, "an address like 127.0.0.1:9100, [::1]:9100 or localhost:9100, with a port from 1 to 65535,") \
  X(TOKEN_FILE, "token-file", 0, "GSUP_TOKEN_FILE", K_TEXT, F_RUN | F_UP, 0, 0, NULL, "a path") \
  X(NO_CHECKPOINT, "no-checkpoint", 0, "GSUP_NO_CHECKPOINT", K_FLAG, F_PLAIN | F_RUN | F_UP, 0, 0, NULL, "1, true, yes, 0, false, no or nothing") \
  X(STATE_DIR, "state-dir", 0, "GSUP_STATE_DIR", K_TEXT, F_PLAIN | F_COMMON | F_RUN | F_UP, 0, 0, NULL, "a path") \
  X(NAME, "name", 0, "GSUP_NAME", K_NAME, F_PLAIN | F_COMMON | F_RUN | F_UP, 0, 0, NULL, "a name of at most 64 letters, digits, _, . and -, the first no . or -,") \
  X(LOG_LEVEL, "log-level", 0, "GSUP_LOG_LEVEL", K_CHOICE, F_PLAIN | F_COMMON | F_RUN | F_UP, 0, 0, "debug" "\0" "info" "\0" "warn" "\0" "error" "\0", "debug, info, warn or error") \
  X(LOG_FORMAT, "log-format", 0, "GSUP_LOG_FORMAT", K_CHOICE, F_PLAIN | F_COMMON | F_RUN | F_UP, 0, 0, "text" "\0" "json" "\0", "text or json") \
  X(VERBOSE, "verbose", 'v', "GSUP_VERBOSE", K_FLAG, F_PLAIN | F_COMMON | F_RUN | F_UP, 0, 0, NULL, "1, true, yes, 0, false, no or nothing") \
  X(QUIET, "quiet", 'q', "GSUP_QUIET", K_FLAG, F_PLAIN | F_COMMON | F_RUN | F_UP, 0, 0, NULL, "1, true, yes, 0, false, no or nothing") \
  X(VERSION, "version", 'V', NULL, K_FLAG, F_PLAIN | F_COMMON | F_ACTION | F_RUN | F_UP, 0, 0, NULL, "1, true, yes, 0, false, no or nothing") \
  X(HELP, "help", 'h', NULL, K_FLAG, F_PLAIN | F_COMMON | F_ACTION | F_RUN | F_UP, 0, 0, NULL, "1, true, yes, 0, false, no or nothing")

enum option_id {
#define OPTION_ID(id, ...) OPT_##id,
  OPTION_TABLE(OPTION_ID)
#undef OPTION_ID
  OPT_COUNT
};

/* In ms. */
#define DEFAULT_GRACE 8000LL /* 8 s leave 2 s of Docker's 10 to kill, reap, record and report */
#define DEFAULT_STOP_ON (1ULL << 1 | 1ULL << 2 | 1ULL << 14) /* bit n - 1 for signal n */
#define DEFAULT_HOLD 0LL /* a stop should begin when it is asked for */
#define DEFAULT_MIN_DURATION 5000LL /* a command that fails at once must not fill the log or the processor */
#define DEFAULT_PRE_STOP_TIMEOUT 10000LL /* a hook that hangs must not hold up the stop */
#define DEFAULT_START_TIMEOUT 10000LL /* from fork to exec nothing is slow except a dead mount */

#define DEFAULT_TARGET 0
enum restart { RESTART_NO = 0, RESTART_ON_FAILURE = 1, RESTART_ALWAYS = 2, RESTART_UNLESS_STOPPED = 3 };
#define DEFAULT_RESTART -1
enum log_level { LOG_LEVEL_DEBUG = 0, LOG_LEVEL_INFO = 1, LOG_LEVEL_WARN = 2, LOG_LEVEL_ERROR = 3 };
#define DEFAULT_LOG_LEVEL -1
enum log_format { LOG_FORMAT_TEXT = 0, LOG_FORMAT_JSON = 1 };
#define DEFAULT_LOG_FORMAT -1

/* X(name, number) */
#define SIGNAL_TABLE(X) \
  X("HUP", 1) \
  X("INT", 2) \
  X("QUIT", 3) \
  X("ILL", 4) \
  X("TRAP", 5) \
  X("ABRT", 6) \
  X("BUS", 7) \
  X("FPE", 8) \
  X("KILL", 9) \
  X("USR1", 10) \
  X("SEGV", 11) \
  X("USR2", 12) \
  X("PIPE", 13) \
  X("ALRM", 14) \
  X("TERM", 15) \
  X("STKFLT", 16) \
  X("CHLD", 17) \
  X("CONT", 18) \
  X("STOP", 19) \
  X("TSTP", 20) \
  X("TTIN", 21) \
  X("TTOU", 22) \
  X("URG", 23) \
  X("XCPU", 24) \
  X("XFSZ", 25) \
  X("VTALRM", 26) \
  X("PROF", 27) \
  X("WINCH", 28) \
  X("IO", 29) \
  X("PWR", 30) \
  X("SYS", 31)

/* X(name, number) */
#define SIGNAL_ALIASES(X) \
  X("IOT", 6) \
  X("CLD", 17) \
  X("POLL", 29)

#define SIGNAL_RTMIN 34
#define SIGNAL_RTMAX 64

/* X(name, resource) */
#define ULIMIT_TABLE(X) \
  X("as", RLIMIT_AS) \
  X("core", RLIMIT_CORE) \
  X("cpu", RLIMIT_CPU) \
  X("data", RLIMIT_DATA) \
  X("fsize", RLIMIT_FSIZE) \
  X("locks", RLIMIT_LOCKS) \
  X("memlock", RLIMIT_MEMLOCK) \
  X("msgqueue", RLIMIT_MSGQUEUE) \
  X("nice", RLIMIT_NICE) \
  X("nofile", RLIMIT_NOFILE) \
  X("nproc", RLIMIT_NPROC) \
  X("rss", RLIMIT_RSS) \
  X("rtprio", RLIMIT_RTPRIO) \
  X("rttime", RLIMIT_RTTIME) \
  X("sigpending", RLIMIT_SIGPENDING) \
  X("stack", RLIMIT_STACK)

/* X(unit, ms), from large to small */
#define DURATION_UNITS(X) \
  X("d", 86400000LL) \
  X("h", 3600000LL) \
  X("m", 60000LL) \
  X("s", 1000LL) \
  X("ms", 1LL)

#define DURATION_MAX_MS 315360000000LL
#define DURATION_FOREVER -1LL
#define MAX_RUNGS 16
#define DRAIN_MS 5000ull
#define LOG_MAX_BYTES 100000000ull
#define LOG_MAX_FILES 5
#define QUOTE_BYTES 64
#define HINT_DIGITS 12
#define NEAR_BYTES 32

#define EXIT_USAGE 64
#define EXIT_DATA 65
#define EXIT_UNAVAILABLE 69
#define EXIT_INTERNAL 70
#define EXIT_STUCK 71
#define EXIT_STATE 73
#define EXIT_HELD 75
#define EXIT_CONFIG 78
#define EXIT_TIMED_OUT 124
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127
#define EXIT_SIGNAL_BASE 128

/* printf templates; what comes from outside is quoted first. */
#define ERROR_VALUE "cannot use \"%s\": %s is needed, got \"%s\"%s"
#define ERROR_MISSING "cannot use \"%s\": %s is needed, got nothing"
#define ERROR_UNKNOWN "cannot use \"%s\": there is no such option%s"
#define ERROR_FLAG "cannot use \"%s\": it takes no value, got \"%s\""
#define ERROR_RUNGS "cannot use \"%s\": a ladder has at most 16 rungs"
#define ERROR_RUNG_ALONE "cannot use \"%s\" together with \"%s\": the rungs are the whole ladder, with every signal and wait"
#define ERROR_RESTART "cannot use \"%s\" together with \"%s\": what is never restarted fails once"
#define ERROR_READY_LOG "cannot use \"%s\" for a line of output: gsup must see it, and the command writes by itself; add --log prefix, json or file:PATH"
#define ERROR_TOKEN_FILE "cannot use \"%s\" without --http: there is nothing that it would open"
#define ERROR_DETACH "cannot use \"%s\" together with \"%s\": whoever starts gsup in the background ends as soon as it is up"
#define ERROR_COMMAND "cannot run nothing: a command is needed, got none; write gsup run [options] -- CMD"

#define HINT_BARE_NUMBER "; write %ss"
#define HINT_TOO_LONG "; 3650d is the longest"
#define HINT_NEAR "; did you mean --%s?"
#define HINT_HELP "; see gsup run --help"
#define HINT_HELP_UP "; see gsup up --help"

#endif
