/* The coordinator of one run: parent and subreaper of its tree, a fork of init. It does what init passes on, and reports what
 * becomes of the run. When init is gone it carries out the run's order. */
#include "init.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READY_MAX = 4096 }; /* bytes that a command may say on its ready descriptor, up to the newline */

bool is_coordinator;
pid_t apart_pid;
static int to_init = -1;
static uint32_t unsent;
static uint8_t on_signal[SIGNAL_MAP_SIZE];

static void send_record(const char *type, uint64_t mono_ns, const char *members)
{
	struct record_frame f = { .head = { 0, RECORD, PROTOCOL_VERSION, unsent }, .mono_ns = mono_ns };
	print(f.type, sizeof f.type, "%s", type);
	print(f.members, sizeof f.members, "%s", members);
	f.head.size = (uint32_t)(offsetof(struct record_frame, members) + strlen(f.members) + 1);
	if (to_init >= 0 && send(to_init, &f, f.head.size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)f.head.size) unsent = 0;
	else unsent++;
}

/* State, not events: what init has not taken yet is told again as it is then. */
static void send_state(struct run *run)
{
	struct { struct head head; struct run_state run; } f = { { sizeof f, RUN, PROTOCOL_VERSION, 0 }, run->s };
	if (to_init < 0 || send(to_init, &f, sizeof f, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof f || errno != EAGAIN) run->dirty = false;
}

/* Also of init, for the run of which it is the coordinator itself. */
void run_obey(struct run *run, const void *frame)
{
	const struct head *h = frame;
	const void *body = h + 1;
	const struct link *l = body;
	const struct signal_request *s = body;
	const struct forward *forward = body;
	const struct alone *a = body;
	switch (h->type) {
	case RUNG: run_enter(run, &((const struct rung_request *)body)->order); break;
	case SIGNAL: run_forward(run, (int)s->signal, (enum target)s->target, 1); break;
	case FORWARD: run_forward(run, forward->received ? on_signal[forward->signal] : (int)forward->signal, TARGET_GROUP, forward->times); break;
	case LINK: run->hooks = l->present; break;
	case ALONE:
		if (a->asks == 1) run_stop(run, "signal", (struct by){ (int)a->signal, a->pid, a->uid });
		else run_escalate(run, a->asks > 2);
	}
}

static void obey(struct run *run)
{
	union { struct head head; char bytes[sizeof(struct head) + sizeof(struct rung_request)]; } f;
	if (run->start.pipe >= 0) run_handshake(run); /* what happened before comes before */
	for (;;) {
		ssize_t n = recv(to_init, &f, sizeof f, MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR) n = 0;
		if (n < 0) return;
		if (n == 0) { /* init is gone: whoever may still be told is told to end */
			close(to_init);
			to_init = -1;
			run->hooks = run->supervised = false;
			run->alone = true;
			run_stop(run, "signal", (struct by){ SIGTERM, 0, 0 });
			return;
		}
		run_obey(run, &f.head);
	}
}

int coordinator_main(const struct launch *l, int socket, int signals, bool hooks)
{
	struct run *run = &the_run; /* a visited init has had one of its own in it */
	*run = (struct run){ .supervised = true };
	char title[NAME_SIZE + 8];
	to_init = socket;
	is_coordinator = true;
	pump_pid = apart_pid = 0; /* init's */
	record_sink = send_record;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	print(title, sizeof title, "gsup %s", l->name);
	prctl(PR_SET_NAME, title, 0, 0, 0);
	struct launch own = *l;
	own.ready = -1;
	char path[128] = "NOTIFY_SOCKET=";
	int notify = l->fixed.flags & SPAWN_NOTIFY ? notify_open(path + 14, sizeof path - 14) : -1, count = 0;
	while (l->env_set[count]) count++;
	char *env[count + 2];
	memcpy(env, l->env_set, (size_t)count * sizeof *env);
	env[count] = path;
	env[count + 1] = NULL;
	if (notify >= 0) own.env_set = env;
	int ready[2] = { -1, -1 }, source[2] = { l->source[0], l->source[1] };
	if (l->fixed.ready_fd && pipe2(ready, O_CLOEXEC) == 0) own.ready = ready[1]; /* else it fails as a stage of the start */
	memcpy(on_signal, l->fixed.on_signal, sizeof on_signal);
	if (!run_start(run, &own)) run_over(run);
	if (ready[1] >= 0) close(ready[1]);
	run->notify = notify;
	run->ready = ready[0];
	run->ready_left = READY_MAX;
	run->hooks = hooks;
	while (run->s.phase != PHASE_ENDED || run->dirty) {
		if (run->dirty) send_state(run);
		if (run->s.phase == PHASE_ENDED && !run->dirty) break;
		if ((run->s.flags & RUN_STUCK) && to_init < 0) break; /* said, and nobody is left to tell when it ends after all */
		struct pollfd fds[] = { { signals, POLLIN, 0 }, { to_init, (short)(POLLIN | (run->dirty ? POLLOUT : 0)), 0 }, { run->start.pipe, POLLIN, 0 }, { run->notify, POLLIN, 0 }, { run->ready, POLLIN, 0 },
			{ to_init < 0 ? source[0] : -1, POLLIN, 0 }, { to_init < 0 ? source[1] : -1, POLLIN, 0 } };
		uint64_t due = run_due(run), now = now_ns();
		int wait = due == FOREVER ? -1 : due <= now ? 0 : (int)((due - now + MS - 1) / MS > 3600000 ? 3600000 : (due - now + MS - 1) / MS);
		if (wait < 0) rest_fork();
		if (poll(fds, 7, wait) < 0 && errno != EINTR) return 1;
		struct signalfd_siginfo si;
		bool reap = false;
		while (fds[0].revents && read(signals, &si, sizeof si) == sizeof si) reap |= si.ssi_signo == SIGCHLD;
		if (fds[2].revents) run_handshake(run);
		if (fds[1].revents && to_init >= 0) obey(run);
		if (fds[3].revents) notify_read(run);
		if (fds[4].revents) ready_read(run);
		for (int i = 0; i < 2; i++) if (fds[5 + i].revents && !output_discard(source[i])) source[i] = -1;
		if (reap) run_reap(run);
		run_tick(run);
	}
	notify_close();
	return 0;
}
