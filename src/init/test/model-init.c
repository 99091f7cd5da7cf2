/* Replays against init what the model has explored: supervisor.c and runs.c, one turn of the loop for each line of the script. No
 * process is there: forks are told, sockets are what the script says is in them. */
#include "model-world.h"
#include "../supervisor.c"
#include "../first.c"
#include "../absence.c"
#include "../ending.c"
#include "../runs.c"
static int world_poll(struct pollfd *fds, nfds_t count, int wait);
#define poll(fds, count, wait) world_poll(fds, count, wait)
#include "../forward.c"
#include "../installation.c"

enum { FIRST_FD = 1000, SUPERVISOR_PID = 500000, FIRST_PID = 600000, FRAMES_MAX = 64 };

bool pid1 = true, is_coordinator, inherited_chld_ignored;
uint64_t inherited_mask;
char **inherited_env;
struct state state = { .folder = -1, .lock = -1, .init_log = -1, .checkpoint_log = -1, .task = "node" };
void (*record_sink)(const char *, uint64_t, const char *);

static int next_fd, frames_fd, ask_count;
static const char *upgraded; /* the installation of a record that is being written */
static struct { size_t size; uint8_t bytes[sizeof(struct record_frame) + 8192]; } frames[FRAMES_MAX];
static int frames_count, frames_next;
static bool stream, at_end, full[RUNS_MAX]; /* full: so much of the coordinator's socket is taken that it is not writable */

#include "init-alone.h"
void leftovers_note(struct run *const *live, int count) { (void)live; MUST(count <= live_runs); }
void close_descriptors(int fd, int end) { (void)fd; (void)end; }
void leftovers_add(const struct run *run) { MUST(run->used); }
uint64_t start_ticks(pid_t pid, char *process_state, pid_t *parent) { (void)process_state; (void)parent; return (uint64_t)pid; }
int walk_tree(const pid_t **list, bool (*skip)(pid_t)) { (void)list; (void)skip; return 0; }
void kill_descendants(bool (*skip)(pid_t)) { (void)skip; }
char *names_of(const pid_t *pids, int count, char *text, size_t size) { (void)pids; (void)count; (void)size; *text = 0; return text; }
void say(enum level level, const char *format, ...) { (void)level; (void)format; }
void say_event(enum level level, const char *event, const char *format, ...) { (void)level; (void)event; (void)format; }
const char *signal_name(int signal) { return signal ? "" : NULL; }
void record_begin(const char *type) { if (strcmp(type, "upgrade")) printf("record %s\n", type); }
void record_stop(const char *run, const char *cause, struct by by) { (void)run; (void)cause; (void)by; record_begin("stop-requested"); }
void record_task_state(const char *name, int exit_code) { (void)name; (void)exit_code; record_begin("task-state"); }
void record_text(const char *key, const char *value)
{
	if (strcmp(key, "installation") == 0) upgraded = value;
	if (strcmp(key, "state") == 0) printf("record upgrade %s %s\n", value, upgraded);
}
void record_number(const char *key, int64_t value) { (void)key; (void)value; }
void record_bool(const char *key, bool value) { (void)key; (void)value; }
void record_pids(const char *key, const pid_t *pids, int count) { (void)key; (void)pids; (void)count; }
void record_usage(const char *key, const struct usage *u) { (void)key; (void)u; }
void record_end(void) {}
bool output_open(struct launch *l, int most_runs) { (void)l; (void)most_runs; return true; }
void output_given(const struct launch *l) { (void)l; }
bool output_child(pid_t pid, const siginfo_t *si) { (void)pid; (void)si; return false; }
const struct bytes *output_counted(int row) { (void)row; return NULL; }
bool output_drained(uint64_t within_ns) { (void)within_ns; return true; }
void record_flush(void) {}
int config_descriptor = -1;
bool memory_took_it(void) { return false; }
void record_oom(struct run *run, bool tell) { (void)run; (void)tell; }
void record_unkept(const char *run, const char *what) { (void)run; (void)what; record_begin("unkept"); }
void record_lost(uint32_t count) { MUST(!count); }
void record_sign(const char *type, uint64_t mono_ns, const char *members) { (void)mono_ns; (void)members; record_begin(type); }
bool send_group(pid_t group, int signal) { (void)group; (void)signal; MUST(false); return false; }
bool send_descendant(pid_t pid, int signal) { (void)pid; (void)signal; MUST(false); return false; }
bool send_signal(pid_t pid, int signal)
{
	if (pid <= 1) return false;
	MUST(pid == sup.pid && signal == SIGKILL);
	puts("kill-supervisor");
	return true;
}

/* As in main.c, without a map. */
int exit_code_of(const struct run_state *s)
{
	if (s->failed_stage) return s->failed_stage == STAGE_EXEC && s->failed_errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	if (s->code < 0 && s->signal <= 0) return s->flags & RUN_STUCK ? EXIT_STUCK : EXIT_INTERNAL;
	int code = s->signal > 0 ? EXIT_SIGNAL_BASE + s->signal : s->code & 255;
	return !code && (s->flags & RUN_STUCK) ? EXIT_STUCK : code;
}

