/* The end, with a supervisor or without: when it has come, and with which code. */
#include "supervisor.h"
#include <string.h>
#include <unistd.h>

void say_stop(struct by by)
{
	if (by.pid) say_event(LEVEL_INFO, "stop-begun", "stop: %s from pid %d", signal_name(by.signal), by.pid);
	else say_event(LEVEL_INFO, "stop-begun", "stop: %s from outside", signal_name(by.signal));
}

static void say_stopped(int code)
{
	const struct run_state *longest = NULL;
	uint64_t most = 0;
	int ended = 0, forced = 0;
	char took[32], more[64] = "";
	for (int i = 0; i < runs_used; i++) {
		const struct run_state *s = &runs[i].s;
		if (!runs[i].used || !s->stop_ns || s->phase != PHASE_ENDED) continue;
		uint64_t ns = s->ended_ns > s->stop_ns ? s->ended_ns - s->stop_ns : 0;
		if (s->flags & RUN_FORCED) forced++; else ended++;
		if (!longest || ns > most) { longest = s; most = ns; }
	}
	if (!longest) { say_event(LEVEL_INFO, "stop-summary", "stopped, exit code %d: nothing was running", code); return; }
	if (forced) print(more, sizeof more, "%d needed SIGKILL%s", forced, ended ? "; " : "");
	if (ended) print(more + strlen(more), sizeof more - strlen(more), "%d ended by themselves or in time", ended);
	say_event(forced ? LEVEL_WARN : LEVEL_INFO, "stop-summary", "stopped, exit code %d: %s, %s the longest with %s", code, more, longest->name, duration_text(most, took));
}

/* Nobody is left to decide, and nothing is left to decide about: a stop was carried out, or `run` is over. */
static bool over_alone(int *code)
{
	if (live_runs > runs_stuck() || !nobody_comes()) return false;
	const struct run_state *last = last_judged.key ? &last_judged : NULL;
	for (int i = 0; i < runs_used; i++) if (runs[i].used && !strchr(runs[i].s.name, '/') && (!last || runs[i].s.key > last->key)) last = &runs[i].s;
	const struct said *restart = &parsed->said[OPT_RESTART], *failures = &parsed->said[OPT_MAX_FAILURES];
	bool lasting = parsed->action == PARSED_UP || (restart->set ? restart->number != RESTART_NO : failures->set && failures->number != 1);
	if (!last || (lasting && !asks.frame.count)) return false;
	*code = parsed->action != PARSED_UP ? exit_code_of(last) : runs_forced ? EXIT_SIGNAL_BASE + SIGKILL : 0;
	if (!*code && runs_stuck()) *code = EXIT_STUCK;
	runs_unkept();
	/* Whoever reads only the log has to know the end, too. */
	record_task_state(asks.frame.count ? "killed" : last->flags & RUN_LOST ? "lost" : *code ? "failed" : "success", *code);
	if (sup.stops_alone) say_stopped(*code);
	return true;
}

/* A zombie of ours may still have its notify socket to remove; and whoever is not reaped is left behind. */
static bool coordinators_gone(void)
{
	for (int i = 0; i < runs_used; i++) if (runs[i].s.coordinator_pid) return false;
	return true;
}

bool supervisor_done(int *code)
{
	if (!leave.asked && !over_alone(&leave.code)) return false;
	leave.asked = true;
	int stuck = runs_stuck();
	if (live_runs > stuck) return false;
	if (!leave.code && stuck) leave.code = EXIT_STUCK;
	if (!leave.alone && !strangers_gone(&leave.code)) return false;
	leave.alone = room.leaving = true; /* what a coordinator leaves us now is stuck, and no stranger */
	for (int i = 0; i < runs_used && stuck; i++) if (runs[i].socket > 0) { close(runs[i].socket); runs[i].socket = -1; } /* what is stuck is left */
	if (!coordinators_gone()) return false;
	if (!output_drained(leave.drain_ns)) return false;
	drop_socket(); /* tells the supervisor to go */
	if (leave.bye_ns == FOREVER) leave.bye_ns = now_ns() + START_WITHIN;
	if (sup.pid > 0 && now_ns() >= leave.bye_ns) {
		if (leave.killed) { /* by now only the end of the namespace, or of what it waits for in the kernel, ends it */
			say(LEVEL_WARN, "the supervisor cannot be killed: it is left behind");
			return *code = leave.code, true;
		}
		leave.killed = send_signal(sup.pid, SIGKILL);
		leave.bye_ns = now_ns() + STUCK_AFTER;
	}
	*code = leave.code;
	return sup.pid <= 0;
}
