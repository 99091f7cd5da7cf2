/* Replays against a coordinator what the model has explored: the whole of coordinator.c and run.c, whose poll() is the script: what
 * has happened when it returns, and what time it is. */
#include "model-world.h"
static int world_poll(struct pollfd *fds, nfds_t count, int wait);
static ssize_t world_read(int fd, void *to, size_t size);
static uint64_t world_due(const struct run *run);
#define poll(fds, count, wait) world_poll(fds, count, wait)
#define read(fd, to, size) world_read(fd, to, size)
#define run_due(run) world_due(run)
#include "../coordinator.c"
#undef read
#undef run_due

enum { LEADER = 100, OTHER = 200, SOCKET = 1000, PIPE = 1001, SIGNALS_FD = 1002, WAITING_MAX = 16 };
enum { ALIVE, ZOMBIE, REAPED };

bool pid1, inherited_chld_ignored;
enum terminal terminal = TERMINAL_NONE;
struct state state = { .folder = -1 };
uint64_t inherited_mask;
char **inherited_env;

static struct { size_t size; uint8_t bytes[sizeof(struct head) + sizeof(struct rung_request)]; } waiting[WAITING_MAX];
static int waiting_count, waiting_next, leader, code, progress;
static bool other, child_told, left;
static uint64_t due;

struct start start_command(const struct launch *l) { (void)l; return (struct start){ PIPE, LEADER }; }
int start_progress(int pipe, uint64_t *exec_ns, int *error)
{
	MUST(pipe == PIPE);
	(void)exec_ns; /* as it is when it is heard of */
	if (progress > 0) *error = ENOENT;
	return progress;
}
uint64_t start_ticks(pid_t pid, char *process_state, pid_t *parent) { (void)process_state; (void)parent; return (uint64_t)pid; }
void rest_fork(void) {}
int notify_open(char *path, size_t size) { (void)path; (void)size; return -1; }
void notify_read(struct run *run) { (void)run; }
void output_given(const struct launch *l) { (void)l; }
pid_t pump_pid;
bool output_child(pid_t pid, const siginfo_t *si) { (void)pid; (void)si; return false; }
bool output_discard(int source) { (void)source; return false; }
void ready_read(struct run *run) { (void)run; }
void notify_close(void) {}
void terminal_stopped(pid_t group, int signal, bool alone) { (void)group; (void)signal; (void)alone; }
void terminal_leader_gone(pid_t group) { (void)group; }
int walk_tree(const pid_t **list, bool (*skip)(pid_t))
{
	static pid_t pids[2];
	int n = 0;
	(void)skip;
	if (leader == ALIVE) pids[n++] = LEADER;
	if (other) pids[n++] = OTHER;
	*list = pids;
	return n;
}
/* What the leader has started is ours only when the leader has gone. */
int list_children(pid_t *list, int max)
{
	int n = 0;
	(void)max;
	if (leader != REAPED) list[n++] = LEADER;
	if (other && leader != ALIVE) list[n++] = OTHER;
	return n;
}
char *names_of(const pid_t *pids, int count, char *text, size_t size) { (void)pids; (void)count; (void)size; *text = 0; return text; }
bool send_signal(pid_t pid, int signal) { MUST(pid == LEADER); printf("sent leader %d\n", signal); return true; }
bool send_group(pid_t group, int signal) { MUST(group == LEADER); printf("sent group %d\n", signal); return true; }
bool send_descendant(pid_t pid, int signal) { printf("sent %d %d\n", pid, signal); return true; }
void kill_descendants(bool (*skip)(pid_t)) { (void)skip; puts("sent tree 9"); }
int world_kill(pid_t pid, int signal) { MUST(pid == -LEADER && signal == 0); return 0; }
pid_t world_getpgid(pid_t pid) { (void)pid; return LEADER; }

