/* Init's side of the socket to the supervisor and of those to its coordinators: supervisor.c and runs.c, with everything that
 * happens to them in any order. No process is there: forks are counted, sockets are buffers. Input: steps, see enum step. */
#include "fuzz-world.h"
#include "../supervisor.c"
#include "../first.c"
#include "../absence.c"
#include "../ending.c"
#include "../runs.c"
static int world_poll(struct pollfd *fds, nfds_t count, int wait);
#define poll(fds, count, wait) world_poll(fds, count, wait)
#include "../forward.c"

enum step { WRITES, WRITES_ZEROS, STATE, RECORDS, COORDINATOR_DIES, DIES, STOPS, ASKED, TIME, FORWARDED, FORK_FAILS, CONGESTED, STEPS };
enum { FIRST_FD = 1000, FDS = 8192, SUPERVISOR_PID = 500000, FIRST_PID = 600000 };

bool pid1 = true, is_coordinator;
uint64_t inherited_mask;
bool inherited_chld_ignored;
int config_descriptor = -1;
char **inherited_env;
struct state state = { .folder = -1, .lock = -1, .init_log = -1, .checkpoint_log = -1, .task = "t" };
void (*record_sink)(const char *, uint64_t, const char *);

static uint64_t now, newest_spawn, told_number[FDS], owed[FDS], early_owed; /* owed: signals that were received and not passed on */
static bool is_open[FDS], fork_fails, last_pair_is_stream, said_hello, crowded; /* crowded: the sockets of all coordinators */
static int next_fd, next_pid, opened, killed;
static size_t chunk, may_send;
static struct input waiting; /* to be read from the one socket that has something */
static int waiting_fd;
static uint8_t told[1 << 18];
static size_t told_size;

char *world_keep(char *text) { return text; }
uint64_t now_ns(void) { return now; }
#include "init-alone.h"
bool output_open(struct launch *l, int most_runs) { MUST(l->fixed.output <= OUTPUT_FILE && strlen(l->path) < FRAME_MAX && most_runs == RUNS_MAX); return !fork_fails; }
void output_given(const struct launch *l) { (void)l; }
bool output_child(pid_t pid, const siginfo_t *si) { (void)pid; (void)si; return false; }
/* More processes than there is room for at once. */
enum { COUNTED_ROWS = 700 };
static int told_rows;
const struct bytes *output_counted(int row)
{
	static struct bytes some;
	MUST(row >= 0 && row <= COUNTED_ROWS);
	return row < COUNTED_ROWS ? &some : NULL;
}
bool output_drained(uint64_t within_ns) { (void)within_ns; return true; }
int exit_code_of(const struct run_state *s) { return s->code & 255; }
void leftovers_note(struct run *const *live, int count) { (void)live; MUST(count <= live_runs); }
void close_descriptors(int fd, int end) { (void)fd; (void)end; }
void leftovers_add(const struct run *run) { MUST(run->used); }
uint64_t start_ticks(pid_t pid, char *process_state, pid_t *parent) { (void)process_state; (void)parent; return (uint64_t)pid; }
int walk_tree(const pid_t **list, bool (*skip)(pid_t)) { (void)list; (void)skip; return 0; }
void kill_descendants(bool (*skip)(pid_t)) { (void)skip; }
char *names_of(const pid_t *pids, int count, char *text, size_t size) { (void)pids; (void)count; (void)size; *text = 0; return text; }
static void say_line(const char *format, va_list args)
{
	char line[1024];
	vsnprintf(line, sizeof line, format, args);
}
void say(enum level level, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say_line(format, args);
	va_end(args);
	(void)level;
}
void say_event(enum level level, const char *event, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say_line(format, args);
	va_end(args);
	(void)level;
	MUST(event);
}
const char *signal_name(int signal) { (void)signal; return "SIG"; }
void record_begin(const char *type) { MUST(type); }
void record_stop(const char *run, const char *cause, struct by by) { (void)run; MUST(cause); (void)by; }
bool memory_took_it(void) { return false; }
void record_oom(struct run *run, bool tell) { (void)tell; MUST(run->s.leader_exited_ns); }
void record_unkept(const char *run, const char *what) { (void)run; MUST(what); }
void record_task_state(const char *state, int exit_code) { MUST(state && exit_code >= 0); }
void record_text(const char *key, const char *value) { MUST(key); if (value) MUST(strlen(value) < 1u << 21); }
void record_number(const char *key, int64_t value) { (void)key; (void)value; }
void record_bool(const char *key, bool value) { (void)key; (void)value; }
void record_pids(const char *key, const pid_t *pids, int count) { (void)key; (void)pids; (void)count; }
void record_usage(const char *key, const struct usage *u) { (void)key; (void)u; }
void record_end(void) {}
void record_flush(void) {}
void record_lost(uint32_t count) { (void)count; }
void record_sign(const char *type, uint64_t mono_ns, const char *members)
{
	(void)mono_ns;
	MUST(strlen(type) < sizeof ((struct record_frame *)0)->type && strlen(members) < sizeof ((struct record_frame *)0)->members);
}

