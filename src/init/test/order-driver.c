/* Runs test/vectors/orders.json against order.c: one line in, one line out; the protocol is that of the TypeScript harness
 * in test/signals. */
#include "../init.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct climb c;
static bool supervisor, done;

static uint64_t wait_of(const char *text) { return strcmp(text, "forever") == 0 ? FOREVER : strtoull(text, NULL, 10) * MS; }
static uint8_t target_of(const char *text) { return strcmp(text, "leader") == 0 ? TARGET_LEADER : strcmp(text, "tree") == 0 ? TARGET_TREE : TARGET_GROUP; }

static bool read_order(char *rest)
{
	char *word[4 + RUNGS_MAX];
	int n = 0;
	for (char *w; n < 4 + RUNGS_MAX && (w = strsep(&rest, " ")); ) word[n++] = w;
	if (n < 4 || n != 4 + atoi(word[3])) return false;
	c = (struct climb){ .order = { .level = (uint32_t)atoi(word[0]), .flags = atoi(word[1]) ? ORDER_MUST_DRAIN : 0,
		.count = (uint32_t)(n - 4), .index = NOT_STOPPING, .cap_ns = wait_of(word[2]), .deadline_ns = FOREVER } };
	for (int i = 4; i < n; i++) {
		char *part = word[i], *field[4] = { strsep(&part, ":"), strsep(&part, ":"), strsep(&part, ":"), part };
		if (!field[3]) return false;
		c.order.rungs[i - 4] = (struct rung){ .signal = (uint8_t)atoi(field[0]), .target = target_of(field[1]),
			.flags = atoi(field[3]) ? RUNG_HOOK : 0, .wait_ns = wait_of(field[2]) };
	}
	done = supervisor = false;
	return true;
}

static bool step(char *line)
{
	uint64_t now = strtoull(strsep(&line, " "), NULL, 10) * MS;
	char *event = strsep(&line, " ");
	bool begun = c.order.index != NOT_STOPPING;
	struct action a = { 0 };
	const char *word = NULL;
	if (!event) return false;
	bool waits = c.order.flags & ORDER_FIRST_ONLY;
	if (strcmp(event, "supervisor") == 0) supervisor = line && *line == '1';
	else if (done) {}
	else if (strcmp(event, "drain") == 0) { c.order.flags |= ORDER_FIRST_ONLY; c.order.index = 0; c.order.deadline_ns = c.due_ns = FOREVER; c.began_ns = now; }
	else if (strcmp(event, "stop") == 0) { if (!begun || waits) a = climb_begin(&c, (uint8_t)atoi(line), now, supervisor); }
	else if (strcmp(event, "leader-exited") == 0) { if (!begun && !supervisor) a = climb_begin(&c, SIGTERM, now, false); }
	else if (strcmp(event, "tick") == 0) a = climb_tick(&c, now, supervisor);
	else if (strcmp(event, "escalate") == 0) a = climb_next(&c, now, supervisor);
	else if (strcmp(event, "kill") == 0) a = climb_kill(&c);
	else if (strcmp(event, "empty") == 0) { done = true; word = "done"; }
	else return false;
	begun = c.order.index != NOT_STOPPING;
	static const char *const acts[] = { "none", "wait", "signal", "kill" }, *const targets[] = { "group", "leader", "tree" };
	bool sends = a.act == ACT_SIGNAL || a.act == ACT_KILL;
	char signal[8] = "-", rung[16] = "-", deadline[24] = "-";
	if (sends) snprintf(signal, sizeof signal, "%d", a.signal);
	if (begun) snprintf(rung, sizeof rung, "%u", c.order.index);
	if (begun && !climb_over(&c) && c.order.deadline_ns != FOREVER)
		snprintf(deadline, sizeof deadline, "%llu", (unsigned long long)(c.order.deadline_ns / MS));
	printf("%s %s %s %s %s %llu\n", word ? word : acts[a.act], signal, sends ? targets[a.target] : "-", rung, deadline,
	       (unsigned long long)(c.cut_ns / MS));
	return true;
}

int main(void)
{
	char line[4096];
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "order ", 6) == 0) {
			if (!read_order(line + 6)) return 1;
			puts("ok");
		} else if (!step(line)) return 1;
		fflush(stdout);
	}
	return 0;
}
