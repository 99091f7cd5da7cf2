/* The supervisor decides; this file starts it, replaces it when it has died or does not answer, and speaks with it. There is
 * no queue: what has changed since the last frame is marked, and told as it is when there is room. */
#include "supervisor.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct supervisor sup = { .socket = -1, .retry_ns = FOREVER, .wake_ns = FOREVER, .reap_by_ns = FOREVER };
struct asked asks = { .due_ns = FOREVER };
struct ending leave = { .bye_ns = FOREVER, .drain_ns = DRAIN_MS * MS };
const struct parsed *parsed;
char **command_line;
static PAGES char in[FRAME_MAX + sizeof(struct head)], out[65536], frame[FRAME_MAX]; /* frame: the one that is carried out */
static size_t in_size, out_size, out_sent;
static INITS uint32_t early[SIGNALS];
bool supervisor_decides;

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

static void want_room(bool full)
{
	struct epoll_event e = { EPOLLIN | (full ? EPOLLOUT : 0), { .u32 = RUNS_MAX } };
	epoll_ctl(room.poller, EPOLL_CTL_MOD, sup.socket, &e);
}

/* What was asked for: each process, and behind them what there is once. It goes on where there was no room. */
static bool tell_counts(void)
{
	if (sup.row == NOT_ASKED) return true;
	for (const struct bytes *b; (b = output_counted(sup.row)); sup.row++)
		while (!put(BYTES, b, sizeof *b)) if (!send_out()) return false;
	struct counts c = { orphans_counted() };
	while (!put(COUNTS, &c, sizeof c)) if (!send_out()) return false;
	sup.row = NOT_ASKED;
	return true;
}

