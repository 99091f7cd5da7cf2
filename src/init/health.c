/* `gsup health`, without Node.js, so that a probe costs next to nothing and works when there is no memory for more: whether a task
 * lives is told by its lock, and how it is by the file that its supervisor keeps. */
#include "options.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct entry { uint64_t inode, offset; unsigned short size; unsigned char type; char name[]; }; /* getdents64(2) */
static int folder = -1, living;
static char task[NAME_SIZE];

/* As isTaskLive in src/checkpoint/task-folders.ts has it. */
static bool lives(int in)
{
	char text[200], status = 0;
	int fd = openat(in, "lock", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0) close(fd);
	size_t boot = strlen(state.boot_id);
	text[n > 0 ? n : 0] = 0;
	if (!boot || strncmp(text, state.boot_id, boot) != 0 || text[boot] != ' ') return false;
	const char *at = text + boot + 1;
	uint64_t pid_ns = read_number(&at), pid, ticks;
	if (*at++ != ' ') return false;
	pid = read_number(&at);
	if (*at++ != ' ') return false;
	ticks = read_number(&at);
	return pid_ns == state.pid_ns && pid > 0 && pid < INT32_MAX && ticks && start_ticks((pid_t)pid, &status, NULL) == ticks && status != 'Z' && status != 'X';
}

static void consider(int base, const char *name)
{
	int fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && lives(fd)) {
		living++;
		if (folder < 0) { folder = fd; print(task, sizeof task, "%s", name); return; }
	}
	if (fd >= 0) close(fd);
}

static void for_each(int dir, void (*visit)(int dir, const char *name))
{
	_Alignas(8) char buffer[4096];
	for (long n; (n = syscall(SYS_getdents64, dir, buffer, sizeof buffer)) > 0; )
		for (long at = 0; at < n; ) {
			const struct entry *e = (const struct entry *)(buffer + at);
			if (e->name[0] != '.') visit(dir, e->name);
			at += e->size;
		}
}

static const char *wanted;

/* Nobody but its owner may have put there what is read. */
static void look_into(int at, const char *path, bool any_owner, uid_t owner)
{
	struct stat st;
	int base = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (base < 0) return;
	if (fstat(base, &st) == 0 && !(st.st_mode & 022) && (any_owner || st.st_uid == owner)) {
		if (wanted) consider(base, wanted); else for_each(base, consider);
	}
	close(base);
}

/* For root: `docker exec` has to find the task of another user. */
static void look_at_user(int dir, const char *name)
{
	bool prefixed = strncmp(name, "gsup-", 5) == 0;
	char path[300];
	const char *digits = prefixed ? name + 5 : name;
	uint64_t uid = read_number(&digits);
	if (*digits || digits == name || !uid || uid > UINT32_MAX) return;
	print(path, sizeof path, prefixed ? "%s" : "%s/gsup", name);
	look_into(dir, path, false, (uid_t)uid);
}

static void look_everywhere(const char *named)
{
	static const char *const of_all[] = { "/tmp", "/dev/shm", "/run/user" };
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char path[400];
	uid_t uid = geteuid();
	if (named) { look_into(AT_FDCWD, named, uid == 0, uid); return; }
	if (uid == 0) look_into(AT_FDCWD, "/run/gsup", false, 0);
	if (runtime && *runtime == '/' && print(path, sizeof path, "%s/gsup", runtime) < (int)sizeof path) look_into(AT_FDCWD, path, false, uid);
	for (int i = 0; i < 2; i++) {
		print(path, sizeof path, "%s/gsup-%u", of_all[i], uid);
		look_into(AT_FDCWD, path, false, uid);
	}
	for (int i = 0; i < 3 && uid == 0; i++) {
		int dir = open(of_all[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir >= 0) { for_each(dir, look_at_user); close(dir); }
	}
}

static int tell(int code, const char *name, const char *what, const char *why)
{
	char shown[300], reason[600], line[1000];
	escape(shown, sizeof shown, name, false);
	escape(reason, sizeof reason, why, false);
	int n = print(line, sizeof line, "%s%s%s%s%s\n", shown, *name ? ": " : "", what, *why ? ": " : "", reason);
	return write(1, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1) < 0 ? 1 : code;
}

/* 0: yes. 1: no, and a line that says why. */
int health_main(const struct parsed *p, enum health asked)
{
	char text[600];
	struct stat st;
	const char *environment = getenv("GSUP_TASK");
	wanted = p->said[OPT_NAME].set ? p->said[OPT_NAME].text : environment && *environment ? environment : NULL;
	find_identity();
	look_everywhere(p->said[OPT_STATE_DIR].set ? p->said[OPT_STATE_DIR].text : NULL);
	if (folder < 0) return tell(1, wanted ? wanted : "", "it is not running", "");
	if (living > 1) return tell(1, "", "several tasks are running; name one with --name", "");
	/* Of a plain run there is nothing to know but that it runs. */
	if (fstatat(folder, "checkpoint.log", &st, AT_SYMLINK_NOFOLLOW) < 0) return tell(0, task, "it runs", "");
	int fd = openat(folder, "health", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n <= 0) return tell(1, task, "it has no supervisor (yet)", "");
	text[n] = 0;
	char *why = strchr(text, '\n');
	if (why) *why++ = 0;
	if (why && strchr(why, '\n')) *strchr(why, '\n') = 0;
	if (asked == HEALTH_LIVE) return tell(0, task, "it lives", "");
	bool good = asked == HEALTH_READY ? strstr(text, "not-ready") == NULL : strstr(text, "unhealthy") == NULL;
	const char *what = asked == HEALTH_READY ? (good ? "ready" : "not ready") : good ? "healthy" : "unhealthy";
	return tell(!good, task, what, good || !why ? "" : why);
}
