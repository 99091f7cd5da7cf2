/* For every unit of a fuzz target: the kernel's calls become the target's own, so that no process is started, no signal sent,
 * and time is virtual. A target defines those world_ functions that its units use. */
#ifndef GSUP_FUZZ_WORLD_H
#define GSUP_FUZZ_WORLD_H
#include "../init.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t world_fork(void);
int world_socketpair(int family, int type, int protocol, int ends[2]);
int world_close(int fd);
ssize_t world_recv(int fd, void *to, size_t size, int flags);
ssize_t world_send(int fd, const void *from, size_t size, int flags);
ssize_t world_recvmsg(int fd, struct msghdr *message, int flags);
int world_epoll_ctl(int poller, int op, int fd, struct epoll_event *event);
int world_waitid(idtype_t type, id_t id, siginfo_t *si, int options, struct rusage *usage);
int world_kill(pid_t pid, int signal);
pid_t world_getpgid(pid_t pid);
char *world_keep(char *text); /* freed when the input is done */

#define fork() world_fork()
#define socketpair(family, type, protocol, ends) world_socketpair(family, type, protocol, ends)
#define close(fd) world_close(fd)
#define recv(fd, to, size, flags) world_recv(fd, to, size, flags)
#define send(fd, from, size, flags) world_send(fd, from, size, flags)
#define recvmsg(fd, message, flags) world_recvmsg(fd, message, flags)
#define epoll_ctl(poller, op, fd, event) world_epoll_ctl(poller, op, fd, event)
#define waitid(type, id, si, options) world_waitid(type, id, si, options, NULL)
#define syscall(number, type, id, si, options, usage) world_waitid((idtype_t)(type), (id_t)(id), si, options, usage)
#define kill(pid, signal) world_kill(pid, signal)
#define getpgid(pid) world_getpgid(pid)
#define mmap(at, size, protection, flags, fd, offset) world_keep(calloc(1, size))

/* The input, taken from the front; when it is used up, zeros. */
struct input { const uint8_t *at; size_t left; };
static inline uint64_t take_number(struct input *in, size_t bytes)
{
	uint64_t n = 0;
	for (size_t i = 0; i < bytes && in->left; i++, in->at++, in->left--) n |= (uint64_t)*in->at << (8 * i);
	return n;
}
static inline struct input take_part(struct input *in, size_t size)
{
	struct input part = { in->at, size < in->left ? size : in->left };
	in->at += part.left;
	in->left -= part.left;
	return part;
}

/* What init may pass on to a coordinator, which takes its word for it. */
static inline bool is_sound_order(const struct order *o)
{
	for (uint32_t i = 0; i < o->count && i < RUNGS_MAX; i++)
		if (o->rungs[i].target > TARGET_TREE || (o->rungs[i].signal >= SIGNALS && o->rungs[i].signal != SIGNAL_AS_RECEIVED)) return false;
	return o->count <= RUNGS_MAX;
}
static inline bool is_sound(const void *frame, size_t size)
{
	struct { struct head head; struct rung_request rung; } f = { 0 };
	struct signal_request s;
	memcpy(&f, frame, size < sizeof f ? size : sizeof f);
	memcpy(&s, &f.rung, sizeof s);
	if (f.head.type == RUNG) return size == sizeof f && is_sound_order(&f.rung.order);
	if (f.head.type == SIGNAL) return size == sizeof f.head + sizeof s && s.target <= TARGET_TREE && s.signal < SIGNALS;
	struct forward forward;
	memcpy(&forward, &f.rung, sizeof forward);
	if (f.head.type == FORWARD) return size == sizeof f.head + sizeof forward && forward.signal && forward.signal < SIGNALS && forward.received <= 1 && forward.times;
	return f.head.type == LINK ? size == sizeof f.head + sizeof(struct link) : f.head.type == ALONE && size == sizeof f.head + sizeof(struct alone);
}

/* What must hold, whatever the input was. */
#define MUST(what) do { if (!(what)) { fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #what); abort(); } } while (0)
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
#endif
