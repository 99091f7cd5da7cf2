/* Init's side of captured output: the pipes and terminals that runs write to, the memory that it shares with the pump, and the
 * pump's life. Init holds the read ends too, so a pump that is killed is started again, and goes on where the last one was. */
#include "output.h"
#include "runs.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h> /* getenv */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

_Static_assert(2 * RUNS_MAX <= STREAMS_MAX, "each run has its streams");
enum { SHADES_KNOWN = 64, WIDTH_MAX = 24, FIRST_OUTLET = 10, COUNTED_MAX = RUNS_MAX + 1 /* the last for whoever else comes */ };
#define RETRY_FIRST (10 * MS)
#define RETRY_LAST (30 * SECOND)

struct shared *shared;
struct stream *streams;
char (*stream_paths)[LOG_PATH_BYTES], (*stream_buffers)[BUFFER_BYTES];
int stream_count;
PAGES int stream_sources[STREAMS_MAX];
struct outlet outlets[JOBS] = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 } };
pid_t pump_pid;
static struct { int socket; uint64_t due_ns, delay_ns, rounds, end_ns; unsigned deaths; bool finishing, killed, done; } pump =
	{ .socket = -1, .due_ns = FOREVER, .end_ns = FOREVER };

/* ---- setting up, when the first run is captured ---- */

static size_t in_pages(size_t size) { return (size + 4095) & ~(size_t)4095; }

static bool share_memory(int count)
{
	size_t head = in_pages(sizeof *shared + (size_t)count * sizeof *streams), paths = in_pages((size_t)count * sizeof *stream_paths);
	char *at = mmap(NULL, head + paths + (size_t)count * sizeof *stream_buffers, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED) return false;
	for (int i = 0; i < count; i++) stream_sources[i] = -1;
	streams = (struct stream *)(at + sizeof *shared);
	stream_paths = (void *)(at + head);
	stream_buffers = (void *)(at + head + paths);
	stream_count = count;
	shared = (struct shared *)at;
	return true;
}

/* As say_open() has it: opened anew, because O_NONBLOCK on a description that others share would change theirs. */
static void open_outlet(enum job_kind k, int fd)
{
	char path[32];
	struct stat st;
	struct outlet *o = &outlets[k];
	const char *plain = getenv("NO_COLOR"), *term = getenv("TERM");
	if (fstat(fd, &st) < 0) return;
	*o = (struct outlet){ .fd = -1, .socket = S_ISSOCK(st.st_mode), .regular = S_ISREG(st.st_mode), .terminal = isatty(fd) };
	o->coloured = o->terminal && !(plain && *plain) && !(term && strcmp(term, "dumb") == 0);
	print(path, sizeof path, "/proc/self/fd/%d", fd);
	if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
		o->fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		o->foreign = o->fd < 0;
	}
	if (o->fd < 0) o->fd = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_OUTLET);
}

/* One pipe or terminal for both has one writer: lines of the one do not break into those of the other. */
static bool is_one(int a, int b)
{
	struct stat one, other;
	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static bool set_up(int most_runs, bool needs_outlets)
{
	if (!shared && !share_memory(2 * most_runs)) return false;
	if (!needs_outlets || outlets[JOB_OUT].fd >= 0) return true;
	open_outlet(JOB_OUT, 1);
	if (!is_one(1, 2)) open_outlet(JOB_ERR, 2);
	return outlets[JOB_OUT].fd >= 0;
}

/* ---- what a run writes to ---- */

static bool open_terminal(struct launch *l)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 }, own;
	struct termios modes;
	int zero = 0, number;
	char path[32];
	int master = l->source[0] = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (master < 0 || ioctl(master, TIOCSPTLCK, &zero) < 0 || ioctl(master, TIOCGPTN, &number) < 0) return false;
	print(path, sizeof path, "/dev/pts/%d", number);
	int slave = l->output[0] = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || (l->output[1] = fcntl(slave, F_DUPFD_CLOEXEC, 3)) < 0 || tcgetattr(slave, &modes) < 0) return false;
	modes.c_oflag &= ~(tcflag_t)ONLCR; /* what it writes becomes lines of a log */
	modes.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(slave, TCSANOW, &modes);
	for (int fd = 2; fd >= 0; fd--) if (ioctl(fd, TIOCGWINSZ, &own) == 0 && own.ws_col) size = own;
	return ioctl(slave, TIOCSWINSZ, &size) == 0;
}