/* Whatever a supervisor writes, its own end is all that init brings about by itself. */
bool send_signal(pid_t pid, int signal) { if (signal) MUST(pid == sup.pid && signal == SIGKILL); if (signal) killed++; return false; }
bool send_group(pid_t group, int signal) { (void)group; MUST(signal == SIGTERM); return true; }
bool send_descendant(pid_t pid, int signal) { (void)pid; (void)signal; return true; }

int world_socketpair(int family, int type, int protocol, int ends[2])
{
	(void)family; (void)protocol;
	if (next_fd + 2 > FDS) { errno = EMFILE; return -1; }
	last_pair_is_stream = (type & 15) == SOCK_STREAM;
	for (int i = 0; i < 2; i++, opened++) { ends[i] = FIRST_FD + next_fd; is_open[next_fd] = true; owed[next_fd] = last_pair_is_stream || i ? 0 : early_owed; told_number[next_fd++] = 0; }
	if (!last_pair_is_stream) early_owed = 0;
	return 0;
}

int world_close(int fd)
{
	MUST(fd >= FIRST_FD && fd < FIRST_FD + next_fd && is_open[fd - FIRST_FD]);
	is_open[fd - FIRST_FD] = false;
	opened--;
	return 0;
}

pid_t world_fork(void)
{
	if (!last_pair_is_stream) { /* the run of a SPAWN that is the newest request there has ever been */
		MUST(sup.last_number > newest_spawn);
		newest_spawn = sup.last_number;
	}
	if (fork_fails) { fork_fails = false; errno = EAGAIN; return -1; }
	if (last_pair_is_stream) { said_hello = false; told_size = 0; told_rows = 0; }
	return last_pair_is_stream ? SUPERVISOR_PID + (pid_t)sup.restarts : FIRST_PID + next_pid++;
}

int world_epoll_ctl(int poller, int op, int fd, struct epoll_event *e) { (void)poller; (void)op; (void)e; MUST(is_open[fd - FIRST_FD]); return 0; }

ssize_t world_recv(int fd, void *to, size_t size, int flags)
{
	MUST(flags & MSG_DONTWAIT);
	if (fd != waiting_fd || !waiting.left) { errno = EAGAIN; return -1; }
	bool stream = fd == sup.socket;
	struct input part = take_part(&waiting, stream && chunk && chunk < size ? chunk : size);
	if (!stream) waiting.left = 0;
	memcpy(to, part.at, part.left);
	return (ssize_t)part.left;
}

/* What the supervisor is told: whole frames, HELLO first. */
static void read_told(const uint8_t *at, size_t size)
{
	MUST(told_size + size <= sizeof told);
	memcpy(told + told_size, at, size);
	told_size += size;
	size_t done = 0;
	for (struct head h; told_size - done >= sizeof h; done += h.size) {
		memcpy(&h, told + done, sizeof h);
		static const size_t sizes[] = { [HELLO] = sizeof(struct hello), [RUN] = sizeof(struct run_state), [ASKS] = sizeof(struct asks), [SYNC] = sizeof(struct sync), [BYTES] = sizeof(struct bytes), [COUNTS] = sizeof(struct counts) };
		MUST(h.type >= HELLO && h.type <= COUNTS && h.size == sizeof h + sizes[h.type] && h.version == PROTOCOL_VERSION);
		if (told_size - done < h.size) break;
		MUST((h.type == HELLO) == !said_hello);
		said_hello = true;
		told_rows += h.type == BYTES;
		if (h.type == COUNTS) { MUST(told_rows >= COUNTED_ROWS); told_rows = 0; } /* more: asked again meanwhile, and told from the first on */
	}
	memmove(told, told + done, told_size - done);
	told_size -= done;
}

