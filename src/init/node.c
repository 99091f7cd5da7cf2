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

enum { SUPERVISOR_FDS = 9, FILES_NEEDED = 64 };

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
	else if (!find_script(script, sizeof script, "main.js")) { if (say_why) say(LEVEL_ERROR, "cannot find the JavaScript part of gsup: it is beside the native entry, or under GSUP_HOME"); return EXIT_UNAVAILABLE; }
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

static void put_at(int from, int to) { if (from >= 0) dup2(from, to); }

_Noreturn void become_supervisor(char **argv, int socket, bool say_why, bool visits)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < FILES_NEEDED) {
		if (files.rlim_max < FILES_NEEDED) {
			say(LEVEL_ERROR, "cannot start the supervisor: the limit of open files is %llu, and it needs %d", (unsigned long long)files.rlim_max, FILES_NEEDED);
			_exit(EXIT_UNAVAILABLE);
		}
		files.rlim_cur = FILES_NEEDED; /* its own limit: the command keeps what gsup was given */
		prlimit(0, RLIMIT_NOFILE, &files, NULL);
	}
	say_from_above(32); /* or why there is no Node would go to init, as a frame that is none */
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), error_out = fcntl(say_shared(), F_DUPFD_CLOEXEC, 32);
	int fds[] = { fcntl(socket, F_DUPFD_CLOEXEC, 32), fcntl(state.checkpoint_log, F_DUPFD_CLOEXEC, 32), fcntl(state.init_log, F_DUPFD_CLOEXEC, 32) };
	int config = config_descriptor < 0 ? -1 : fcntl(config_descriptor, F_DUPFD_CLOEXEC, 32);
	int control = control_descriptor < 0 ? -1 : fcntl(control_descriptor, F_DUPFD_CLOEXEC, 32);
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	int adj = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); /* expendable: the first to go, before any child */
	if (adj >= 0) { (void)!write(adj, "1000", 4); close(adj); }
	put_at(null, 0);
	put_at(null, 1);
	if (isatty(2)) put_at(null, 2); /* Node would restore the modes of a terminal that is not its own */
	else if (say_shared() != 2) put_at(error_out, 2);
	put_at(fds[0], 3);
	put_at(fds[1], 4);
	put_at(fds[2], 5);
	put_at(config < 0 ? null : config, 6);
	put_at(error_out, 7);
	put_at(control < 0 ? null : control, 8);
	for (int fd = SUPERVISOR_FDS; fd < 4096; fd++) { /* inherited ones are for the command */
		int flags = fcntl(fd, F_GETFD);
		if (flags >= 0 && !(flags & FD_CLOEXEC)) fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	static const char *const not_for_it[] = { "NODE_OPTIONS=", "NODE_V8_COVERAGE=", "NODE_DEBUG", "GSUP_INIT=", "GSUP_TASK=", "GSUP_TASK_DIR=", "GSUP_VISIT=", NULL };
	char folder[600], task[NAME_SIZE + 16], adjusted[] = "GSUP_INIT=1", visit[] = "GSUP_VISIT=1";
	int n = 0, had = 0;
	while (inherited_env[had]) had++;
	char *env[had + 6];
	for (char **e = inherited_env; *e; e++) {
		bool keep = true;
		if (say_shared() != 2 && strncmp(*e, "GSUP_LOG_FORMAT=", 16) == 0) keep = false;
		for (const char *const *d = not_for_it; *d; d++) if (strncmp(*e, *d, strlen(*d)) == 0) keep = false;
		if (keep) env[n++] = *e;
	}
	print(folder, sizeof folder, "GSUP_TASK_DIR=%s", state.path);
	print(task, sizeof task, "GSUP_TASK=%s", state.task);
	env[n++] = folder;
	env[n++] = task;
	env[n++] = adjusted;
	if (visits) env[n++] = visit;
	if (say_shared() != 2) env[n++] = say_is_json() ? "GSUP_LOG_FORMAT=json" : "GSUP_LOG_FORMAT=text"; /* as who waits for `up` is to read it */
	env[n] = NULL;
	signal(SIGCHLD, SIG_DFL);
	set_mask(0);
	_exit(exec_node(argv, env, NODE_SUPERVISOR, say_why));
}
