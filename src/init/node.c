/* Node.js, as init starts it: for a command that is not init's, and as the supervisor, with the descriptors and the
 * environment that one has. */
#include "init.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { AT_INIT = 3, AT_LOG, AT_INIT_LOG, AT_CONFIG, AT_ERROR, AT_CONTROL, SUPERVISOR_FDS, FILES_NEEDED = 64 };

/* ROOT/dist/entry: ROOT is where this program is, else GSUP_HOME. */
static bool find_script(char *script, size_t size, const char *entry)
{
	const char *home = getenv("GSUP_HOME");
	char file[PATH_MAX], real[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", real, sizeof real - 1);
	real[n > 0 ? n : 0] = 0;
	for (int up = 0; up < 3 && strrchr(real, '/'); up++) *strrchr(real, '/') = 0; /* ROOT/dist/native/gsup */
	for (int i = 0; i < 2; i++) {
		const char *candidate = i ? home : real;
		if (!candidate || print(file, sizeof file, "%s/dist/%s", candidate, entry) >= (int)sizeof file || access(file, R_OK) != 0) continue;
		return print(script, size, "%s", file) < (int)size;
	}
	return false;
}

/* The supervisor is small and short of memory rather than of speed: measured by bench/supervisor-start.mjs. */
static const char *const node_flags[] = { "--max-semi-space-size=1", "--no-opt", "--v8-pool-size=0", NULL };

int exec_node(char **argv, char **env, enum node_for what_for, bool say_why)
{
	char script[PATH_MAX], file[PATH_MAX];
	const char *path = getenv("PATH"), *node = getenv("GSUP_NODE"), *other = getenv("GSUP_SUPERVISOR");
	int n = 0, words = 0;
	while (argv[words]) words++;
	char *args[words + 16];
	bool starts_supervisor = what_for == NODE_SUPERVISOR;
	if (starts_supervisor && installation_script(script, sizeof script)) ;
	else if (starts_supervisor && other && *other) print(script, sizeof script, "%s", other);
	else if (what_for == NODE_COMMAND && find_script(script, sizeof script, "client.cjs")) ;
	else if (!find_script(script, sizeof script, "main.cjs")) { if (say_why) say(LEVEL_ERROR, "cannot find the JavaScript part of gsup: it is beside the native entry, or under GSUP_HOME"); return EXIT_UNAVAILABLE; }
	args[n++] = "node";
	if (starts_supervisor) for (const char *const *f = node_flags; *f; f++) args[n++] = (char *)*f;
	args[n++] = "--"; /* Node 20 takes an --env-file from anywhere behind it, even from the words of the command */
	args[n++] = script;
	for (int i = 1; argv[i]; i++) args[n++] = argv[i];
	args[n] = NULL;
	if (node && *node) execve(node, args, env);
	for (const char *at = path && *path ? path : "/usr/local/bin:/usr/bin:/bin"; !(node && *node) && at; at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
		print(file, sizeof file, "%.*s/node", (int)strcspn(at, ":"), at);
		execve(file, args, env);
	}
	if (say_why) say(LEVEL_ERROR, "cannot run Node.js, which this needs: %s; put node in PATH, or its place in GSUP_NODE", strerror(errno));
	return EXIT_UNAVAILABLE;
}

/* Its own limit: the command keeps what gsup was given. */
bool files_suffice(bool say_why)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur >= FILES_NEEDED) return true;
	if (files.rlim_max < FILES_NEEDED) {
		if (say_why) say(LEVEL_ERROR, "cannot start the supervisor: the limit of open files is %llu, and it needs %d", (unsigned long long)files.rlim_max, FILES_NEEDED);
		return false;
	}
	files.rlim_cur = FILES_NEEDED;
	prlimit(0, RLIMIT_NOFILE, &files, NULL);
	return true;
}

static void stand_apart(void)
{
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	int adj = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); /* expendable: the first to go, before any child */
	if (adj >= 0) { (void)!write(adj, "1000", 4); close(adj); }
}