ssize_t world_send(int fd, const void *from, size_t size, int flags)
{
	MUST((flags & MSG_DONTWAIT) && (flags & MSG_NOSIGNAL) && is_open[fd - FIRST_FD]);
	if (fd == sup.socket) {
		if (size > may_send) size = may_send;
		if (!size) { errno = EAGAIN; return -1; }
		if (may_send != SIZE_MAX) may_send -= size;
		read_told(from, size);
		return (ssize_t)size;
	}
	struct head h;
	if (size == 1) return 1; /* that it is noted in the lock */
	MUST(size >= sizeof h);
	memcpy(&h, from, sizeof h);
	MUST(h.size == size && h.version == PROTOCOL_VERSION && is_sound(from, size));
	if (h.type == RUNG || h.type == SIGNAL) { /* the others are init's own */
		MUST(h.number > told_number[fd - FIRST_FD]);
		told_number[fd - FIRST_FD] = h.number;
	} else if (h.type == FORWARD) {
		struct forward forward;
		memcpy(&forward, (const char *)from + sizeof h, sizeof forward);
		MUST(!crowded && forward.received && forward.times <= owed[fd - FIRST_FD]);
		owed[fd - FIRST_FD] -= forward.times;
	} else MUST(h.type == LINK || h.type == ALONE);
	return (ssize_t)size;
}

static int world_poll(struct pollfd *fds, nfds_t count, int wait)
{
	MUST(count == 1 && wait == 0 && fds->events == POLLOUT && is_open[fds->fd - FIRST_FD]);
	return crowded ? 0 : 1;
}

/* What comes before the first run is for that: it is owed as soon as it is there. */
static void forwarded(int signal, uint32_t times)
{
	for (int i = 0; i < runs_used && sup.spawned; i++) if (runs[i].used && runs[i].socket >= 0 && runs[i].s.phase != PHASE_ENDED) owed[runs[i].socket - FIRST_FD] += times;
	if (!sup.spawned) early_owed += times;
	supervisor_forward(signal, true, times);
}

/* Whoever has room again is told so. */
static void crowd(bool now_crowded)
{
	crowded = now_crowded;
	for (int i = 0; i < runs_used && !crowded; i++) if (runs[i].used && runs[i].crowded) supervisor_event((uint32_t)i);
}

/* What was received has been passed on, or is known to be owed. */
static void check_owed(const struct run *run)
{
	uint64_t kept = 0;
	for (int i = 1; i < SIGNALS; i++) kept += run->early[i];
	if (run->used && run->socket >= 0 && run->s.phase != PHASE_ENDED) MUST(kept == owed[run->socket - FIRST_FD] && (!kept || crowded || news));
}

static void check(void)
{
	static int socket;
	if (sup.spawned) early_owed = 0;
	int live = 0, sockets = sup.socket >= 0;
	if (sup.socket >= 0 && sup.socket != socket) MUST(in_size == 0); /* what the one before had not finished saying goes with it */
	socket = sup.socket;
	MUST(runs_used <= RUNS_MAX && in_size <= FRAME_MAX && out_size <= sizeof out && out_sent <= out_size);
	for (int i = 0; i < runs_used; i++) {
		MUST(is_sound_order(&runs[i].climb.order));
		live += runs[i].used && runs[i].s.phase != PHASE_ENDED;
		sockets += runs[i].used && runs[i].socket >= 0;
		check_owed(&runs[i]);
		for (int k = 0; runs[i].used && k < i; k++) MUST(!runs[k].used || runs[k].s.key != runs[i].s.key);
	}
	MUST(live == live_runs);
	MUST(sockets == opened);
	MUST(sup.pid <= 0 || sup.socket >= 0 || sup.state != GONE || hopeless() || leave.asked); /* or it cannot be reaped */
}

static struct run *any_run(struct input *in)
{
	if (!runs_used) return NULL;
	struct run *run = &runs[take_number(in, 1) % (uint64_t)runs_used];
	return run->used && run->s.coordinator_pid > 0 ? run : NULL;
}

static void writes(const uint8_t *at, size_t size, size_t pieces)
{
	int socket = sup.socket;
	waiting = (struct input){ at, size };
	waiting_fd = socket;
	chunk = pieces;
	while (waiting.left && sup.socket == socket && socket >= 0) supervisor_event(RUNS_MAX);
}

