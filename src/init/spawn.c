/* From fork to exec. The child goes through the stages of enum stage in their order and tells the one that failed through
 * a pipe that exec closes. Just before exec it sends STAGE_EXEC: end-of-file without that means that it was killed. */
#include "init.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_setresuid32 /* on old 32-bit machines those without have ids of 16 bits */
#define ID_CALL(name) SYS_##name##32
#else
#define ID_CALL(name) SYS_##name
#endif

#ifndef SYS_close_range /* the same number everywhere */
#define SYS_close_range 436
#endif

uint64_t inherited_mask;
bool inherited_chld_ignored;
struct rlimit inherited_files;
char **inherited_env;

void close_descriptors(int fd, int end)
{
	if (fd >= end || syscall(SYS_close_range, fd, end - 1, 0) == 0) return;
	for (; fd < end; fd++) close(fd); /* before Linux 5.9 */
}

/* The kernel's own call: a C library keeps some real-time signals for itself, and would leave them unblocked. */
uint64_t set_mask(uint64_t mask)
{
	uint64_t old = 0;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &old, sizeof mask);
	return old;
}

void take_over_signals(void)
{
	inherited_mask = set_mask(~0ull);
	struct sigaction old, standard = { .sa_handler = SIG_DFL };
	sigaction(SIGCHLD, &standard, &old); /* ignored, it would make every wait fail */
	inherited_chld_ignored = old.sa_handler == SIG_IGN;
}

/* What is opened next must not become somebody's standard output. */
void fill_standard_descriptors(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_WRONLY : O_RDONLY) != fd) _exit(EXIT_INTERNAL);
}

/* A socket for each run, and more where its output is captured. What is started gets the limit that gsup was given. */
void raise_file_limit(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur >= FILES_WANTED || files.rlim_cur == files.rlim_max) return;
	struct rlimit raised = { files.rlim_max < FILES_WANTED ? files.rlim_max : FILES_WANTED, files.rlim_max };
	if (setrlimit(RLIMIT_NOFILE, &raised) == 0) inherited_files = files;
}

struct report { int32_t stage, error; uint64_t at_ns; };

static _Noreturn void fail(int pipe, int stage, int error)
{
	struct report r = { stage, error, 0 };
	(void)!write(pipe, &r, sizeof r);
	_exit(127);
}

/* Of any size and kind, a pipe as well; behind the last byte is a NUL. It stays: nothing is read so often that it had to be freed. */
char *read_whole(const char *path, size_t *size)
{
	size_t room = 65536;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return NULL;
	char *text = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (*size = 0; text != MAP_FAILED && (n = read(fd, text + *size, room - *size - 1)) > 0; ) {
		*size += (size_t)n;
		if (*size + 1 < room) continue;
		text = mremap(text, room, 2 * room, MREMAP_MAYMOVE);
		room *= 2;
	}
	int error = errno;
	close(fd);
	errno = error;
	return text == MAP_FAILED || n < 0 ? NULL : text;
}

static bool parse_id(const char *text, unsigned *id)
{
	const char *end = text;
	uint64_t n = read_number(&end);
	if (end == text || *end || n >= 0xffffffffu) return false;
	*id = (unsigned)n;
	return true;
}

/* The fields of the next line of passwd(5) or group(5); false at the end. */
static bool next_line(char **rest, char *fields[7])
{
	char *line = strsep(rest, "\n");
	for (int i = 0; i < 7; i++) fields[i] = strsep(&line, ":");
	return fields[0] != NULL;
}

/* A static program has no NSS: names come from files. `key` is a name, or an id in field 2. */
static bool look_up(const char *file, const char *key, char *fields[7])
{
	size_t size;
	char *rest = read_whole(file, &size);
	unsigned id, have;
	bool numeric = parse_id(key, &id);
	while (next_line(&rest, fields))
		if (fields[2] && (numeric ? parse_id(fields[2], &have) && have == id : strcmp(fields[0], key) == 0)) return true;
	return false;
}

/* Supplementary groups: those that name the user in their last field. */
static size_t groups_of(const char *user, gid_t first, gid_t *list, size_t max)
{
	char *fields[7], *name;
	size_t n = 0, size;
	list[n++] = first;
	for (char *rest = read_whole("/etc/group", &size); n < max && next_line(&rest, fields); ) {
		unsigned id;
		if (!fields[3] || !parse_id(fields[2], &id) || id == first) continue;
		while ((name = strsep(&fields[3], ","))) if (strcmp(name, user) == 0) { list[n++] = id; break; }
	}
	return n;
}

