/* The supervisor decides; this file starts it, replaces it when it has died or does not answer, and speaks with it. There is
 * no queue: what has changed since the last frame is marked, and told as it is when there is room. */
#include "options.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNS_MAX = 2048, STRINGS_MAX = 32768, SUPERVISOR_FDS = 8 };
#define ANSWER_WITHIN (250 * MS)     /* to what is due at once */
#define START_WITHIN (2 * SECOND)    /* while a supervisor is being started */
#define REPLACE_AFTER (10 * SECOND)  /* without an answer to anything */
#define RETRY_FIRST (100 * MS)
#define RETRY_LAST (30 * SECOND)
#define STRANGER_GRACE (8 * SECOND)

enum { GONE, STARTING, PRESENT };
static struct {
	int state, socket;
	pid_t pid;
	uint64_t started_ns, retry_ns, delay_ns;
	uint64_t event, seen, unseen_since_ns, wake_ns; /* event: of the last SYNC; seen: of the last SEEN */
	uint64_t last_number;
	uint32_t restarts;
	bool tell_hello, tell_asks, spawned, said;
} sup = { .socket = -1, .retry_ns = FOREVER, .wake_ns = FOREVER };
static struct { struct asks frame; uint64_t event, due_ns; int alone; struct by by; } asks = { .due_ns = FOREVER };
static struct { bool asked, out; int code; uint64_t due_ns, told_ns, killed_ns, bye_ns; } leave = { .due_ns = FOREVER };
static struct run runs[RUNS_MAX];
static int runs_used, live_runs, poller, signal_fd;
static const struct parsed *parsed;
static char **command_line;
static char in[FRAME_MAX + sizeof(struct head)], out[65536];
static size_t in_size, out_size, out_sent;

/* ---- telling ---- */

static bool put(uint16_t type, const void *body, size_t size)
{
	struct head h = { (uint32_t)(sizeof h + size), type, PROTOCOL_VERSION, 0 };
	if (out_size + h.size > sizeof out) return false;
	memcpy(out + out_size, &h, sizeof h);
	memcpy(out + out_size + sizeof h, body, size);
	out_size += h.size;
	return true;
}

static bool send_out(void)
{
	while (out_sent < out_size) {
		ssize_t n = send(sup.socket, out + out_sent, out_size - out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n <= 0) return false;
		out_sent += (size_t)n;
	}
	out_sent = out_size = 0;
	return true;
}

void supervisor_flush(void)
{
	bool told = false;
	if (sup.socket < 0 || !send_out()) return;
	if (sup.tell_hello) {
		struct hello h = { .version = PROTOCOL_VERSION, .flags = pid1 ? HELLO_PID1 : 0, .restarts = sup.restarts, .init_pid = getpid(),
			.last_number = sup.last_number, .init_ticks = state.ticks, .pid_ns = state.pid_ns };
		memcpy(h.boot_id, state.boot_id, sizeof h.boot_id);
		put(HELLO, &h, sizeof h);
		sup.tell_hello = false;
		told = true;
	}
	for (int i = 0; i < runs_used; i++) {
		if (!runs[i].used || !runs[i].dirty) continue;
		if (!put(RUN, &runs[i].s, sizeof runs[i].s)) { send_out(); return; }
		runs[i].dirty = false;
		told = true;
	}
	if (sup.tell_asks && put(ASKS, &asks.frame, sizeof asks.frame)) {
		asks.event = sup.event + 1;
		sup.tell_asks = false;
		told = true;
	}
	if (told) {
		struct sync s = { ++sup.event };
		if (sup.seen == sup.event - 1) sup.unseen_since_ns = now_ns();
		put(SYNC, &s, sizeof s);
	}
	send_out();
	struct epoll_event e = { EPOLLIN | (out_size ? EPOLLOUT : 0), { .u32 = RUNS_MAX } };
	epoll_ctl(poller, EPOLL_CTL_MOD, sup.socket, &e);
}

