/* Received signals on their way from init to the runs. Real-time signals queue, and none may get lost: what the socket of a
 * coordinator has no room for, because that is slow or stopped, is a number here, and goes when there is room. */
#include "runs.h"
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static bool news; /* since the last runs_pass_on() */

/* Writable is a socket of which no more than a quarter is taken (unix_writable() of the kernel): so however many signals come,
 * there is room behind them for what else a coordinator is told. */
static bool has_room(int socket)
{
	struct pollfd p = { socket, POLLOUT, 0 };
	return poll(&p, 1, 0) == 1;
}

/* false: no room, or no memory for it. To whom nobody can send any more, nothing is owed. */
static bool pass(const struct run *run, int signal, bool received, uint32_t times)
{
	struct { struct head head; struct forward body; } f = { { sizeof f, FORWARD, PROTOCOL_VERSION, 0 }, { (uint32_t)signal, received, times, 0 } };
	if (!has_room(run->socket)) return false;
	return send(run->socket, &f, sizeof f, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof f || (errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM);
}

static bool pass_all(struct run *run)
{
	if (run->job && !pass(run, run->job, false, 1)) return false;
	run->job = 0;
	for (int i = 1; i < SIGNALS; i++) {
		if (run->early[i] && !pass(run, i, true, run->early[i])) return false;
		run->early[i] = 0;
	}
	return true;
}

static void pass_on(struct run *run)
{
	if (!run->used || run->socket < 0) return;
	bool crowded = !pass_all(run);
	struct epoll_event e = { EPOLLIN | (crowded ? EPOLLOUT : 0), { .u32 = (uint32_t)(run - runs) } };
	if (crowded != run->crowded) epoll_ctl(room.poller, EPOLL_CTL_MOD, run->socket, &e);
	run->crowded = crowded;
}

void runs_pass_on(struct run *crowded)
{
	if (crowded) { if (crowded->crowded) pass_on(crowded); return; }
	if (!news) return;
	news = false;
	for (int i = 0; i < runs_used; i++) if (!runs[i].crowded) pass_on(&runs[i]);
}

void runs_forward(int signal, bool received, uint32_t times)
{
	for (int i = 0; i < runs_used; i++) {
		if (!runs[i].used || runs[i].s.phase == PHASE_ENDED) continue;
		if (received) runs[i].early[signal] += times; else runs[i].job = (uint8_t)signal;
	}
	news = true;
	if (!received) runs_pass_on(NULL); /* init is about to stop, or was */
}
