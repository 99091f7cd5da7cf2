/* init: what a container starts as PID 1. It sets up, starts the command or the supervisor, and from then on waits for signals,
 * children and requests, until every tree is empty. */
#include "options.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* npm, shells and terminals double a signal: within this time it is the same request. */
#define SAME_REQUEST (250 * MS)

bool pid1;
static PAGES struct parsed p;
static struct run *run = &the_run; /* of a plain `run`; otherwise unused */
static int epoll = -1, signals = -1;
static int asks;
static struct by first_ask, last_ask;
static uint64_t last_ask_ns;
static char **words;
static bool plain, visited;         /* visited: by a supervisor, for a client */

enum { KEY_SIGNALS = 0xfffffff0, KEY_START };

uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

bool keep_descriptor(int fd) { return fd == say_descriptor() || fd == terminal_descriptor() || fd == state.folder; }

/* ---- setting up: may fail, nothing has been started ---- */

static int open_loop(void)
{
	uint64_t all = ~0ull;
	signals = (int)syscall(SYS_signalfd4, -1, &all, sizeof all, SFD_CLOEXEC | SFD_NONBLOCK);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e = { EPOLLIN, { .u32 = KEY_SIGNALS } };
	if (signals >= 0 && epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, signals, &e) == 0) return 0;
	say(LEVEL_ERROR, "cannot begin: %s; the limit of open files may be too low", strerror(errno));
	return EXIT_INTERNAL;
}

static void watch_parent(int signal)
{
	pid_t parent = getppid();
	prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0);
	if (getppid() != parent) raise(signal); /* it died before: blocked, so it is read like any other */
}

/* ---- the command of a plain `run` ---- */

static const char *text_of(int option) { return p.said[option].set ? p.said[option].text : ""; }
static uint64_t wait_of(long long ms) { return ms == DURATION_FOREVER ? FOREVER : (uint64_t)ms * MS; }

static void make_order(struct order *o)
{
	long long hold = p.said[OPT_HOLD].set ? p.said[OPT_HOLD].number : DEFAULT_HOLD, grace = p.said[OPT_GRACE].set ? p.said[OPT_GRACE].number : DEFAULT_GRACE;
	uint8_t target = p.said[OPT_TARGET].set ? (uint8_t)p.said[OPT_TARGET].number : DEFAULT_TARGET;
	*o = (struct order){ .index = NOT_STOPPING, .cap_ns = FOREVER, .deadline_ns = FOREVER };
	if (p.said[OPT_STOP_BUDGET].set) {
		uint64_t budget = wait_of(p.said[OPT_STOP_BUDGET].number), reserve = budget / 10 < SECOND ? budget / 10 : SECOND;
		o->cap_ns = budget - reserve; /* to kill, reap and record */
	}
	for (int i = 0; i < p.rung_count; i++)
		o->rungs[o->count++] = (struct rung){ .signal = (uint8_t)p.rungs[i].signal, .target = target, .wait_ns = wait_of(p.rungs[i].wait_ms) };
	if (o->count) return;
	if (hold) o->rungs[o->count++] = (struct rung){ .wait_ns = wait_of(hold) };
	uint8_t signal = p.said[OPT_STOP_SIGNAL].set ? (uint8_t)p.said[OPT_STOP_SIGNAL].number : SIGNAL_AS_RECEIVED;
	o->rungs[o->count++] = (struct rung){ .signal = signal, .target = target, .wait_ns = wait_of(grace) };
}

/* NAME alone takes what gsup has; where that is nothing, nothing is set. `said`: the first so many may not be changed. */
static void set_variable(struct launch *l, size_t *count, char *entry, size_t said)
{
	size_t size = strcspn(entry, "=");
	char *found = entry[size] ? entry : NULL;
	for (char **e = inherited_env; !found && *e; e++) if (strncmp(*e, entry, size) == 0 && (*e)[size] == '=') found = *e;
	for (size_t i = 0; i < said; i++) if (strncmp(l->env_set[i], entry, size) == 0 && l->env_set[i][size] == '=') return;
	if (found) l->env_set[(*count)++] = found;
}

