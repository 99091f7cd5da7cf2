/* The command line of `gsup run`, read from the one table in src/cli/options.ts. src/cli/parse.ts reads it the same way: the
 * order of work, and every sentence, are tried with one set of vectors (test/vectors/options.json). */
#include "options.h"
#include <string.h>
#include <strings.h>

struct row { const char *name; char letter; const char *variable; enum option_kind kind; int flags; long min, max; const char *choices, *need; };
#define ROW(id, long_name, letter, variable, kind, flags, min, max, choices, need) \
	{ long_name, letter, variable, kind, flags, min, max, choices, need },
static const struct row rows[] = { OPTION_TABLE(ROW) };

static PAGES char error_text[2048];
static int refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int refuse(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vprint(error_text, sizeof error_text, format, args);
	va_end(args);
	return EXIT_USAGE;
}
const char *parse_error(void) { return error_text; }

static const char *quote(const char *value, size_t size)
{
	static INITS char text[QUOTE_BYTES * 4 + 8];
	size_t n = 0;
	for (size_t i = 0; i < size && i < QUOTE_BYTES; i++) {
		unsigned char c = (unsigned char)value[i];
		if (c == '"' || c == '\\') { text[n++] = '\\'; text[n++] = (char)c; }
		else if (c < 0x20 || c > 0x7e) n += (size_t)print(text + n, 5, "\\x%02x", c);
		else text[n++] = (char)c;
	}
	strcpy(text + n, size > QUOTE_BYTES ? "..." : "");
	return text;
}

long long parse_duration(const char *text, bool may_be_forever)
{
	static const struct { const char *name; long long ms; } units[] = {
#define UNIT(name, ms) { name, ms },
		DURATION_UNITS(UNIT)
	};
	enum { UNITS = sizeof units / sizeof *units };
	if (strcmp(text, "0") == 0) return 0;
	if (strcmp(text, "forever") == 0) return may_be_forever ? DURATION_FOREVER : NO_DURATION;
	size_t digits = strspn(text, "0123456789"), dot = text[digits] == '.' ? 1 + strspn(text + digits + 1, "0123456789") : 0;
	if (digits && !text[digits + dot] && dot != 1) return BARE_NUMBER;
	long long total = 0;
	bool too_long = false;
	if (!*text) return NO_DURATION;
	for (size_t next = 0; *text; ) {
		size_t whole = strspn(text, "0123456789"), fraction = 0, u = UNITS;
		if (!whole) return NO_DURATION;
		if (text[whole] == '.') { fraction = strspn(text + whole + 1, "0123456789"); if (fraction < 1 || fraction > 3) return NO_DURATION; }
		const char *unit = text + whole + (fraction ? fraction + 1 : 0);
		size_t letters = strspn(unit, "abcdefghijklmnopqrstuvwxyz");
		for (size_t i = next; i < UNITS; i++) if (strlen(units[i].name) == letters && strncmp(unit, units[i].name, letters) == 0) u = i;
		if (u == UNITS || (fraction && units[u].ms == 1)) return NO_DURATION;
		long long n = 0;
		for (size_t i = 0; i < whole; i++) n = n > DURATION_MAX_MS ? n : n * 10 + text[i] - '0';
		if (n > DURATION_MAX_MS / units[u].ms) too_long = true; else total += n * units[u].ms;
		long long part = units[u].ms, sum = 0;
		for (size_t i = 0, scale = 10; i < fraction; i++, scale *= 10) sum += (text[whole + 1 + i] - '0') * (part * 1000 / (long long)scale);
		total += sum / 1000;
		if (total > DURATION_MAX_MS) too_long = true;
		text = unit + letters;
		next = u + 1;
	}
	return too_long ? TOO_LONG : total;
}

static int small_number(const char *text, size_t size, size_t most)
{
	int n = 0;
	if (!size || size > most) return -1;
	for (size_t i = 0; i < size; i++) { if (text[i] < '0' || text[i] > '9') return -1; n = n * 10 + text[i] - '0'; }
	return n;
}

