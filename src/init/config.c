/* The config of `up`. Node reads it once, before anything is held or started, and leaves what it has made of it in a memory file
 * that init keeps: every supervisor of this task finds the same there, whatever has become of the files. */
#include "init.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONFIG_FD = 6 }; /* where reader and supervisors find it */
int config_descriptor = -1;

static _Noreturn void become_reader(char **argv)
{
	int had = 0, fd = fcntl(config_descriptor, F_DUPFD_CLOEXEC, 32);
	while (inherited_env[had]) had++;
	char *env[had + 2], mark[] = "GSUP_INIT=config";
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (fd < 0 || dup2(fd, CONFIG_FD) < 0) _exit(EXIT_INTERNAL);
	int n = 0;
	for (int i = 0; i < had; i++) if (strncmp(inherited_env[i], "GSUP_INIT=", 10) != 0) env[n++] = inherited_env[i];
	env[n++] = mark;
	env[n] = NULL;
	inherited_env = env; /* no supervisor: it gets Node as a command does */
	signal(SIGCHLD, SIG_DFL);
	set_mask(0);
	_exit(exec_node(argv, env, NODE_UP, true));
}

static bool hangs_up(const struct signalfd_siginfo *si)
{
	return si->ssi_signo == SIGHUP && terminal_hangup(si->ssi_code == SI_KERNEL) == HANGUP_NEW;
}

/* A stop signal ends it, and so does the end of the terminal; what else comes is for nobody: no process is there. -1: it has not ended yet. */
static int wait_for_reader(pid_t reader, int signals, uint64_t stop_on, int *stop)
{
	struct pollfd p = { signals, POLLIN, 0 };
	struct signalfd_siginfo si;
	int status, code = -1;
	if (poll(&p, 1, -1) < 0 && errno != EINTR) return EXIT_INTERNAL;
	while (read(signals, &si, sizeof si) == sizeof si) {
		if (si.ssi_signo == SIGCHLD) {
			for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0; )
				if (pid == reader) code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SIGNAL_BASE + WTERMSIG(status);
		} else if (si.ssi_signo < SIGNALS && (stop_on & 1ull << (si.ssi_signo - 1) || hangs_up(&si))) {
			*stop = (int)si.ssi_signo;
			send_signal(reader, SIGKILL);
		}
	}
	return code;
}

static bool take_name(char name[NAME_SIZE])
{
	ssize_t n = pread(config_descriptor, name, NAME_SIZE - 1, 0);
	name[n > 0 ? n : 0] = 0;
	char *end = strchr(name, '\n');
	if (!end || end == name || end - name > 64) return false;
	*end = 0;
	return !strchr(name, '/') && *name != '.' && *name != '-';
}

int config_read(char **argv, int signals, uint64_t stop_on, char name[NAME_SIZE])
{
	int code = -1, stop = 0;
	config_descriptor = memfd_create("config", MFD_CLOEXEC);
	pid_t reader = config_descriptor < 0 ? -1 : fork();
	if (reader == 0) become_reader(argv);
	if (reader < 0) {
		say(LEVEL_ERROR, "cannot read the config: %s; the limit of open files, or of memory, may be too low", strerror(errno));
		return EXIT_INTERNAL;
	}
	while (code < 0) code = wait_for_reader(reader, signals, stop_on, &stop);
	if (stop) return CONFIG_STOPPED;
	if (!code && !take_name(name)) {
		say(LEVEL_ERROR, "internal error: the config was read, and names no task");
		code = EXIT_INTERNAL;
	}
	return code;
}