static void tell_coordinators(uint16_t type, const void *body, size_t size)
{
	char frame[64];
	struct head h = { (uint32_t)(sizeof h + size), type, PROTOCOL_VERSION, 0 };
	memcpy(frame, &h, sizeof h);
	memcpy(frame + sizeof h, body, size);
	for (int i = 0; i < runs_used; i++)
		if (runs[i].used && runs[i].socket >= 0) (void)!send(runs[i].socket, frame, h.size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void set_present(bool present)
{
	struct link l = { present, 0 };
	tell_coordinators(LINK, &l, sizeof l);
}

/* ---- life of the supervisor ---- */

static void put_at(int from, int to) { if (from >= 0) dup2(from, to); }

static _Noreturn void become_supervisor(int socket)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), error_out = fcntl(2, F_DUPFD_CLOEXEC, 32);
	int fds[] = { fcntl(socket, F_DUPFD_CLOEXEC, 32), fcntl(state.checkpoint_log, F_DUPFD_CLOEXEC, 32), fcntl(state.init_log, F_DUPFD_CLOEXEC, 32) };
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	int adj = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC); /* expendable: the first to go, before any child */
	if (adj >= 0) { (void)!write(adj, "1000", 4); close(adj); }
	put_at(null, 0);
	put_at(null, 1);
	if (isatty(2)) put_at(null, 2); /* Node would restore the modes of a terminal that is not its own */
	put_at(fds[0], 3);
	put_at(fds[1], 4);
	put_at(fds[2], 5);
	put_at(null, 6);
	put_at(error_out, 7);
	for (int fd = SUPERVISOR_FDS; fd < 4096; fd++) { /* inherited ones are for the command */
		int flags = fcntl(fd, F_GETFD);
		if (flags >= 0 && !(flags & FD_CLOEXEC)) fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	char *env[4096], folder[600], task[NAME_SIZE + 16], adjusted[] = "GSUP_INIT=1";
	int n = 0;
	for (char **e = inherited_env; *e && n < 4090; e++)
		if (strncmp(*e, "NODE_OPTIONS=", 13) && strncmp(*e, "NODE_V8_COVERAGE=", 17) && strncmp(*e, "NODE_DEBUG", 10)) env[n++] = *e;
	snprintf(folder, sizeof folder, "GSUP_TASK_DIR=%s", state.path);
	snprintf(task, sizeof task, "GSUP_TASK=%s", state.task);
	env[n++] = folder;
	env[n++] = task;
	env[n++] = adjusted;
	env[n] = NULL;
	signal(SIGCHLD, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	_exit(exec_node(command_line, env));
}

static void start_supervisor(void)
{
	int ends[2];
	sup.retry_ns = FOREVER;
	sup.started_ns = now_ns();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0) {
		sup.pid = fork();
		if (sup.pid == 0) become_supervisor(ends[1]);
		close(ends[1]);
		if (sup.pid < 0) close(ends[0]);
	} else sup.pid = -1;
	if (sup.pid < 0) { sup.retry_ns = sup.started_ns + (sup.delay_ns = RETRY_LAST); return; }
	sup.socket = ends[0];
	sup.state = STARTING;
	sup.tell_hello = true;
	sup.tell_asks = asks.frame.count > 0;
	sup.event = sup.seen = 0;
	sup.unseen_since_ns = sup.started_ns;
	sup.wake_ns = FOREVER;
	in_size = out_size = out_sent = 0;
	for (int i = 0; i < runs_used; i++) runs[i].dirty = runs[i].used;
	if (asks.frame.count) asks.due_ns = sup.started_ns + START_WITHIN;
	struct epoll_event e = { EPOLLIN, { .u32 = RUNS_MAX } };
	epoll_ctl(poller, EPOLL_CTL_ADD, sup.socket, &e);
	set_present(true);
}

static void drop_socket(void)
{
	if (sup.socket >= 0) close(sup.socket); /* what the old one had written and nobody has read goes with it */
	sup.socket = -1;
}

static void replace_supervisor(const char *why)
{
	say(LEVEL_WARN, "the supervisor %s: it is replaced", why);
	drop_socket();
	send_signal(sup.pid, SIGKILL);
	sup.unseen_since_ns = sup.wake_ns = FOREVER;
}