/* user and group as names or ids. A known user brings the groups of passwd and group; a bare id gets group 0, as in Docker.
 * captured: its output is its own, or it could not open /dev/stdout. */
static int become(const char *user, const char *group, bool captured)
{
	char *fields[7];
	gid_t groups[1024];
	size_t count = 1;
	unsigned uid = getuid(), gid = getgid(), id;
	bool known = *user && look_up("/etc/passwd", user, fields);
	if (*user && !known && !parse_id(user, &uid)) return ENOENT;
	if (known && (!parse_id(fields[2], &uid) || !fields[3] || !parse_id(fields[3], &gid))) return EINVAL;
	if (*user && !known) gid = 0; /* as Docker does for a bare id */
	groups[0] = gid;
	if (known) count = groups_of(fields[0], gid, groups, 1024);
	if (*group) {
		if (parse_id(group, &id)) gid = id;
		else if (!look_up("/etc/group", group, fields) || !parse_id(fields[2], &gid)) return ENOENT;
		groups[0] = gid;
	}
	/* There is one thread: the C library's own calls would bring along what changes many. */
	if (*user && syscall(ID_CALL(setgroups), count, groups) < 0 && uid != geteuid()) return errno;
	for (int fd = 1; captured && fd <= 2; fd++) (void)!fchown(fd, uid, (gid_t)-1);
	if (syscall(ID_CALL(setresgid), gid, gid, gid) < 0) return errno;
	if (syscall(ID_CALL(setresuid), uid, uid, uid) < 0) return errno;
	return 0;
}

static bool named(const char *entry, const char *name, size_t size)
{
	return strncmp(entry, name, size) == 0 && (entry[size] == '=' || !entry[size]);
}

static size_t count_of(char **list)
{
	size_t n = 0;
	while (list[n]) n++;
	return n;
}

/* What gsup was given, less its own option variables, changed as the launch says. `env` has room for both. */
static void make_environment(const struct launch *l, char **env)
{
	size_t had = count_of(inherited_env), set = count_of(l->env_set), n = 0;
	for (size_t i = 0; i < had && !(l->fixed.flags & SPAWN_CLEAR_ENV); i++) {
		size_t size = strcspn(inherited_env[i], "=");
		bool drop = is_option_variable(inherited_env[i], size) || listen_drops(inherited_env[i], size, (l->fixed.flags & SPAWN_TERMINAL) != 0);
		for (char **u = l->env_unset; *u && !drop; u++) drop = named(*u, inherited_env[i], size);
		for (char **s = l->env_set; *s && !drop; s++) drop = named(*s, inherited_env[i], size);
		if (!drop) env[n++] = inherited_env[i];
	}
	for (size_t i = 0; i < set; i++) {
		bool later = false;
		size_t size = strcspn(l->env_set[i], "=");
		for (size_t k = i + 1; k < set && !later; k++) later = named(l->env_set[k], l->env_set[i], size);
		if (!later) env[n++] = l->env_set[i];
	}
	env[n] = NULL;
}

/* As execvp(3), with the PATH of the new environment, but a file without an interpreter is an error (126), not a script. */
static int exec_command(char **argv, char **env)
{
	const char *path = "/usr/local/bin:/bin:/usr/bin", *at;
	char file[4096];
	int error = ENOENT;
	if (strchr(argv[0], '/')) { execve(argv[0], argv, env); return errno; }
	if (!*argv[0]) return ENOENT;
	for (char **e = env; *e; e++) if (strncmp(*e, "PATH=", 5) == 0) path = *e + 5;
	for (at = path; at; at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
		int size = (int)strcspn(at, ":");
		if (print(file, sizeof file, "%.*s%s%s", size, at, size ? "/" : "", argv[0]) >= (int)sizeof file) continue;
		execve(file, argv, env);
		if (errno == EACCES) error = EACCES; /* go on looking, as the shell does */
		else if (errno != ENOENT && errno != ENOTDIR) return errno;
	}
	return error;
}