void supervisor_flush(void)
{
	bool told = false;
	runs_note();
	runs_pass_on(NULL);
	if (sup.socket < 0 || !send_out()) return;
	if (sup.tell_hello) {
		struct hello h = { .version = PROTOCOL_VERSION, .flags = (pid1 ? HELLO_PID1 : 0) | (sup.woken ? HELLO_WOKEN : 0), .restarts = sup.restarts,
			.init_pid = getpid(), .last_number = sup.last_number, .init_ticks = state.ticks, .pid_ns = state.pid_ns,
			.stay_ns = parsed->said[OPT_STAY].number ? FOREVER : absence_stay() };
		memcpy(h.boot_id, state.boot_id, sizeof h.boot_id);
		put(HELLO, &h, sizeof h);
		sup.tell_hello = false;
		told = true;
	}
	for (int i = 0; i < runs_used; i++) {
		if (!runs[i].used || !runs[i].dirty) continue;
		while (!put(RUN, runs_told(&runs[i]), sizeof runs[i].s)) if (!send_out()) { want_room(true); return; }
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
	want_room(!tell_counts() || !send_out());
}

/* Killed is not the same as not to be had: who has worked will work again, and who was killed may. */
bool hopeless(void) { return sup.failed > 3; }

void set_present(bool present)
{
	struct link l = { present, 0 };
	room.present = present;
	if (!present && state.folder >= 0) unlinkat(state.folder, "health", 0); /* nobody is there to know; who comes back writes it anew */
	runs_tell(LINK, &l, sizeof l);
}

/* ---- life of the supervisor ---- */

void drop_socket(void)
{
	if (sup.socket >= 0) close(sup.socket); /* what the old one had written and nobody has read goes with it */
	sup.socket = -1;
}

/* Before anything has been started. */
static void give_up(int code)
{
	leave.asked = true;
	leave.code = code;
	drop_socket();
	if (sup.pid > 0) send_signal(sup.pid, SIGKILL);
}

void start_supervisor(void)
{
	int socket = -1;
	sup.retry_ns = FOREVER;
	sup.started_ns = now_ns();
	sup.pid = apart_pid = begin_supervisor(&socket);
	if (sup.pid < 0 && is_visitor()) { sup.pid = apart_pid = 0; visit_in_vain("no process can be started for it"); return; }
	if (sup.pid < 0) {
		if (!sup.spawned) say(LEVEL_ERROR, "cannot start the supervisor: %s; the limit of open files or of memory may be too low", strerror(errno));
		else if (!sup.said) { say(LEVEL_ERROR, "the supervisor cannot be started: %s; the runs go on, a stop is carried out without it; trying again", strerror(errno)); sup.said = true; }
		sup.pid = apart_pid = 0;
		if (!sup.spawned) give_up(EXIT_INTERNAL);
		else { sup.failed += 4; set_present(false); } /* no process, or no memory: not to be had */
		sup.delay_ns = sup.delay_ns ? sooner(sup.delay_ns * 2, RETRY_LAST) : RETRY_FIRST;
		sup.retry_ns = sup.started_ns + sup.delay_ns;
		return;
	}
	sup.socket = socket;
	sup.state = STARTING;
	sup.tell_hello = true;
	sup.tell_asks = asks.frame.count || asks.frame.reloads || asks.frame.cleared;
	sup.event = sup.seen = 0;
	sup.row = NOT_ASKED;
	sup.unseen_since_ns = sup.started_ns;
	sup.wake_ns = FOREVER;
	in_size = out_size = out_sent = 0;
	for (int i = 0; i < runs_used; i++) runs[i].dirty = runs[i].used;
	if (asks.frame.count && !is_visitor()) asks.due_ns = sup.started_ns + START_WITHIN;
	struct epoll_event e = { EPOLLIN, { .u32 = RUNS_MAX } };
	epoll_ctl(room.poller, EPOLL_CTL_ADD, sup.socket, &e);
	set_present(!hopeless());
}

/* Killed first: it would take the closed socket for the end, and what it then exits with would be taken for its word. */
void end_supervisor(void)
{
	sup.ended = send_signal(sup.pid, SIGKILL);
	drop_socket();
	sup.unseen_since_ns = sup.wake_ns = FOREVER;
	sup.reap_by_ns = now_ns() + STUCK_AFTER;
}

static void replace_supervisor(const char *why)
{
	say(LEVEL_WARN, "the supervisor %s: it is replaced", why);
	end_supervisor();
}

/* Nobody is started beside one that is not reaped: what it was writing may still reach the log. So there is none to be had. */
static void cannot_be_reaped(void)
{
	say(LEVEL_ERROR, "the supervisor cannot be killed: until it ends the runs go on without it, and so does a stop");
	sup.reap_by_ns = FOREVER;
	sup.state = GONE;
	if (!sup.spawned) { give_up(EXIT_INTERNAL); return; }
	sup.failed += 4;
	set_present(false);
	if (asks.frame.count) asks.due_ns = now_ns();
}

static void supervisor_gone(const siginfo_t *si)
{
	bool worked = sup.state == PRESENT, by_code = si->si_code == CLD_EXITED, yields = sup.yields, vain = !yields && !worked && installation_on_trial();
	bool declines = first_declines(si);
	drop_socket();
	sup.pid = apart_pid = 0;
	sup.state = GONE;
	sup.reap_by_ns = FOREVER;
	sup.restarts += !sup.leaves && !declines;
	sup.yields = sup.woken = false;
	bool oom = !by_code && si->si_status == SIGKILL && !sup.ended && memory_took_it();
	sup.ended = false;
	if (leave.asked) return;
	if (sup.leaves) { be_absent(); return; }
	if (is_visitor()) { visit_in_vain(by_code && si->si_status == EXIT_UNAVAILABLE ? "Node.js, which it needs, cannot be run" : "it ended before it was up"); return; }
	if (vain) installation_bad();
	if (yields || vain || declines) { /* neither a crash of the one, nor the fault of the other */
		sup.retry_ns = now_ns();
		if (asks.frame.count) asks.due_ns = sup.retry_ns + START_WITHIN;
		return;
	}
	/* Before anything was started its errors are those of the command line or the installation. */
	if (!sup.spawned && by_code && si->si_status >= EXIT_USAGE) { give_up(si->si_status); return; }
	if (!sup.spawned && sup.restarts > 2 && !asks.frame.count) { /* a stop has an end of its own, which a supervisor may have written down */
		say(LEVEL_ERROR, "internal error: the supervisor cannot be started");
		give_up(EXIT_INTERNAL);
		return;
	}
	if (worked && now_ns() - sup.started_ns > REPLACE_AFTER) sup.delay_ns = 0;
	if (oom && sup.delay_ns < NO_MEMORY) sup.delay_ns = NO_MEMORY;
	sup.retry_ns = now_ns() + sup.delay_ns;
	sup.failed = worked ? 0 : sup.failed + (!by_code && si->si_status == SIGKILL ? 1 : 2);
	if (hopeless()) set_present(false);
	if (worked) say(LEVEL_WARN, "the supervisor ended (%s%d%s): started again, no run is touched", by_code ? "exit code " : "killed by signal ", si->si_status,
	                oom ? ", for lack of memory" : "");
	else if (!sup.said && sup.spawned && hopeless()) { say(LEVEL_ERROR, "the supervisor cannot be started: the runs go on, a stop is carried out without it; trying again"); sup.said = true; }
	if (worked) sup.said = false;
	sup.delay_ns = sup.delay_ns ? sup.delay_ns * 2 : RETRY_FIRST;
	if (sup.delay_ns > RETRY_LAST) sup.delay_ns = RETRY_LAST;
	if (asks.frame.count) asks.due_ns = hopeless() ? now_ns() : now_ns() + START_WITHIN;
}

void supervisor_child(pid_t pid, const siginfo_t *si)
{
	if (pid == sup.pid) {
		if (si->si_code == CLD_STOPPED) replace_supervisor("was stopped");
		else if (si->si_code != CLD_CONTINUED) supervisor_gone(si);
		return;
	}
	if (si->si_code == CLD_STOPPED || si->si_code == CLD_CONTINUED) return;
	if (!output_child(pid, si) && !runs_child(pid)) orphans_reaped(1);
}

/* Where everybody else is asked one by one (run_reap). */
void supervisor_reap(void)
{
	siginfo_t si = { 0 };
	struct rusage r = { 0 };
	while (sup.pid > 0 && syscall(SYS_waitid, P_PID, sup.pid, &si, WEXITED | WSTOPPED | WCONTINUED | WNOHANG, &r) == 0 && si.si_pid) {
		if (si.si_code == CLD_EXITED || si.si_code == CLD_KILLED || si.si_code == CLD_DUMPED) apart_ended(&r);
		supervisor_child(si.si_pid, &si);
		si.si_pid = 0;
	}
}

static void see(const struct seen *s)
{
	sup.seen = s->event;
	sup.wake_ns = s->wake_ns;
	sup.unseen_since_ns = sup.seen == sup.event ? FOREVER : now_ns();
	if (sup.failed) set_present(true);
	sup.failed = 0;
	if (sup.state == STARTING) {
		sup.state = PRESENT;
		supervisor_decides = true;
		if (own_run) own_run->supervised = true;
		installation_good();
	}
	if (asks.frame.count && sup.seen >= asks.event && !sup.tell_asks) {
		asks.due_ns = FOREVER;
		asks.alone = (int)asks.frame.count;
	}
}

/* Whoever sends requests is busy, and not stuck: what was due counts from here. A rung is what answers an ask, one of many. */
static void hear_of(const struct head *h)
{
	uint64_t now = now_ns();
	if (sup.unseen_since_ns != FOREVER) sup.unseen_since_ns = now;
	if (sup.wake_ns < now) sup.wake_ns = now;
	if (h->type == RUNG && asks.due_ns != FOREVER && sup.state == PRESENT) asks.due_ns = now + ANSWER_WITHIN;
}

/* false: not a frame that a supervisor of this version sends. */
static bool carry_out(const char *frame)
{
	const struct head *h = (const struct head *)frame;
	const char *body = frame + sizeof *h;
	size_t size = h->size - sizeof *h;
	static const size_t sizes[] = { [RUNG] = sizeof(struct rung_request), [SIGNAL] = sizeof(struct signal_request),
		[FORGET] = sizeof(struct key_request), [EXIT] = sizeof(struct exit_request), [SEEN] = sizeof(struct seen), [UPGRADE] = sizeof(struct upgrade_request), [CLEAR] = 0, [LEAVE] = sizeof(struct leaving), [COUNT] = 0 };
	if (h->version != PROTOCOL_VERSION || h->type < SPAWN || h->type > COUNT || (h->type != SPAWN && size != sizes[h->type])) return false;
	if (h->type == SEEN || h->type == LEAVE) {
		see((const struct seen *)body);
		sup.leaves = h->type == LEAVE;
		if (sup.leaves) leave_with((const struct leaving *)body);
		return true;
	}
	if (h->type == COUNT) return !(sup.row = 0);
	if (h->number <= sup.last_number && h->type != FORGET) return true; /* done before the crash of whoever asked */
	if (h->number > sup.last_number) { sup.last_number = h->number; hear_of(h); }
	if (h->type == EXIT) {
		leave.asked = true;
		leave.code = (int)((const struct exit_request *)body)->code & 255;
		leave.drain_ns = ((const struct exit_request *)body)->drain_ms * MS;
		return true;
	}
	if (h->type == CLEAR) return leave.clears = true;
	if (h->type == UPGRADE) return installation_ask(((const struct upgrade_request *)body)->installation);
	bool first = h->type == SPAWN && !sup.spawned;
	if (first) sup.spawned = true;
	if (!runs_request(h, body, size, frame)) return false;
	for (int i = 1; i < SIGNALS && first; early[i++] = 0) if (early[i]) supervisor_forward(i, true, early[i]);
	return true;
}

static void read_supervisor(void)
{
	ssize_t n = recv(sup.socket, in + in_size, sizeof in - in_size, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
	if (n <= 0) { drop_socket(); return; } /* its exit tells the rest */
	in_size += (size_t)n;
	size_t at = 0;
	for (struct head h; !sup.leaves && in_size - at >= sizeof h; at += h.size) {
		memcpy(&h, in + at, sizeof h);
		bool sane = h.size >= sizeof h && h.size <= FRAME_MAX;
		if (sane && in_size - at < h.size) break;
		if (sane) memcpy(frame, in + at, h.size);
		if (sane && carry_out(frame)) continue;
		replace_supervisor("does not speak this protocol");
		(void)installation_asked(); /* what it had asked for before comes with the next one */
		in_size = 0;
		return;
	}
	memmove(in, in + at, in_size - at);
	in_size -= at;
	sup.yields = installation_asked();
	if (sup.yields) sup.leaves = false;
	if (sup.yields || sup.leaves) end_supervisor(); /* the next one takes over as after a crash */
}

void supervisor_event(uint32_t key)
{
	if (key < RUNS_MAX) { runs_read(&runs[key]); runs_pass_on(&runs[key]); }
	else if (key == KEY_CONTROL) sup.called = true;
	else if (sup.socket >= 0) read_supervisor();
}

void supervisor_rest(void)
{
	rest_buffer(in, sizeof in);
	rest_buffer(out, sizeof out);
	rest_buffer(frame, sizeof frame);
	in_size = out_size = out_sent = 0;
}

/* ---- a stop that nobody decides about ---- */

/* Of a stop that is under way by an order alone: by whom it was asked for first, how often, and when. */
void supervisor_told(struct by by, int count, uint64_t first_ns)
{
	if (!asks.frame.count) {
		asks.frame.signal = (uint32_t)by.signal;
		asks.frame.pid = by.pid;
		asks.frame.uid = by.uid;
		asks.frame.first_ns = first_ns;
		asks.by = by;
	}
	asks.frame.count = (uint32_t)count;
	asks.alone = count;
	sup.tell_asks = true;
}

void supervisor_asked(struct by by, int count)
{
	int alone = asks.alone;
	supervisor_told(by, count, now_ns());
	asks.alone = alone;
	if (count == 2) runs_asked_again();
	if (count > 1) strangers_hurry();
	asks.due_ns = now_ns() + patience();
}

/* No answer is due: what is there runs on, and a next supervisor is told again. */
void supervisor_reload(struct by by)
{
	asks.frame.reloads++;
	asks.frame.reload_pid = by.pid;
	asks.frame.reload_uid = by.uid;
	sup.tell_asks = true;
}

void supervisor_forward(int signal, bool received, uint32_t times)
{
	if (!sup.spawned && parsed->action != PARSED_UP) early[signal] += times; /* for the command, when it is there */
	else runs_forward(signal, received, times);
}

/* Before the final processes begin: whoever belongs to no run is an other as well. */
static void clear(void)
{
	if (!leave.clears || live_runs > runs_stuck() || !strangers_gone(&leave.code)) return;
	leave.clears = false;
	asks.frame.cleared = 1;
	sup.tell_asks = true;
}

void supervisor_tick(void)
{
	uint64_t now = now_ns();
	runs_own_changed();
	if (sup.state == ABSENT && !leave.asked) wake(now);
	else if (now >= sup.retry_ns && !leave.asked) start_supervisor();
	if (now >= sup.reap_by_ns && !leave.asked && !is_visitor()) cannot_be_reaped();
	if (!leave.alone && ((asks.frame.count && live_runs && runs_all_stop()) || strangers_due() <= now)) (void)strangers_gone(&leave.code); /* beside the last level */
	clear();
	if (sup.socket >= 0 && sup.unseen_since_ns != FOREVER && now >= later(sup.unseen_since_ns, REPLACE_AFTER)) replace_supervisor("does not answer");
	else if (sup.socket >= 0 && sup.wake_ns != FOREVER && now >= later(sup.wake_ns, REPLACE_AFTER)) replace_supervisor("has missed its deadline");
	if (asks.frame.count && !is_visitor() && (now >= asks.due_ns || nobody_comes())) {
		asks.due_ns = sup.state == GONE || sup.stops_alone ? FOREVER : now + ANSWER_WITHIN;
		if (!sup.spawned) { /* nothing runs yet, and nothing has to */
			record_stop(NULL, "signal", asks.by);
			int code = parsed->action == PARSED_UP ? 0 : EXIT_SIGNAL_BASE + asks.by.signal;
			record_task_state("killed", code);
			give_up(code);
			return;
		}
		runs_stop_alone(&asks.frame, &asks.alone, nobody_comes());
		if (asks.alone < (int)asks.frame.count) asks.alone = (int)asks.frame.count;
	}
}

uint64_t supervisor_due(void)
{
	uint64_t due = sooner(sooner(leave.asked ? FOREVER : sooner(sup.retry_ns, sup.reap_by_ns), asks.due_ns), strangers_due());
	if (leave.asked && sup.pid > 0 && leave.bye_ns > now_ns()) due = sooner(due, leave.bye_ns);
	if (sup.socket < 0) return due;
	if (sup.unseen_since_ns != FOREVER) due = sooner(due, later(sup.unseen_since_ns, REPLACE_AFTER));
	return sooner(due, later(sup.wake_ns, REPLACE_AFTER));
}

void supervisor_open(const struct parsed *p, char **argv, int epoll, int signals)
{
	parsed = p;
	command_line = argv;
	room = (struct room){ .poller = epoll, .signals = signals };
	supervisor_decides = true;
	orphans_share();
	start_supervisor();
}
