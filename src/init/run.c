/* One run whose leader is a child of this process: from its start to the moment when its tree is empty. */
#include "init.h"
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A supervisor that lives has this long to act on a rung that is due; then the order is carried out without it. */
#define PATIENCE (250 * MS)

struct run the_run;

static bool alive(const struct run *run) { return run->s.pid > 0 && run->s.phase < PHASE_ENDED; }
static bool stopping(const struct run *run) { return run->climb.order.index != NOT_STOPPING; }

const char *stage_name(uint32_t stage)
{
	static const char *const names[] = { "none", "fork", "terminal", "output", "limits", "nice", "oom", "user", "cwd", "privs", "stdin", "exec", "timeout" };
	return names[stage <= STAGE_TIMEOUT ? stage : 0];
}

/* `killed` is the outcome of what ended after a stop was asked for, whatever its code. */
const char *run_outcome(const struct run *run)
{
	if (run->s.flags & RUN_LOST) return "lost";
	if (run->stop_asked) return "killed";
	return run->s.failed_stage || run->s.signal > 0 || run->s.code != 0 ? "failed" : "success";
}

static void set_phase(struct run *run, enum phase phase)
{
	run->s.phase = phase;
	run->dirty = true;
}

void run_over(struct run *run)
{
	run->s.tree = tree_usage(&run->s.leader);
	run->s.ended_ns = now_ns();
	set_phase(run, PHASE_ENDED);
	record_begin("run-ended");
	record_text("run", run->s.name);
	if (!run->supervised) record_text("outcome", run_outcome(run));
	if (run->s.signal > 0 || run->s.code < 0) record_text("code", NULL); else record_number("code", run->s.code);
	record_signal("signal", run->s.signal);
	record_bool("forced", run->s.flags & RUN_FORCED);
	if (run->s.failed_stage) record_text("stage", stage_name(run->s.failed_stage));
	if (run->s.failed_stage) record_number("errno", run->s.failed_errno);
	record_usage("rusage", &run->s.tree);
	record_end();
}

bool run_start(struct run *run, const struct launch *l)
{
	bool supervised = run->supervised;
	*run = (struct run){ .used = true, .supervised = supervised, .dirty = true, .socket = -1, .notify = -1, .ready = -1, .start_due_ns = FOREVER,
		.kill_due_ns = FOREVER, .stuck_due_ns = FOREVER, .climb = { .order = l->fixed.order, .due_ns = FOREVER },
		.s = { .phase = PHASE_STARTING, .code = -1, .rung = NOT_STOPPING, .deadline_ns = FOREVER, .forked_ns = now_ns() } };
	run->climb.order.index = NOT_STOPPING;
	print(run->s.name, sizeof run->s.name, "%s", l->name);
	run->start = start_command(l);
	output_given(l);
	if (run->start.pid < 0) {
		run->s.failed_stage = STAGE_FORK;
		run->s.failed_errno = errno;
		return false;
	}
	run->s.pid = run->start.pid;
	run->s.start_ticks = start_ticks(run->s.pid, NULL, NULL);
	if (l->fixed.start_timeout_ns != FOREVER) run->start_due_ns = later(run->s.forked_ns, l->fixed.start_timeout_ns);
	return true;
}

/* ---- signals ---- */

static const char target_names[][8] = { "group", "leader", "tree" };

static void record_sent(struct run *run, int signal, enum target target, const pid_t *pids, int count, uint32_t times)
{
	record_begin("signal");
	record_text("run", run->s.name);
	record_signal("signal", signal);
	record_text("target", target_names[target]);
	record_pids("pids", pids, count);
	if (times > 1) record_number("times", (int64_t)times);
	record_end();
}

static bool was_told(const struct run *run, pid_t pid)
{
	for (int i = 0; i < run->told_count; i++) if (run->told[i] == pid) return true;
	return false;
}

/* Whoever is in the tree and has not had this signal yet: escapees of the group, once the leader is gone or the whole tree is
 * meant. It ends when the rung does, however large the tree: the next rung must not wait for a signal of this one. */