static int parse_signal(const char *text, size_t size)
{
	static const struct { const char *name; int number; } names[] = {
#define SIGNAL_ROW(name, number) { name, number },
		SIGNAL_TABLE(SIGNAL_ROW) SIGNAL_ALIASES(SIGNAL_ROW)
	};
	int n = small_number(text, size, 2);
	if (n >= 0) return text[0] != '0' && ((n >= 1 && n <= 31) || (n >= SIGNAL_RTMIN && n <= SIGNAL_RTMAX)) ? n : -1;
	if (size > 3 && strncasecmp(text, "SIG", 3) == 0) { text += 3; size -= 3; }
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i].name) == size && strncasecmp(text, names[i].name, size) == 0) return names[i].number;
	bool max = size >= 5 && strncasecmp(text, "RTMAX", 5) == 0;
	if (size < 5 || (!max && strncasecmp(text, "RTMIN", 5) != 0)) return -1;
	if (size > 5 && ((n = small_number(text + 6, size - 6, 2)) < 0 || text[5] != (max ? '-' : '+'))) return -1;
	n = max ? SIGNAL_RTMAX - (size > 5 ? n : 0) : SIGNAL_RTMIN + (size > 5 ? n : 0);
	return n >= SIGNAL_RTMIN && n <= SIGNAL_RTMAX ? n : -1;
}

const char *signal_name(int signal)
{
	static const char signal_names[SIGNAL_RTMIN][10] = { /* no pointers: it lies with the code that rests, and they would lead out of that */
#define SIGNAL_TEXT(name, number) [number] = "SIG" name,
		SIGNAL_TABLE(SIGNAL_TEXT)
	};
	static char text[16];
	if (signal > 0 && signal < SIGNAL_RTMIN && *signal_names[signal]) return signal_names[signal];
	if (signal == SIGNAL_RTMIN) return "SIGRTMIN";
	print(text, sizeof text, signal > SIGNAL_RTMIN && signal < SIGNALS ? "SIGRTMIN+%d" : "%d", signal > SIGNAL_RTMIN ? signal - SIGNAL_RTMIN : signal);
	return text;
}

static bool is_account(const char *text, size_t size)
{
	if (!size || *text == '-' || memchr(text, ':', size) || memchr(text, '\n', size)) return false;
	if (strspn(text, "0123456789") < size) return true;
	return size <= 10 && read_number(&text) < 4294967295ull;
}

static bool parse_limit(const char *text, size_t size, uint64_t *value)
{
	*value = RLIM_INFINITY;
	if ((size == 9 && memcmp(text, "unlimited", 9) == 0) || (size == 2 && memcmp(text, "-1", 2) == 0)) return true;
	if (!size || size > 15 || strspn(text, "0123456789") < size) return false;
	*value = read_number(&text);
	return true;
}

static bool add_limit(struct parsed *p, const char *text)
{
	static const struct { const char *name; uint32_t resource; } table[] = {
#define LIMIT_ROW(name, resource) { name, resource },
		ULIMIT_TABLE(LIMIT_ROW)
	};
	size_t name = strcspn(text, "="), soft;
	if (!text[name]) return false;
	const char *value = text + name + 1;
	struct limit l = { 0, 0, 0, 0 };
	soft = strcspn(value, ":");
	if (!parse_limit(value, soft, &l.soft)) return false;
	l.hard = l.soft;
	if (value[soft] && !parse_limit(value + soft + 1, strlen(value + soft + 1), &l.hard)) return false;
	if (l.soft > l.hard) return false;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		if (strlen(table[i].name) != name || memcmp(table[i].name, text, name)) continue;
		p->limits[i].said = true;
		l.resource = table[i].resource;
		p->limits[i].limit = l;
		return true;
	}
	return false;
}