static void states(struct input *in, bool record)
{
	static struct { struct head head; struct run_state run; } state_frame;
	static struct record_frame record_frame;
	struct run *run = any_run(in);
	if (!run || run->socket < 0 || run->s.phase == PHASE_ENDED) return; /* a coordinator has said its last word then */
	state_frame.head = (struct head){ sizeof state_frame, RUN, PROTOCOL_VERSION, 0 };
	state_frame.run = run->s;
	state_frame.run.phase = (uint32_t)(1 + take_number(in, 1) % 5);
	state_frame.run.flags = (uint32_t)take_number(in, 1);
	state_frame.run.pid = 700000 + (int32_t)take_number(in, 1);
	state_frame.run.rung = (uint32_t)take_number(in, 4);
	record_frame = (struct record_frame){ .head = { 0, RECORD, PROTOCOL_VERSION, take_number(in, 1) }, .type = "signal" };
	struct input members = take_part(in, record ? take_number(in, 2) % (sizeof record_frame.members - 1) : 0);
	memcpy(record_frame.members, members.at, members.left);
	record_frame.head.size = (uint32_t)(offsetof(struct record_frame, members) + members.left + 1);
	waiting = record ? (struct input){ (uint8_t *)&record_frame, record_frame.head.size } : (struct input){ (uint8_t *)&state_frame, sizeof state_frame };
	waiting_fd = run->socket;
	supervisor_event((uint32_t)(run - runs));
}

static void step(struct input *in)
{
	static const uint8_t zeros[65536];
	static int asked;
	struct input part;
	siginfo_t si = { 0 };
	struct run *run;
	size_t pieces;
	switch (take_number(in, 1) % STEPS) {
	case WRITES: pieces = take_number(in, 1); part = take_part(in, take_number(in, 2)); writes(part.at, part.left, pieces); break;
	case WRITES_ZEROS: for (uint64_t n = take_number(in, 1) % 34; n; n--) writes(zeros, sizeof zeros, 0); break;
	case STATE: states(in, false); break;
	case RECORDS: states(in, true); break;
	case COORDINATOR_DIES: if ((run = any_run(in))) { si.si_code = CLD_KILLED; supervisor_child(run->s.coordinator_pid, &si); } break;
	case DIES:
		si.si_code = CLD_EXITED;
		si.si_status = (int)take_number(in, 1) % 3 * 40;
		if (sup.pid > 0) supervisor_child(sup.pid, &si);
		break;
	case STOPS: si.si_code = CLD_STOPPED; if (sup.pid > 0) supervisor_child(sup.pid, &si); break;
	case ASKED: asked = asks.frame.count ? asked + 1 : 1; supervisor_asked((struct by){ 1 + (int)take_number(in, 1) % 64, 0, 0 }, asked); break;
	case TIME: now += take_number(in, 2) * 10 * MS; break;
	case FORWARDED: forwarded(1 + (int)take_number(in, 1) % 64, 1 + (uint32_t)(now / MS % 1000)); break;
	case FORK_FAILS: fork_fails = true; break;
	case CONGESTED: may_send = take_number(in, 2); crowd(may_send & 1); if (may_send > 60000) may_send = SIZE_MAX; break;
	}
}

/* As before main: nothing was said, nothing is there. */
static void begin(void)
{
	static typeof(sup) first_sup;
	static typeof(asks) first_asks;
	static typeof(leave) first_leave;
	static typeof(strangers) first_strangers;
	static bool kept;
	if (!kept) { first_sup = sup; first_asks = asks; first_leave = leave; first_strangers = strangers; kept = true; }
	sup = first_sup; asks = first_asks; leave = first_leave; strangers = first_strangers;
	memset(runs, 0, (size_t)runs_used * sizeof *runs);
	runs_used = live_runs = 0;
	in_size = out_size = out_sent = told_size = 0;
	told_rows = 0;
	next_fd = next_pid = opened = 0;
	newest_spawn = early_owed = 0;
	waiting_fd = -1;
	fork_fails = crowded = news = false;
	memset(early, 0, sizeof early);
	may_send = SIZE_MAX;
	now = SECOND;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct parsed none;
	static char *no_words[] = { "gsup", NULL };
	struct input in = { data, size };
	int code;
	begin();
	supervisor_open(&none, no_words, 3, 4);
	check();
	while (in.left && !supervisor_done(&code) && next_fd < FDS - 8) {
		supervisor_flush();
		step(&in);
		supervisor_tick();
		check();
		supervisor_flush();
		/* What was due has been done: or the loop would spin. What a congested socket holds back is waited for otherwise. */
		supervisor_tick();
		MUST(supervisor_done(&code) || supervisor_due() > now);
	}
	check();
	return 0;
}
