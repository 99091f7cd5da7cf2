/* Random orders and steps through order.c: a stop goes forward only, its waits stay within what was asked for and within the
 * cap, and SIGKILL is its end. */
#include "fuzz-world.h"

static uint64_t take_wait(struct input *in)
{
	uint64_t kind = take_number(in, 1);
	if (kind < 0x40) return FOREVER;
	if (kind < 0x80) return take_number(in, 8); /* anything, also what overflows */
	return take_number(in, 3) * MS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct climb c = { .order = { .index = NOT_STOPPING, .deadline_ns = FOREVER }, .due_ns = FOREVER };
	c.order.flags = (uint32_t)take_number(&in, 1) & (ORDER_MUST_DRAIN | ORDER_FIRST_ONLY);
	c.order.cap_ns = take_wait(&in);
	c.order.count = (uint32_t)take_number(&in, 1) % (RUNGS_MAX + 1);
	for (uint32_t i = 0; i < c.order.count; i++) {
		c.order.rungs[i].signal = (uint8_t)take_number(&in, 1);
		c.order.rungs[i].flags = (uint8_t)take_number(&in, 1);
		c.order.rungs[i].wait_ns = take_wait(&in);
	}
	uint64_t now = take_wait(&in) / 2;
	bool hooks = false;
	while (in.left) {
		struct climb was = c;
		bool begun = was.order.index != NOT_STOPPING, over = climb_over(&was);
		struct action a = { 0 };
		uint8_t step = (uint8_t)take_number(&in, 1);
		switch (step % 6) {
		case 0: if (!begun) a = climb_begin(&c, (uint8_t)(1 + take_number(&in, 1) % 64), now, hooks); break;
		case 1: a = climb_next(&c, now, hooks); break;
		case 2: now += take_wait(&in) % (FOREVER - now); a = climb_tick(&c, now, hooks); break;
		case 3: if (step > 200) a = climb_kill(&c); break;
		case 4: hooks = !hooks; break;
		case 5: if (begun && was.due_ns != FOREVER && was.due_ns > now) now = was.due_ns; a = climb_tick(&c, now, hooks); break;
		}
		if (over) MUST(a.act == ACT_NONE && memcmp(&c, &was, sizeof c) == 0);
		if (a.act == ACT_NONE) { MUST(c.order.index == was.order.index && c.order.deadline_ns == was.order.deadline_ns); continue; }
		MUST(!begun || c.order.index > was.order.index);
		MUST(c.order.index <= c.order.count && a.rung == c.order.index);
		MUST(memcmp(c.order.rungs, was.order.rungs, sizeof c.order.rungs) == 0 && c.order.count == was.order.count);
		MUST((a.act == ACT_KILL) == climb_over(&c));
		MUST(c.order.deadline_ns == c.due_ns && (c.due_ns >= now || a.act == ACT_KILL));
		if (a.act == ACT_KILL) { MUST(a.signal == SIGKILL && c.due_ns == FOREVER); continue; }
		MUST((a.act == ACT_SIGNAL) == (a.signal != 0));
		if (c.order.flags & ORDER_MUST_DRAIN) { MUST(a.act == ACT_WAIT); continue; }
		const struct rung *r = &c.order.rungs[c.order.index];
		MUST(hooks || !(r->flags & RUNG_HOOK));
		MUST(c.cut_ns <= r->wait_ns);
		if (r->wait_ns != FOREVER && c.due_ns != FOREVER) MUST(c.due_ns - now == r->wait_ns - c.cut_ns);
		if (c.order.cap_ns <= FOREVER - c.began_ns) MUST(c.due_ns <= c.began_ns + c.order.cap_ns || c.due_ns == now);
	}
	return 0;
}