static void tell_stragglers(struct run *run, int signal, bool group_has_it, bool once)
{
	const pid_t *list;
	int count = walk_tree(&list, NULL), sent = 0;
	pid_t first[PIDS_MAX];
	for (int i = 0; i < count && (i % 64 || now_ns() < run->climb.due_ns); i++) {
		if ((once && was_told(run, list[i])) || list[i] == run->s.pid || (group_has_it && getpgid(list[i]) == run->s.pid)) continue;
		if (!send_descendant(list[i], signal)) continue;
		send_descendant(list[i], SIGCONT);
		if (once && run->told_count < (int)(sizeof run->told / sizeof *run->told)) run->told[run->told_count++] = list[i];
		if (sent < PIDS_MAX) first[sent] = list[i];
		sent++;
	}
	if (sent) record_sent(run, signal, TARGET_TREE, first, sent, 1);
}

static void deliver(struct run *run, int signal, enum target target, bool rung)
{
	pid_t leader = run->s.pid;
	const pid_t *list;
	if (target == TARGET_LEADER && run->s.main_pid > 1) { /* what MAINPID named may have ended since */
		walk_tree(&list, NULL);
		if (!send_descendant(run->s.main_pid, signal)) run->s.main_pid = 0;
	}
	if (target == TARGET_LEADER) { if (!run->s.main_pid) send_signal(leader, signal); }
	else send_group(leader, signal);
	if (target == TARGET_TREE) tell_stragglers(run, signal, true, rung);
}

void run_forward(struct run *run, int signal, enum target target, uint32_t times)
{
	if (!alive(run) || signal <= 0 || signal >= SIGNALS) return;
	if (run->s.phase == PHASE_STARTING) { run->early[signal] += times; return; }
	record_sent(run, signal, target, &run->s.pid, 1, times);
	while (times--) deliver(run, signal, target, false);
}

/* ---- the stop ---- */

static void record_rung(struct run *run, struct action a)
{
	record_begin("rung");
	record_text("run", run->s.name);
	record_number("index", a.rung);
	record_text("action", a.act == ACT_WAIT ? "wait" : "signal");
	record_signal("signal", a.signal);
	record_text("target", a.act == ACT_WAIT ? NULL : target_names[a.target]);
	record_pids("pids", &run->s.pid, 1);
	const struct rung *r = &run->climb.order.rungs[a.rung];
	if (run->climb.order.deadline_ns == FOREVER) record_text("wait_ms", NULL);
	else record_number("wait_ms", (int64_t)((r->wait_ns == FOREVER ? run->climb.order.cap_ns : r->wait_ns - run->climb.cut_ns) / MS));
	record_ns("deadline_ns", run->climb.order.deadline_ns);
	record_number("cut_ms", (int64_t)(run->climb.cut_ns / MS));
	record_end();
}

static void kill_tree(struct run *run, bool again)
{
	char names[512], took[32];
	const pid_t *list;
	int count = walk_tree(&list, NULL);
	if (!again) {
		bool told = run->supervised && !(run->s.flags & RUN_ALONE); /* then the decision is in the other log */
		if (told) record_sent(run, SIGKILL, TARGET_TREE, list, count, 1);
		else {
			record_begin("kill");
			record_text("run", run->s.name);
			record_pids("pids", list, count);
			record_end();
		}
		if (count) {
			run->s.flags |= RUN_FORCED;
			say(LEVEL_WARN, "%s: SIGKILL after %s for what ignored termination: %s%s", run->s.name,
			    duration_text(now_ns() - run->s.stop_ns, took), names_of(list, count < 8 ? count : 8, names, sizeof names), count > 8 ? ", ..." : "");
		}
		run->killed_ns = now_ns();
		run->stuck_due_ns = run->killed_ns + STUCK_AFTER;
		set_phase(run, PHASE_KILLING);
	}
	send_group(run->s.pid, SIGKILL);
	if (!run->s.leader_exited_ns) send_signal(run->s.pid, SIGKILL); /* before it has its group, too */
	if (count) kill_descendants(NULL);
	run->kill_due_ns = now_ns() + KILL_AGAIN;
}

/* The rungs that are passed over, and the one that is left early, because only a supervisor can have them climbed. */
static void tell_unkept(const struct run *run, uint32_t to)
{
	uint32_t from = run->s.rung == NOT_STOPPING ? 0 : run->s.rung;
	for (uint32_t i = from; i < to && i < run->climb.order.count && !run->hooks; i++)
		if (run->climb.order.rungs[i].flags & RUNG_HOOK)
			record_unkept(run->s.name, run->climb.order.rungs[i].flags & RUNG_BUSY ? "waiting while busy" : "pre-stop hook");
}