static int write_text(const char *path, int number)
{
	char text[16];
	int fd = open(path, O_WRONLY | O_CLOEXEC), n = print(text, sizeof text, "%d", number);
	if (fd < 0) return errno;
	int error = write(fd, text, (size_t)n) == n ? 0 : errno;
	close(fd);
	return error;
}

static _Noreturn void child(const struct launch *l, int pipe)
{
	const struct spawn *s = &l->fixed;
	char *env[count_of(inherited_env) + count_of(l->env_set) + 1];
	int error;
	if (l->parent_death_signal) leftovers_note_leader(l); /* first: later on files may be limited in size */
	make_environment(l, env);
	listen_in_child(env, (s->flags & SPAWN_TERMINAL) != 0);
	if ((error = terminal_in_child((s->flags & SPAWN_TERMINAL) != 0))) fail(pipe, STAGE_TERMINAL, error);
	if ((error = output_in_child(l))) fail(pipe, STAGE_OUTPUT, error);
	if (inherited_files.rlim_cur) prlimit(0, RLIMIT_NOFILE, &inherited_files, NULL);
	for (uint32_t i = 0; i < s->limit_count; i++) {
		struct rlimit r = { s->limits[i].soft, s->limits[i].hard };
		if (prlimit(0, (int)s->limits[i].resource, &r, NULL) < 0) fail(pipe, STAGE_LIMITS, errno);
	}
	if (s->flags & SPAWN_NICE) if (setpriority(PRIO_PROCESS, 0, s->nice) < 0) fail(pipe, STAGE_NICE, errno);
	if (s->flags & SPAWN_OOM) if ((error = write_text("/proc/self/oom_score_adj", s->oom_score_adj))) fail(pipe, STAGE_OOM, error);
	if (s->flags & SPAWN_UMASK) umask((mode_t)s->umask);
	if (*l->user || *l->group) if ((error = become(l->user, l->group, l->output[0] >= 0))) fail(pipe, STAGE_USER, error);
	if (*l->cwd && chdir(l->cwd) < 0) fail(pipe, STAGE_CWD, errno); /* as the user: what it may not enter, it does not get */
	if (s->flags & SPAWN_NO_NEW_PRIVS) if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail(pipe, STAGE_PRIVS, errno);
	if ((s->flags & SPAWN_STDIN_NULL) && !(s->flags & SPAWN_TTY)) {
		int fd = open("/dev/null", O_RDONLY);
		if (fd < 0 || dup2(fd, 0) < 0) fail(pipe, STAGE_STDIN, errno);
		if (fd > 0) close(fd);
	}
	if (s->ready_fd) { /* now: nothing is opened any more that could be in its place */
		if (pipe == s->ready_fd) pipe = fcntl(pipe, F_DUPFD_CLOEXEC, pipe + 1);
		if (l->ready == s->ready_fd ? fcntl(l->ready, F_SETFD, 0) < 0 : dup2(l->ready, s->ready_fd) < 0) fail(pipe, STAGE_OUTPUT, errno);
	}
	if (l->parent_death_signal) { /* cleared by a change of user, so set last; the parent may have gone already */
		prctl(PR_SET_PDEATHSIG, l->parent_death_signal, 0, 0, 0);
		if (getppid() != l->parent) raise(SIGKILL);
	}
	if (inherited_chld_ignored) signal(SIGCHLD, SIG_IGN);
	struct report r = { STAGE_EXEC, 0, now_ns() };
	(void)!write(pipe, &r, sizeof r);
	set_mask(inherited_mask);
	fail(pipe, STAGE_EXEC, exec_command(l->argv, env));
}

struct start start_command(const struct launch *l)
{
	int ends[2];
	struct start s = { -1, -1 };
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) return s;
	record_flush();
	s.pid = fork();
	if (s.pid == 0) child(l, ends[1]);
	int error = errno;
	close(ends[1]);
	if (s.pid < 0) close(ends[0]);
	else s.pipe = ends[0];
	errno = error;
	return s;
}

int start_progress(int pipe, uint64_t *exec_ns, int *error)
{
	struct report r;
	for (;;) {
		ssize_t n = read(pipe, &r, sizeof r);
		if (n == sizeof r && r.stage == STAGE_EXEC && !r.error) *exec_ns = r.at_ns;
		else if (n == sizeof r) { *error = r.error; return r.stage; }
		else return n < 0 && errno == EAGAIN ? 0 : -1;
	}
}
