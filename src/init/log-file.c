/* The files that captured output goes to: logs that rotate, and the bounded copies for `gsup logs`. */
#include "output.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat */
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of the copies of one process, in files that take turns: and of all, of which those that are written to get three quarters at
 * most. Deep: somebody waits for a line of it, and may be away while much else is written. */
enum { COPY_BYTES = 256 * 1024, DEEP_COPY_BYTES = 4 * 1024 * 1024, COPIES_BYTES = 64 * 1024 * 1024, COPY_FILES = 2, FILES_MAX = 64 };

static PAGES struct file files[FILES_MAX]; /* those that are open: who writes to more of them opens them in turn */
static uint64_t uses;
static bool complained[JOBS + 1];

static int folder_of(enum way way) { return way == TO_COPY ? state.folder : AT_FDCWD; }

static void path_of(uint32_t i, enum way way, char path[LOG_PATH_BYTES + 8])
{
	if (way == TO_COPY) print(path, LOG_PATH_BYTES + 8, "logs/%.*s", (int)name_size(streams[i].run), streams[i].run);
	else print(path, LOG_PATH_BYTES + 8, "%s", stream_paths[i]);
}

uint64_t file_limit(uint32_t i, enum way way)
{
	uint64_t share = COPIES_BYTES / 4 * 3 / (shared->copies ? shared->copies : 1), most = streams[i].deep ? DEEP_COPY_BYTES : COPY_BYTES;
	return way == TO_LOG ? streams[i].max_bytes : (share < most ? share : most) / COPY_FILES;
}

/* ---- copies of processes that have ended: the oldest go when all would be too much ---- */

struct entry { uint64_t inode, offset; uint16_t size; uint8_t type; char name[]; }; /* getdents64(2) */
struct oldest { char name[256]; struct timespec at; };

static bool is_written(const char *name)
{
	size_t size = strcspn(name, "~");
	for (int i = 0; i < stream_count; i++)
		if (streams[i].state == STREAM_OPEN && name_size(streams[i].run) == size && memcmp(streams[i].run, name, size) == 0) return true;
	return false;
}

/* Bytes of what nobody writes to. *oldest: of these, with a name. */
static uint64_t look_through(int folder, struct oldest *oldest)
{
	static PAGES char entries[4096];
	uint64_t bytes = 0;
	struct stat st;
	long got;
	*oldest = (struct oldest){ .name = "" };
	while ((got = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0)
		for (long at = 0; at < got;) {
			const struct entry *e = (const struct entry *)(const void *)(entries + at);
			at += e->size;
			if (fstatat(folder, e->name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) || is_written(e->name)) continue;
			bytes += (uint64_t)st.st_size;
			bool older = st.st_mtim.tv_sec < oldest->at.tv_sec || (st.st_mtim.tv_sec == oldest->at.tv_sec && st.st_mtim.tv_nsec < oldest->at.tv_nsec);
			if (strlen(e->name) < sizeof oldest->name && (!oldest->name[0] || older)) {
				strcpy(oldest->name, e->name);
				oldest->at = st.st_mtim;
			}
		}
	return bytes;
}

/* When a copy begins, and when it may have become larger because others are written no more. */
static void make_room_for_copies(void)
{
	struct oldest oldest;
	uint64_t written = 0;
	for (int i = 0; i < stream_count; i++)
		if (streams[i].state == STREAM_OPEN && !streams[i].is_error) written += COPY_FILES * file_limit((uint32_t)i, TO_COPY);
	for (int tries = 0; tries < FILES_MAX; tries++) {
		int folder = openat(state.folder, "logs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (folder < 0) return;
		bool much = look_through(folder, &oldest) + written > COPIES_BYTES && oldest.name[0];
		if (much) unlinkat(folder, oldest.name, 0);
		close(folder);
		if (!much) return;
	}
}

void complain(int about, const char *what, int error)
{
	if (!complained[about]) say(LEVEL_WARN, "cannot write \"%s\": %s; output for it is lost until it can be", what, strerror(error));
	complained[about] = true;
}

struct file *file_open(uint32_t i, enum way way)
{
	char path[LOG_PATH_BYTES + 8];
	struct file *f = &files[0];
	struct stat st;
	path_of(i, way, path);
	for (int k = 0; k < FILES_MAX; k++) {
		if (files[k].used && files[k].way == way && strcmp(files[k].path, path) == 0) { files[k].used = ++uses; return &files[k]; }
		if (files[k].used < f->used) f = &files[k];
	}
	if (f->used) close(f->fd);
	f->used = 0;
	f->fd = openat(folder_of(way), path, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (way == TO_COPY ? O_NOFOLLOW : 0), way == TO_COPY ? 0600 : 0640);
	if (f->fd >= 0 && fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode)) {
		strcpy(f->path, path);
		f->way = way;
		f->size = (uint64_t)st.st_size;
		f->inode = st.st_ino;
		f->used = ++uses;
		if (way == TO_COPY && !f->size) make_room_for_copies();
		return f;
	}
	complain(way == TO_COPY ? JOBS : JOB_FILE, path, f->fd < 0 ? errno : EINVAL);
	if (f->fd >= 0) close(f->fd);
	return NULL;
}

/* From the oldest to the newest, and each step is noted before it: who goes on after a kill makes none twice. */
void file_rotate_from(uint32_t step, uint32_t i, enum way way)
{
	char path[LOG_PATH_BYTES + 8], from[LOG_PATH_BYTES + 24], to[LOG_PATH_BYTES + 24];
	const char *mark = way == TO_COPY ? "%s~%u" : "%s.%u"; /* web.1 may be a process */
	path_of(i, way, path);
	for (; step >= 1; step--) {
		STORE(shared->rotation, step);
		print(to, sizeof to, mark, path, step);
		if (step > 1) print(from, sizeof from, mark, path, step - 1); else strcpy(from, path);
		renameat(folder_of(way), from, folder_of(way), to);
	}
	STORE(shared->rotation, 0);
}

struct file *file_rotate(struct file *f, uint32_t i, enum way way)
{
	uint32_t keep = way == TO_COPY ? COPY_FILES : streams[i].max_files;
	if (keep > 1) {
		shared->rotating = i;
		shared->rotating_way = way;
		file_rotate_from(keep - 1, i, way);
	} else unlinkat(folder_of(way), f->path, 0);
	close(f->fd);
	f->used = 0;
	return file_open(i, way);
}
