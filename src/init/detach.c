/* `up` in the background. Who was started reads the config and takes the task, as ever, so that what is wrong is told where it was
 * asked. Then it forks: the child goes on as init, in a session of its own, and the parent becomes a client (src/cli/up-detached.ts)
 * that waits until all is ready. */
#include "options.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int line = -1; /* to the other of the two */

/* Its environment is that of any command, and which task it is about. */
static int become_client(char **argv)
{
	static const char *const ours[] = { "GSUP_INIT=", "GSUP_TASK=", "GSUP_TASK_DIR=" };
	char role[] = "GSUP_INIT=detached", task[NAME_SIZE + 16], folder[600];
	int had = 0, n = 0;
	while (inherited_env[had]) had++;
	char *env[had + 4];
	for (char **e = inherited_env; *e; e++) {
		bool keep = true;
		for (int i = 0; i < 3; i++) if (strncmp(*e, ours[i], strlen(ours[i])) == 0) keep = false;
		if (keep) env[n++] = *e;
	}
	print(task, sizeof task, "%s%s", ours[1], state.task);
	print(folder, sizeof folder, "%s%s", ours[2], state.path);
	env[n++] = role;
	env[n++] = task;
	env[n++] = folder;
	env[n] = NULL;
	inherited_env = env; /* no supervisor: it gets Node as a command does */
	if (inherited_chld_ignored) signal(SIGCHLD, SIG_IGN);
	return exec_node(argv, env, NODE_UP, true);
}

/* A stop signal ends it while it waits for the child, which then begins nothing. */
static int wait_for_child(char **argv, pid_t child)
{
	char begun;
	ssize_t n;
	int status;
	set_mask(inherited_mask);
	while ((n = recv(line, &begun, 1, 0)) < 0 && errno == EINTR) ;
	if (n == 1) return become_client(argv);
	while (waitpid(child, &status, 0) < 0) if (errno != EINTR) return EXIT_INTERNAL;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SIGNAL_BASE + WTERMSIG(status);
}

int detach(char **argv, int epoll, int signals)
{
	int ends[2];
	if (pid1) {
		say(LEVEL_ERROR, "cannot go into the background as PID 1: the container, or namespace, would end at once; leave --detach out, and detach the container: docker run -d");
		return EXIT_USAGE;
	}
	pid_t child = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 ? -1 : fork();
	if (child < 0) {
		say(LEVEL_ERROR, "cannot go into the background: %s; the limit of open files, or of processes, may be too low", strerror(errno));
		return EXIT_INTERNAL;
	}
	line = ends[child == 0];
	close(ends[child != 0]);
	if (child) return wait_for_child(argv, child);
	setsid(); /* the end of the terminal is none of its business any more */
	close(epoll); /* they tell of the signals of whom this was forked from */
	close(signals);
	return DETACHED;
}

/* What has been said until now was for who waits. What processes write is in the kept logs: nobody reads 1 and 2 any more. */
int detach_begun(void)
{
	int file = openat(state.folder, MESSAGES_LOG, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (file < 0 || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0) {
		say(LEVEL_ERROR, "cannot go into the background: \"%s/%s\": %s", state.path, MESSAGES_LOG, strerror(errno));
		return EXIT_STATE;
	}
	close(null);
	say_into(file);
	if (send(line, "", 1, MSG_NOSIGNAL) != 1) return EXIT_SIGNAL_BASE + SIGINT; /* nobody waits: it was given up */
	close(line);
	return 0;
}
