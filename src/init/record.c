/* init.log: facts, one JSON object a line, signed with CRC-32C. A coordinator sends its records to init, which numbers and
 * writes them: one file, one writer. What cannot be written is counted, and a `gap` record says so later. A log that has grown
 * long is put aside, and begins anew. */
#include "init.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 8192 };
static char members[LINE_SIZE - 256], type_now[32];
static size_t used;
static int log_fd = -1;
static uint64_t seq, missing, before; /* before: records that this file no longer begins with */
static off_t good_end;
static bool torn;
/* Some 4,000 records, as many as a run a minute makes in a day. What was put aside takes as much again, and no more. */
static const off_t log_max = 1024 * 1024;
static char task_members[1024]; /* of a plain run: a log without it would not say whose it is */

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

/* The descriptor stays the same number, so that whoever has it has the new file. False: this directory does not let us. */
static bool begin_file(void)
{
	if (state.memory || state.folder < 0) return false;
	int fd = openat(state.folder, "init.log.new", O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) return false;
	unlinkat(state.folder, "init.log.old", 0); /* a rename over it would make ext4 write the new one to the disk at once */
	bool done = renameat(state.folder, "init.log", state.folder, "init.log.old") == 0 && renameat(state.folder, "init.log.new", state.folder, "init.log") == 0;
	if (done) done = dup3(fd, log_fd, O_CLOEXEC) == log_fd;
	else unlinkat(state.folder, "init.log.new", 0);
	close(fd);
	return done;
}

/* However the file system is, the log stays bounded: where it cannot be put aside, it is emptied. */
static void put_aside(void)
{
	if (!begin_file() && ftruncate(log_fd, 0) < 0) return;
	good_end = 0;
	torn = false;
	before = seq;
}

void record_sign(const char *type, uint64_t mono_ns, const char *text)
{
	char gap[96];
	if (strcmp(type, "task") == 0 && strlen(text) < sizeof task_members) strcpy(task_members, text);
	if (good_end > log_max) put_aside();
	if (missing || before) {
		snprintf(gap, sizeof gap, ",\"missing\":%llu%s", (unsigned long long)(missing + before), before ? ",\"cause\":\"aside\"" : "");
		if (!write_line("gap", mono_ns, gap)) { missing++; return; }
		if (before && *task_members) write_line("task", mono_ns, task_members);
		missing = before = 0;
	}
	if (!write_line(type, mono_ns, text)) {
		if (!missing) say(LEVEL_WARN, "cannot write the checkpoint log: going on without it");
		missing++;
	}
}

/* ---- records that init and coordinators write alike ---- */

void record_stop(const char *run, const char *cause, struct by by)
{
	char text[64];
	snprintf(text, sizeof text, "{\"pid\":%d,\"uid\":%u}", by.pid, by.uid);
	record_begin("stop-requested");
	if (run) record_text("run", run);
	record_text("cause", cause);
	record_raw("by", by.signal ? text : "null");
	if (by.signal) record_signal("signal", by.signal);
	record_end();
}

void record_task_state(const char *state, int exit_code)
{
	record_begin("task-state");
	record_text("state", state);
	record_number("exit_code", exit_code);
	record_end();
}

void record_unkept(const char *run, const char *what)
{
	record_begin("unkept");
	record_text("run", run);
	record_text("what", what);
	record_end();
	say(LEVEL_WARN, "%s: its %s is not kept, because no supervisor is there for it", run, what);
}