/* As src/config/env-file.ts reads it. */
static bool add_env_file(struct launch *l, size_t *count, const char *name, size_t said)
{
	size_t size;
	char *text = read_whole(name, &size), *line;
	if (!text) { say(LEVEL_ERROR, "cannot read \"%s\": %s", name, strerror(errno)); return false; }
	bool whole = strlen(text) == size; /* else a NUL is in it */
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0) text += 3;
	for (int number = 1; (line = strsep(&text, "\n")); number++) {
		size_t length = strlen(line);
		if (length && line[length - 1] == '\r') line[length - 1] = 0;
		line += strspn(line, " \t\v\f");
		size_t key = strcspn(line, "=");
		if (!*line || *line == '#') continue;
		if (!key || strcspn(line, " \t\v\f") < key || *count == 2 * LIST_MAX || (!text && !whole)) {
			say(LEVEL_ERROR, "cannot use \"%s:%d\": a variable like NAME=value is needed", name, number);
			return false;
		}
		set_variable(l, count, line, said);
	}
	return true;
}

static bool make_environment(struct launch *l)
{
	static INITS char *none[1], named[NAME_SIZE + 16], task[NAME_SIZE + 16];
	size_t count = 0;
	l->env_set = p.env;
	l->env_unset = none;
	for (int i = 0; i < p.env_count; i++) set_variable(l, &count, p.env[i], 0);
	for (int i = 0, said = (int)count; i < p.file_count; i++) if (!add_env_file(l, &count, p.files[i], (size_t)said)) return false;
	print(named, sizeof named, "GSUP_RUN=%s", l->name);
	print(task, sizeof task, "GSUP_TASK=%s", state.task);
	p.env[count++] = named;
	p.env[count++] = task;
	p.env[count] = NULL;
	return true;
}

static void make_output(struct launch *l)
{
	const char *log = text_of(OPT_LOG);
	bool file = strncmp(log, "file:", 5) == 0;
	l->fixed.output = file ? OUTPUT_FILE : strcmp(log, "prefix") == 0 ? OUTPUT_PREFIX : strcmp(log, "json") == 0 ? OUTPUT_JSON : OUTPUT_INHERIT;
	l->path = file ? log + 5 : "";
	l->fixed.max_bytes = LOG_MAX_BYTES;
	l->fixed.max_files = LOG_MAX_FILES;
}

static bool make_launch(struct launch *l)
{
	static INITS char name[NAME_SIZE + 8], user[256];
	struct spawn *s = &l->fixed;
	print(name, sizeof name, "%s#1", state.task);
	print(user, sizeof user, "%s", text_of(OPT_USER));
	*l = (struct launch){ .name = name, .cwd = text_of(OPT_CWD), .user = user, .group = text_of(OPT_GROUP_ID), .argv = p.command };
	char *colon = strchr(user, ':');
	if (colon) { *colon = 0; if (!*l->group) l->group = colon + 1; }
	s->flags = SPAWN_TERMINAL | (p.said[OPT_CLEAR_ENV].number ? SPAWN_CLEAR_ENV : 0) | (p.said[OPT_NO_NEW_PRIVS].number ? SPAWN_NO_NEW_PRIVS : 0) |
		(p.said[OPT_UMASK].set ? SPAWN_UMASK : 0) | (p.said[OPT_NICE].set ? SPAWN_NICE : 0) | (p.said[OPT_OOM_SCORE_ADJ].set ? SPAWN_OOM : 0);
	s->umask = (uint32_t)p.said[OPT_UMASK].number;
	s->nice = (int32_t)p.said[OPT_NICE].number;
	s->oom_score_adj = (int32_t)p.said[OPT_OOM_SCORE_ADJ].number;
	s->start_timeout_ns = wait_of(p.said[OPT_START_TIMEOUT].set ? p.said[OPT_START_TIMEOUT].number : DEFAULT_START_TIMEOUT);
	for (int i = 0; i < LIMIT_ROWS; i++) if (p.limits[i].said) s->limits[s->limit_count++] = p.limits[i].limit;
	make_order(&s->order);
	make_output(l);
	/* Killed where it is not PID 1, init leaves nobody to stop the command: it asks the kernel to. */
	if (!pid1) l->parent_death_signal = p.said[OPT_STOP_SIGNAL].set ? (int)p.said[OPT_STOP_SIGNAL].number : SIGTERM;
	l->parent = getpid();
	return make_environment(l);
}

static void record_task(void)
{
	char digest[9];
	uint32_t sum = 0;
	for (char **a = p.command; *a; a++) for (const char *c = *a; ; c++) { sum = sum * 16777619u ^ (unsigned char)*c; if (!*c) break; }
	print(digest, sizeof digest, "%08x", sum);
	record_begin("task");
	record_text("task", state.task);
	record_text("version", GSUP_VERSION);
	record_text("config_digest", digest);
	record_text("boot_id", state.boot_id);
	record_number("pid_ns", (int64_t)state.pid_ns);
	record_number("pid", getpid());
	record_end();
}

