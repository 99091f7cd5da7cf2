/* `--ready` and `--health`: whether a text says how a command is asked. src/cli/probe-spec.ts reads the same language, and is who
 * makes something of it: these options bring the supervisor, so that init has only to refuse what is none. */
#include "options.h"
#include <string.h>

struct setting { const char *key; int kind; };
enum { POSITIVE, ANY_TIME, POSITIVE_OR_FOREVER, RETRIES, REACTION };
static const struct setting ready_settings[] = { { "timeout", POSITIVE_OR_FOREVER }, { NULL, 0 } };
static const struct setting health_settings[] = {
	{ "interval", POSITIVE }, { "timeout", POSITIVE }, { "retries", RETRIES }, { "start_period", ANY_TIME },
	{ "start_interval", POSITIVE }, { "on_unhealthy", REACTION }, { NULL, 0 },
};

/* Digits alone, from min to max; 0: they are not. */
static long whole(const char *text, size_t size, long min, long max)
{
	long n = 0;
	if (!size || size > 5 || strspn(text, "0123456789") < size) return 0;
	for (size_t i = 0; i < size; i++) n = n * 10 + text[i] - '0';
	return n >= min && n <= max ? n : 0;
}

static bool is_setting(int kind, const char *value)
{
	if (kind == RETRIES) return whole(value, strlen(value), 1, 1000) > 0;
	if (kind == REACTION) return !strcmp(value, "restart") || !strcmp(value, "stop") || !strcmp(value, "ignore");
	long long ms = parse_duration(value, kind == POSITIVE_OR_FOREVER);
	return ms > 0 || (kind == ANY_TIME && ms == 0) || (kind == POSITIVE_OR_FOREVER && ms == DURATION_FOREVER);
}

/* Ends the text before its settings; false: one of them has a value that it cannot have. A comma before anything else
 * belongs to the command, the URL or the pattern. */
static bool take_settings(char *text, const struct setting *settings, int *count)
{
	for (char *comma; (comma = strrchr(text, ',')); ++*count) {
		const struct setting *s = settings;
		size_t size = strcspn(comma + 1, "=");
		while (s->key && (strlen(s->key) != size || memcmp(s->key, comma + 1, size) || !comma[1 + size])) s++;
		if (!s->key) return true;
		if (!is_setting(s->kind, comma + 2 + size)) return false;
		*comma = 0;
	}
	return true;
}

static bool is_url(const char *text)
{
	return (!strncmp(text, "http://", 7) && text[7]) || (!strncmp(text, "https://", 8) && text[8]);
}

bool is_address(const char *text)
{
	const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
	if (!whole(port, strlen(port), 1, 65535)) return false;
	if (!colon) return true;
	size_t size = (size_t)(colon - text);
	if (size > 2 && text[0] == '[' && text[size - 1] == ']') return strspn(text + 1, "0123456789ABCDEFabcdef:.%") == size - 2;
	return size && strcspn(text, ":[]/ \t\r\n\f\v") == size;
}

/* What both can be asked. */
static bool is_asked(const char *text)
{
	if (!strncmp(text, "tcp:", 4)) return is_address(text + 4);
	if (!strncmp(text, "exec:", 5)) return text[5] != 0;
	return is_url(text) || (!strncmp(text, "http:", 5) && is_url(text + 5));
}

bool is_ready_spec(const char *value)
{
	char *text = keep_text(value, strlen(value));
	int settings = 0;
	if (!take_settings(text, ready_settings, &settings)) return false;
	if (!strncmp(text, "fd:", 3)) return whole(text + 3, strlen(text + 3), 3, 255) > 0;
	return !strcmp(text, "notify") || (!strncmp(text, "log:", 4) && text[4]) || is_asked(text);
}

/* A watchdog is not asked, so nothing is to be set. */
bool is_health_spec(const char *value)
{
	char *text = keep_text(value, strlen(value));
	int settings = 0;
	if (!take_settings(text, health_settings, &settings)) return false;
	if (!strncmp(text, "watchdog:", 9)) return !settings && parse_duration(text + 9, false) > 0;
	return is_asked(text);
}
