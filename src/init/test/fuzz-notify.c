/* Datagrams of whoever knows the socket's name, through notify.c. Input: how many descriptors, u16 size, bytes; and so on. */
#include "fuzz-world.h"
#include "../notify.c"

struct state state = { .folder = -1 };
static struct input in;
static uint64_t now;
static int given, closed;
enum { FIRST = 1000 };

char *world_keep(char *text) { return text; }
uint64_t now_ns(void) { return now; }
int world_close(int fd) { MUST(fd == FIRST + closed); closed++; return 0; } /* each once, in their order */
int walk_tree(const pid_t **list, bool (*skip)(pid_t)) { static const pid_t pids[] = { 20, 21 }; *list = pids; (void)skip; return 2; }

ssize_t world_recvmsg(int fd, struct msghdr *m, int flags)
{
	(void)fd; (void)flags;
	MUST(given == closed);
	if (!in.left) { errno = EAGAIN; return -1; }
	now++;
	int count = (int)take_number(&in, 1) % 16;
	struct input part = take_part(&in, take_number(&in, 2));
	size_t n = part.left < m->msg_iov->iov_len ? part.left : m->msg_iov->iov_len;
	memcpy(m->msg_iov->iov_base, part.at, n);
	size_t room = CMSG_SPACE((size_t)count * sizeof(int));
	if (!count || room > m->msg_controllen) { m->msg_controllen = 0; return (ssize_t)n; }
	m->msg_controllen = room;
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN((size_t)count * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	for (int i = 0, next; i < count; i++) { next = FIRST + given++; memcpy(CMSG_DATA(c) + (size_t)i * sizeof next, &next, sizeof next); }
	return (ssize_t)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run run;
	run = (struct run){ .notify = 3 };
	in = (struct input){ data, size };
	given = closed = 0;
	now = 1;
	while (in.left) {
		size_t before = in.left;
		notify_read(&run);
		MUST(in.left < before);
	}
	MUST(given == closed);
	MUST(memchr(run.s.status, 0, sizeof run.s.status));
	MUST(!run.s.main_pid || run.s.main_pid == 20 || run.s.main_pid == 21); /* only of the run's own tree */
	MUST(!(run.s.notify & ~(uint32_t)(NOTIFY_READY | NOTIFY_STOPPING | NOTIFY_RELOADING)));
	MUST(run.s.watchdog_ns <= now && run.s.extend_ns <= now);
	return 0;
}