/* Of a plain run this is done while its command begins: nothing that is decided before needs it. */
static int begin(void)
{
	memory_open();
	return state_begin(&p);
}

static int start_plain(bool begun)
{
	struct launch l;
	if (!make_launch(&l)) return EXIT_USAGE;
	if (!output_open(&l, 1)) {
		say(LEVEL_ERROR, "cannot capture output: %s", strerror(errno));
		return EXIT_INTERNAL;
	}
	bool started = run_start(run, &l);
	if (!begun) (void)begin(); /* the log may be in memory, then */
	record_task();
	if (!started) run_over(run);
	else {
		struct epoll_event e = { 0, { .u32 = KEY_START } }; /* exec closes it, and so does an end before that: hanging up needs not be asked for */
		epoll_ctl(epoll, EPOLL_CTL_ADD, run->start.pipe, &e);
	}
	control_open(true); /* behind the fork: the command does not wait for what may never be asked */
	control_watch(epoll, true);
	/* What the command closes must be closed: init holds no end of its pipes. */
	if (terminal == TERMINAL_NONE) close(0);
	close(1);
	return 0;
}

int exit_code_of(const struct run_state *s)
{
	if (s->failed_stage == STAGE_EXEC && (s->failed_errno == ENOENT || s->failed_errno == ENOTDIR)) return p.exit_map[EXIT_NOT_FOUND];
	if (s->failed_stage) return p.exit_map[EXIT_NOT_EXECUTABLE];
	if (s->code < 0 && s->signal <= 0) return s->flags & RUN_STUCK ? EXIT_STUCK : EXIT_INTERNAL;
	int code = p.exit_map[s->signal > 0 ? (EXIT_SIGNAL_BASE + s->signal) & 255 : s->code & 255];
	return !code && (s->flags & RUN_STUCK) ? EXIT_STUCK : code;
}

static int end_plain(void)
{
	if (run->s.failed_stage) {
		uint32_t stage = run->s.failed_stage;
		int error = run->s.failed_errno;
		const char *why = stage == STAGE_TIMEOUT ? "it was not executed within the start time-out" : strerror(error);
		const char *hint = error == EAGAIN || error == ENOMEM ? "; the limit of processes, or of memory, may be too low" : "";
		if (stage >= STAGE_EXEC || stage == STAGE_FORK) say(LEVEL_ERROR, "cannot start \"%s\": %s%s%s", p.command[0], stage == STAGE_FORK ? "no new process: " : "", why, hint);
		else say(LEVEL_ERROR, "cannot start \"%s\": %s \"%s\": %s", p.command[0], stage_name(stage),
		         stage == STAGE_CWD ? text_of(OPT_CWD) : stage == STAGE_USER ? text_of(OPT_USER) : stage == STAGE_OUTPUT ? text_of(OPT_LOG) : "", why);
	}
	int code = exit_code_of(&run->s);
	const char *outcome = run_outcome(run);
	record_task_state(strcmp(outcome, "failed") == 0 && code == 0 ? "success" : outcome, code);
	return code;
}

/* ---- signals ---- */

static void ask_for_stop(struct by by)
{
	uint64_t now = now_ns();
	bool same = asks && now - last_ask_ns < SAME_REQUEST && (by.pid != last_ask.pid || by.signal == last_ask.signal);
	if (same) return;
	last_ask = by;
	last_ask_ns = now;
	if (asks < 1000000) asks++;
	if (asks == 1) first_ask = by;
	if (supervisor_decides) { supervisor_asked(by, asks); return; }
	if (asks == 1) run_stop(run, "signal", by);
	else run_escalate(run, asks > 2);
	if (visited) supervisor_told(by, asks, now);
}

static void suspend(void)
{
	if (!plain) supervisor_forward(SIGSTOP, false, 1); else run_forward(run, SIGSTOP, TARGET_GROUP, 1);
	stop_ourselves(false);
	if (!plain) supervisor_forward(SIGCONT, false, 1); else run_forward(run, SIGCONT, TARGET_GROUP, 1);
}

/* A plain run has no supervisor until somebody asks for one. */
static void hear_client(void)
{
	control_quiet();
	if (!visited && plain) run = supervisor_visits(&p, words, epoll, signals, run, first_ask, asks);
	visited |= plain;
	supervisor_event(KEY_CONTROL);
}