/* 0, or the exit code; -1: not what is needed. */
static int add_rung(struct parsed *p, const char *place, char *text)
{
	struct parsed_rung r = { .wait_ms = DEFAULT_GRACE };
	char *last = strrchr(text, ':');
	long long wait = last ? parse_duration(last + 1, true) : NO_DURATION;
	if (wait >= 0 || wait == DURATION_FOREVER) { r.wait_ms = wait; text = keep_text(text, (size_t)(last - text)); }
	if (strcmp(text, "wait") == 0) r.action = RUNG_WAIT;
	else if (strncmp(text, "exec:", 5) == 0 && text[5]) { r.action = RUNG_EXEC; r.text = text + 5; }
	else if ((strncmp(text, "http-post:http://", 17) == 0 && text[17]) || (strncmp(text, "http-post:https://", 18) == 0 && text[18])) {
		r.action = RUNG_POST;
		r.text = text + 10;
	} else if ((r.signal = parse_signal(text, strlen(text))) < 1) return -1;
	if (p->rung_count == MAX_RUNGS) return refuse(ERROR_RUNGS, place);
	p->rungs[p->rung_count++] = r;
	return 0;
}

static bool add_pair(struct parsed *p, enum option_kind kind, const char *text)
{
	size_t from = strcspn(text, kind == K_REWRITES ? ":" : "=");
	const char *to = text[from] ? text + from + 1 : NULL;
	if (kind == K_EXIT_MAP) {
		int a = small_number(text, from, 3), b = to ? small_number(to, strlen(to), 3) : 0;
		if (a < 0 || a > 255 || b < 0 || b > 255) return false;
		p->exit_map[a] = (uint8_t)b;
		return true;
	}
	int a = parse_signal(text, from), b = !to ? -1 : strcmp(to, "0") == 0 ? 0 : parse_signal(to, strlen(to));
	if (a < 1 || a == SIGKILL || a == SIGCHLD || a == SIGSTOP || b < 0) return false;
	p->rewrite[a] = (uint8_t)b;
	return true;
}

static int take(struct parsed *p, int option, const char *place, char *value)
{
	const struct row *row = &rows[option];
	struct said *said = &p->said[option];
	const char *hint = "";
	char room[64];
	bool good = false;
	size_t size = strlen(value);
	switch (row->kind) {
	case K_DURATION:
		said->number = parse_duration(value, (row->flags & F_FOREVER) != 0);
		good = said->number >= DURATION_FOREVER && (said->number || !(row->flags & F_POSITIVE));
		if (said->number == TOO_LONG) hint = HINT_TOO_LONG;
		if (said->number == BARE_NUMBER && size <= HINT_DIGITS) { print(room, sizeof room, HINT_BARE_NUMBER, value); hint = room; }
		break;
	case K_SIGNAL: good = (said->number = parse_signal(value, size)) > 0; break;
	case K_SIGNALS: {
		int n = parse_signal(value, size);
		if ((good = n > 0 && n != SIGKILL && n != SIGCHLD && n != SIGSTOP)) p->stop_on |= 1ull << (n - 1);
		break;
	}
	case K_CHOICE: {
		int i = 0;
		for (const char *c = row->choices; *c; c += strlen(c) + 1, i++) if (strcmp(c, value) == 0) { said->number = i; good = true; }
		break;
	}
	case K_NUMBER: {
		const char *digits = value + (*value == '-' || *value == '+');
		size_t n = strspn(digits, "0123456789");
		long long number = n < 8 ? (long long)read_number(&digits) : 0;
		said->number = *value == '-' ? -number : number;
		good = n && !*digits && said->number >= row->min && said->number <= row->max;
		break;
	}
	case K_OCTAL:
		good = size && size < 5 && strspn(value, "01234567") == size;
		said->number = 0;
		for (const char *c = value; good && *c; c++) said->number = said->number * 8 + *c - '0';
		good = good && said->number <= 0777;
		break;
	case K_FLAG: {
		bool yes = !strcmp(value, "1") || !strcmp(value, "true") || !strcmp(value, "yes");
		said->number = yes;
		good = yes || !strcmp(value, "0") || !strcmp(value, "false") || !strcmp(value, "no");
		break;
	}
	case K_TEXT: good = size > 0; break;
	case K_LOG: good = !strcmp(value, "inherit") || !strcmp(value, "prefix") || !strcmp(value, "json") || (!strncmp(value, "file:", 5) && value[5]); break;
	case K_READY: good = is_ready_spec(value); break;
	case K_HEALTH: good = is_health_spec(value); break;
	case K_ADDRESS: good = strchr(value, ':') && is_address(value); break;
	case K_TEXTS: if ((good = size > 0)) good = p->file_count < LIST_MAX && (p->files[p->file_count++] = value); break;
	case K_ENV: if ((good = size && *value != '=')) good = p->env_count < LIST_MAX && (p->env[p->env_count++] = value); break;
	case K_NAME: good = size && size < 65 && *value != '.' && *value != '-' &&
		strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") == size; break;
	case K_USER: {
		size_t user = strcspn(value, ":");
		good = is_account(value, user) && (!value[user] || is_account(value + user + 1, size - user - 1));
		break;
	}
	case K_GROUP: good = is_account(value, size); break;
	case K_ULIMITS: good = add_limit(p, value); break;
	case K_EXIT_MAP: case K_REWRITES: good = add_pair(p, row->kind, value); break;
	case K_RUNGS: {
		int code = add_rung(p, place, value);
		if (code > 0) return code;
		good = code == 0;
		break;
	}
	}
	if (!good) return refuse(ERROR_VALUE, place, row->need, quote(value, size), hint);
	said->text = value;
	said->set = true;
	return 0;
}