static void supervisor_gone(const siginfo_t *si)
{
	bool worked = sup.state == PRESENT, by_code = si->si_code == CLD_EXITED;
	drop_socket();
	sup.pid = 0;
	sup.state = GONE;
	sup.restarts++;
	if (leave.asked) return;
	/* Before anything was started its errors are those of the command line or the installation. */
	if (!sup.spawned && by_code && si->si_status >= EXIT_USAGE) { leave.asked = leave.out = true; leave.code = si->si_status; return; }
	if (!sup.spawned && sup.restarts > 2) { leave.asked = leave.out = true; leave.code = EXIT_INTERNAL; say(LEVEL_ERROR, "internal error: the supervisor cannot be started"); return; }
	if (worked && now_ns() - sup.started_ns > REPLACE_AFTER) sup.delay_ns = 0;
	sup.retry_ns = now_ns() + sup.delay_ns;
	if (!worked || sup.delay_ns) set_present(false);
	if (worked) say(LEVEL_WARN, "the supervisor ended (%s %s%d): started again, no run is touched", by_code ? "exit code" : "killed by",
	                by_code ? "" : "signal ", si->si_status);
	else if (!sup.said) { say(LEVEL_ERROR, "the supervisor cannot be started: the runs go on, a stop is carried out without it; trying again"); sup.said = true; }
	if (worked) sup.said = false;
	sup.delay_ns = sup.delay_ns ? sup.delay_ns * 2 : RETRY_FIRST;
	if (sup.delay_ns > RETRY_LAST) sup.delay_ns = RETRY_LAST;
	if (asks.frame.count) asks.due_ns = worked ? now_ns() + START_WITHIN : now_ns();
}

/* ---- runs ---- */

static struct run *find_run(uint64_t key)
{
	for (int i = 0; i < runs_used; i++) if (runs[i].used && runs[i].s.key == key) return &runs[i];
	return NULL;
}

/* A coordinator keeps nothing of init's but what its leader inherits: above all no end of somebody else's socket. */
static _Noreturn void become_coordinator(const struct launch *l, int socket)
{
	for (int fd = 3; fd < 4096; fd++) {
		int flags = fd == socket || fd == signal_fd ? 0 : fcntl(fd, F_GETFD);
		if (flags > 0 && (flags & FD_CLOEXEC) && !keep_descriptor(fd)) close(fd);
	}
	_exit(coordinator_main(l, socket, signal_fd, sup.state != GONE));
}

static void spawn_run(uint64_t number, const struct launch *l)
{
	int ends[2], i = 0;
	while (i < RUNS_MAX && runs[i].used) i++;
	if (i == RUNS_MAX) return;
	if (i == runs_used) runs_used++;
	struct run *run = &runs[i];
	*run = (struct run){ .used = true, .dirty = true, .socket = -1, .notify = -1, .climb = { .order = l->fixed.order },
		.s = { .key = number, .phase = PHASE_STARTING, .code = -1, .rung = NOT_STOPPING, .deadline_ns = FOREVER, .forked_ns = now_ns() } };
	snprintf(run->s.name, sizeof run->s.name, "%s", l->name);
	sup.spawned = true;
	live_runs++;
	pid_t pid = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0) {
		pid = fork();
		if (pid == 0) { close(ends[0]); become_coordinator(l, ends[1]); }
		close(ends[1]);
		if (pid < 0) close(ends[0]);
	}
	if (pid < 0) { /* no memory, or no process left: a failed start like any other */
		run->s.phase = PHASE_ENDED;
		run->s.failed_stage = STAGE_FORK;
		run->s.failed_errno = errno;
		run->s.ended_ns = now_ns();
		live_runs--;
		return;
	}
	run->socket = ends[0];
	run->s.coordinator_pid = pid;
	run->s.coordinator_ticks = start_ticks(pid, NULL, NULL);
	struct epoll_event e = { EPOLLIN, { .u32 = (uint32_t)i } };
	epoll_ctl(poller, EPOLL_CTL_ADD, run->socket, &e);
}

static void read_coordinator(struct run *run)
{
	static union { struct head head; struct record_frame record; struct { struct head head; struct run_state run; } state; } f;
	for (ssize_t n; run->socket >= 0 && (n = recv(run->socket, &f, sizeof f - 1, MSG_DONTWAIT)) != -1; ) {
		if (n == 0) { close(run->socket); run->socket = -1; return; }
		if (f.head.type == RECORD) {
			((char *)&f)[n] = 0;
			if (f.head.number) record_lost((uint32_t)f.head.number);
			record_sign(f.record.type, f.record.mono_ns, f.record.members);
		} else if (f.head.type == RUN && n == sizeof f.state) {
			struct run_state old = run->s;
			run->s = f.state.run;
			run->s.key = old.key;
			run->s.coordinator_pid = old.coordinator_pid;
			run->s.coordinator_ticks = old.coordinator_ticks;
			run->dirty = true;
			if (run->s.phase == PHASE_ENDED && old.phase != PHASE_ENDED) live_runs--;
		}
	}
}

