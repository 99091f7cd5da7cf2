/* What a command says of itself. sd_notify(3): one datagram socket per run. Its random name is the proof of who speaks, because a short-lived sender is gone
 * from /proc when its message is read. What was said becomes state of the run: the last word counts, nothing is queued. */
#include "init.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char file[64];

/* Returns the socket and where it is, or -1: then the command gets none. */
int notify_open(char *path, size_t size)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	uint64_t name[2];
	if (state.folder < 0 || getrandom(name, sizeof name, 0) != sizeof name) return -1;
	mkdirat(state.folder, "notify", 0711); /* not to be listed: who does not know the name cannot speak for the run */
	print(file, sizeof file, "notify/%016llx%016llx", (unsigned long long)name[0], (unsigned long long)name[1]);
	int n = print(path, size, "%s/%s", state.path, file);
	if (n >= (int)size || n >= (int)sizeof to.sun_path) return -1; /* a client could not reach it either */
	memcpy(to.sun_path, path, (size_t)n + 1);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) return -1;
	if (bind(fd, (struct sockaddr *)&to, sizeof to) == 0 && chmod(path, 0666) == 0) return fd;
	close(fd);
	return -1;
}

void notify_close(void) { if (file[0] && state.folder >= 0) unlinkat(state.folder, file, 0); }

static bool in_tree(pid_t pid)
{
	const pid_t *list;
	int count = walk_tree(&list, NULL);
	for (int i = 0; i < count; i++) if (list[i] == pid) return true;
	return false;
}

static void take(struct run *run, const char *key, const char *value)
{
	uint32_t flag = strcmp(key, "READY") == 0 ? NOTIFY_READY : strcmp(key, "STOPPING") == 0 ? NOTIFY_STOPPING :
		strcmp(key, "RELOADING") == 0 ? NOTIFY_RELOADING : 0;
	if (flag && strcmp(value, "1") == 0) run->s.notify |= flag;
	if (flag == NOTIFY_READY) run->s.notify &= ~(uint32_t)NOTIFY_RELOADING;
	else if (strcmp(key, "STATUS") == 0) print(run->s.status, sizeof run->s.status, "%s", value);
	else if (strcmp(key, "EXTEND_TIMEOUT_USEC") == 0) { run->s.extend_us = read_number(&value); run->s.extend_ns = now_ns(); }
	else if (strcmp(key, "WATCHDOG") == 0 && strcmp(value, "1") == 0) run->s.watchdog_ns = now_ns();
	else if (strcmp(key, "MAINPID") == 0) {
		uint64_t pid = read_number(&value);
		if (pid > 1 && pid < INT32_MAX && in_tree((pid_t)pid)) run->s.main_pid = (int32_t)pid;
	}
	run->s.notify_count++;
	run->dirty = true;
}

void notify_read(struct run *run)
{
	char text[4096], control[512];
	for (int messages = 0; messages < 64; messages++) { /* the rest when the others have had their turn */
		struct iovec part = { text, sizeof text - 1 };
		struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
		ssize_t n = recvmsg(run->notify, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n < 0) return;
		/* BARRIER=1: the client waits until its descriptor is closed. */
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
			int count = c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS ? (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int)) : 0;
			for (int i = 0, fd; i < count; i++) { memcpy(&fd, CMSG_DATA(c) + (size_t)i * sizeof fd, sizeof fd); close(fd); }
		}
		text[n] = 0;
		for (char *rest = text, *line; (line = strsep(&rest, "\n")); ) {
			char *equals = strchr(line, '=');
			if (equals) { *equals = 0; take(run, line, equals + 1); }
		}
	}
}

/* As s6 has it: a newline says that the command is ready, what stands before it does not matter. The end alone says nothing. */
void ready_read(struct run *run)
{
	char text[256];
	ssize_t n = read(run->ready, text, run->ready_left < sizeof text ? run->ready_left : sizeof text);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
	bool ready = n > 0 && memchr(text, '\n', (size_t)n);
	if (n > 0) run->ready_left -= (uint32_t)n;
	if (n > 0 && !ready && run->ready_left) return;
	if (ready) {
		run->s.notify |= NOTIFY_READY;
		run->s.notify_count++;
		run->dirty = true;
	}
	close(run->ready);
	run->ready = -1;
}