static int unknown(const char *word, size_t size, bool long_name, int of)
{
	char hint[64];
	print(hint, sizeof hint, "%s", of == F_UP ? HINT_HELP_UP : HINT_HELP);
	const char *name = word + 2, *near = NULL;
	size_t length = long_name ? size - 2 : 0, best = (length + 1) / 3 + 1;
	for (int pass = 0; long_name && length > 1 && length <= NEAR_BYTES && pass < 2 && !near; pass++) {
		for (int i = 0; i < OPT_COUNT; i++) {
			if (!(rows[i].flags & of)) continue;
			if (pass == 0) { if (!near && strncmp(rows[i].name, name, length) == 0) near = rows[i].name; continue; }
			size_t d = distance(name, length, rows[i].name);
			if (d < best) { best = d; near = rows[i].name; }
		}
	}
	if (near) print(hint, sizeof hint, HINT_NEAR, near);
	return refuse(ERROR_UNKNOWN, quote(word, size), hint);
}

/* argv[*at] begins with '-'. Moves *at behind what was taken. `of`: F_COMMON, F_RUN or F_UP. */
static int take_word(struct parsed *p, int argc, char **argv, int *at, int of)
{
	char *word = argv[(*at)++], place[64];
	bool long_name = word[1] == '-';
	size_t size = long_name ? strcspn(word, "=") : 2;
	for (char *letter = word + 1; *letter; letter++) {
		int option = -1;
		for (int i = 0; i < OPT_COUNT; i++) {
			if (!(rows[i].flags & of)) continue;
			if (long_name ? strlen(rows[i].name) == size - 2 && !memcmp(rows[i].name, word + 2, size - 2) : rows[i].letter == *letter) option = i;
		}
		char cluster[QUOTE_BYTES + 4];
		if (option < 0 && long_name) return unknown(word, size, true, of);
		if (option < 0) {
			print(cluster, sizeof cluster, "-%s", letter);
			return unknown(cluster, strlen(letter) + 1 > QUOTE_BYTES ? QUOTE_BYTES + 1 : strlen(cluster), false, of);
		}
		const struct row *row = &rows[option];
		print(place, sizeof place, "--%s", row->name);
		if (row->kind == K_FLAG) {
			if (long_name && word[size] == '=') return refuse(ERROR_FLAG, place, quote(word + size + 1, strlen(word + size + 1)));
			p->said[option] = (struct said){ true, true, 1, "" };
			if (row->flags & F_ACTION) { p->action = option == OPT_HELP ? PARSED_HELP : PARSED_VERSION; return 0; }
			if (long_name) return 0;
			continue;
		}
		char *value = long_name ? word[size] == '=' ? word + size + 1 : NULL : letter[1] ? letter + 1 : NULL;
		if (!value && *at < argc) value = argv[(*at)++];
		if (!value) return refuse(ERROR_MISSING, place, row->need);
		p->said[option].by_argument = true;
		return take(p, option, place, value);
	}
	return 0;
}