static bool open_pipes(struct launch *l)
{
	int ends[2];
	for (int i = 0; i < 2; i++) {
		if (pipe2(ends, O_CLOEXEC) < 0) return false;
		l->source[i] = ends[0];
		l->output[i] = ends[1];
	}
	return true;
}

/* ---- how much is written: the streams of a process count together, and what has been counted stays when they have ended ---- */

static PAGES struct bytes counted[COUNTED_MAX];
static int counted_rows;

static uint32_t row_of(const char *run)
{
	int row = 0;
	size_t size = name_size(run);
	while (row < counted_rows && (strncmp(counted[row].process, run, size) || counted[row].process[size])) row++;
	if (row >= COUNTED_MAX - 1) row = COUNTED_MAX - 1;
	if (row < counted_rows) return (uint32_t)row;
	if (row < COUNTED_MAX - 1) memcpy(counted[row].process, run, size);
	counted_rows = row + 1;
	return (uint32_t)row;
}

static void count_stream(struct stream *s)
{
	uint64_t taken = __atomic_load_n(&s->taken, __ATOMIC_ACQUIRE), more = taken - s->counted;
	s->counted = taken;
	*(s->is_error ? &counted[s->row].error : &counted[s->row].out) += more;
}

const struct bytes *output_counted(int row)
{
	for (int i = 0; i < stream_count && !row; i++) if (streams[i].state != STREAM_FREE) count_stream(&streams[i]);
	return row < counted_rows ? &counted[row] : NULL;
}

/* What has been delivered to its end leaves its place to the next. -1: there is none. */
static int free_slot(void)
{
	int slot = -1;
	shared->copies = 0;
	for (int i = 0; i < stream_count; i++) {
		if (streams[i].state == STREAM_ENDED) {
			count_stream(&streams[i]);
			close(stream_sources[i]);
			stream_sources[i] = -1;
			madvise(stream_buffers[i], BUFFER_BYTES, MADV_REMOVE);
			streams[i].state = STREAM_FREE;
		}
		if (streams[i].state == STREAM_OPEN && !streams[i].is_error) shared->copies++;
		if (slot < 0 && streams[i].state == STREAM_FREE) slot = i;
	}
	return slot;
}

static uint32_t shade_of(const char *run)
{
	static INITS uint32_t known[SHADES_KNOWN];
	static uint32_t count;
	uint32_t sum = 2166136261u;
	for (size_t i = 0; i < name_size(run); i++) sum = (sum ^ (unsigned char)run[i]) * 16777619u;
	for (uint32_t i = 0; i < count; i++) if (known[i] == sum) return i;
	if (count < SHADES_KNOWN) known[count++] = sum;
	return count < SHADES_KNOWN ? count - 1 : sum;
}

/* The pump may be too busy to take it: then the next one finds it. */
static void give(int slot)
{
	struct gift gift = { (uint32_t)slot };
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } control = { 0 };
	struct iovec part = { &gift, sizeof gift };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.head), &stream_sources[slot], sizeof(int));
	if (pump.socket >= 0 && sendmsg(pump.socket, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) send_signal(pump_pid, SIGKILL);
}

