/* Any command line and environment through options.c. Input: how many words are arguments, and the words, each up to its NUL. */
#include "fuzz-world.h"
#include "../options.h"

enum { WORDS = 64, KEPT = 8192 };
static void *kept[KEPT];
static int kept_count;

char *world_keep(char *text)
{
	MUST(kept_count < KEPT); /* what is allocated is bounded by what was said */
	return kept[kept_count++] = text;
}

static void check_run(const struct parsed *p, char **argv, int argc)
{
	MUST(p->command > argv && p->command < argv + argc && *p->command);
	MUST(!(p->stop_on & (1ull << (SIGKILL - 1) | 1ull << (SIGCHLD - 1) | 1ull << (SIGSTOP - 1))));
	MUST(p->rung_count <= MAX_RUNGS && p->env_count <= LIST_MAX && p->file_count <= LIST_MAX);
	MUST(p->rewrite[SIGKILL] == SIGKILL && p->rewrite[SIGSTOP] == SIGSTOP && p->rewrite[SIGCHLD] == SIGCHLD);
	for (int i = 0; i < SIGNALS; i++) MUST(p->rewrite[i] < SIGNALS);
	for (int i = 0; i < LIMIT_ROWS; i++) if (p->limits[i].said) MUST(p->limits[i].limit.soft <= p->limits[i].limit.hard);
	for (int i = 0; i < p->rung_count; i++) {
		const struct parsed_rung *r = &p->rungs[i];
		MUST(r->wait_ms >= 0 || r->wait_ms == DURATION_FOREVER);
		MUST(r->action == RUNG_SIGNAL ? r->signal > 0 && r->signal < SIGNALS : !r->signal);
		MUST((r->action == RUNG_EXEC || r->action == RUNG_POST) == (r->text != NULL));
		MUST(!p->plain || !r->text);
	}
	static const int durations[] = { OPT_GRACE, OPT_HOLD, OPT_STOP_BUDGET, OPT_MIN_DURATION, OPT_PRE_STOP_TIMEOUT, OPT_START_TIMEOUT };
	for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
		const struct said *s = &p->said[durations[i]];
		if (s->set) MUST(s->number == DURATION_FOREVER || (s->number >= 0 && s->number <= DURATION_MAX_MS));
	}
	if (p->said[OPT_STOP_SIGNAL].set) MUST(p->said[OPT_STOP_SIGNAL].number > 0 && p->said[OPT_STOP_SIGNAL].number < SIGNALS);
	if (p->plain) MUST(!p->said[OPT_STAY].number && !p->said[OPT_PRE_STOP].set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct parsed p;
	char *words[WORDS + 2], **env;
	int count = 0, argc = size ? data[0] % WORDS : 0;
	struct input in = { data + (size > 0), size - (size > 0) };
	while (in.left && count < WORDS) {
		size_t length = strnlen((const char *)in.at, in.left);
		struct input part = take_part(&in, length);
		words[count++] = strndup((const char *)part.at, part.left); /* of its very size */
		take_number(&in, 1);
	}
	if (argc > count) argc = count;
	memmove(words + argc + 1, words + argc, (size_t)(count - argc) * sizeof *words);
	words[argc] = NULL;
	env = words + argc + 1;
	words[count + 1] = NULL;
	memset(&p, 0, sizeof p);
	int code = parse_command_line(argc, words, env, &p);
	MUST(code == 0 || code == EXIT_USAGE);
	if (code) MUST(*parse_error());
	for (const char *c = parse_error(); code && *c; c++) MUST(*c >= 0x20 && *c < 0x7f); /* may go to a terminal */
	if (!code && p.action == PARSED_RUN) check_run(&p, words, argc);
	for (char **e = env; *e; e++) is_option_variable(*e, strcspn(*e, "="));
	while (kept_count) free(kept[--kept_count]);
	for (int i = 0; i <= count; i++) free(words[i]);
	return 0;
}