/* Two ways to say the ladder: what the command line says of it leaves nothing for the environment to say in the other. */
static const int alone[] = { OPT_GRACE, OPT_STOP_SIGNAL, OPT_HOLD };
static bool decided_by_argument(const struct parsed *p, int option)
{
	if (p->said[option].by_argument) return true;
	for (int i = 0; i < 3; i++)
		if ((option == alone[i] && p->said[OPT_RUNG].by_argument) || (option == OPT_RUNG && p->said[alone[i]].by_argument)) return true;
	return false;
}

static int take_environment(struct parsed *p, char **env, int of)
{
	for (int i = 0; i < OPT_COUNT; i++) {
		const struct row *row = &rows[i];
		char *value = NULL;
		bool decided = decided_by_argument(p, i);
		size_t size = row->variable ? strlen(row->variable) : 0;
		for (char **e = env; size && !decided && (row->flags & of) && *e; e++)
			if (strncmp(*e, row->variable, size) == 0 && (*e)[size] == '=') value = *e + size + 1;
		if (!value || !*value) continue;
		bool list = strchr("\1\2\3\4\5\6\7", row->kind == K_RUNGS ? 1 : row->kind == K_SIGNALS ? 2 : row->kind == K_EXIT_MAP ? 3 :
			row->kind == K_REWRITES ? 4 : row->kind == K_ENV ? 5 : row->kind == K_TEXTS ? 6 : row->kind == K_ULIMITS ? 7 : 8) != NULL;
		char *rest = list ? keep_text(value, strlen(value)) : value, *line;
		while ((line = list ? strsep(&rest, "\n") : rest)) {
			int code = *line || !list ? take(p, i, row->variable, line) : 0;
			if (code || !list) { if (code) return code; break; }
		}
	}
	return 0;
}

static const char *place_of(const struct parsed *p, int option)
{
	static char text[2][64];
	static int which;
	char *t = text[which ^= 1];
	print(t, 64, p->said[option].by_argument ? "--%s" : "%s", p->said[option].by_argument ? rows[option].name : rows[option].variable);
	return t;
}

bool is_option_variable(const char *entry, size_t size)
{
	for (int i = 0; i < OPT_COUNT; i++)
		if (i != OPT_STATE_DIR && rows[i].variable && strlen(rows[i].variable) == size && memcmp(rows[i].variable, entry, size) == 0) return true;
	return false;
}

static bool is_plain(const struct parsed *p)
{
	for (int i = 0; i < OPT_COUNT; i++) {
		if (!p->said[i].set || (rows[i].flags & F_PLAIN)) continue;
		bool harmless = (i == OPT_STAY && !p->said[i].number) || (i == OPT_RESTART && p->said[i].number == RESTART_NO) ||
			(i == OPT_MAX_FAILURES && p->said[i].number == 1) || i == OPT_RUNG;
		if (!harmless) return false;
	}
	for (int i = 0; i < p->rung_count; i++) if (p->rungs[i].action == RUNG_EXEC || p->rungs[i].action == RUNG_POST) return false;
	return true;
}

static int refuse_idle_token(const struct parsed *p)
{
	return p->said[OPT_TOKEN_FILE].set && !p->said[OPT_HTTP].set ? refuse(ERROR_TOKEN_FILE, place_of(p, OPT_TOKEN_FILE)) : 0;
}

