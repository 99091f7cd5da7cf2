/* The state directory: where a task has its folder, its lock and its logs. What was not named is looked for; what was named and
 * does not work is not replaced: the log is then kept in memory. */
#include "options.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat */
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEPT_LOGS = 5, NAMES_TRIED = 1000 };
struct state state = { .folder = -1, .lock = -1, .init_log = -1, .checkpoint_log = -1 };

/* A directory of ours alone to change; others may pass through it, but not list it. -1: errno tells. */
static int open_directory(const char *path, mode_t mode)
{
	struct stat st;
	if (mkdir(path, mode) < 0 && errno != EEXIST) return -1;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) return -1;
	bool ours = fstat(fd, &st) == 0 && st.st_uid == geteuid() && !(st.st_mode & 022);
	if (ours && access(path, W_OK | X_OK) == 0) return fd;
	if (ours) errno = EACCES; else errno = EPERM;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

static int open_base(const char *named, char *path, size_t size)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	print(path, size, "%s", named ? named : "/run/gsup");
	if (named) return open_directory(path, 0711);
	int fd = geteuid() == 0 ? open_directory(path, 0711) : -1;
	for (int i = 0; i < 3 && fd < 0; i++) {
		if (i == 0 && (!runtime || *runtime != '/')) continue; /* relative ones are invalid (XDG base directories) */
		if (i == 0) print(path, size, "%s/gsup", runtime);
		else print(path, size, "%s/gsup-%u", i == 1 ? "/tmp" : "/dev/shm", geteuid());
		fd = open_directory(path, 0711);
	}
	return fd;
}

static void name_of(const char *command, char name[NAME_SIZE])
{
	const char *base = strrchr(command, '/') ? strrchr(command, '/') + 1 : command;
	int n = 0;
	for (; *base && n < 64; base++, n++) {
		bool plain = (*base >= 'a' && *base <= 'z') || (*base >= 'A' && *base <= 'Z') || (*base >= '0' && *base <= '9') || *base == '_';
		name[n] = plain || (n && (*base == '.' || *base == '-')) ? *base : '_';
	}
	if (!n) name[n++] = '_';
	name[n] = 0;
}