static void register_stream(int slot, const struct launch *l, bool is_error)
{
	static const uint8_t formats[] = { [OUTPUT_INHERIT] = FORMAT_RAW, [OUTPUT_NONE] = FORMAT_RAW, [OUTPUT_PREFIX] = FORMAT_PREFIX,
		[OUTPUT_JSON] = FORMAT_JSON, [OUTPUT_FILE] = FORMAT_LINES };
	uint8_t outlet = is_error && outlets[JOB_ERR].fd >= 0 ? JOB_ERR : JOB_OUT;
	uint32_t width = (uint32_t)name_size(l->name);
	struct stream s = { .shade = shade_of(l->name), .is_error = is_error, .tty = (l->fixed.flags & SPAWN_TTY) != 0,
		.stamps = (l->fixed.flags & SPAWN_TIMESTAMPS) != 0, .deep = (l->fixed.flags & SPAWN_DEEP_COPY) != 0, .max_files = l->fixed.max_files, .max_bytes = l->fixed.max_bytes,
		.format = { formats[l->fixed.output], FORMAT_COPY },
		.job = { l->fixed.output == OUTPUT_NONE ? NO_JOB : l->fixed.output == OUTPUT_FILE ? JOB_FILE : outlet,
			state.folder >= 0 && l->fixed.output != OUTPUT_NONE ? JOB_FILE : NO_JOB } };
	print(s.run, sizeof s.run, "%s", l->name);
	s.row = row_of(s.run);
	if (width > WIDTH_MAX) width = WIDTH_MAX;
	if (width > shared->width) shared->width = width;
	if (l->fixed.output == OUTPUT_FILE) strcpy(stream_paths[slot], l->path);
	streams[slot] = s;
	stream_sources[slot] = l->source[is_error];
	__atomic_store_n(&streams[slot].state, STREAM_OPEN, __ATOMIC_RELEASE);
	give(slot);
}

static void start_pump(void);

bool output_open(struct launch *l, int most_runs)
{
	bool tty = (l->fixed.flags & SPAWN_TTY) != 0;
	int slots[2];
	l->output[0] = l->output[1] = l->source[0] = l->source[1] = -1;
	if (!tty && l->fixed.output <= OUTPUT_NONE) return true;
	errno = ENAMETOOLONG;
	if (l->fixed.output == OUTPUT_FILE && strlen(l->path) >= LOG_PATH_BYTES) return false;
	bool good = set_up(most_runs, l->fixed.output != OUTPUT_FILE) && (tty ? open_terminal(l) : open_pipes(l));
	int error = errno;
	for (int i = 0; i < (tty ? 1 : 2) && good; i++) {
		slots[i] = free_slot();
		if (slots[i] < 0) { good = false; error = ENFILE; }
		else register_stream(slots[i], l, i == 1);
	}
	if (!good) {
		for (int i = 0; i < 2; i++) { if (l->output[i] >= 0) close(l->output[i]); if (l->source[i] >= 0) close(l->source[i]); }
		errno = error;
		return false;
	}
	if (!pump_pid && pump.due_ns == FOREVER) start_pump();
	return true;
}

/* The run has them: whoever else held them would keep its readers waiting for the end. */
void output_given(const struct launch *l)
{
	for (int i = 0; i < 2; i++) if (l->output[i] >= 0) close(l->output[i]);
}