/* The record comes before the act. A rung with no wait is followed by the next at once. `wanted`: somebody asked for this step. */
static void perform(struct run *run, struct action a, bool wanted)
{
	while (a.act != ACT_NONE) {
		if (!wanted) tell_unkept(run, a.rung);
		run->s.rung = run->climb.order.index;
		run->s.deadline_ns = run->climb.order.deadline_ns;
		if (run->supervised) run->s.flags |= RUN_ALONE;
		run->told_count = 0;
		run->dirty = true;
		if (a.act == ACT_KILL) { kill_tree(run, false); return; }
		if (run->s.phase != PHASE_STARTING) set_phase(run, PHASE_STOPPING);
		record_rung(run, a);
		if (a.act == ACT_SIGNAL && run->s.phase == PHASE_STARTING) run->early[a.signal] = 1; /* its time runs all the same */
		else if (a.act == ACT_SIGNAL) {
			deliver(run, a.signal, a.target, true);
			/* A stopped process sees the signal only when it is continued. */
			if (a.signal != SIGCONT) deliver(run, SIGCONT, a.target == TARGET_TREE ? TARGET_GROUP : a.target, true);
			if (run->s.leader_exited_ns) tell_stragglers(run, a.signal, a.target != TARGET_LEADER, true);
		}
		a = climb_tick(&run->climb, now_ns(), run->hooks);
		wanted = false;
	}
}

void run_stop(struct run *run, const char *cause, struct by by)
{
	if (!alive(run) || (stopping(run) && !(run->climb.order.flags & ORDER_FIRST_ONLY)) || run->s.phase == PHASE_KILLING) return;
	run->s.stop_ns = now_ns();
	run->stop_asked = by.signal != 0;
	record_stop(run->s.name, cause, by);
	if ((run->climb.order.flags & ORDER_MUST_DRAIN) && !run->hooks) record_unkept(run->s.name, "draining");
	perform(run, climb_begin(&run->climb, (uint8_t)(by.signal ? by.signal : SIGTERM), run->s.stop_ns, run->hooks), false);
}

void run_escalate(struct run *run, bool kill)
{
	if (!alive(run) || run->s.phase == PHASE_KILLING) return;
	if (!run->s.stop_ns) run->s.stop_ns = now_ns();
	struct action a = kill ? climb_kill(&run->climb) : climb_next(&run->climb, now_ns(), run->hooks);
	if (a.act != ACT_NONE && a.act != ACT_KILL) say(LEVEL_WARN, "%s: asked again, next rung of the stop now", run->s.name);
	perform(run, a, true);
}

/* What the supervisor decides: this rung, now. It does not go back behind what was done without it. */
void run_enter(struct run *run, const struct order *order)
{
	if (!alive(run) || order->count > RUNGS_MAX || run->s.phase == PHASE_KILLING) return;
	bool began = stopping(run), same = began && run->climb.order.index == order->index;
	if (began && (order->index == NOT_STOPPING || order->index < run->climb.order.index)) return;
	uint64_t alone_since = run->climb.began_ns;
	run->climb.order = *order;
	run->climb.began_ns = began ? alone_since : now_ns();
	run->climb.due_ns = order->deadline_ns;
	if (order->index == NOT_STOPPING) return;
	if (!began) run->s.stop_ns = now_ns();
	run->s.flags &= ~(uint32_t)RUN_ALONE;
	run->s.rung = order->index;
	run->s.deadline_ns = order->deadline_ns;
	run->dirty = true;
	if (order->index >= order->count) { run->climb.due_ns = FOREVER; kill_tree(run, false); return; }
	if (run->s.phase < PHASE_STOPPING && run->s.phase != PHASE_STARTING) set_phase(run, PHASE_STOPPING);
	const struct rung *r = &order->rungs[order->index];
	uint8_t signal = r->signal == SIGNAL_AS_RECEIVED ? SIGTERM : r->signal;
	if (same || !signal) return;
	run->told_count = 0;
	if (run->s.phase == PHASE_STARTING) { run->early[signal]++; return; }
	record_sent(run, signal, r->target, &run->s.pid, 1, 1);
	deliver(run, signal, r->target, true);
	if (signal != SIGCONT) deliver(run, SIGCONT, r->target == TARGET_TREE ? TARGET_GROUP : r->target, true);
	if (run->s.leader_exited_ns) tell_stragglers(run, signal, r->target != TARGET_LEADER, true);
}

/* ---- what happens to it ---- */

