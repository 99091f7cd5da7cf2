/* The absent supervisor. One that has nothing to decide leaves its runs to their orders and to init, which starts the next one when
 * there is something for it. A plain run has one only for as long as a client asks something. */
#include "supervisor.h"
#include <stdlib.h>

/* A start costs some 90 ms of processor time, so an absence that was short was not worth it: the next one comes later. */
#define STAY_FIRST (10 * SECOND)
#define STAY_LAST (300 * SECOND)
#define STOPS_WITHIN (500 * MS) /* longer, and people want to know what it waits for */
enum { WORTH = 6 }; /* so many times as long as the stay before; src/supervisor/leave.ts has the same */
static uint64_t stay_ns, left_ns;

/* GSUP_STAY_MS: for whoever cannot wait that long. */
static uint64_t first_stay(void)
{
	const char *said = getenv("GSUP_STAY_MS");
	uint64_t ms = said ? read_number(&said) : 0;
	return ms && ms <= STAY_LAST / MS ? ms * MS : STAY_FIRST;
}

uint64_t absence_stay(void) { return stay_ns ? stay_ns : (stay_ns = first_stay()); }

static void absence_ends(void)
{
	if (sup.next_ns <= left_ns) return; /* it has only made room: src/supervisor/departure.ts */
	bool worth = !left_ns || now_ns() - left_ns >= WORTH * absence_stay();
	stay_ns = worth ? first_stay() : sooner(stay_ns * 2, STAY_LAST);
}

void leave_with(const struct leaving *l)
{
	sup.next_ns = l->wake_ns;
	sup.orders_suffice = l->orders_suffice;
	if (sup.orders_suffice) runs_forced = false; /* how those before the last ones ended does not count */
}

struct run *own_run;

/* Of the others runs.c reads it in what their coordinators say. */
void runs_own_changed(void)
{
	static bool ended;
	struct run *run = own_run;
	if (!run || ended || run->s.phase != PHASE_ENDED) return;
	ended = true;
	live_runs--;
	runs_forced |= run->s.flags & RUN_FORCED;
}

/* Of a plain run, which goes on by its order: until it has taken over nothing is its to decide. */
bool is_visitor(void) { return own_run && !supervisor_decides; }

/* Nothing depends on it: who waits is told why, and the next client is a reason to try again, but not at once. */
static const char *in_vain;
void visit_in_vain(const char *why)
{
	drop_socket();
	sup.state = ABSENT;
	sup.woken = sup.called = false;
	sup.unseen_since_ns = sup.wake_ns = FOREVER;
	sup.delay_ns = sup.delay_ns ? sooner(sup.delay_ns * 2, RETRY_LAST) : RETRY_FIRST;
	sup.refuse_until_ns = now_ns() + sup.delay_ns;
	in_vain = why;
	sup.said = true;
	if (own_run->s.phase != PHASE_ENDED) control_refuse(why); /* else they are told by their connection: gsup ends */
	control_watch(room.poller, true);
}

/* It was ended because it has asked for that. */
void be_absent(void)
{
	sup.leaves = sup.said = false;
	sup.state = ABSENT;
	sup.delay_ns = 0;
	sup.retry_ns = own_run ? FOREVER : sup.next_ns;
	left_ns = now_ns();
	supervisor_rest();
	control_watch(room.poller, true);
	if (own_run) { /* back to its order alone */
		own_run->supervised = own_run->hooks = supervisor_decides = false;
		if (asks.frame.count && asks.due_ns != FOREVER) runs_stop_alone(&asks.frame, &asks.alone, false);
		asks.due_ns = FOREVER;
	} else if (asks.frame.count && asks.due_ns != FOREVER) asks.due_ns = now_ns() + START_WITHIN;
}

static bool runs_changed(void)
{
	for (int i = 0; i < runs_used; i++) if (runs[i].used && runs[i].dirty) return true;
	return false;
}

/* Something to tell, also what was told last and crossed its leaving. */
static bool has_news(void) { return sup.tell_asks || sup.event != sup.seen || runs_changed(); }

/* EXTEND_TIMEOUT_USEC, of a run that stops: an order has no more time to give. */
static bool asks_for_time(void)
{
	for (int i = 0; i < runs_used; i++)
		if (runs[i].used && runs[i].s.phase != PHASE_ENDED && runs[i].s.extend_ns && runs[i].s.extend_ns >= asks.frame.first_ns) return true;
	return false;
}

void wake(uint64_t now)
{
	bool called = sup.called, news = sup.stops_alone ? asks_for_time() : has_news();
	sup.called = false;
	if (!(called || (!own_run && (now >= sup.retry_ns || news)))) return;
	if (own_run && now < sup.refuse_until_ns) { control_refuse(in_vain); return; }
	control_watch(room.poller, false);
	absence_ends();
	if (own_run) state_visit(parsed);
	sup.woken = true;
	sup.stops_alone = false;
	start_supervisor();
}

/* ---- a stop in its absence ---- */

/* Where a supervisor would only tell each run to do what its order says, there is none: to start it takes longer than most stops. It
 * comes for whatever lasts, to say what is waited for, and finds a stop that is under way. */
static bool begins_alone(void)
{
	if (sup.state != ABSENT || own_run || !sup.orders_suffice || sup.called || asks.frame.count > 1 || sup.event != sup.seen || runs_changed()) return false;
	sup.stops_alone = true;
	sup.retry_ns = now_ns() + STOPS_WITHIN;
	set_present(false);
	say_stop(asks.by);
	return true;
}

uint64_t patience(void)
{
	if (sup.stops_alone || begins_alone()) return 0;
	return sup.state == PRESENT ? ANSWER_WITHIN : sup.state == STARTING || sup.state == ABSENT ? START_WITHIN : 0;
}

bool nobody_comes(void) { return sup.stops_alone || (sup.state == GONE && hopeless()); }

/* The first client of a plain run. What was asked of it until now was done by its order. */
struct run *supervisor_visits(const struct parsed *p, char **argv, int epoll, int signals, const struct run *run, struct by first, int count)
{
	parsed = p;
	command_line = argv;
	room = (struct room){ .poller = epoll, .signals = signals };
	runs[0] = *run;
	own_run = &runs[0];
	own_run->s.key = 1; /* number 1 is no request: it is the task's own record */
	runs_used = live_runs = 1;
	sup.state = ABSENT;
	sup.spawned = true;
	if (count) supervisor_told(first, count, run->s.stop_ns);
	return own_run;
}

/* The command has ended, and who was on the way to it is not needed any more. false: it is still there. */
bool supervisor_parted(void)
{
	if (sup.pid <= 0) return true;
	if (sup.reap_by_ns == FOREVER) end_supervisor();
	return now_ns() >= sup.reap_by_ns;
}
