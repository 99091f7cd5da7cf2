/* Whom the kernel has killed for lack of memory. It tells nobody; but it counts, and whose SIGKILL comes with a higher count
 * than the one before was its victim. cgroups(7), Documentation/admin-guide/cgroup-v2.rst: memory.events. */
#include "init.h"
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static char file[320];
static uint64_t counted;

static bool read_count(uint64_t *count)
{
	char text[512];
	int fd = *file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
	if (fd >= 0) close(fd);
	text[n > 0 ? n : 0] = 0;
	const char *found = n > 0 && !strncmp(text, "oom_kill ", 9) ? text : n > 0 ? strstr(text, "\noom_kill ") : NULL;
	if (!found) return false;
	const char *digits = strchr(found, ' ') + 1;
	*count = read_number(&digits);
	return true;
}

/* Where the kernel counts for us: in a container its own cgroup is mounted as the root of all, outside it has a path. Version 2,
 * then 1. */
static bool find_file(uint64_t *count)
{
	static const char *const versions[] = { "0::", ":memory:" };
	char text[2048]; /* of which the pages stay ours: as small as it may be */
	int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
	if (fd >= 0) close(fd);
	text[n > 0 ? n : 0] = 0;
	for (int i = 0; i < 2; i++) {
		char *line = strstr(text, versions[i]), *path = line ? line + strlen(versions[i]) : NULL;
		for (int whole = 1; path && whole >= 0; whole--) {
			char below[256];
			print(below, sizeof below, "%.*s", whole ? (int)strcspn(path, "\n") : 0, path);
			print(file, sizeof file, i ? "/sys/fs/cgroup/memory%s/memory.oom_control" : "/sys/fs/cgroup%s/memory.events", below);
			if (read_count(count)) return true;
		}
	}
	*file = 0;
	return false;
}

void memory_open(void) { (void)find_file(&counted); }

/* Of somebody who died of a SIGKILL that is not ours. Each kill of the kernel explains one death. */
bool memory_took_it(void)
{
	uint64_t now;
	if (!read_count(&now) || now <= counted) return false;
	counted++;
	return true;
}

void record_oom(struct run *run, bool tell)
{
	if (run->s.signal != SIGKILL || (run->s.flags & RUN_FORCED) || !memory_took_it()) return;
	run->s.flags |= RUN_OOM;
	run->dirty = true;
	record_begin("oom");
	record_text("run", run->s.name);
	record_end();
	if (tell) say(LEVEL_ERROR, "%s: the kernel has killed it for lack of memory", run->s.name);
}