/* The rest of `up`: names of processes, and options between and behind them, up to `--`. */
static int take_processes(struct parsed *p, int argc, char **argv, int at, char **env)
{
	int code;
	p->command = p->env; /* which `up` has no other use for. Node reads them again, all of them */
	for (bool options = true; at < argc; ) {
		char *word = argv[at];
		if (options && strcmp(word, "--") == 0) { options = false; at++; }
		else if (!options || word[0] != '-' || !word[1]) { if (p->env_count < LIST_MAX - 1) p->env[p->env_count++] = word; at++; }
		else if ((code = take_word(p, argc, argv, &at, F_UP)) || p->action) return code;
	}
	p->action = PARSED_UP;
	if ((code = take_environment(p, env, F_UP)) || (code = refuse_idle_token(p))) return code;
	bool conflict = p->said[OPT_DETACH].number && p->said[OPT_PARENT_DEATH_SIGNAL].set;
	return conflict ? refuse(ERROR_DETACH, place_of(p, OPT_PARENT_DEATH_SIGNAL), place_of(p, OPT_DETACH)) : 0;
}

/* The rest of `health`: two flags of its own, and common options. */
static int take_health(struct parsed *p, int argc, char **argv, int at, char **env)
{
	int code;
	while (at < argc) {
		const char *word = argv[at];
		if (strcmp(word, "--ready") == 0) { p->health = HEALTH_READY; at++; }
		else if (strcmp(word, "--live") == 0) { p->health = HEALTH_LIVE; at++; }
		else if (word[0] != '-') { p->action = PARSED_OTHER; return 0; } /* Node says what is wrong with it */
		else if ((code = take_word(p, argc, argv, &at, F_COMMON)) || p->action) return code;
	}
	p->action = PARSED_HEALTH;
	return take_environment(p, env, F_COMMON);
}

int parse_command_line(int argc, char **argv, char **env, struct parsed *p)
{
	int at = 1, code = 0;
	p->stop_on = DEFAULT_STOP_ON; /* the rest is zero already; writing it would make its pages resident */
	for (int i = 0; i < 256; i++) p->exit_map[i] = (uint8_t)i;
	for (int i = 0; i < SIGNALS; i++) p->rewrite[i] = (uint8_t)i;
	int of = F_COMMON;
	while (at < argc) {
		char *word = argv[at];
		if (word[0] == '-' && word[1] && strcmp(word, "--") != 0) {
			if ((code = take_word(p, argc, argv, &at, of)) || p->action) return code;
		} else if (of == F_COMMON) {
			if (strcmp(word, "health") == 0) return take_health(p, argc, argv, at + 1, env);
			of = strcmp(word, "run") == 0 ? F_RUN : F_UP;
			if (of == F_UP && strcmp(word, "up") != 0) { p->action = PARSED_OTHER; return 0; }
			at++;
		} else break;
		if (of == F_COMMON && at == argc) p->action = PARSED_OTHER;
	}
	if (argc < 2) p->action = PARSED_OTHER;
	if (p->action) return 0;
	if (of == F_UP) return take_processes(p, argc, argv, at, env);
	if (at < argc && strcmp(argv[at], "--") == 0) at++;
	if ((code = take_environment(p, env, F_RUN))) return code;
	for (int i = 0; i < 3; i++)
		if (p->said[OPT_RUNG].set && p->said[alone[i]].set) return refuse(ERROR_RUNG_ALONE, place_of(p, OPT_RUNG), place_of(p, alone[i]));
	if (p->said[OPT_RESTART].set && p->said[OPT_RESTART].number == RESTART_NO && p->said[OPT_MAX_FAILURES].set && p->said[OPT_MAX_FAILURES].number != 1)
		return refuse(ERROR_RESTART, place_of(p, OPT_MAX_FAILURES), place_of(p, OPT_RESTART));
	const struct said *log = &p->said[OPT_LOG], *ready = &p->said[OPT_READY];
	if (ready->set && !strncmp(ready->text, "log:", 4) && (!log->set || !strcmp(log->text, "inherit"))) return refuse(ERROR_READY_LOG, place_of(p, OPT_READY));
	if ((code = refuse_idle_token(p))) return code;
	if (at >= argc) return refuse("%s", ERROR_COMMAND);
	p->command = argv + at;
	p->plain = is_plain(p);
	return 0;
}
