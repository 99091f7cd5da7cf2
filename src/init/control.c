/* The control socket. Init listens, and watches while nobody else does, and every supervisor accepts, so a supervisor that ends takes open connections with it and
 * nothing else: who connects meanwhile waits for the next one. */
#include "init.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAITING_MAX = 128 }; /* connections that no supervisor has accepted yet */
static const char name[] = "control.sock";
int control_descriptor = -1;
bool control_knocks;
static bool knocked; /* may be on its way even when it is not wanted any more */
/* Of those that a C library keeps for itself: nobody sends it, and it queues, so that it is not taken for another one. */
enum { KNOCK = 33 };

/* By way of the folder's descriptor, because sun_path holds 107 bytes and a path may be longer; without /proc as it is. */
static bool bind_in_folder(int fd)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	print(to.sun_path, sizeof to.sun_path, "/proc/self/fd/%d/%s", state.folder, name);
	if (bind(fd, (struct sockaddr *)&to, sizeof to) == 0) return true;
	int error = errno;
	if (print(to.sun_path, sizeof to.sun_path, "%s/%s", state.path, name) < (int)sizeof to.sun_path && bind(fd, (struct sockaddr *)&to, sizeof to) == 0) return true;
	errno = error;
	return false;
}

static int prepared = -1;

int control_prepare(void)
{
	return prepared = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Under the lock, so a socket that is there already is what a killed gsup has left. Without a folder there is none. */
void control_open(bool knocks)
{
	control_knocks = knocks;
	if (state.folder < 0) return;
	int fd = prepared < 0 ? control_prepare() : prepared;
	unlinkat(state.folder, name, 0);
	unlinkat(state.folder, "health", 0);
	mode_t mask = umask(0177); /* from its first moment it is its owner's alone */
	bool bound = fd >= 0 && bind_in_folder(fd);
	umask(mask);
	if (bound && knocks) knocked = control_knocks = fcntl(fd, F_SETOWN, getpid()) == 0 && fcntl(fd, F_SETSIG, KNOCK) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC) == 0;
	if (bound && listen(fd, WAITING_MAX) == 0) { control_descriptor = fd; return; }
	say(LEVEL_WARN, "cannot listen on \"%s/%s\": %s; clients cannot reach this task", state.path, name, strerror(errno));
	if (fd >= 0) close(fd);
}

/* A supervisor gets this socket, and epoll is told of clients as well. */
void control_quiet(void)
{
	if (control_knocks && control_descriptor >= 0) fcntl(control_descriptor, F_SETFL, O_NONBLOCK);
	control_knocks = false;
}

/* From the kernel: from a process the code is no more than 0. SIGIO: where too many signals wait to queue one more (fcntl(2)). */
bool is_knock(int signal, int code) { return knocked && code > 0 && (signal == KNOCK || signal == SIGIO); }

void control_watch(int poller, bool on)
{
	struct epoll_event e = { EPOLLIN, { .u32 = KEY_CONTROL } };
	if (control_descriptor >= 0) epoll_ctl(poller, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, control_descriptor, &e);
}

/* As the server answers: src/control/answer.ts. Whoever has not asked yet must be able to, or would not read the answer: so a connection
 * is kept until others have come. */
void control_refuse(const char *why)
{
	static int kept[16], next; /* one more than the descriptor */
	char body[512], answer[1024];
	int size = print(body, sizeof body, "{\"code\":\"no-supervisor\",\"message\":\"this task runs without a supervisor, and none can be started: %s\","
		"\"hint\":\"gsup says more on its stderr; Node.js is looked for in PATH and in GSUP_NODE\"}\n", why);
	int n = print(answer, sizeof answer, "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s", size, body);
	for (int i = 0, fd; i < WAITING_MAX && (fd = accept4(control_descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0; i++) {
		(void)!send(fd, answer, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
		shutdown(fd, SHUT_WR);
		if (kept[next]) close(kept[next] - 1);
		kept[next] = fd + 1;
		next = (next + 1) % (int)(sizeof kept / sizeof *kept);
	}
}

void control_close(void)
{
	if (control_descriptor < 0) return;
	unlinkat(state.folder, name, 0);
	if (state.checkpoint_log >= 0) unlinkat(state.folder, "health", 0); /* of a supervisor; where none was, there is no more than the socket */
}
