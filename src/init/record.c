/* init.log: facts, one JSON object a line, signed with CRC-32C. A coordinator sends its records to init, which numbers and
 * writes them: one file, one writer. What cannot be written is counted, and a `gap` record says so later. */
#include "init.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 8192 };
static char members[LINE_SIZE - 256], type_now[32];
static size_t used;
static int log_fd = -1;
static uint64_t seq, missing;
static off_t good_end;
static bool torn;

void (*record_sink)(const char *type, uint64_t mono_ns, const char *members);

static uint32_t crc32c(const char *text, size_t size)
{
	static uint32_t table[256];
	if (!table[1]) {
		for (uint32_t i = 0; i < 256; i++) {
			uint32_t c = i;
			for (int k = 0; k < 8; k++) c = c & 1 ? c >> 1 ^ 0x82f63b78 : c >> 1;
			table[i] = c;
		}
	}
	uint32_t c = ~0u;
	for (size_t i = 0; i < size; i++) c = table[(c ^ (unsigned char)text[i]) & 255] ^ c >> 8;
	return ~c;
}

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void add(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(members + used, sizeof members - used, format, args);
	va_end(args);
	if (n > 0 && (size_t)n < sizeof members - used) used += (size_t)n;
	else members[used] = 0; /* a member that does not fit is left out whole */
}

void record_begin(const char *type)
{
	snprintf(type_now, sizeof type_now, "%s", type);
	used = 0;
	members[0] = 0;
}

void record_text(const char *key, const char *value)
{
	char text[2048];
	if (!value) { add(",\"%s\":null", key); return; }
	escape_json(text, sizeof text, value);
	add(",\"%s\":\"%s\"", key, text);
}

void record_number(const char *key, int64_t value) { add(",\"%s\":%lld", key, (long long)value); }
void record_bool(const char *key, bool value) { add(",\"%s\":%s", key, value ? "true" : "false"); }
void record_raw(const char *key, const char *json) { add(",\"%s\":%s", key, json); }
void record_signal(const char *key, int signal) { record_text(key, signal > 0 ? signal_name(signal) : NULL); }

void record_ns(const char *key, uint64_t ns)
{
	if (ns == FOREVER) add(",\"%s\":null", key);
	else add(",\"%s\":\"%llu\"", key, (unsigned long long)ns);
}

void record_pids(const char *key, const pid_t *pids, int count)
{
	char text[PIDS_MAX * 12 + 4] = "[";
	size_t n = 1;
	for (int i = 0; i < count && i < PIDS_MAX; i++) n += (size_t)snprintf(text + n, sizeof text - n, "%s%d", i ? "," : "", pids[i]);
	memcpy(text + n, "]", 2);
	record_raw(key, text);
}

void record_usage(const char *key, const struct usage *u)
{
	add(",\"%s\":{\"user_us\":%llu,\"sys_us\":%llu,\"max_rss_kb\":%llu}", key, (unsigned long long)u->user_us,
	    (unsigned long long)u->sys_us, (unsigned long long)u->max_rss_kb);
}

void record_end(void) { (record_sink ? record_sink : record_sign)(type_now, now_ns(), members); }

void record_lost(uint32_t count) { missing += count; }

/* The log starts empty: what was there is renamed away before. */
void record_open(int fd) { log_fd = fd; }

static bool append(const char *line, size_t size)
{
	if (log_fd < 0) return false;
	if (torn && ftruncate(log_fd, good_end) < 0) return false; /* after a short write, from its last good end */
	torn = write(log_fd, line, size) != (ssize_t)size;
	if (torn) return false;
	good_end += (off_t)size;
	return true;
}

static bool write_line(const char *type, uint64_t mono_ns, const char *text)
{
	char line[LINE_SIZE];
	struct timespec t;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &t);
	gmtime_r(&t.tv_sec, &tm);
	int n = snprintf(line, sizeof line - 24, "{\"v\":1,\"seq\":%llu,\"at\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\",\"mono_ns\":\"%llu\",\"type\":\"%s\"%s}",
	                 (unsigned long long)seq + 1, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	                 t.tv_nsec / 1000000, (unsigned long long)mono_ns, type, text);
	uint32_t crc = crc32c(line, (size_t)n);
	n += snprintf(line + n - 1, 24, ",\"crc\":\"%08x\"}\n", crc) - 1;
	if (!append(line, (size_t)n)) return false;
	seq++;
	return true;
}

void record_sign(const char *type, uint64_t mono_ns, const char *text)
{
	char gap[64];
	if (missing) {
		snprintf(gap, sizeof gap, ",\"missing\":%llu", (unsigned long long)missing);
		if (!write_line("gap", mono_ns, gap)) { missing++; return; }
		missing = 0;
	}
	if (!write_line(type, mono_ns, text)) {
		if (!missing) say(LEVEL_WARN, "cannot write the checkpoint log: going on without it");
		missing++;
	}
}
