/* What an earlier gsup of the same name has left, when it was killed itself. The lock holds who its runs were, and their
 * rungs; only who is verified (pid and start time, in this boot and namespace) is waited for, and signalled. */
#include "options.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LEFT_MAX = 64 };
struct left { pid_t coordinator, leader; uint64_t coordinator_ticks, leader_ticks; int sent; struct order order; };
static PAGES struct left left[LEFT_MAX];
static int left_count;
static off_t head_end, lock_end;

/* The number behind one separator. */
static uint64_t number(char **at)
{
	if (**at) ++*at;
	return read_number((const char **)at);
}

/* First line: boot id, namespace, pid and start time of init; blank when it has left nothing. Then a line for each run. */
void leftovers_read(void)
{
	static PAGES char text[16384];
	char *rest = text, *line, first;
	left_count = 0;
	lock_end = lseek(state.lock, 0, SEEK_END);
	if (pread(state.lock, &first, 1, 0) != 1 || first == '\n') return;
	ssize_t n = pread(state.lock, text, sizeof text - 1, 0);
	text[n > 0 ? n : 0] = 0;
	find_identity();
	line = strsep(&rest, "\n");
	size_t boot = strlen(state.boot_id);
	if (!boot || strncmp(line, state.boot_id, boot) != 0 || line[boot] != ' ') return; /* all of that is gone for certain */
	line += boot;
	if (number(&line) != state.pid_ns) return;
	while (rest && (line = strsep(&rest, "\n")) && left_count < LEFT_MAX) {
		struct left *l = &left[left_count];
		*l = (struct left){ 0 };
		if (strncmp(line, "run ", 4) != 0) continue;
		line += 3;
		l->coordinator = (pid_t)number(&line);
		l->coordinator_ticks = number(&line);
		l->leader = (pid_t)number(&line);
		l->leader_ticks = number(&line);
		l->sent = (int)number(&line);
		l->order.cap_ns = FOREVER;
		while (*line == ' ' && l->order.count < RUNGS_MAX) {
			uint64_t signal = number(&line), ms = number(&line);
			if (signal < SIGNALS && ms < FOREVER / MS) l->order.rungs[l->order.count++] = (struct rung){ .signal = (uint8_t)signal, .wait_ns = ms * MS };
		}
		left_count++;
	}
}

bool leftovers_found(void) { return left_count > 0; }

/* Written first, then cut: what is cut to nothing before, ext4 writes to the disk when it is closed, and init is over the later. */
static void cut_lock(off_t at)
{
	if (at < lock_end) (void)!ftruncate(state.lock, at);
	lock_end = at;
}

/* A line for one run at `at`; returns where it ends. `sent`: the signal that the kernel sends to the leader when init dies. */
static off_t note(off_t at, const struct left *l)
{
	char line[1024]; /* 16 rungs, and five numbers */
	int n = print(line, sizeof line, "run %d %llu %d %llu %d", l->coordinator, (unsigned long long)l->coordinator_ticks,
	              l->leader, (unsigned long long)l->leader_ticks, l->sent);
	for (uint32_t k = 0; k < l->order.count; k++) {
		const struct rung *g = &l->order.rungs[k];
		n += print(line + n, sizeof line - (size_t)n, " %d:%llu", g->signal == SIGNAL_AS_RECEIVED ? SIGTERM : g->signal,
		           (unsigned long long)((g->wait_ns == FOREVER ? 365ull * 86400 * SECOND : g->wait_ns) / MS));
	}
	line[n++] = '\n';
	return pwrite(state.lock, line, (size_t)n, at) == n ? at + n : at;
}

/* Once. What is left of an earlier one stays noted until it has gone: this one may be killed while it waits for that. Lines
 * behind it are of runs that are gone, and verified by nobody: they are cut off when there are runs to be noted. */
void leftovers_note_self(void)
{
	char line[160];
	if (head_end) return;
	int n = print(line, sizeof line, "%s %llu %d %llu\n", state.boot_id, (unsigned long long)state.pid_ns, getpid(), (unsigned long long)state.ticks);
	if (pwrite(state.lock, line, (size_t)n, 0) == n) head_end = n;
	off_t at = head_end;
	for (int i = 0; i < left_count; i++) at = note(at, &left[i]);
	if (lock_end < at) lock_end = at; /* the next line is added behind it, not over it */
}

static struct left left_of(const struct run *r)
{
	return (struct left){ r->s.coordinator_pid, r->s.pid, r->s.coordinator_ticks, r->s.start_ticks, 0, r->climb.order };
}

