/* Prints what options.c makes of its arguments and environment as one JSON object: test/vectors/options.json is run against
 * it and against the parser in TypeScript. */
#include "../options.h"
#include <stdio.h>
#include <string.h>

/* What options point to lives as long as the process: no leak. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }

struct row { const char *name; enum option_kind kind; int flags; const char *choices; long long otherwise; };
enum { NONE = -9999999 };
#define ROW(id, long_name, letter, variable, kind, flags, min, max, choices, need) { long_name, kind, flags, choices, NONE },
static struct row rows[] = { OPTION_TABLE(ROW) };

static void text(const char *value)
{
	if (!value) { printf("null"); return; }
	putchar('"');
	for (const unsigned char *c = (const unsigned char *)value; *c; c++) {
		if (*c == '"' || *c == '\\') printf("\\%c", *c);
		else if (*c < 0x20) printf("\\u%04x", *c);
		else putchar(*c);
	}
	putchar('"');
}

static void duration(long long ms) { if (ms == DURATION_FOREVER) printf("null"); else printf("%lld", ms); }
static void limit(uint64_t value) { if (value == RLIM_INFINITY) printf("null"); else printf("%llu", (unsigned long long)value); }

static void list(char *const *values, int count)
{
	putchar('[');
	for (int i = 0; i < count; i++) { if (i) putchar(','); text(values[i]); }
	putchar(']');
}

static void rungs(const struct parsed *p)
{
	putchar('[');
	for (int i = 0; i < p->rung_count; i++) {
		const struct parsed_rung *r = &p->rungs[i];
		static const char *const actions[] = { "signal", "wait", "exec", "http_post" };
		printf("%s{\"action\":\"%s\",\"waitMs\":", i ? "," : "", actions[r->action]);
		duration(r->wait_ms);
		if (r->action == RUNG_SIGNAL) printf(",\"signal\":\"%s\"", signal_name(r->signal));
		if (r->text) { printf(r->action == RUNG_EXEC ? ",\"command\":" : ",\"url\":"); text(r->text); }
		putchar('}');
	}
	putchar(']');
}

static void value(const struct parsed *p, int i)
{
	static const char *const limit_names[] = {
#define LIMIT_NAME(name, resource) name,
		ULIMIT_TABLE(LIMIT_NAME)
	};
	const struct said *s = &p->said[i];
	long long number = s->set ? s->number : rows[i].otherwise;
	int n = 0;
	switch (rows[i].kind) {
	case K_DURATION: if (number == NONE) printf("null"); else duration(number); break;
	case K_NUMBER: case K_OCTAL: if (number == NONE) printf("null"); else printf("%lld", number); break;
	case K_FLAG: printf(s->set && s->number ? "true" : "false"); break;
	case K_SIGNAL: text(s->set ? signal_name((int)s->number) : NULL); break;
	case K_TEXT: case K_LOG: case K_READY: case K_HEALTH: case K_ADDRESS: case K_NAME: case K_USER: case K_GROUP: text(s->set ? s->text : NULL); break;
	case K_TEXTS: list(p->files, (i == OPT_FILE) == (p->action == PARSED_UP) ? p->file_count : 0); break; /* each command has one */
	case K_ENV: list(p->env, p->action == PARSED_UP ? 0 : p->env_count); break;
	case K_RUNGS: rungs(p); break;
	case K_CHOICE: {
		const char *c = rows[i].choices;
		for (long long k = 0; number != NONE && k < number; k++) c += strlen(c) + 1;
		text(number == NONE ? NULL : c);
		break;
	}
	case K_SIGNALS:
		putchar('[');
		for (int k = 1; k < SIGNALS; k++) if (p->stop_on & 1ull << (k - 1)) printf("%s\"%s\"", n++ ? "," : "", signal_name(k));
		putchar(']');
		break;
	case K_EXIT_MAP:
		putchar('[');
		for (int k = 0; k < 256; k++) if (p->exit_map[k] != k) printf("%s[%d,%d]", n++ ? "," : "", k, p->exit_map[k]);
		putchar(']');
		break;
	case K_REWRITES:
		putchar('[');
		for (int k = 1; k < SIGNALS; k++) {
			if (p->rewrite[k] == k) continue;
			printf("%s[\"%s\",", n++ ? "," : "", signal_name(k));
			text(p->rewrite[k] ? signal_name(p->rewrite[k]) : NULL);
			putchar(']');
		}
		putchar(']');
		break;
	case K_ULIMITS:
		putchar('[');
		for (int k = 0; k < LIMIT_ROWS; k++) {
			if (!p->limits[k].said) continue;
			printf("%s[\"%s\",", n++ ? "," : "", limit_names[k]);
			limit(p->limits[k].limit.soft);
			putchar(',');
			limit(p->limits[k].limit.hard);
			putchar(']');
		}
		putchar(']');
		break;
	}
}

int main(int argc, char **argv)
{
	static struct parsed p;
	extern char **environ;
	rows[OPT_GRACE].otherwise = DEFAULT_GRACE;
	rows[OPT_HOLD].otherwise = DEFAULT_HOLD;
	rows[OPT_MIN_DURATION].otherwise = DEFAULT_MIN_DURATION;
	rows[OPT_PRE_STOP_TIMEOUT].otherwise = DEFAULT_PRE_STOP_TIMEOUT;
	rows[OPT_START_TIMEOUT].otherwise = DEFAULT_START_TIMEOUT;
	rows[OPT_TARGET].otherwise = DEFAULT_TARGET;
	int code = parse_command_line(argc, argv, environ, &p);
	if (code) { printf("{\"action\":\"error\",\"message\":"); text(parse_error()); puts("}"); return 0; }
	static const char *const actions[] = { "run", "help", "version", "other", "up" };
	printf("{\"action\":\"%s\"", actions[p.action]);
	if (p.action == PARSED_RUN || p.action == PARSED_UP) {
		int words = 0;
		while (p.command[words]) words++;
		if (p.action == PARSED_RUN) printf(",\"plain\":%s", p.plain ? "true" : "false");
		printf(",\"%s\":", p.action == PARSED_RUN ? "command" : "words");
		list(p.command, words);
		printf(",\"options\":{");
		for (int i = 0, n = 0; i < OPT_COUNT; i++) {
			if (rows[i].flags & F_ACTION) continue;
			printf("%s\"%s\":", n++ ? "," : "", rows[i].name);
			value(&p, i);
		}
		putchar('}');
	}
	puts("}");
	return 0;
}
