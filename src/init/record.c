/* init.log: facts, one JSON object a line, signed with CRC-32C. A coordinator sends its records to init, which numbers and
 * writes them: one file, one writer. Lines wait here until something is about to be done (a signal, a fork, sleep), and are
 * written with one call before it. What cannot be written is counted, and a `gap` record says so later. A log that has grown
 * long is put aside, and begins anew. */
#include "init.h"
#include <fcntl.h>
#include <stdio.h> /* renameat */
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 8192, HEAD_SIZE = 256, SIGNATURE_SIZE = 24, TEXT_SIZE = 2048 };
static PAGES char pending[2 * LINE_SIZE];
static const char *type_now;
static size_t line, members, used, end; /* of the line that is being written: where it begins, its members do, it is now, it must end */
static uint64_t seq, written_seq, lines; /* lines: in `pending` */
static struct gap { uint64_t missing, before; } untold, told; /* before: what this file no longer begins with; told: in `pending` */
static int log_fd = -1;
static off_t good_end;
static uint64_t mono_now; /* of the record that is being made */
static bool torn;
/* Some 4,000 records, as many as a run a minute makes in a day. What was put aside takes as much again, and no more. */
static const off_t log_max = 1024 * 1024;
static INITS char task_members[1024]; /* of a plain run: a log without it would not say whose it is */

void (*record_sink)(const char *type, uint64_t mono_ns, const char *members);

/* Eight half bytes at once: table[k] is of what k half bytes follow. */
static uint32_t crc32c(const char *text, size_t size)
{
	static uint32_t table[8][16];
	for (uint32_t i = 1; i < 16 && !table[7][15]; i++) {
		uint32_t c = i;
		for (int bit = 0; bit < 4; bit++) c = c & 1 ? c >> 1 ^ 0x82f63b78 : c >> 1;
		table[0][i] = c;
	}
	for (int k = 1; k < 8 && !table[7][15]; k++) for (int i = 1; i < 16; i++) table[k][i] = table[0][table[k - 1][i] & 15] ^ table[k - 1][i] >> 4;
	const unsigned char *at = (const unsigned char *)text;
	uint32_t c = ~0u;
	for (; size >= 4; at += 4, size -= 4) {
		c ^= at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
		c = table[7][c & 15] ^ table[6][c >> 4 & 15] ^ table[5][c >> 8 & 15] ^ table[4][c >> 12 & 15] ^
			table[3][c >> 16 & 15] ^ table[2][c >> 20 & 15] ^ table[1][c >> 24 & 15] ^ table[0][c >> 28];
	}
	for (; size; at++, size--) c = table[1][(c ^ *at) & 15] ^ table[0][(c ^ *at) >> 4 & 15] ^ c >> 8;
	return ~c;
}

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void add(const char *format, ...)
{
	size_t room = end - used;
	va_list args;
	va_start(args, format);
	size_t n = (size_t)vprint(pending + used, room, format, args);
	va_end(args);
	if (n < room) used += n;
	pending[used] = 0; /* a member that does not fit is left out whole */
}