/* `times`: as many that differ in nothing came one behind the other. Only real-time signals do. */
static void on_signal(const struct signalfd_siginfo *si, uint32_t times)
{
	int signal = (int)si->ssi_signo;
	if (signal < 1 || signal >= SIGNALS || terminal_swallows(signal)) return;
	if (signal == SIGIO) control_quiet(); /* it may stand for a knock as well */
	if (is_knock(signal, si->ssi_code)) {
		if (!visited) hear_client();
		return;
	}
	if (run->start.pipe >= 0 && run->used) run_handshake(run); /* it may be running already: told in the order in which it was */
	struct by by = { p.rewrite[signal], (pid_t)si->ssi_pid, si->ssi_uid };
	record_begin("signal");
	record_signal("signal", signal);
	record_number("pid", by.pid);
	record_number("uid", by.uid);
	if (times > 1) record_number("times", (int64_t)times);
	record_end();
	if (!by.signal) return;
	enum hangup hangup = p.action == PARSED_UP && signal == SIGHUP ? terminal_hangup(si->ssi_code == SI_KERNEL) : HANGUP_NONE;
	if (hangup == HANGUP_KNOWN) return;
	if (hangup) by.signal = SIGTERM; /* what the processes get, too: many of them take SIGHUP for a reload */
	if (hangup || p.stop_on & 1ull << (signal - 1)) ask_for_stop(by); /* that often within a moment is once */
	else if (p.action == PARSED_UP && signal == SIGHUP) {
		supervisor_reload(by);
		supervisor_forward(by.signal, true, 1); /* whose on_signal names it has it too */
	}
	else if (!pid1 && (signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU)) suspend();
	else if (!plain) supervisor_forward(by.signal, true, times);
	else run_forward(run, by.signal, TARGET_GROUP, times);
}

static void reap(void)
{
	output_reap();
	if (plain) {
		if (visited) supervisor_reap();
		run_reap(run);
		return;
	}
	for (;;) {
		siginfo_t si = { 0 };
		if (waitid(P_ALL, 0, &si, WEXITED | WSTOPPED | WCONTINUED | WNOHANG) < 0 || !si.si_pid) return;
		supervisor_child(si.si_pid, &si);
	}
}

static bool same_signal(const struct signalfd_siginfo *a, const struct signalfd_siginfo *b)
{
	return a->ssi_signo == b->ssi_signo && a->ssi_pid == b->ssi_pid && a->ssi_uid == b->ssi_uid;
}

/* true: there may be somebody to reap. */
static bool take_signals(const struct signalfd_siginfo *si, size_t count)
{
	bool children = false;
	for (size_t i = 0, times; i < count; i += times) {
		for (times = 1; i + times < count && same_signal(&si[i], &si[i + times]); ) times++;
		if (si[i].ssi_signo == SIGCHLD) children = true; else on_signal(&si[i], (uint32_t)times);
	}
	return children;
}

static void read_signals(void)
{
	struct signalfd_siginfo si[16];
	bool children = false;
	for (ssize_t n = sizeof si; n == sizeof si && (n = read(signals, si, sizeof si)) > 0; ) children |= take_signals(si, (size_t)n / sizeof *si);
	if (children) reap();
}

/* Where signals alone can come, to wait for one is to have it: a system call less, and a shorter way through the kernel. 0: no event of epoll's. */
static int await_signal(int ms)
{
	struct signalfd_siginfo si;
	int signal = rest_until(&si, ms);
	if (signal < 0) control_quiet();
	if (signal > 0 && take_signals(&si, 1)) reap();
	if (signal >= SIGNAL_RTMIN) read_signals(); /* they queue: what has come with it is told with it */
	return 0;
}

/* ---- the loop: may not fail. From the first start on, an error here would take the container with it. ---- */

static int wait_ms(void)
{
	uint64_t due = sooner(output_due(), plain ? run_due(run) : FOREVER), now = now_ns();
	if (!plain || visited) due = sooner(due, supervisor_due());
	if (due == FOREVER) return -1;
	if (due <= now) return 0;
	uint64_t ms = (due - now + MS - 1) / MS;
	return ms > INT_MAX / 2 ? INT_MAX / 2 : (int)ms;
}

/* What a stop budget leaves, and no more than DRAIN_MS. */
static uint64_t time_to_drain(void)
{
	uint64_t most = DRAIN_MS * MS, now = now_ns();
	if (!p.said[OPT_STOP_BUDGET].set || !run->s.stop_ns) return most;
	uint64_t end = later(run->s.stop_ns, wait_of(p.said[OPT_STOP_BUDGET].number));
	return end > now ? sooner(end - now, most) : 0;
}

