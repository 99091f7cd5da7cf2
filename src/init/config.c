/* The config of `up`. Node reads it once, before anything is held or started, and leaves what it has made of it in a memory file
 * that init keeps: every supervisor of this task finds the same there, whatever has become of the files. Who has read it becomes the
 * first of them where it can (first.c). */
#include "options.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
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

struct reader { pid_t pid; int signals, socket, stop; bool kept; uint64_t stop_on; }; /* socket -1: it only reads */

/* It says that it has kept the config, and waits. Anything else is its end, which is told by its exit code. */
static void hear_reader(struct reader *r)
{
	struct head h;
	r->kept = recv(r->socket, &h, sizeof h, MSG_DONTWAIT) == sizeof h && h.type == CONFIG_KEPT && h.version == PROTOCOL_VERSION;
	if (r->kept) return;
	close(r->socket);
	r->socket = -1;
}

/* A stop signal ends it, and so does the end of the terminal; what else comes is for nobody: no process is there. -1: it has not ended yet. */
static int wait_for_reader(struct reader *r)
{
	struct pollfd p[] = { { r->signals, POLLIN, 0 }, { r->socket, POLLIN, 0 } };
	struct signalfd_siginfo si;
	int status, code = -1;
	if (poll(p, 2, -1) < 0 && errno != EINTR) return EXIT_INTERNAL;
	while (read(r->signals, &si, sizeof si) == sizeof si) {
		if (si.ssi_signo == SIGCHLD) {
			for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0; )
				if (pid == r->pid) code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SIGNAL_BASE + WTERMSIG(status);
		} else if (si.ssi_signo < SIGNALS && (r->stop_on & 1ull << (si.ssi_signo - 1) || hangs_up(&si))) {
			r->stop = (int)si.ssi_signo;
			send_signal(r->pid, SIGKILL);
		}
	}
	if (code < 0 && !r->stop && r->socket >= 0 && p[1].revents) hear_reader(r);
	return code;
}

/* Not in the background, where init is a fork of who has read it; nor where another supervisor is asked for, or this one could do less. */
static bool may_stay(const struct parsed *p)
{
	const char *other = getenv("GSUP_SUPERVISOR");
	return !p->said[OPT_DETACH].number && !(other && *other) && files_suffice(false);
}

static void start_reader(struct reader *r, char **argv, bool stays)
{
	int ends[2] = { -1, -1 }, control = stays ? control_prepare() : -1;
	stays = control >= 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0;
	r->pid = fork();
	if (r->pid == 0 && stays) become_first(argv, ends[1], control);
	if (r->pid == 0) become_reader(argv);
	r->socket = ends[0];
	if (stays) close(ends[1]);
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

int config_read(char **argv, int signals, const struct parsed *p, char name[NAME_SIZE])
{
	int code = -1;
	struct reader r = { .pid = -1, .signals = signals, .socket = -1, .stop_on = p->stop_on };
	config_descriptor = memfd_create("config", MFD_CLOEXEC);
	if (config_descriptor >= 0) start_reader(&r, argv, may_stay(p));
	if (r.pid < 0) {
		say(LEVEL_ERROR, "cannot read the config: %s; the limit of open files, or of memory, may be too low", strerror(errno));
		return EXIT_INTERNAL;
	}
	while (code < 0 && (!r.kept || r.stop)) code = wait_for_reader(&r);
	if (r.stop) return CONFIG_STOPPED;
	if (code <= 0 && !take_name(name)) {
		say(LEVEL_ERROR, "internal error: the config was read, and names no task");
		return EXIT_INTERNAL;
	}
	if (code < 0) first_offered(r.pid, r.socket);
	else if (r.socket >= 0) close(r.socket);
	return code < 0 ? 0 : code;
}