static void begin_line(const char *type, uint64_t mono_ns)
{
	static char second[24]; /* records come in batches */
	static time_t second_s = -1;
	struct timespec t;
	struct tm tm;
	if (used + LINE_SIZE > sizeof pending) record_flush();
	clock_gettime(CLOCK_REALTIME, &t);
	if (t.tv_sec != second_s && gmtime_r(&t.tv_sec, &tm)) {
		second_s = t.tv_sec;
		print(second, sizeof second, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	}
	line = used;
	end = line + LINE_SIZE - SIGNATURE_SIZE;
	add("{\"v\":1,\"seq\":%llu,\"at\":\"%s.%03dZ\",\"mono_ns\":\"%llu\",\"type\":\"%s\"", (unsigned long long)++seq,
	    second, (int)(t.tv_nsec / 1000000), (unsigned long long)mono_ns, type);
	members = used;
}

static void end_line(void)
{
	pending[used] = '}';
	uint32_t crc = crc32c(pending + line, used + 1 - line);
	used += (size_t)print(pending + used, SIGNATURE_SIZE, ",\"crc\":\"%08x\"}\n", crc);
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
	record_flush();
	if (!begin_file() && ftruncate(log_fd, 0) < 0) return;
	good_end = 0;
	torn = false;
	untold.before = seq;
}

static void tell_gap(uint64_t mono_ns)
{
	if (good_end > log_max) put_aside();
	if (!untold.missing && !untold.before) return;
	begin_line("gap", mono_ns);
	add(",\"missing\":%llu%s", (unsigned long long)(untold.missing + untold.before), untold.before ? ",\"cause\":\"aside\"" : "");
	end_line();
	if (untold.before && *task_members) {
		begin_line("task", mono_ns);
		add("%s", task_members);
		end_line();
	}
	told = (struct gap){ told.missing + untold.missing, told.before + untold.before };
	untold = (struct gap){ 0 };
}

void record_begin_at(const char *type, uint64_t mono_ns)
{
	mono_now = mono_ns;
	type_now = type;
	if (record_sink) { used = 0; end = LINE_SIZE - HEAD_SIZE; return; }
	tell_gap(mono_ns);
	begin_line(type, mono_ns);
}

void record_begin(const char *type) { record_begin_at(type, now_ns()); }

void record_text(const char *key, const char *value)
{
	size_t before = used;
	add(value ? ",\"%s\":\"" : ",\"%s\":null", key);
	if (!value || used == before) return;
	size_t room = end - used;
	if (room < 16) { pending[used = before] = 0; return; }
	used += escape(pending + used, room < TEXT_SIZE ? room : TEXT_SIZE, value, true);
	add("\"");
}

void record_number(const char *key, int64_t value) { add(",\"%s\":%lld", key, (long long)value); }
void record_bool(const char *key, bool value) { add(",\"%s\":%s", key, value ? "true" : "false"); }
void record_raw(const char *key, const char *json) { add(",\"%s\":%s", key, json); }
void record_signal(const char *key, int signal) { record_text(key, signal > 0 ? signal_name(signal) : NULL); }

void record_ns(const char *key, uint64_t ns)
{
	if (ns == FOREVER) record_text(key, NULL);
	else add(",\"%s\":\"%llu\"", key, (unsigned long long)ns);
}

void record_pids(const char *key, const pid_t *pids, int count)
{
	char text[PIDS_MAX * 12 + 4] = "[";
	size_t n = 1;
	for (int i = 0; i < count && i < PIDS_MAX; i++) n += (size_t)print(text + n, sizeof text - n, "%s%d", i ? "," : "", pids[i]);
	memcpy(text + n, "]", 2);
	record_raw(key, text);
}

void record_usage(const char *key, const struct usage *u)
{
	add(",\"%s\":{\"user_us\":%llu,\"sys_us\":%llu,\"max_rss_kb\":%llu}", key, (unsigned long long)u->user_us,
	    (unsigned long long)u->sys_us, (unsigned long long)u->max_rss_kb);
}

void record_end(void)
{
	if (record_sink) { record_sink(type_now, mono_now, pending); return; }
	if (strcmp(type_now, "task") == 0) print(task_members, sizeof task_members, "%s", pending + members);
	end_line();
	lines++;
}

void record_lost(uint32_t count) { untold.missing += count; }

void record_sign(const char *type, uint64_t mono_ns, const char *text)
{
	tell_gap(mono_ns);
	begin_line(type, mono_ns);
	add("%s", text);
	end_line();
	lines++;
}

/* The log starts empty: what was there is renamed away before. */
void record_open(int fd) { log_fd = fd; }

void record_flush(void)
{
	size_t size = used;
	if (!size || record_sink) return;
	bool whole = log_fd >= 0 && !(torn && ftruncate(log_fd, good_end) < 0), news = !told.missing; /* after a short write, from its last good end */
	if (whole) torn = !(whole = write(log_fd, pending, size) == (ssize_t)size);
	if (whole) { good_end += (off_t)size; written_seq = seq; }
	else {
		untold = (struct gap){ untold.missing + told.missing + lines, untold.before + told.before };
		seq = written_seq;
	}
	told = (struct gap){ 0 };
	used = lines = 0;
	if (!whole && news) say(LEVEL_WARN, "cannot write the checkpoint log: going on without it");
}

/* ---- records that init and coordinators write alike ---- */

void record_stop(const char *run, const char *cause, struct by by)
{
	char text[64];
	print(text, sizeof text, "{\"pid\":%d,\"uid\":%u}", by.pid, by.uid);
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
	if (run) record_text("run", run);
	record_text("what", what);
	record_end();
	if (run) say(LEVEL_WARN, "%s: its %s is not kept, because no supervisor is there for it", run, what);
	else say(LEVEL_WARN, "%s are not run, because no supervisor is there for them", what);
}
