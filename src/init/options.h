/* What the command line of `gsup run` or `gsup up` says; options.c reads it, main.c makes a launch and an order of it. */
#ifndef GSUP_OPTIONS_H
#define GSUP_OPTIONS_H
#include "init.h"

enum { LIST_MAX = 1024, LIMIT_ROWS = 16 };
struct said { bool set, by_argument; long long number; const char *text; };
enum parsed_action { PARSED_RUN, PARSED_HELP, PARSED_VERSION, PARSED_OTHER, PARSED_UP, PARSED_HEALTH };
enum health { HEALTH_WELL, HEALTH_READY, HEALTH_LIVE };
enum rung_action { RUNG_SIGNAL, RUNG_WAIT, RUNG_EXEC, RUNG_POST };
struct parsed_rung { enum rung_action action; int signal; const char *text; long long wait_ms; };
struct parsed {
	enum parsed_action action;
	bool plain;
	enum health health;
	char **command;                        /* of `up`: names of processes */
	struct said said[OPT_COUNT];
	uint64_t stop_on;                      /* bit n - 1: signal n begins a stop */
	uint8_t exit_map[256], rewrite[SIGNALS];
	struct { bool said; struct limit limit; } limits[LIMIT_ROWS];
	struct parsed_rung rungs[MAX_RUNGS];
	int rung_count, env_count, file_count;
	char *env[2 * LIST_MAX + 4], *files[LIST_MAX]; /* room for what the files say, and gsup itself */
};
int parse_command_line(int argc, char **argv, char **env, struct parsed *p); /* p: zeroed. 0, or the exit code and parse_error() */
const char *parse_error(void);

/* ---- health.c ---- */
int health_main(const struct parsed *p, enum health asked);

/* Milliseconds, DURATION_FOREVER, or one of these. */
enum { NO_DURATION = -2, TOO_LONG = -3, BARE_NUMBER = -4 };
long long parse_duration(const char *text, bool may_be_forever);

/* ---- probe.c ---- */
bool is_ready_spec(const char *value);
bool is_health_spec(const char *value);
bool is_address(const char *text); /* of TCP: PORT, HOST:PORT or [HOST]:PORT */
#endif