static int slot_of(int fd)
{
	for (int i = 0; i < runs_used; i++) if (runs[i].used && runs[i].socket == fd) return i;
	return -1;
}
int world_socketpair(int family, int type, int protocol, int ends[2])
{
	(void)family; (void)protocol;
	stream = (type & 15) == SOCK_STREAM;
	ends[0] = FIRST_FD + next_fd++;
	ends[1] = FIRST_FD + next_fd++;
	return 0;
}
int world_close(int fd) { if (fd == sup.socket) puts("drop"); return 0; }
pid_t world_fork(void)
{
	if (stream) { printf("fork-supervisor%s%s\n", *installation ? " " : "", installation); return SUPERVISOR_PID + next_fd; }
	for (int i = 0; i < runs_used; i++) if (runs[i].used && !runs[i].s.coordinator_pid && runs[i].s.phase == PHASE_STARTING) printf("fork-run %d %s\n", i, runs[i].s.name);
	return FIRST_PID + next_fd;
}
int world_epoll_ctl(int poller, int op, int fd, struct epoll_event *e) { (void)poller; (void)op; (void)fd; (void)e; return 0; }
ssize_t world_recv(int fd, void *to, size_t size, int flags)
{
	MUST(flags & MSG_DONTWAIT);
	if (fd == frames_fd && frames_next < frames_count) {
		size_t n = frames[frames_next].size;
		MUST(n <= size);
		memcpy(to, frames[frames_next++].bytes, n);
		return (ssize_t)n;
	}
	if (fd == frames_fd && at_end) return 0;
	errno = EAGAIN;
	return -1;
}
ssize_t world_send(int fd, const void *from, size_t size, int flags)
{
	char what[32];
	MUST((flags & MSG_DONTWAIT) && (flags & MSG_NOSIGNAL));
	if (fd == sup.socket) print_hex("to-supervisor", from, size);
	else {
		MUST(slot_of(fd) >= 0);
		if (size == 1) return 1; /* that it is noted in the lock */
		snprintf(what, sizeof what, "to-run %d", slot_of(fd));
		print_hex(what, from, size);
	}
	return (ssize_t)size;
}

static int world_poll(struct pollfd *fds, nfds_t count, int wait)
{
	MUST(count == 1 && !wait && fds->events == POLLOUT && slot_of(fds->fd) >= 0);
	return !full[slot_of(fds->fd)];
}

/* stay_ms: how long a supervisor stays; 0: it does not leave. */
static void begin(const char *stay_ms)
{
	static typeof(sup) first_sup;
	static typeof(asks) first_asks;
	static typeof(leave) first_leave;
	static bool kept;
	if (!kept) { first_sup = sup; first_asks = asks; first_leave = leave; kept = true; }
	sup = first_sup; asks = first_asks; leave = first_leave;
	memset(runs, 0, (size_t)runs_used * sizeof *runs);
	last_judged = (struct run_state){ 0 };
	runs_used = live_runs = next_fd = ask_count = 0;
	asked = news = false;
	memset(full, 0, sizeof full);
	memset(early, 0, sizeof early);
	stay_ns = left_ns = 0;
	control_watched = false;
	setenv("GSUP_STAY_MS", stay_ms, 1);
	waiting = 0;
	memset(installation, 0, sizeof installation);
	in_size = out_size = out_sent = 0;
}

static void put_frame(const char *hex)
{
	MUST(frames_count < FRAMES_MAX);
	frames[frames_count].size = from_hex(hex, frames[frames_count].bytes, sizeof frames[0].bytes);
	frames_count++;
}
static void reads(int fd, uint32_t key, bool end)
{
	frames_fd = fd;
	at_end = end;
	supervisor_event(key);
}
static void ended(int code, int status)
{
	siginfo_t si = { 0 };
	si.si_code = code;
	si.si_status = status;
	supervisor_child(sup.pid, &si);
}

static void happens(void)
{
	int n = atoi(words[2]);
	siginfo_t killed = { .si_code = CLD_EXITED };
	if (is("supervisor-wrote")) reads(sup.socket, RUNS_MAX, false);
	else if (is("supervisor-closed")) reads(sup.socket, RUNS_MAX, true);
	else if (is("supervisor-stopped")) ended(CLD_STOPPED, SIGSTOP);
	else if (is("supervisor-exited")) ended(CLD_EXITED, n);
	else if (is("supervisor-killed")) ended(CLD_KILLED, SIGKILL);
	else if (is("run-wrote")) reads(runs[n].socket, (uint32_t)n, false);
	else if (is("run-closed")) reads(runs[n].socket, (uint32_t)n, true);
	else if (is("run-ended")) { frames_fd = runs[n].socket; at_end = true; supervisor_child(runs[n].s.coordinator_pid, &killed); }
	else if (is("asked")) supervisor_asked((struct by){ SIGTERM, 7, 0 }, ++ask_count);
	else if (is("called")) { MUST(control_watched); supervisor_event(KEY_CONTROL); }
	else if (is("received")) supervisor_forward(n, true, (uint32_t)atoi(words[3]));
	else if (is("socket")) { full[n] = words[3][0] == '1'; if (!full[n] && runs[n].crowded) reads(runs[n].socket, (uint32_t)n, false); }
	else MUST(is("time"));
}

int main(void)
{
	static struct parsed parsed_line;
	static char *no_words[] = { "gsup", NULL };
	int code;
	while (next_line()) {
		if (is("frame")) { put_frame(words[1]); continue; }
		now = strtoull(words[1], NULL, 10);
		if (is("begin")) {
			begin(words[3]);
			parsed_line.said[OPT_STAY].number = words[3][0] == '0';
			parsed_line.said[OPT_RESTART] = (struct said){ .set = words[2][0] == '1', .number = RESTART_ON_FAILURE };
			supervisor_open(&parsed_line, no_words, 3, 4);
		} else {
			happens();
			MUST(frames_next == frames_count);
			supervisor_tick();
		}
		frames_count = frames_next = 0;
		if (supervisor_done(&code)) printf("exit %d\n", code);
		else {
			supervisor_flush();
			print_due(supervisor_due());
		}
		puts(".");
	}
	return 0;
}