/* When it was, not when we have heard of it: the command may have said to somebody that it is ready, and been stopped, before. */
static void started(struct run *run, uint64_t exec_ns)
{
	run->start_due_ns = FOREVER;
	run->s.started_ns = exec_ns ? exec_ns : now_ns();
	if (run->s.phase == PHASE_STARTING) set_phase(run, stopping(run) ? PHASE_STOPPING : PHASE_RUNNING);
	record_begin_at("run-started", run->s.started_ns);
	record_text("run", run->s.name);
	record_number("pid", run->s.pid);
	record_number("start_ticks", (int64_t)run->s.start_ticks);
	record_end();
	for (int i = 1; i < SIGNALS; i++) if (run->early[i]) {
		run_forward(run, i, TARGET_GROUP, run->early[i]);
		run->early[i] = 0;
	}
}

void run_handshake(struct run *run)
{
	uint64_t exec_ns = 0;
	int error = 0, stage = start_progress(run->start.pipe, &exec_ns, &error);
	if (!stage) return;
	close(run->start.pipe);
	run->start.pipe = -1;
	if (stage > 0) {
		run->s.failed_stage = (uint32_t)stage;
		run->s.failed_errno = error;
		run->dirty = true;
	} else if (!run->s.failed_stage) started(run, exec_ns); /* or it was killed on the way: its exit tells */
}

static void leader_exited(struct run *run)
{
	siginfo_t si = { 0 };
	struct rusage r = { 0 };
	if (run->start.pipe >= 0) run_handshake(run);
	syscall(SYS_waitid, P_PID, run->s.pid, &si, WEXITED | WNOHANG | WNOWAIT, &r);
	run->held = true;
	terminal_leader_gone(run->s.pid);
	run->s.leader_exited_ns = now_ns();
	run->s.flags |= RUN_LEADER_EXITED;
	run->s.code = si.si_code == CLD_EXITED ? si.si_status : -1;
	run->s.signal = si.si_code == CLD_EXITED ? 0 : si.si_status;
	run->s.leader = usage_of(&r);
	run->dirty = true;
	if (run->s.failed_stage) { run->s.code = -1; run->s.signal = 0; return; } /* what exited was never the command */
	record_begin("leader-exited");
	record_text("run", run->s.name);
	if (run->s.signal) record_text("code", NULL); else record_number("code", run->s.code);
	record_signal("signal", run->s.signal);
	record_usage("rusage", &run->s.leader);
	record_end();
	if (!run->supervised || !is_coordinator) record_oom(run, !run->supervised); /* init's to say: it sees all deaths, and the kernel only counts */
}

/* The leader has gone and others have not. */
static void left_behind(struct run *run)
{
	const pid_t *list;
	int count = walk_tree(&list, NULL);
	if (!count) return;
	if (!run->s.stragglers) {
		run->s.stragglers = (uint32_t)count;
		for (int i = 0; i < count && i < PIDS_MAX; i++) run->s.pids[i] = list[i];
		run->dirty = true;
		record_begin("stragglers");
		record_text("run", run->s.name);
		record_pids("pids", list, count);
			record_end();
	}
	if (!stopping(run)) { if (!run->supervised) run_stop(run, "main-ended", (struct by){ 0 }); return; }
	if (climb_over(&run->climb)) return;
	const struct rung *r = &run->climb.order.rungs[run->climb.order.index];
	int signal = r->signal == SIGNAL_AS_RECEIVED ? run->climb.received ? run->climb.received : SIGTERM : r->signal;
	if (signal) tell_stragglers(run, signal, r->target != TARGET_LEADER, true);
}

/* While the leader is a zombie of ours, waiting for just anybody would find it for ever: the others are asked by pid. One that is
 * reaped may have left us children that the list did not have yet: only a pass that has reaped nobody counts who is left. */
static int reap_others(struct run *run)
{
	static PAGES pid_t children[WALK_MAX];
	for (;;) {
		int count = list_children(children, WALK_MAX), left = 0, reaped = 0;
		for (int i = 0; i < count; i++) {
			siginfo_t si = { 0 };
			if (children[i] == run->s.pid) continue;
			if (waitid(P_PID, (id_t)children[i], &si, WEXITED | WNOHANG) == 0 && si.si_pid) reaped++;
			else left++;
		}
		orphans_reaped((uint64_t)reaped);
		if (count < 0) return -1;
		if (!reaped) return left;
	}
}