int world_waitid(idtype_t type, id_t id, siginfo_t *si, int options, struct rusage *usage)
{
	(void)usage;
	memset(si, 0, sizeof *si);
	MUST(options & WNOHANG);
	bool lives = leader == ALIVE || other;
	if (leader == REAPED || (!(options & WEXITED) && !lives)) { errno = ECHILD; return -1; }
	if (!(options & WEXITED)) return 0;
	if (leader != ZOMBIE || (type == P_PID && id != LEADER)) return 0;
	si->si_pid = LEADER;
	si->si_code = code < 0 ? CLD_KILLED : CLD_EXITED;
	si->si_status = code < 0 ? -code : code;
	if (!(options & WNOWAIT)) leader = REAPED;
	return 0;
}
int world_close(int fd) { MUST(fd == PIPE); progress = 0; return 0; }
ssize_t world_recv(int fd, void *to, size_t size, int flags)
{
	MUST(fd == SOCKET && (flags & MSG_DONTWAIT));
	if (waiting_next == waiting_count) { errno = EAGAIN; return -1; }
	MUST(waiting[waiting_next].size <= size);
	memcpy(to, waiting[waiting_next].bytes, waiting[waiting_next].size);
	return (ssize_t)waiting[waiting_next++].size;
}
ssize_t world_send(int fd, const void *from, size_t size, int flags)
{
	if (fd == 2) return (ssize_t)size; /* a line on stderr */
	const struct head *h = from;
	MUST(fd == SOCKET && (flags & MSG_DONTWAIT) && h->size == size);
	if (h->type == RUN) print_hex("run", from, size);
	else printf("record %s\n", ((const struct record_frame *)from)->type);
	return (ssize_t)size;
}
static ssize_t world_read(int fd, void *to, size_t size)
{
	struct signalfd_siginfo si = { .ssi_signo = SIGCHLD };
	MUST(fd == SIGNALS_FD && size == sizeof si);
	if (!child_told) { errno = EAGAIN; return -1; }
	child_told = false;
	memcpy(to, &si, size);
	return (ssize_t)size;
}

static uint64_t world_due(const struct run *run) { return due = run_due(run); }

/* What the script says has happened, up to the next turn of the loop. */
static int world_poll(struct pollfd *fds, nfds_t count, int wait)
{
	(void)count; (void)wait;
	print_due(due);
	puts(".");
	while (next_line()) {
		if (is("turn")) {
			now = strtoull(words[1], NULL, 10);
			fds[0].revents = child_told ? POLLIN : 0;
			fds[1].revents = waiting_next < waiting_count ? POLLIN : 0;
			fds[2].revents = fds[2].fd >= 0 && progress ? POLLIN : 0;
			fds[3].revents = 0;
			return 1;
		}
		if (is("frame")) {
			if (waiting_next == waiting_count) waiting_next = waiting_count = 0;
			MUST(waiting_count < WAITING_MAX);
			waiting[waiting_count].size = from_hex(words[1], waiting[waiting_count].bytes, sizeof waiting[0].bytes);
			waiting_count++;
		} else if (is("execs")) progress = -1;
		else if (is("start-fails")) { progress = STAGE_EXEC; leader = ZOMBIE; code = 127; other = false; }
		else if (is("leader-ends")) { leader = ZOMBIE; code = atoi(words[1]); if (!progress && fds[2].fd >= 0) progress = -1; }
		else if (is("other-ends")) other = false;
		else if (is("sigchld")) child_told = true;
		else { MUST(is("leave")); break; }
	}
	left = true;
	errno = EIO;
	return -1;
}

int main(void)
{
	static char *no_words[] = { NULL };
	static uint8_t frame[1 << 16];
	while (next_line()) {
		MUST(is("begin"));
		now = strtoull(words[1], NULL, 10);
		size_t size = from_hex(words[4], frame, sizeof frame);
		struct launch l = { .name = words[5], .cwd = "", .user = "", .group = "", .argv = no_words, .env_set = no_words, .env_unset = no_words };
		MUST(size >= sizeof(struct head) + sizeof l.fixed);
		memcpy(&l.fixed, frame + sizeof(struct head), sizeof l.fixed);
		bool hooks = words[2][0] == '1';
		other = words[3][0] == '1';
		leader = ALIVE;
		waiting_count = waiting_next = code = progress = 0;
		child_told = left = false;
		coordinator_main(&l, SOCKET, SIGNALS_FD, hooks);
		if (!left) puts("over\n.");
	}
	return 0;
}
