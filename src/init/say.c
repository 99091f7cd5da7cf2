/* Lines on stderr, for people or as JSON. Never blocks: a reader that stalls loses lines, not the container. */
#include "init.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int out = 2, as_json, least = LEVEL_INFO;
static bool foreign; /* a pipe or terminal of another user, which cannot be opened anew */

/* A pipe or terminal is opened anew, so that O_NONBLOCK is ours alone; the command shares the old description. A file would
 * begin at its start again, and never blocks; a socket cannot be opened, and has MSG_DONTWAIT. Where another user owns the
 * pipe, poll and a short write have to do. */
void say_open(int json, enum level least_level)
{
	struct stat st;
	if (out == 2 && fstat(2, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))) {
		int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (fd >= 0) out = fd;
		foreign = fd < 0;
	}
	as_json = json < 0 ? !isatty(2) : json;
	least = (int)least_level;
}

int say_descriptor(void) { return out; }

/* For a child that puts descriptors of its own in low places: one of them may be where this one lies. */
void say_from_above(int least_fd)
{
	int fd = fcntl(out, F_DUPFD_CLOEXEC, least_fd);
	if (fd >= 0) out = fd;
}

static int shared = 2;
int say_shared(void) { return shared; }
void say_into(int file) { out = shared = file; }
bool say_is_json(void) { return as_json; }

static void put(const char *text, size_t size)
{
	ssize_t n = send(out, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0 || errno != ENOTSOCK) return;
	struct pollfd p = { out, POLLOUT, 0 };
	if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT)) (void)!write(out, text, foreign && size > 500 ? 500 : size);
}

/* event: one of ours, or NULL. */
static void say_line(enum level level, const char *event, const char *format, va_list args)
{
	char raw[1024], line[2048];
	if ((int)level < least) return;
	vprint(raw, sizeof raw, format, args);
	size_t n;
	if (as_json) {
		struct timespec t;
		clock_gettime(CLOCK_REALTIME, &t);
		n = (size_t)print(line, sizeof line, "{\"level\":%d,\"time\":%lld,\"pid\":%d,\"name\":\"gsup\",%s%s%s\"msg\":\"", level,
		                     (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000, getpid(), event ? "\"event\":\"" : "", event ? event : "", event ? "\"," : "");
		n += escape(line + n, sizeof line - n - 4, raw, true);
		memcpy(line + n, "\"}\n", 3);
		n += 3;
	} else {
		memcpy(line, "gsup: ", 6);
		n = 6 + escape(line + 6, sizeof line - 8, raw, false);
		line[n++] = '\n';
	}
	put(line, n);
}

void say(enum level level, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say_line(level, NULL, format, args);
	va_end(args);
}

void say_event(enum level level, const char *event, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say_line(level, event, format, args);
	va_end(args);
}
