/* A coordinator and its run: coordinator.c, run.c and order.c, with frames from init, deadlines, and a tree that comes and goes.
 * The tree is a leader and up to seven others, in this file. Input: steps, see enum step. */
#include "fuzz-world.h"
#include "../coordinator.c"

enum step { FRAME, ORDER, ASK, TIME, NEXT_DUE, EXECS, FAILS, LEADER_ENDS, OTHER_BEGINS, OTHER_ENDS, INIT_GONE, INIT_FULL, STEPS };
enum { LEADER = 100, OTHER = 200, OTHERS = 7, SOCKET = 1000, PIPE = 1001 };

bool pid1, inherited_chld_ignored;
enum terminal terminal = TERMINAL_NONE;
struct state state = { .folder = -1 };
uint64_t inherited_mask;
char **inherited_env;

static struct run run;
static uint64_t now;
static bool alive[OTHERS], killable[OTHERS], leader_alive, leader_zombie, pipe_open, socket_open, full;
static int leader_code, progress, ended_records, kill_records;
static struct input waiting;

uint64_t now_ns(void) { return now += 1000; }
struct start start_command(const struct launch *l) { (void)l; pipe_open = leader_alive = true; return (struct start){ PIPE, LEADER }; }
int start_progress(int pipe, uint64_t *exec_ns, int *error)
{
	MUST(pipe == PIPE && pipe_open);
	if (progress == -1) *exec_ns = now;
	if (progress > 0) *error = ENOENT;
	return progress;
}
uint64_t start_ticks(pid_t pid, char *process_state, pid_t *parent) { (void)process_state; (void)parent; return (uint64_t)pid; }
void rest_fork(void) {}
int notify_open(char *path, size_t size) { (void)path; (void)size; return -1; }
void notify_read(struct run *r) { (void)r; }
void ready_read(struct run *r) { (void)r; }
pid_t pump_pid;
void output_given(const struct launch *l) { (void)l; }
bool output_child(pid_t pid, const siginfo_t *si) { (void)pid; (void)si; return false; }
bool output_discard(int source) { (void)source; return false; }
void notify_close(void) {}
void terminal_stopped(pid_t group, int signal, bool alone) { (void)group; (void)signal; (void)alone; }
void terminal_leader_gone(pid_t group) { (void)group; }

int walk_tree(const pid_t **list, bool (*skip)(pid_t))
{
	static pid_t pids[OTHERS + 1];
	int n = 0;
	(void)skip;
	if (leader_alive) pids[n++] = LEADER;
	for (int i = 0; i < OTHERS; i++) if (alive[i]) pids[n++] = OTHER + i;
	*list = pids;
	return n;
}
int list_children(pid_t *list, int max)
{
	int n = 0;
	(void)max;
	if (leader_alive || leader_zombie) list[n++] = LEADER;
	for (int i = 0; i < OTHERS; i++) if (alive[i]) list[n++] = OTHER + i;
	return n;
}
char *names_of(const pid_t *pids, int count, char *text, size_t size)
{
	MUST(count <= 8);
	snprintf(text, size, "%d", count ? pids[0] : 0);
	return text;
}

static void signalled(pid_t pid, int signal)
{
	MUST(signal >= 0 && signal < SIGNALS);
	MUST(run.s.phase != PHASE_ENDED); /* nobody after the end */
	if (signal == SIGKILL && pid == LEADER && leader_alive) { leader_alive = false; leader_zombie = true; leader_code = -SIGKILL; }
	for (int i = 0; i < OTHERS; i++) if (signal == SIGKILL && pid == OTHER + i && killable[i]) alive[i] = false;
}
bool send_signal(pid_t pid, int signal) { MUST(pid == LEADER); signalled(pid, signal); return true; }
bool send_group(pid_t group, int signal) { MUST(group == LEADER); signalled(LEADER, signal); return true; }
bool send_descendant(pid_t pid, int signal) { MUST(pid == LEADER || (pid >= OTHER && pid < OTHER + OTHERS)); signalled(pid, signal); return true; }
void kill_descendants(bool (*skip)(pid_t)) { (void)skip; for (int i = 0; i < OTHERS; i++) signalled(OTHER + i, SIGKILL); signalled(LEADER, SIGKILL); }
int world_kill(pid_t pid, int signal) { MUST(pid == -LEADER && signal == 0); return 0; }
char *world_keep(char *text) { return text; }
pid_t world_getpgid(pid_t pid) { return pid % 2 ? LEADER : pid; }