/* 1: ours, 0: another gsup has it, -1: errno tells. */
static int take_folder(int base, bool exact)
{
	mkdirat(base, state.task, 0711);
	state.folder = openat(base, state.task, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (state.folder < 0) return -1;
	state.lock = openat(state.folder, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int error = EWOULDBLOCK;
	if (state.lock >= 0 && flock(state.lock, LOCK_EX | LOCK_NB) == 0) {
		leftovers_read();
		if (exact || !leftovers_live()) return 1; /* a name that was not asked for is left to who lives there */
	} else error = errno;
	if (state.lock >= 0) close(state.lock);
	close(state.folder);
	state.lock = state.folder = -1;
	errno = error;
	return error == EWOULDBLOCK ? 0 : -1;
}

static const int log_flags = O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

static void rotate(const char *name)
{
	char from[64], to[64];
	print(to, sizeof to, "%s.%d", name, KEPT_LOGS);
	unlinkat(state.folder, to, 0); /* a rename over it would make ext4 write the new one to the disk at once: 0.3 ms */
	for (int i = KEPT_LOGS; i > 0; i--) {
		print(to, sizeof to, "%s.%d", name, i);
		print(from, sizeof from, i > 1 ? "%s.%d" : "%s", name, i - 1);
		renameat(state.folder, from, state.folder, to);
	}
}

/* All of them, or none: what has one number is one story. */
static void keep_old_logs(void)
{
	static const char *const names[] = { "init.log", "init.log.old", "checkpoint.log", MESSAGES_LOG };
	enum { NAMES = sizeof names / sizeof *names };
	bool any = false;
	struct stat st;
	for (int i = 0; i < NAMES; i++) any = any || fstatat(state.folder, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0;
	for (int i = 0; i < NAMES && any; i++) rotate(names[i]);
}

static int open_memory(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	if (fd >= 0) fcntl(fd, F_SETFL, O_APPEND);
	return fd;
}

void find_identity(void)
{
	if (state.ticks) return;
	struct stat st;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, state.boot_id, 36) != 36) state.boot_id[0] = 0;
	if (fd >= 0) close(fd);
	if (stat("/proc/self/ns/pid", &st) == 0) state.pid_ns = st.st_ino;
	state.ticks = start_ticks(getpid(), NULL, NULL);
}

/* Without a folder, or where only the log is not wanted on disk. */
static void logs_in_memory(bool both)
{
	if (state.init_log < 0) state.init_log = open_memory("init.log");
	if (both && state.checkpoint_log < 0) state.checkpoint_log = open_memory("checkpoint.log");
	state.memory = true;
}

static int in_memory(const struct parsed *p, const char *path, int error)
{
	const char *why = error == EPERM ? "it must belong to the user that gsup runs as, and nobody else may write to it" : strerror(error);
	if (p->said[OPT_REQUIRE_STATE].number || p->said[OPT_DETACH].number) { /* without it nothing would find what runs in the background */
		say(LEVEL_ERROR, "cannot use the state directory \"%s\": %s", path, why);
		return EXIT_STATE;
	}
	say(LEVEL_WARN, "cannot use the state directory \"%s\": %s; the checkpoint log is in memory", path, why);
	logs_in_memory(!p->plain);
	return 0;
}

/* `config_name`: what the config calls the task; NULL: the command does. */
int state_open(const struct parsed *p, const char *config_name)
{
	char base_path[400];
	const char *named = p->said[OPT_STATE_DIR].set ? p->said[OPT_STATE_DIR].text : NULL, *exact = p->said[OPT_NAME].set ? p->said[OPT_NAME].text : config_name;
	if (exact) print(state.task, sizeof state.task, "%s", exact); else name_of(p->command[0], state.task);
	size_t stem = strlen(state.task);
	int base = open_base(named, base_path, sizeof base_path), taken = 0;
	if (base < 0) return in_memory(p, base_path, errno);
	for (int n = 1; n < NAMES_TRIED && !(taken = take_folder(base, exact != NULL)) && !exact; n++)
		print(state.task + stem, sizeof state.task - stem, ".%d", n + 1);
	int error = errno;
	close(base);
	if (!taken) {
		say(LEVEL_ERROR, "cannot start \"%s\": another gsup holds this task; stop it, or give another --name", state.task);
		return EXIT_HELD;
	}
	if (taken < 0) return in_memory(p, base_path, error);
	print(state.path, sizeof state.path, "%s/%s", base_path, state.task);
	return 0;
}

static int open_logs(const struct parsed *p)
{
	if (p->said[OPT_NO_CHECKPOINT].number) { logs_in_memory(!p->plain); return 0; }
	keep_old_logs();
	state.init_log = openat(state.folder, "init.log", log_flags, 0600);
	int error = errno;
	if (!p->plain) state.checkpoint_log = openat(state.folder, "checkpoint.log", log_flags, 0600);
	if (state.init_log < 0 || (!p->plain && state.checkpoint_log < 0)) return in_memory(p, state.path, state.init_log < 0 ? error : errno);
	return 0;
}

/* Its log, for which a plain run has no use, and that it is well: it is while its command runs. */
void state_visit(const struct parsed *p)
{
	if (state.checkpoint_log >= 0) return;
	if (state.folder >= 0 && !state.memory && !p->said[OPT_NO_CHECKPOINT].number) state.checkpoint_log = openat(state.folder, "checkpoint.log", log_flags, 0600);
	if (state.checkpoint_log < 0) state.checkpoint_log = open_memory("checkpoint.log");
	int fd = openat(state.folder, "health", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0) { (void)!write(fd, "healthy ready\n\n", 15); close(fd); }
}

void state_note(void)
{
	find_identity();
	if (state.lock >= 0) leftovers_note_self();
}

int state_begin(const struct parsed *p)
{
	state_note();
	int code = state.folder >= 0 ? open_logs(p) : 0;
	record_open(state.init_log);
	return code;
}

/* A blank first line says that its owner left nothing behind. (To empty the file takes the kernel ten times as long.) */
void state_close(void)
{
	if (state.lock >= 0) (void)!pwrite(state.lock, "\n", 1, 0);
}
