/* The first supervisor of `up` is who has read its config: Node is started once. Its socket is made before it is forked, and when the task
 * is taken it is told where that is. It may be gone by then, or end because it cannot get at what there is now: then the first supervisor
 * is started as any later one is. */
#include "supervisor.h"
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static INITS struct { pid_t pid; int socket; bool taken; } first; /* taken: it is the supervisor, or was */

void first_offered(pid_t pid, int socket)
{
	first.pid = pid;
	first.socket = socket;
}

/* The task could not be taken, or a stop was asked for before it was: nobody is left behind. */
int first_dismissed(int code)
{
	if (!first.pid || !send_signal(first.pid, SIGKILL)) return code;
	for (uint64_t end = now_ns() + STUCK_AFTER; waitpid(first.pid, NULL, WNOHANG) == 0 && now_ns() < end; ) poll(NULL, 0, 1);
	first.pid = 0;
	return code;
}

static struct log_place where(int fd)
{
	struct stat st = { 0 };
	(void)!fstat(fd, &st);
	return (struct log_place){ .fd = fd, .device = (uint64_t)st.st_dev, .inode = (uint64_t)st.st_ino };
}

/* What a later one finds in its descriptors and its environment. Where it is not heard any more its end is seen soon. */
static void tell_place(void)
{
	struct { struct head head; struct place place; } to = { .head = { sizeof to, PLACE, PROTOCOL_VERSION, 0 },
		.place = { .init_pid = getpid(), .checkpoint_log = where(state.checkpoint_log), .init_log = where(state.init_log) } };
	print(to.place.task, sizeof to.place.task, "%s", state.task);
	print(to.place.folder, sizeof to.place.folder, "%s", state.path);
	(void)!send(first.socket, &to, sizeof to, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* 0: there is none, or none any more. Who has ended while the task was taken was no child of the loop, which may not have seen it. */
static pid_t take_first(int *socket)
{
	pid_t pid = first.pid;
	if (!pid) return 0;
	first.pid = 0;
	first.taken = waitpid(pid, NULL, WNOHANG) == 0;
	if (first.taken) tell_place();
	else close(first.socket);
	*socket = first.socket;
	return first.taken ? pid : 0;
}

/* -1: errno tells. */
pid_t begin_supervisor(int *socket)
{
	int ends[2];
	record_flush();
	pid_t pid = take_first(socket);
	if (pid) return pid;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return -1;
	pid = fork();
	if (pid == 0) become_supervisor(command_line, ends[1], !sup.said, own_run != NULL);
	int error = errno;
	close(ends[1]);
	if (pid < 0) close(ends[0]);
	errno = error;
	*socket = ends[0];
	return pid;
}

/* Once, of who has ended: it has said with its exit code that it could not become what it was to become. */
bool first_declines(const siginfo_t *si)
{
	bool was = first.taken;
	first.taken = false;
	return was && sup.state == STARTING && !sup.spawned && si->si_code == CLD_EXITED && si->si_status == 0;
}