/* The runs as they are now. */
void leftovers_note(struct run *const *runs, int count)
{
	off_t at = head_end;
	if (state.lock < 0 || pid1) return; /* as PID 1, nothing outlives it */
	for (int i = 0; i < count; i++) {
		struct left l = left_of(runs[i]);
		at = note(at, &l);
	}
	cut_lock(at);
}

void leftovers_add(const struct run *run)
{
	struct left l = left_of(run);
	if (state.lock >= 0 && !pid1) lock_end = note(lock_end, &l);
}

/* A leader that no coordinator looks after notes itself, before it becomes its command: init may be killed at any instant, and
 * until exec the leader holds the lock as well, so that nobody can have the name and not know it. */
void leftovers_note_leader(const struct launch *l)
{
	if (state.lock >= 0)
		cut_lock(note(head_end, &(struct left){ .leader = getpid(), .leader_ticks = start_ticks(getpid(), NULL, NULL), .sent = l->parent_death_signal, .order = l->fixed.order }));
}

static uint8_t kept[SIGNALS]; /* meant for the command */

/* Waits for the process, at most until `due`. Returns 0 when it is gone, -1 when time is over, else a stop signal that came. */
static int wait_for(int fd, uint64_t due, int signals, uint64_t stop_on, const uint8_t *rewrite)
{
	for (;;) {
		uint64_t now = now_ns();
		struct pollfd p[] = { { fd, POLLIN, 0 }, { signals, POLLIN, 0 } };
		if (now >= due) return -1;
		uint64_t ms = (due - now + MS - 1) / MS;
		if (poll(p, 2, due == FOREVER ? -1 : ms > 3600000 ? 3600000 : (int)ms) < 0 && errno != EINTR) return -1;
		if (p[0].revents) return 0;
		struct signalfd_siginfo si;
		while (p[1].revents && read(signals, &si, sizeof si) == sizeof si)
			if (stop_on & 1ull << (si.ssi_signo - 1)) { if (rewrite[si.ssi_signo]) return rewrite[si.ssi_signo]; }
			else if (si.ssi_signo < SIGNALS && si.ssi_signo != SIGCHLD && kept[si.ssi_signo] < 255) kept[si.ssi_signo]++;
	}
}

static int pin(pid_t pid, uint64_t ticks)
{
	if (pid <= 1 || !ticks) return -1;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	char mark = 0;
	if (fd >= 0 && start_ticks(pid, &mark, NULL) == ticks && mark != 'Z') return fd;
	if (fd >= 0) close(fd);
	return -1;
}

bool leftovers_live(void)
{
	bool live = false;
	for (int i = 0; i < left_count; i++) {
		int fds[] = { pin(left[i].coordinator, left[i].coordinator_ticks), pin(left[i].leader, left[i].leader_ticks) };
		for (int k = 0; k < 2; k++) if (fds[k] >= 0) { close(fds[k]); live = true; }
	}
	return live;
}

/* 0, or the exit code when a stop was asked for meanwhile. */
int leftovers_end(int signals, uint64_t stop_on, const uint8_t *rewrite)
{
	for (int i = 0; i < left_count; i++) {
		struct left *l = &left[i];
		char name[128];
		int asked = -1, fd = pin(l->coordinator, l->coordinator_ticks);
		bool coordinated = fd >= 0;
		if (!coordinated) fd = pin(l->leader, l->leader_ticks);
		if (fd < 0) continue;
		say(LEVEL_WARN, "an earlier gsup of this name was killed: waiting for what it left: %s", names_of(&l->leader, 1, name, sizeof name));
		/* A coordinator carries its order out by itself. A leader had its signal from the kernel when init died. */
		if (coordinated) asked = wait_for(fd, FOREVER, signals, stop_on, rewrite);
		for (uint32_t k = 0; !coordinated && asked < 0 && k <= l->order.count; k++) {
			bool last = k == l->order.count;
			int signal = last ? SIGKILL : l->order.rungs[k].signal;
			if (signal && signal != l->sent) send_group(l->leader, signal); /* its leader lives: the group is its own */
			if (signal == SIGKILL) send_signal(l->leader, SIGKILL);
			asked = wait_for(fd, now_ns() + (last ? STUCK_AFTER : l->order.rungs[k].wait_ns), signals, stop_on, rewrite);
		}
		close(fd);
		if (asked > 0) return EXIT_SIGNAL_BASE + asked;
	}
	if (left_count) cut_lock(head_end);
	for (int i = 1; i < SIGNALS; i++) for (; kept[i]; kept[i]--) raise(i); /* blocked: the loop reads them */
	return 0;
}