/* Who waits for stops alone waits for whoever lives: without anybody it is told that there is no child, whatever zombies there are. */
static bool only_zombies(void)
{
	siginfo_t si;
	return waitid(P_ALL, 0, &si, WSTOPPED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

void run_reap(struct run *run)
{
	siginfo_t si;
	bool news = false;
	while (!run->held) {
		si.si_pid = 0;
		if (terminal == TERMINAL_SHARED && alive(run) && waitid(P_PID, (id_t)run->s.pid, &si, WSTOPPED | WNOHANG) == 0 && si.si_pid) {
			terminal_stopped(run->s.pid, si.si_status, run->alone);
			continue;
		}
		si.si_pid = 0;
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) < 0 || !si.si_pid || si.si_pid == apart_pid) return;
		if (run->used && si.si_pid == run->s.pid) { leader_exited(run); news = true; }
		else if (waitid(P_PID, (id_t)si.si_pid, &si, WEXITED | WNOHANG) == 0 && !output_child(si.si_pid, &si)) orphans_reaped(1);
	}
	if (run->s.phase == PHASE_ENDED) return;
	int left = only_zombies() ? 0 : reap_others(run);
	if (left < run->left && run->s.phase == PHASE_KILLING && !(run->s.flags & RUN_STUCK)) /* they are dying: that takes its time */
		run->stuck_due_ns = sooner(now_ns() + STUCK_AFTER, run->killed_ns + STUCK_AT_LAST);
	run->left = left;
	if (left > 0 || (left < 0 && kill(-run->s.pid, 0) == 0 && !news)) { left_behind(run); return; }
	waitid(P_PID, (id_t)run->s.pid, &si, WEXITED | WNOHANG);
	run->held = false;
	for (si.si_pid = 0; waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0 && si.si_pid && si.si_pid != apart_pid; si.si_pid = 0) /* zombies beside it */
		if (waitid(P_PID, (id_t)si.si_pid, &si, WEXITED | WNOHANG) == 0 && !output_child(si.si_pid, &si)) orphans_reaped(1);
	run_over(run);
}

void run_tick(struct run *run)
{
	uint64_t now = now_ns();
	if (!run->used || run->s.phase == PHASE_ENDED) return;
	if (now >= run->start_due_ns) {
		run->s.failed_stage = STAGE_TIMEOUT;
		run->s.failed_errno = ETIMEDOUT;
		run->start_due_ns = FOREVER;
		send_signal(run->s.pid, SIGKILL);
		run->killed_ns = now;
		run->kill_due_ns = now + KILL_AGAIN;
		run->stuck_due_ns = now + STUCK_AFTER; /* a dead mount may hold it even now */
		set_phase(run, PHASE_KILLING);
	}
	if (run->s.phase == PHASE_KILLING) {
		if (now >= run->kill_due_ns) {
			kill_tree(run, true);
			if (run->s.flags & RUN_STUCK) run->kill_due_ns = FOREVER;
		}
		if (now >= run->stuck_due_ns) {
			char names[512];
			const pid_t *list;
			int count = walk_tree(&list, NULL);
			run->stuck_due_ns = count ? FOREVER : now + STUCK_AFTER; /* nobody to be named: they are zombies about to be reaped */
			if (!count) return;
			run->s.flags |= RUN_STUCK;
			run->dirty = true;
			record_begin("stuck");
			record_text("run", run->s.name);
			record_pids("pids", list, count);
			record_end();
			say(LEVEL_ERROR, "%s: cannot be killed: %s", run->s.name, names_of(list, count < 8 ? count : 8, names, sizeof names));
		}
		return;
	}
	if (run->supervised && run->hooks && now < later(run->climb.due_ns, PATIENCE)) return;
	perform(run, climb_tick(&run->climb, now, run->hooks), false);
}

uint64_t run_due(const struct run *run)
{
	if (!run->used || run->s.phase == PHASE_ENDED) return FOREVER;
	uint64_t due = run->start_due_ns;
	if (run->s.phase == PHASE_KILLING) return sooner(run->kill_due_ns, run->stuck_due_ns);
	if (!stopping(run) || run->climb.due_ns == FOREVER || (run->climb.order.flags & ORDER_FIRST_ONLY)) return due; /* a drain has no end */
	return sooner(due, later(run->climb.due_ns, run->supervised && run->hooks ? PATIENCE : 0));
}
