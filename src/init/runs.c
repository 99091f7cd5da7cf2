/* The runs that the supervisor has asked for, each with its coordinator; and the requests that concern them. */
#include "runs.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STRINGS_MAX = 32768, WORDS = 5 /* of a launch, before the arguments */, STRANGERS_MAX = 256 };
#define STRANGER_GRACE (8 * SECOND)

PAGES struct run runs[RUNS_MAX];
int runs_used, live_runs;
bool runs_forced;
INITS struct run_state last_judged;
struct room room;
static PAGES struct { /* due_ns[i]: when the grace of pid[i] ends; who comes when all places are taken has the last one's */
	pid_t pid[STRANGERS_MAX];
	uint64_t due_ns[STRANGERS_MAX], last_due_ns, killed_ns;
	int count;
	bool stuck;
} strangers;
static struct { uint64_t key; uint32_t flags; } newest; /* of runs that are no hooks, the one that was asked for last: of its order */
static uint64_t strangers_wake_ns = FOREVER; /* apart, so that the others are zeros, which take no place in the file */

static bool hears(const struct run *run) { return run->used && (run == own_run || run->socket >= 0); }

/* To its coordinator. */
static void hand(struct run *run, const void *frame, size_t size)
{
	if (run == own_run) run_obey(run, frame);
	else (void)!send(run->socket, frame, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void runs_tell(uint16_t type, const void *body, size_t size)
{
	_Alignas(struct head) char frame[64];
	struct head h = { (uint32_t)(sizeof h + size), type, PROTOCOL_VERSION, 0 };
	memcpy(frame, &h, sizeof h);
	memcpy(frame + sizeof h, body, size);
	for (int i = 0; i < runs_used; i++) if (hears(&runs[i])) hand(&runs[i], frame, h.size);
}

static struct run *find_run(uint64_t key)
{
	for (int i = 0; i < runs_used; i++) if (runs[i].used && runs[i].s.key == key) return &runs[i];
	return NULL;
}

/* Behind the last descriptor that was open before the first run: what a leader inherits lies below. */
static int first_of_runs(void)
{
	static int first;
	for (int fd = FILES_WANTED; !first && fd > 3; fd--) if (fcntl(fd - 1, F_GETFD) >= 0) first = fd;
	return first = first ? first : 3;
}

/* A coordinator keeps nothing of init's but what its leader inherits: above all no end of somebody else's socket. With a thousand
 * runs that is thousands of descriptors, so they are not asked one by one. */
static _Noreturn void become_coordinator(const struct launch *l, int socket)
{
	const int kept[] = { socket, room.signals, l->output[0], l->output[1], l->source[0], l->source[1] };
	enum { KEPT = sizeof kept / sizeof *kept };
	int first = first_of_runs();
	for (int fd = 3; fd < first; fd++) {
		bool keeps = keep_descriptor(fd);
		for (int i = 0; i < KEPT; i++) keeps |= kept[i] == fd;
		int flags = keeps ? 0 : fcntl(fd, F_GETFD);
		if (flags > 0 && (flags & FD_CLOEXEC)) close(fd);
	}
	for (int fd = first, next; fd <= FILES_WANTED; fd = next + 1) {
		next = FILES_WANTED;
		for (int i = 0; i < KEPT; i++) if (kept[i] >= fd && kept[i] < next) next = kept[i];
		close_descriptors(fd, next);
	}
	char noted; /* in the lock, by init: were init killed before that, nobody would know what is started here */
	_exit(recv(socket, &noted, 1, 0) == 1 ? coordinator_main(l, socket, room.signals, room.present) : 0);
}

/* As many as the next gsup reads; once for all that has changed in a turn of the loop. */
enum { NOTED_MAX = 64 };
static int noted;
static bool notes_due;

void runs_note(void)
{
	struct run *live[NOTED_MAX];
	if (!notes_due) return;
	notes_due = false;
	noted = 0;
	for (int i = 0; i < runs_used && noted < NOTED_MAX; i++) if (runs[i].used && runs[i].s.phase != PHASE_ENDED) live[noted++] = &runs[i];
	leftovers_note(live, noted);
}

static void note_spawn(const struct run *run)
{
	const char *hook = strchr(run->s.name, '/');
	size_t size = hook ? (size_t)(hook - run->s.name) : 0;
	if (!hook) { newest.key = run->s.key; newest.flags = run->climb.order.flags; }
	else if (!strncmp(hook, "/post-stop", 10))
		for (int i = 0; i < runs_used; i++) if (!strncmp(runs[i].s.name, run->s.name, size) && !runs[i].s.name[size]) runs[i].hooked = true;
}

/* A slot keeps its name until another run takes it, so it tells also of what is judged. */
void runs_unkept(void)
{
	for (int i = 0; i < runs_used; i++)
		if (runs[i].climb.order.flags & ORDER_POST_STOP && runs[i].s.phase == PHASE_ENDED && !runs[i].hooked) record_unkept(runs[i].s.name, "post-stop hook");
	if (newest.flags & ORDER_FINALS) record_unkept(NULL, "final processes");
}

static void spawn_run(uint64_t number, struct launch *l)
{
	int ends[2], i = 0;
	(void)first_of_runs();
	while (i < RUNS_MAX && (runs[i].used || runs[i].s.coordinator_pid)) i++;
	if (i == RUNS_MAX) return;
	bool full = i == RUNS_MAX - 1; /* the last slot is for saying so */
	if (i == runs_used) runs_used++;
	struct run *run = &runs[i];
	*run = (struct run){ .used = true, .dirty = true, .socket = -1, .notify = -1, .climb = { .order = l->fixed.order },
		.s = { .key = number, .phase = PHASE_STARTING, .code = -1, .rung = NOT_STOPPING, .deadline_ns = FOREVER, .forked_ns = now_ns() } };
	print(run->s.name, sizeof run->s.name, "%s", l->name);
	note_spawn(run);
	live_runs++;
	pid_t pid = -1;
	errno = EAGAIN;
	bool captured = !full && output_open(l, RUNS_MAX);
	if (captured && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0) {
		record_flush();
		pid = fork();
		if (pid == 0) { close(ends[0]); become_coordinator(l, ends[1]); }
		close(ends[1]);
		if (pid < 0) close(ends[0]);
	}
	int error = errno;
	if (captured) output_given(l);
	if (pid < 0) { /* no memory, or no process left: a failed start like any other */
		run->s.phase = PHASE_ENDED;
		run->s.failed_stage = captured || full ? STAGE_FORK : STAGE_OUTPUT;
		run->s.failed_errno = error;
		run->s.ended_ns = now_ns();
		live_runs--;
		return;
	}
	run->socket = ends[0];
	run->s.coordinator_pid = pid;
	run->s.coordinator_ticks = start_ticks(pid, NULL, NULL);
	if (noted < NOTED_MAX && ++noted) leftovers_add(run); /* from now on somebody would be left */
	send(run->socket, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	struct epoll_event e = { EPOLLIN, { .u32 = (uint32_t)i } };
	epoll_ctl(room.poller, EPOLL_CTL_ADD, run->socket, &e);
}

void runs_read(struct run *run)
{
	static PAGES union { struct head head; struct record_frame record; struct { struct head head; struct run_state run; } state; } f;
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
			run->s.flags |= old.flags & RUN_OOM;
			run->s.coordinator_pid = old.coordinator_pid;
			run->s.coordinator_ticks = old.coordinator_ticks;
			run->dirty = true;
			runs_forced |= run->s.phase == PHASE_ENDED && (run->s.flags & RUN_FORCED) && !strchr(run->s.name, '/');
			if (run->s.phase == PHASE_ENDED && old.phase != PHASE_ENDED) live_runs--;
			notes_due |= run->s.started_ns != old.started_ns;
			if (run->s.leader_exited_ns && !old.leader_exited_ns) record_oom(run, false);
		}
	}
}

static void coordinator_gone(struct run *run)
{
	runs_read(run);
	if (run->socket >= 0) close(run->socket);
	run->socket = -1;
	run->s.coordinator_pid = 0;
	if (run->s.phase == PHASE_ENDED || (room.leaving && (run->s.flags & RUN_STUCK))) return; /* stuck: it was said, and is left behind */
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

static bool sound(uint32_t signal, uint32_t target) { return target <= TARGET_TREE && (signal < SIGNALS || signal == SIGNAL_AS_RECEIVED); }

static bool sound_order(const struct order *o)
{
	if (o->count > RUNGS_MAX) return false;
	for (uint32_t i = 0; i < o->count; i++) if (!sound(o->rungs[i].signal, o->rungs[i].target)) return false;
	return true;
}

/* Room for each list, and its NULL. */
static bool read_launch(const char *body, size_t size, struct launch *l)
{
	static PAGES char *strings[STRINGS_MAX + 3], *flat[STRINGS_MAX];
	const struct spawn *s = &l->fixed;
	if (size < sizeof *s) return false;
	memcpy(&l->fixed, body, sizeof *s);
	uint64_t count = WORDS + (uint64_t)s->argc + s->env_set + s->env_unset;
	if (!s->argc || count > STRINGS_MAX || s->limit_count > LIMITS_MAX || !sound_order(&s->order)) return false;
	if (s->output > OUTPUT_FILE || s->ready_fd < 0) return false;
	for (int i = 0; i < SIGNAL_MAP_SIZE; i++) if (s->on_signal[i] >= SIGNALS) return false;
	if (!strings_of(body + sizeof *s, body + size, (uint32_t)count, flat)) return false;
	l->name = flat[0]; l->cwd = flat[1]; l->user = flat[2]; l->group = flat[3]; l->path = flat[4];
	l->argv = strings;
	memcpy(l->argv, flat + WORDS, s->argc * sizeof *flat);
	l->argv[s->argc] = NULL;
	l->env_set = l->argv + s->argc + 1;
	memcpy(l->env_set, flat + WORDS + s->argc, s->env_set * sizeof *flat);
	l->env_set[s->env_set] = NULL;
	l->env_unset = l->env_set + s->env_set + 1;
	memcpy(l->env_unset, flat + WORDS + s->argc + s->env_set, s->env_unset * sizeof *flat);
	l->env_unset[s->env_unset] = NULL;
	return true;
}

bool runs_request(const struct head *h, const char *body, size_t size, const char *frame)
{
	struct launch l = { .parent_death_signal = 0 };
	uint64_t key = ((const struct key_request *)body)->key;
	struct run *run = h->type == SPAWN ? NULL : find_run(key);
	if (h->type == SPAWN) {
		if (!read_launch(body, size, &l)) return false;
		spawn_run(h->number, &l);
	} else if (h->type == FORGET && run && run->s.phase == PHASE_ENDED) {
		if (run->socket >= 0) close(run->socket);
		run->used = false;
		run->socket = -1;
		if (!strchr(run->s.name, '/')) last_judged = run->s;
	} else if (h->type == RUNG) {
		const struct rung_request *r = (const struct rung_request *)body;
		if (!sound_order(&r->order)) return false;
		if (run && run != own_run) run->climb.order = r->order;
		if (run && key == newest.key) newest.flags = r->order.flags;
	}
	const struct signal_request *signal = (const struct signal_request *)body;
	if (h->type == SIGNAL && !sound(signal->signal, signal->target)) return false;
	if ((h->type == RUNG || h->type == SIGNAL) && run && hears(run)) hand(run, frame, h->size);
	return true;
}

static bool is_stuck(const struct run *run) { return run->used && run->s.phase == PHASE_KILLING && (run->s.flags & RUN_STUCK); }

int runs_stuck(void)
{
	int count = 0;
	for (int i = 0; i < runs_used; i++) count += is_stuck(&runs[i]);
	return count;
}

/* How many rungs it has taken, as it says itself or as was asked of it. NOT_STOPPING: none. */
static uint32_t climbed(const struct run *run)
{
	uint32_t asked = run->climb.order.index + 1, taken = run->s.rung + 1;
	return asked > taken ? asked : taken;
}

/* On its first rung, and no stop has been asked for. */
static bool drains(const struct run *run) { return run->climb.order.flags & ORDER_FIRST_ONLY; }

/* The first ask is answered by a rung (a drain stays on its own), whether it has been already or not; the second by the one after that. */
void runs_asked_again(void)
{
	for (int i = 0; i < runs_used; i++) {
		runs[i].stood = climbed(&runs[i]);
		runs[i].answer = (runs[i].stood > 1 ? runs[i].stood : 1) + 1;
	}
}

/* A log that was lost cannot tell whether the second ask has been acted on. */
struct run_state *runs_told(const struct run *run)
{
	static INITS struct run_state told;
	told = run->s;
	if (run->stood && run->stood == climbed(run)) told.flags |= RUN_ASKED_AGAIN;
	return &told;
}

/* A second ask is for whoever is on the way down. Who has moved on since was told to, by a supervisor that could not say so any more. */
static bool wants_next(const struct run *run)
{
	return ((climbed(run) && !drains(run)) || run->stop_asked) && climbed(run) < run->answer;
}

/* Levels stop from the highest down; the next begins when the one before is gone, or cannot be ended. */
void runs_stop_alone(const struct asks *asks, int *done, bool hooks)
{
	uint32_t level = 0; /* the first ask concerns each run in its turn; a later one is told once */
	for (int i = 0; i < runs_used; i++)
		if (runs[i].used && runs[i].s.phase != PHASE_ENDED && !is_stuck(&runs[i]) && runs[i].climb.order.level > level) level = runs[i].climb.order.level;
	for (int step = 1; step <= (int)asks->count && step <= 3; step++) {
		struct { struct head head; struct alone body; } f = { { sizeof f, ALONE, PROTOCOL_VERSION, 0 },
			{ (uint32_t)step, asks->signal, asks->pid, asks->uid } };
		for (int i = 0; i < runs_used; i++) {
			struct run *run = &runs[i];
			bool begins = (run->s.rung == NOT_STOPPING || drains(run)) && !run->stop_asked && run->climb.order.level == level && (hooks || !strchr(run->s.name, '/'));
			if (!hears(run) || run->s.phase == PHASE_ENDED || (step == 1 ? !begins : step <= *done || (step == 2 && !wants_next(run)))) continue;
			run->stop_asked = true;
			hand(run, &f, sizeof f);
		}
	}
	if (*done < (int)asks->count) *done = (int)asks->count;
}

static bool is_own(pid_t pid)
{
	if (pid == apart_pid) return true;
	for (int i = 0; i < runs_used; i++) if (runs[i].s.coordinator_pid == pid) return true;
	return false;
}

bool runs_all_stop(void)
{
	for (int i = 0; i < runs_used; i++) if (runs[i].used && (runs[i].s.phase == PHASE_STARTING || runs[i].s.phase == PHASE_RUNNING)) return false;
	return true;
}

static uint64_t grace_end(pid_t pid)
{
	for (int i = 0; i < strangers.count; i++) if (strangers.pid[i] == pid) return strangers.due_ns[i];
	return strangers.last_due_ns;
}

static bool is_own_or_has_time(pid_t pid) { return is_own(pid) || grace_end(pid) > now_ns(); }

/* Whoever has come since the last look is told, and has a grace of its own. */
static void tell_strangers(const pid_t *list, int count, uint64_t now)
{
	static PAGES pid_t pid[STRANGERS_MAX];
	static PAGES uint64_t due[STRANGERS_MAX];
	char name[128];
	int kept = 0;
	for (int i = 0; i < count; i++) {
		bool known = false, placed = kept < STRANGERS_MAX;
		for (int k = 0; k < strangers.count && !known; k++) known = strangers.pid[k] == list[i];
		if (!known && placed) strangers.last_due_ns = now + STRANGER_GRACE;
		if (placed) { pid[kept] = list[i]; due[kept++] = grace_end(list[i]); }
		if (known) continue;
		if (placed) {
			record_begin("stranger");
			record_number("pid", list[i]);
			record_text("name", names_of(&list[i], 1, name, sizeof name));
			record_end();
		}
		send_descendant(list[i], SIGTERM);
		send_descendant(list[i], SIGCONT);
	}
	strangers.count = kept;
	memcpy(strangers.pid, pid, sizeof pid);
	memcpy(strangers.due_ns, due, sizeof due);
}

/* Strangers: adopted, and of no run (orphans of `docker exec`). Each climbs the default ladder beside the last level. */
bool strangers_gone(int *code)
{
	const pid_t *list;
	pid_t late[PIDS_MAX];
	int count = walk_tree(&list, is_own), over = 0;
	uint64_t now = now_ns();
	char names[512];
	strangers_wake_ns = FOREVER;
	if (own_run && own_run->used && own_run->s.phase != PHASE_ENDED) return true; /* whoever is there is of its tree */
	if (!count) { strangers.count = 0; strangers.killed_ns = 0; return true; }
	if (strangers.stuck) {
		if (!*code) *code = EXIT_STUCK;
		return true;
	}
	tell_strangers(list, count, now);
	for (int i = 0; i < count; i++) {
		uint64_t end = grace_end(list[i]);
		if (end > now) strangers_wake_ns = sooner(strangers_wake_ns, end);
		else if (over++ < PIDS_MAX) late[over - 1] = list[i];
	}
	if (!over) { strangers.killed_ns = 0; return false; }
	int named = over < PIDS_MAX ? over : PIDS_MAX;
	names_of(late, named < 8 ? named : 8, names, sizeof names);
	if (!strangers.killed_ns) {
		strangers.killed_ns = now;
		record_begin("kill");
		record_pids("pids", late, named);
		record_end();
		say(LEVEL_WARN, "SIGKILL for strangers that ignored termination: %s", names);
	}
	if (now - strangers.killed_ns < STUCK_AFTER) {
		kill_descendants(is_own_or_has_time);
		strangers_wake_ns = now + KILL_AGAIN;
		return false;
	}
	strangers.stuck = true;
	record_begin("stuck");
	record_pids("pids", late, named);
	record_end();
	say(LEVEL_ERROR, "cannot be killed: %s", names);
	if (!*code) *code = EXIT_STUCK;
	return true;
}

void strangers_hurry(void)
{
	for (int i = 0; i < strangers.count; i++) strangers.due_ns[i] = now_ns();
	if (strangers.count) strangers_wake_ns = now_ns();
}
uint64_t strangers_due(void) { return strangers_wake_ns; }

bool runs_child(pid_t pid)
{
	for (int i = 0; i < runs_used; i++)
		if (runs[i].s.coordinator_pid == pid) { coordinator_gone(&runs[i]); return true; }
	return false;
}