int world_waitid(idtype_t type, id_t id, siginfo_t *si, int options, struct rusage *usage)
{
	(void)usage;
	memset(si, 0, sizeof *si);
	MUST(options & WNOHANG);
	if (type == P_ALL && !(leader_alive || leader_zombie)) { errno = ECHILD; return -1; }
	if (!leader_zombie || (type == P_PID && id != LEADER)) return 0;
	si->si_pid = LEADER;
	si->si_code = leader_code < 0 ? CLD_KILLED : CLD_EXITED;
	si->si_status = leader_code < 0 ? -leader_code : leader_code;
	if (!(options & WNOWAIT)) leader_zombie = false;
	return 0;
}
int world_close(int fd)
{
	bool *which = fd == PIPE ? &pipe_open : &socket_open;
	MUST(fd == PIPE || fd == SOCKET);
	MUST(*which);
	*which = false;
	return 0;
}
ssize_t world_recv(int fd, void *to, size_t size, int flags)
{
	MUST(fd == SOCKET && socket_open && (flags & MSG_DONTWAIT));
	if (!waiting.left) { errno = EAGAIN; return -1; }
	struct input part = take_part(&waiting, size);
	waiting.left = 0;
	memcpy(to, part.at, part.left);
	return (ssize_t)part.left;
}

static bool is_value(const char **at);
static bool is_list(const char **at, char end, bool keyed)
{
	for (bool first = true; **at != end; first = false) {
		if (!first && *(*at)++ != ',') return false;
		if (keyed && (**at != '"' || !is_value(at) || *(*at)++ != ':')) return false;
		if (!is_value(at)) return false;
	}
	(*at)++;
	return true;
}
static bool is_value(const char **at)
{
	char c = *(*at)++;
	if (c == '{' || c == '[') return is_list(at, c == '{' ? '}' : ']', c == '{');
	if (c == '"') {
		for (; **at != '"'; (*at)++) {
			if ((unsigned char)**at < 0x20) return false;
			if (**at == '\\' && !strchr("\"\\u", *++*at)) return false;
		}
		(*at)++;
		return true;
	}
	size_t n = strspn(--*at, "-0123456789truefalsn");
	*at += n;
	return n > 0;
}

ssize_t world_send(int fd, const void *from, size_t size, int flags)
{
	if (fd == 2) return (ssize_t)size; /* a line on stderr */
	const struct head *h = from;
	MUST(fd == SOCKET && socket_open && (flags & MSG_DONTWAIT) && (flags & MSG_NOSIGNAL) && h->size == size);
	if (full) { errno = EAGAIN; return -1; }
	if (h->type == RUN) { MUST(size == sizeof *h + sizeof(struct run_state)); return (ssize_t)size; }
	const struct record_frame *f = from;
	char text[sizeof f->members + 16];
	MUST(h->type == RECORD && size <= sizeof *f);
	snprintf(text, sizeof text, "{\"v\":1%s}", f->members);
	const char *at = text;
	MUST(is_value(&at) && !*at);
	ended_records += strcmp(f->type, "run-ended") == 0;
	kill_records += strcmp(f->type, "kill") == 0;
	MUST(ended_records <= 1 && kill_records <= 1);
	return (ssize_t)size;
}

static void frame(const void *bytes, size_t size)
{
	if (to_init < 0) return;
	waiting = (struct input){ bytes, size };
	obey(&run);
}

/* A RUNG as a supervisor of this version sends it: its order is sound, its time any. */
static void order(struct input *in)
{
	struct { struct head head; struct rung_request body; } f = { { sizeof f, RUNG, PROTOCOL_VERSION, 1 }, { 0 } };
	struct order *o = &f.body.order;
	o->count = (uint32_t)take_number(in, 1) % (RUNGS_MAX + 1);
	o->index = (uint32_t)take_number(in, 1) % (RUNGS_MAX + 2);
	if (o->index > o->count) o->index = NOT_STOPPING;
	o->flags = (uint32_t)take_number(in, 1) & (ORDER_MUST_DRAIN | ORDER_FIRST_ONLY);
	o->cap_ns = take_number(in, 1) % 2 ? FOREVER : take_number(in, 3) * MS;
	o->deadline_ns = o->index >= o->count || take_number(in, 1) % 4 == 0 ? FOREVER : now + take_number(in, 3) * MS;
	for (uint32_t i = 0; i < o->count; i++)
		o->rungs[i] = (struct rung){ (uint8_t)take_number(in, 1) % SIGNALS, (uint8_t)take_number(in, 1) % 3, (uint8_t)take_number(in, 1) & RUNG_HOOK, { 0 }, take_number(in, 3) * MS };
	frame(&f, sizeof f);
}