static void coordinator_gone(struct run *run)
{
	read_coordinator(run);
	if (run->socket >= 0) close(run->socket);
	run->socket = -1;
	run->s.coordinator_pid = 0;
	if (run->s.phase == PHASE_ENDED) return;
	/* Its tree is ours now, as strangers. Nobody knows how the leader ends. */
	run->s.phase = PHASE_ENDED;
	run->s.flags |= RUN_LOST;
	run->s.ended_ns = now_ns();
	run->dirty = true;
	live_runs--;
	record_begin("run-ended");
	record_text("run", run->s.name);
	record_text("outcome", "lost");
	record_text("code", NULL);
	record_text("signal", NULL);
	record_bool("forced", false);
	record_usage("rusage", &run->s.tree);
	record_end();
	say(LEVEL_ERROR, "%s: its coordinator was killed, the run is lost; what is left of it is stopped", run->s.name);
	if (send_signal(run->s.pid, 0)) send_group(run->s.pid, SIGTERM);
}

void supervisor_child(pid_t pid, const siginfo_t *si)
{
	if (pid == sup.pid) {
		if (si->si_code == CLD_STOPPED) replace_supervisor("was stopped");
		else if (si->si_code != CLD_CONTINUED) supervisor_gone(si);
		return;
	}
	if (si->si_code == CLD_STOPPED || si->si_code == CLD_CONTINUED) return;
	for (int i = 0; i < runs_used; i++)
		if (runs[i].used && runs[i].s.coordinator_pid == pid) { coordinator_gone(&runs[i]); return; }
	orphans_reaped++;
}

/* ---- requests ---- */

static bool strings_of(const char *at, const char *end, uint32_t count, char **list)
{
	for (uint32_t i = 0; i < count; i++) {
		const char *stop = at < end ? memchr(at, 0, (size_t)(end - at)) : NULL;
		if (!stop) return false;
		list[i] = (char *)at;
		at = stop + 1;
	}
	return at == end;
}

/* Room for each list, and its NULL. */
static bool read_launch(const char *body, size_t size, struct launch *l)
{
	static char *strings[STRINGS_MAX + 3], *flat[STRINGS_MAX];
	const struct spawn *s = &l->fixed;
	if (size < sizeof *s) return false;
	memcpy(&l->fixed, body, sizeof *s);
	uint64_t count = 4 + (uint64_t)s->argc + s->env_set + s->env_unset;
	if (!s->argc || count > STRINGS_MAX || s->limit_count > LIMITS_MAX || s->order.count > RUNGS_MAX) return false;
	if (!strings_of(body + sizeof *s, body + size, (uint32_t)count, flat)) return false;
	l->name = flat[0]; l->cwd = flat[1]; l->user = flat[2]; l->group = flat[3];
	l->argv = strings;
	memcpy(l->argv, flat + 4, s->argc * sizeof *flat);
	l->argv[s->argc] = NULL;
	l->env_set = l->argv + s->argc + 1;
	memcpy(l->env_set, flat + 4 + s->argc, s->env_set * sizeof *flat);
	l->env_set[s->env_set] = NULL;
	l->env_unset = l->env_set + s->env_set + 1;
	memcpy(l->env_unset, flat + 4 + s->argc + s->env_set, s->env_unset * sizeof *flat);
	l->env_unset[s->env_unset] = NULL;
	return true;
}