/* `from`: what is to lie at each place; -1: /dev/null. Of a first supervisor 0 stays, since it may read its config there. */
static void lay_out(const int from[SUPERVISOR_FDS], bool first)
{
	say_from_above(32); /* or why there is no Node would go to init, as a frame that is none */
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), error_out = fcntl(say_shared(), F_DUPFD_CLOEXEC, 32), above[SUPERVISOR_FDS];
	for (int to = 3; to < SUPERVISOR_FDS; to++) above[to] = fcntl(from[to] < 0 ? null : from[to], F_DUPFD_CLOEXEC, 32);
	if (null >= 0 && !first) dup2(null, 0);
	if (null >= 0) dup2(null, 1);
	if (isatty(2)) dup2(null, 2); /* Node would restore the modes of a terminal that is not its own */
	else if (say_shared() != 2) dup2(error_out, 2);
	for (int to = 3; to < SUPERVISOR_FDS; to++) if (above[to] >= 0) dup2(above[to], to);
	if (error_out >= 0) dup2(error_out, AT_ERROR);
	for (int fd = SUPERVISOR_FDS; fd < 4096; fd++) { /* inherited ones are for the command */
		int flags = fcntl(fd, F_GETFD);
		if (flags >= 0 && !(flags & FD_CLOEXEC)) fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
}

/* What is meant for the command, or of an outer gsup. */
static bool is_foreign(const char *entry)
{
	static const char *const not_for_it[] = { "NODE_OPTIONS=", "NODE_V8_COVERAGE=", "NODE_DEBUG", "GSUP_INIT=", "GSUP_TASK=", "GSUP_TASK_DIR=", "GSUP_VISIT=", NULL };
	for (const char *const *d = not_for_it; *d; d++) if (strncmp(entry, *d, strlen(*d)) == 0) return true;
	return say_shared() != 2 && strncmp(entry, "GSUP_LOG_FORMAT=", 16) == 0;
}

static _Noreturn void become_node(char **argv, char **env, bool say_why)
{
	signal(SIGCHLD, SIG_DFL);
	set_mask(0);
	_exit(exec_node(argv, env, NODE_SUPERVISOR, say_why));
}

_Noreturn void become_supervisor(char **argv, int socket, bool say_why, bool visits)
{
	if (!files_suffice(say_why)) _exit(EXIT_UNAVAILABLE);
	stand_apart();
	lay_out((int[SUPERVISOR_FDS]){ [AT_INIT] = socket, [AT_LOG] = state.checkpoint_log, [AT_INIT_LOG] = state.init_log,
		[AT_CONFIG] = config_descriptor, [AT_CONTROL] = control_descriptor }, false);
	char folder[600], task[NAME_SIZE + 16], adjusted[] = "GSUP_INIT=1", visit[] = "GSUP_VISIT=1";
	int n = 0, had = 0;
	while (inherited_env[had]) had++;
	char *env[had + 6];
	for (char **e = inherited_env; *e; e++) if (!is_foreign(*e)) env[n++] = *e;
	print(folder, sizeof folder, "GSUP_TASK_DIR=%s", state.path);
	print(task, sizeof task, "GSUP_TASK=%s", state.task);
	env[n++] = folder;
	env[n++] = task;
	env[n++] = adjusted;
	if (visits) env[n++] = visit;
	if (say_shared() != 2) env[n++] = say_is_json() ? "GSUP_LOG_FORMAT=json" : "GSUP_LOG_FORMAT=text"; /* as who waits for `up` is to read it */
	env[n] = NULL;
	become_node(argv, env, say_why);
}

/* A config may use what a supervisor is not to obey: it gets that under another name (src/cli/first-supervisor.ts). */
_Noreturn void become_first(char **argv, int socket, int control)
{
	static const char aside[] = "GSUP_ASIDE_";
	stand_apart();
	lay_out((int[SUPERVISOR_FDS]){ [AT_INIT] = socket, [AT_LOG] = -1, [AT_INIT_LOG] = -1, [AT_CONFIG] = config_descriptor, [AT_CONTROL] = control }, true);
	char first[] = "GSUP_INIT=first";
	int n = 0, had = 0;
	size_t size = 1, at = 0;
	for (; inherited_env[had]; had++) if (is_foreign(inherited_env[had])) size += strlen(inherited_env[had]) + sizeof aside;
	char *env[had + 2], renamed[size];
	for (char **e = inherited_env; *e; e++) {
		if (strncmp(*e, "GSUP_INIT=", 10) == 0) continue;
		env[n++] = is_foreign(*e) ? renamed + at : *e;
		if (env[n - 1] != *e) at += (size_t)print(renamed + at, size - at, "%s%s", aside, *e) + 1;
	}
	env[n++] = first;
	env[n] = NULL;
	become_node(argv, env, true);
}