/* As often as no kernel would queue it: that only takes long. */
static bool is_too_much(const void *bytes, size_t size)
{
	struct { struct head head; struct forward body; } f;
	if (size != sizeof f) return false;
	memcpy(&f, bytes, size);
	return f.head.type == FORWARD && f.body.times > 1000;
}

static void step(struct input *in)
{
	struct input part;
	uint8_t which;
	switch (take_number(in, 1) % STEPS) {
	case FRAME: part = take_part(in, take_number(in, 2)); if (part.left && is_sound(part.at, part.left) && !is_too_much(part.at, part.left)) frame(part.at, part.left); break;
	case ORDER: order(in); break;
	case ASK: {
		struct { struct head head; struct alone body; } f = { { sizeof f, ALONE, PROTOCOL_VERSION, 0 }, { 1 + (uint32_t)take_number(in, 1) % 3, 1 + (uint32_t)take_number(in, 1) % 64, 0, 0 } };
		frame(&f, sizeof f);
		break;
	}
	case TIME: now += take_number(in, 2) * 10 * MS; break;
	case NEXT_DUE: if (run_due(&run) != FOREVER && run_due(&run) > now) now = run_due(&run); break;
	case EXECS: if (pipe_open) { progress = -1; run_handshake(&run); } break;
	case FAILS: if (pipe_open && !run.s.started_ns) { progress = STAGE_EXEC; run_handshake(&run); leader_alive = false; leader_zombie = true; leader_code = 127; } break;
	case LEADER_ENDS: if (leader_alive) { if (!run.s.started_ns) progress = -1; leader_alive = false; leader_zombie = true; leader_code = (int)take_number(in, 1) - 64; } break;
	case OTHER_BEGINS: which = (uint8_t)take_number(in, 1); if (leader_alive && run.s.started_ns) { alive[which % OTHERS] = true; killable[which % OTHERS] = which < 200; } break;
	case OTHER_ENDS: alive[take_number(in, 1) % OTHERS] = false; break;
	case INIT_GONE: frame("", 0); if (to_init >= 0) { close(to_init); to_init = -1; run.hooks = run.supervised = false; run_stop(&run, "signal", (struct by){ SIGTERM, 0, 0 }); } break;
	case INIT_FULL: full = !full; break;
	}
}

static void check(const struct run *was)
{
	MUST(run.climb.order.count <= RUNGS_MAX);
	MUST(run.told_count >= 0 && run.told_count <= (int)(sizeof run.told / sizeof *run.told));
	MUST(run.s.phase >= PHASE_STARTING && run.s.phase <= PHASE_ENDED);
	MUST(run.s.phase >= was->s.phase); /* forward only, and the end is the end */
	bool stops = was->climb.order.index != NOT_STOPPING;
	if (stops) MUST(run.climb.order.index != NOT_STOPPING); /* a stop is not forgotten */
	if (was->s.phase == PHASE_KILLING) MUST(run.s.phase >= PHASE_KILLING);
	if (run.s.phase == PHASE_ENDED) { MUST(!leader_alive && !leader_zombie); for (int i = 0; i < OTHERS; i++) MUST(!alive[i]); }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *no_words[] = { NULL };
	struct input in = { data, size };
	struct launch l = { .name = "web#1", .cwd = "", .user = "", .group = "", .argv = no_words, .env_set = no_words, .env_unset = no_words };
	l.fixed.order = (struct order){ .index = NOT_STOPPING, .cap_ns = FOREVER, .deadline_ns = FOREVER, .count = 2,
		.rungs = { { .flags = RUNG_HOOK, .wait_ns = SECOND }, { .signal = SIGNAL_AS_RECEIVED, .wait_ns = 8 * SECOND } } };
	l.fixed.start_timeout_ns = 10 * SECOND;
	memset(alive, 0, sizeof alive);
	leader_alive = leader_zombie = pipe_open = full = false;
	progress = ended_records = kill_records = 0;
	now = SECOND;
	to_init = SOCKET;
	socket_open = is_coordinator = true;
	unsent = 0;
	record_sink = send_record;
	run = (struct run){ .supervised = true };
	run_start(&run, &l);
	run.hooks = in.left && *in.at & 1;
	while (in.left && run.s.phase != PHASE_ENDED) {
		struct run was = run;
		step(&in);
		run_reap(&run); /* one more than needed does no harm */
		run_tick(&run);
		if (run.dirty) send_state(&run);
		check(&was);
		if (run.s.phase == PHASE_ENDED) break;
		run_reap(&run);
		run_tick(&run);
		MUST(run.s.phase == PHASE_ENDED || run_due(&run) > now); /* or the loop would spin */
	}
	return 0;
}