static void pass_on(uint64_t key, const char *frame, size_t size)
{
	struct run *run = find_run(key);
	if (run && run->socket >= 0) (void)!send(run->socket, frame, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void see(const struct seen *s)
{
	sup.seen = s->event;
	sup.wake_ns = s->wake_ns;
	sup.unseen_since_ns = sup.seen == sup.event ? FOREVER : now_ns();
	if (sup.state == STARTING) sup.state = PRESENT;
	if (asks.frame.count && sup.seen >= asks.event && !sup.tell_asks) {
		asks.due_ns = FOREVER;
		asks.alone = (int)asks.frame.count;
	}
}

/* false: not a frame that a supervisor of this version sends. */
static bool carry_out(const char *frame, size_t size)
{
	const struct head *h = (const struct head *)frame;
	const char *body = frame + sizeof *h;
	size_t rest = size - sizeof *h;
	static const size_t sizes[] = { [RUNG] = sizeof(struct rung_request), [SIGNAL] = sizeof(struct signal_request),
		[FORGET] = sizeof(struct key_request), [EXIT] = sizeof(struct exit_request), [SEEN] = sizeof(struct seen) };
	if (h->version != PROTOCOL_VERSION || h->type < SPAWN || h->type > SEEN || (h->type != SPAWN && rest != sizes[h->type])) return false;
	if (h->type == SEEN) { see((const struct seen *)body); return true; }
	if (h->number <= sup.last_number) return true; /* done before the crash of whoever asked */
	sup.last_number = h->number;
	struct launch l = { .parent_death_signal = 0 };
	uint64_t key = ((const struct key_request *)body)->key;
	switch (h->type) {
	case SPAWN:
		if (!read_launch(body, rest, &l)) return false;
		spawn_run(h->number, &l);
		break;
	case RUNG: {
		struct run *run = find_run(key);
		const struct rung_request *r = (const struct rung_request *)body;
		if (r->order.count > RUNGS_MAX) return false;
		if (run) run->climb.order = r->order;
		pass_on(key, frame, size);
		break;
	}
	case SIGNAL: pass_on(key, frame, size); break;
	case FORGET: {
		struct run *run = find_run(key);
		if (run && run->s.phase == PHASE_ENDED) { if (run->socket >= 0) close(run->socket); run->used = false; run->socket = -1; }
		break;
	}
	case EXIT:
		leave.asked = true;
		leave.code = (int)((const struct exit_request *)body)->code & 255;
		break;
	}
	return true;
}

static void read_supervisor(void)
{
	ssize_t n = recv(sup.socket, in + in_size, sizeof in - in_size, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
	if (n <= 0) { drop_socket(); return; } /* its exit tells the rest */
	in_size += (size_t)n;
	size_t at = 0;
	for (struct head h; in_size - at >= sizeof h; at += h.size) {
		memcpy(&h, in + at, sizeof h);
		bool sane = h.size >= sizeof h && h.size <= FRAME_MAX;
		if (sane && in_size - at < h.size) break;
		static _Alignas(8) char frame[FRAME_MAX];
		if (sane) memcpy(frame, in + at, h.size);
		if (!sane || !carry_out(frame, h.size)) { replace_supervisor("does not speak this protocol"); in_size = 0; return; }
	}
	memmove(in, in + at, in_size - at);
	in_size -= at;
}

void supervisor_event(uint32_t key)
{
	if (key < RUNS_MAX) read_coordinator(&runs[key]);
	else if (sup.socket >= 0) read_supervisor();
}

/* ---- a stop that nobody decides about ---- */

void supervisor_asked(struct by by, int count)
{
	if (count == 1) { asks.frame = (struct asks){ 0, (uint32_t)by.signal, by.pid, by.uid, now_ns() }; asks.by = by; }
	asks.frame.count = (uint32_t)count;
	sup.tell_asks = true;
	if (count > 1 && leave.told_ns) leave.due_ns = now_ns(); /* strangers climb as well */
	asks.due_ns = now_ns() + (sup.state == PRESENT ? ANSWER_WITHIN : sup.state == STARTING ? START_WITHIN : 0);
	if (!sup.spawned && sup.state != PRESENT) { leave.asked = leave.out = true; leave.code = EXIT_SIGNAL_BASE + by.signal; }
}

/* Levels stop from the highest down; the next begins when the one before is gone. */
static void stop_alone(void)
{
	uint32_t level = 0;
	for (int i = 0; i < runs_used; i++)
		if (runs[i].used && runs[i].s.phase != PHASE_ENDED && runs[i].climb.order.level > level) level = runs[i].climb.order.level;
	for (int step = asks.alone < 1 ? 1 : asks.alone + 1; step <= (int)asks.frame.count || step == 1; step++) {
		struct { struct head head; struct alone body; } f = { { sizeof f, ALONE, PROTOCOL_VERSION, 0 },
			{ (uint32_t)step, asks.frame.signal, asks.frame.pid, asks.frame.uid } };
		for (int i = 0; i < runs_used; i++) {
			struct run *run = &runs[i];
			bool begins = run->s.rung == NOT_STOPPING && !run->stop_asked && run->climb.order.level == level;
			if (!run->used || run->socket < 0 || run->s.phase == PHASE_ENDED || (step == 1 && !begins)) continue;
			run->stop_asked = true;
			(void)!send(run->socket, &f, sizeof f, MSG_DONTWAIT | MSG_NOSIGNAL);
		}
	}
	if (asks.alone < (int)asks.frame.count) asks.alone = (int)asks.frame.count;
}

void supervisor_forward(int signal)
{
	struct signal_request s = { 0, (uint32_t)signal, TARGET_GROUP };
	tell_coordinators(SIGNAL, &s, sizeof s);
}

/* ---- the end ---- */

static bool is_own(pid_t pid)
{
	if (pid == sup.pid) return true;
	for (int i = 0; i < runs_used; i++) if (runs[i].used && runs[i].s.coordinator_pid == pid) return true;
	return false;
}

/* Strangers: adopted, and of no run (orphans of `docker exec`). They get the default ladder when the runs are gone. */
static bool strangers_gone(void)
{
	const pid_t *list;
	int count = walk_tree(&list, is_own);
	uint64_t now = now_ns();
	if (!count) return true;
	for (int i = 0; i < count && !leave.told_ns; i++) {
		char name[64];
		record_begin("stranger");
		record_number("pid", list[i]);
		record_text("name", names_of(&list[i], 1, name, sizeof name));
		record_end();
		send_descendant(list[i], SIGTERM);
		send_descendant(list[i], SIGCONT);
	}
	if (!leave.told_ns) { leave.told_ns = now; leave.due_ns = now + STRANGER_GRACE; }
	if (now < leave.due_ns) return false;
	if (!leave.killed_ns) leave.killed_ns = now;
	if (now - leave.killed_ns < STUCK_AFTER) {
		kill_descendants(is_own);
		leave.due_ns = now + KILL_AGAIN;
		return false;
	}
	char names[512];
	record_begin("stuck");
	record_pids("pids", list, count);
	record_end();
	say(LEVEL_ERROR, "cannot be killed: %s", names_of(list, count < 8 ? count : 8, names, sizeof names));
	if (!leave.code) leave.code = EXIT_STUCK;
	return true;
}

/* Nobody is left to decide, and nothing is left to decide about: a stop was carried out, or `run` is over. */
static bool over_alone(int *code)
{
	struct run *last = NULL;
	for (int i = 0; i < runs_used; i++) if (runs[i].used && !strchr(runs[i].s.name, '/') && (!last || runs[i].s.key > last->s.key)) last = &runs[i];
	bool lasting = parsed->said[OPT_RESTART].set && parsed->said[OPT_RESTART].number != RESTART_NO;
	if (!last || live_runs || sup.state != GONE || sup.delay_ns <= RETRY_FIRST || (lasting && !asks.frame.count)) return false;
	*code = exit_code_of(&last->s);
	return true;
}

bool supervisor_done(int *code)
{
	if (leave.out) { *code = leave.code; return sup.pid == 0; }
	if (!leave.asked && !over_alone(&leave.code)) return false;
	leave.asked = true;
	if (live_runs) return false;
	if (!strangers_gone()) return false;
	drop_socket(); /* tells the supervisor to go */
	if (sup.pid > 0 && !leave.bye_ns) leave.bye_ns = leave.due_ns = now_ns() + START_WITHIN;
	if (sup.pid > 0 && now_ns() >= leave.due_ns) { send_signal(sup.pid, SIGKILL); leave.due_ns = FOREVER; }
	*code = leave.code;
	return sup.pid <= 0;
}

void supervisor_tick(void)
{
	uint64_t now = now_ns();
	if (now >= sup.retry_ns && !leave.asked) start_supervisor();
	if (sup.socket >= 0 && sup.unseen_since_ns != FOREVER && now >= sup.unseen_since_ns + REPLACE_AFTER) replace_supervisor("does not answer");
	else if (sup.socket >= 0 && sup.wake_ns != FOREVER && now >= sup.wake_ns && now - sup.wake_ns >= REPLACE_AFTER) replace_supervisor("has missed its deadline");
	if (asks.frame.count && (now >= asks.due_ns || (sup.state == GONE && sup.delay_ns > RETRY_FIRST))) {
		asks.due_ns = sup.state == GONE ? FOREVER : now + ANSWER_WITHIN;
		stop_alone();
	}
}

static uint64_t sooner(uint64_t a, uint64_t b) { return a < b ? a : b; }

uint64_t supervisor_due(void)
{
	uint64_t due = sooner(leave.asked ? FOREVER : sup.retry_ns, asks.due_ns);
	if (leave.asked && !live_runs) due = sooner(due, leave.due_ns);
	if (sup.socket < 0) return due;
	if (sup.unseen_since_ns != FOREVER) due = sooner(due, sup.unseen_since_ns + REPLACE_AFTER);
	return sup.wake_ns == FOREVER ? due : sooner(due, sup.wake_ns + REPLACE_AFTER);
}

void supervisor_open(const struct parsed *p, char **argv, int epoll, int signals)
{
	parsed = p;
	command_line = argv;
	poller = epoll;
	signal_fd = signals;
	start_supervisor();
}
