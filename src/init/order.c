/* The rungs of a stop as a function of time: what to do next, and when. No side effects, so that one set of vectors tries
 * this file and src/signals/ladder.ts. */
#include "init.h"

bool climb_over(const struct climb *c)
{
	return c->order.index != NOT_STOPPING && c->order.index >= c->order.count;
}

/* The budget rule: a wait gets what it wants when the waits after it fit as well, else its share of what is left. */
static uint64_t cut_wait(const struct climb *c, uint32_t index, uint64_t now)
{
	uint64_t wait = c->order.rungs[index].wait_ns, rest = 0;
	if (c->order.cap_ns == FOREVER) return wait;
	uint64_t end = later(c->began_ns, c->order.cap_ns), left = end > now ? end - now : 0;
	if (wait > left) wait = c->order.rungs[index].wait_ns == FOREVER ? left : wait;
	for (uint32_t i = index + 1; i < c->order.count; i++) {
		uint64_t w = c->order.rungs[i].wait_ns;
		rest = later(rest, w == FOREVER ? left : w);
	}
	if (later(wait, rest) <= left) return wait;
	return (uint64_t)((unsigned __int128)left * wait / later(wait, rest));
}

static struct action enter(struct climb *c, uint32_t index, uint64_t now, bool hooks)
{
	while (index < c->order.count && (c->order.rungs[index].flags & RUNG_HOOK) && !hooks) index++;
	if (index >= c->order.count) return climb_kill(c);
	const struct rung *r = &c->order.rungs[index];
	uint64_t wait = cut_wait(c, index, now);
	c->order.index = index;
	c->cut_ns = r->wait_ns == FOREVER || wait == FOREVER ? 0 : r->wait_ns - wait;
	c->order.deadline_ns = c->due_ns = later(now, wait);
	uint8_t signal = r->signal == SIGNAL_AS_RECEIVED ? c->received : r->signal;
	return (struct action){ signal ? ACT_SIGNAL : ACT_WAIT, signal, r->target, index };
}

/* It has had its first rung in a drain: only the wait begins. */
static struct action stay(struct climb *c, uint64_t now, bool hooks)
{
	uint32_t index = c->order.index;
	struct action a = enter(c, index, now, hooks);
	if (a.act == ACT_SIGNAL && a.rung == index) a = (struct action){ ACT_WAIT, 0, a.target, index };
	return a;
}

struct action climb_begin(struct climb *c, uint8_t signal, uint64_t now, bool hooks)
{
	c->received = signal;
	c->began_ns = now;
	bool drained = c->order.flags & ORDER_FIRST_ONLY && c->order.index != NOT_STOPPING;
	c->order.flags &= ~(uint32_t)ORDER_FIRST_ONLY;
	if (!(c->order.flags & ORDER_MUST_DRAIN) || !c->order.count) return drained ? stay(c, now, hooks) : enter(c, 0, now, hooks);
	/* Not to be signalled undrained, and draining takes a supervisor: only the cap ends this wait. */
	c->order.index = 0;
	c->cut_ns = 0;
	c->order.deadline_ns = c->due_ns = later(now, c->order.cap_ns);
	return (struct action){ ACT_WAIT, 0, TARGET_GROUP, 0 };
}

struct action climb_next(struct climb *c, uint64_t now, bool hooks)
{
	if (c->order.index == NOT_STOPPING || climb_over(c) || (c->order.flags & ORDER_MUST_DRAIN)) return (struct action){ 0 };
	return enter(c, c->order.index + 1, now, hooks);
}

struct action climb_tick(struct climb *c, uint64_t now, bool hooks)
{
	if (c->order.index == NOT_STOPPING || climb_over(c) || (c->order.flags & ORDER_FIRST_ONLY)) return (struct action){ 0 };
	if (c->order.flags & ORDER_MUST_DRAIN) return now >= c->due_ns ? climb_kill(c) : (struct action){ 0 };
	bool vain = (c->order.rungs[c->order.index].flags & RUNG_HOOK) && !hooks;
	return now >= c->due_ns || vain ? enter(c, c->order.index + 1, now, hooks) : (struct action){ 0 };
}

struct action climb_kill(struct climb *c)
{
	if (climb_over(c)) return (struct action){ 0 };
	c->order.index = c->order.count;
	c->order.deadline_ns = c->due_ns = FOREVER;
	c->cut_ns = 0;
	return (struct action){ ACT_KILL, SIGKILL, TARGET_TREE, c->order.count };
}