/* Until the end, and that too: who called it has let go of its own code (rest.c). */
static __attribute__((noinline)) _Noreturn void loop(void)
{
	struct epoll_event events[32];
	int code;
	for (;;) {
		if (supervisor_decides) {
			if (supervisor_done(&code)) break;
		} else if ((run->s.phase == PHASE_ENDED || (run->s.flags & RUN_STUCK)) && output_drained(time_to_drain()) && (!visited || supervisor_parted())) { code = end_plain(); break; }
		record_flush();
		if (!plain || visited) supervisor_flush();
		int ms = wait_ms();
		if (ms < 0 && !supervisor_decides && run->start.pipe < 0) rest();
		int n = control_knocks && run->start.pipe < 0 ? await_signal(ms) : epoll_wait(epoll, events, 32, ms);
		for (int i = 0; i < n; i++) {
			uint32_t key = events[i].data.u32;
			if (key == KEY_SIGNALS) read_signals();
			else if (key == KEY_START) { if (run->start.pipe >= 0) run_handshake(run); }
			else if (key == KEY_CONTROL) hear_client();
			else supervisor_event(key);
		}
		output_tick();
		if (plain) run_tick(run);
		if (!plain || visited) supervisor_tick();
	}
	record_flush();
	terminal_close();
	if (!plain || visited) control_close(); /* else a tenth of the end, and nobody has ever asked: it refuses, and the next gsup of this name removes it */
	state_close();
	_Exit(code); /* there is nothing to be flushed, and the way through exit(3) leaves what rests */
}

int main(int argc, char **argv)
{
	extern char **environ;
	take_over_signals();
	inherited_env = environ;
	int code = stand_in(argc, &argv);
	if (code >= 0) return code;
	for (argc = 0; argv[argc]; ) argc++;
	fill_standard_descriptors(), listen_take();
	code = parse_command_line(argc, argv, environ, &p);
	const struct said *format = &p.said[OPT_LOG_FORMAT], *level = &p.said[OPT_LOG_LEVEL];
	bool only_errors = level->set && level->number == LOG_LEVEL_ERROR, quiet = p.said[OPT_QUIET].number || (level->set && level->number == LOG_LEVEL_WARN);
	say_open(format->set ? format->number == LOG_FORMAT_JSON : -1, only_errors ? LEVEL_ERROR : quiet ? LEVEL_WARN : LEVEL_INFO);
	if (code) { say(LEVEL_ERROR, "%s", parse_error()); return code; }
	if (p.action == PARSED_VERSION) return write(1, GSUP_VERSION "\n", sizeof GSUP_VERSION) < 0;
	const char *role = getenv("GSUP_INIT");
	if (p.action == PARSED_OTHER && role && strcmp(role, "peers") == 0) return tell_peers();
	if (p.action == PARSED_HEALTH) return health_main(&p, p.health);
	if (p.action != PARSED_RUN && p.action != PARSED_UP) {
		if (inherited_chld_ignored) signal(SIGCHLD, SIG_IGN);
		set_mask(inherited_mask);
		return exec_node(argv, environ, NODE_COMMAND, true);
	}
	pid1 = getpid() == 1;
	char config_name[NAME_SIZE];
	bool up = p.action == PARSED_UP, detached = up && p.said[OPT_DETACH].number;
	plain = p.plain, words = argv;
	if (p.said[OPT_PARENT_DEATH_SIGNAL].set) watch_parent((int)p.said[OPT_PARENT_DEATH_SIGNAL].number);
	if (up) { raise_file_limit(); terminal_watch(); }
	if ((code = listen_settle(&p)) || (code = open_loop()) || (up && (code = config_read(argv, signals, &p, config_name)))) return code == CONFIG_STOPPED ? 0 : code;
	if ((code = state_open(&p, up ? config_name : NULL))) return first_dismissed(code);
	if (detached && ((code = detach(argv, epoll, signals)) != DETACHED || (code = open_loop()))) return code;
	if (!pid1 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) say(LEVEL_WARN, "cannot become a subreaper: %s; escaped children are not waited for", strerror(errno));
	if (!pid1) state_note(); /* as PID 1 it leaves nothing: time enough while the command begins */
	bool first = !plain || leftovers_found() || p.said[OPT_REQUIRE_STATE].number;
	if ((first && (code = begin())) || (code = leftovers_end(signals, p.stop_on, p.rewrite))) return first_dismissed(code);
	terminal_open(!up);
	if (!plain) {
		control_open(false);
		if (detached && (code = detach_begun())) return code;
		supervisor_open(&p, argv, epoll, signals);
	} else if ((code = start_plain(first))) return code;
	loop();
}