/* In the child. 0 or errno. */
int output_in_child(const struct launch *l)
{
	struct stat st;
	int out = l->output[0], error_out = l->output[1];
	if (l->fixed.output == OUTPUT_FILE) { /* what cannot be opened now will not be later, and is better known before the start */
		int fd = open(l->path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
		if (fd < 0) return errno;
		bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
		close(fd);
		if (!regular) return EINVAL;
	}
	if (l->fixed.flags & SPAWN_TTY) if (ioctl(out, TIOCSCTTY, 0) < 0 || dup2(out, 0) < 0) return errno;
	if (out < 0 && l->fixed.output == OUTPUT_NONE) out = error_out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	else if (out < 0) return 0;
	return out < 0 || dup2(out, 1) < 0 || dup2(error_out, 2) < 0 ? errno : 0;
}

/* Init and pump are gone. Nobody reads any more, and who cleans up must not wait for that. false: nobody writes any more. */
bool output_discard(int source)
{
	char text[4096];
	ssize_t n = read(source, text, sizeof text);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* ---- the pump's life ---- */

static void start_pump(void)
{
	int ends[2];
	pump.due_ns = FOREVER;
	pump.rounds = shared->rounds;
	bool paired = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0;
	pid_t pid = paired ? fork() : -1;
	if (pid == 0) { close(ends[0]); _exit(pump_main(ends[1])); }
	if (paired) close(ends[1]);
	if (paired && (pid < 0 || pump.finishing)) close(ends[0]); /* finishing: that tells it */
	pump.socket = pid < 0 || pump.finishing ? -1 : ends[0];
	pump_pid = pid < 0 ? 0 : pid;
	if (pid >= 0) return;
	pump.delay_ns = pump.delay_ns ? sooner(pump.delay_ns * 2, RETRY_LAST) : RETRY_FIRST;
	pump.due_ns = now_ns() + pump.delay_ns;
}

/* What was written and has not arrived: with the reader that stalls, in buffers and in pipes. */
static uint64_t undelivered(void)
{
	uint64_t bytes = shared->lost;
	for (int k = JOB_OUT; k < JOBS; k++) bytes += shared->jobs[k].size - (shared->jobs[k].size ? shared->jobs[k].sent : 0);
	for (int i = 0; i < stream_count; i++) {
		int waiting = 0;
		if (streams[i].state != STREAM_OPEN || streams[i].job[TO_LOG] == NO_JOB) continue;
		if (ioctl(stream_sources[i], FIONREAD, &waiting) == 0 && waiting > 0) bytes += (uint64_t)waiting;
		bytes += streams[i].taken - streams[i].passed[TO_LOG];
	}
	return bytes;
}

static void conclude(void)
{
	uint64_t bytes = undelivered();
	pump.done = true;
	pump.end_ns = pump.due_ns = FOREVER;
	if (!bytes) return;
	record_begin("undelivered");
	record_number("bytes", (int64_t)bytes);
	record_end();
	say(LEVEL_ERROR, "%llu bytes of output were not delivered%s", (unsigned long long)bytes, pump.killed ? ": who reads it does not take it" : "");
}

bool output_child(pid_t pid, const siginfo_t *si)
{
	if (!pid || pid != pump_pid) return false;
	bool by_code = si->si_code == CLD_EXITED, worked = shared->rounds != pump.rounds;
	pump_pid = 0;
	if (pump.socket >= 0) close(pump.socket);
	pump.socket = -1;
	if (pump.killed || (pump.finishing && by_code && si->si_status == 0)) { conclude(); return true; }
	pump.delay_ns = worked || !pump.delay_ns ? RETRY_FIRST : sooner(pump.delay_ns * 2, RETRY_LAST);
	pump.due_ns = pump.deaths ? now_ns() + pump.delay_ns : now_ns();
	if (!pump.deaths++) say(LEVEL_WARN, "the pump ended (%s%d): started again, no output is lost", by_code ? "exit code " : "killed by signal ", si->si_status);
	return true;
}

void output_reap(void)
{
	siginfo_t si = { 0 };
	if (pump_pid && waitid(P_PID, (id_t)pump_pid, &si, WEXITED | WNOHANG) == 0 && si.si_pid) output_child(si.si_pid, &si);
}

void output_tick(void) { if (now_ns() >= pump.due_ns) start_pump(); }
uint64_t output_due(void) { return sooner(pump.due_ns, pump.end_ns); }

/* Every tree is empty. True: what was written has arrived, or the time for that is over. */
bool output_drained(uint64_t within_ns)
{
	uint64_t now = now_ns();
	if (!shared || pump.done) return true;
	if (!pump.finishing) {
		pump.finishing = true;
		pump.end_ns = later(now, within_ns);
		if (pump.socket >= 0) close(pump.socket); /* tells it to finish */
		pump.socket = -1;
	}
	if (now < pump.end_ns) return false;
	if (pump_pid && !pump.killed) {
		pump.killed = send_signal(pump_pid, SIGKILL);
		pump.end_ns = now + STUCK_AFTER;
		return false;
	}
	pump.killed = true;
	pump_pid = 0; /* or not even SIGKILL ends it: it is left behind */
	conclude();
	return true;
}
