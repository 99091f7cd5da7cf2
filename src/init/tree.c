/* The tree of a run is what descends from the process that started it. This file finds it and signals it, and it is the
 * only one that sends a signal to anybody. */
#include "init.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* 0 is our own group, -1 everybody, 1 the init of the namespace: no run is ever any of them. */
static bool may_signal(pid_t pid) { return pid > 1 && pid != getpid(); }

bool send_signal(pid_t pid, int signal)
{
	record_flush();
	return may_signal(pid) && kill(pid, signal) == 0;
}

bool send_group(pid_t group, int signal)
{
	record_flush();
	return group > 1 && group != getpgrp() && kill(-group, signal) == 0;
}

bool group_exists(pid_t group) { return group > 1 && (kill(-group, 0) == 0 || errno == EPERM); }

/* For job control. The whole job: the shell may watch somebody between it and us (sh -c, npm). It continues the job, too. */
void stop_ourselves(bool whole_job)
{
	record_flush();
	if (whole_job && getpgrp() > 1) kill(-getpgrp(), SIGSTOP);
	else kill(getpid(), SIGSTOP);
}

static ssize_t read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return -1;
	ssize_t n = read(fd, text, size - 1);
	close(fd);
	if (n >= 0) text[n] = 0;
	return n;
}

/* The name may hold anything, a parenthesis too: the fields begin after the last one (proc_pid_stat(5)). */
uint64_t start_ticks(pid_t pid, char *process_state, pid_t *parent)
{
	char path[64], text[1024];
	print(path, sizeof path, "/proc/%d/stat", pid);
	if (read_file(path, text, sizeof text) <= 0) return 0;
	char *p = strrchr(text, ')');
	if (!p || *++p != ' ') return 0;
	if (process_state) *process_state = p[1];
	uint64_t field = 0;
	for (int i = 3; i <= 22 && p; i++) { /* p: at the blank before field i */
		const char *digits = p + 1; /* signed fields are read as 0: none of them is wanted */
		field = read_number(&digits);
		if (i == 4 && parent) *parent = (pid_t)field;
		p = i < 22 ? strchr(p + 1, ' ') : p;
	}
	return !p ? 0 : field ? field : 1;
}

static int read_children(const char *path, pid_t *list, int count, int max)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) return -1;
	long pid = 0;
	for (ssize_t n; (n = read(fd, text, sizeof text)) > 0;) {
		for (ssize_t i = 0; i < n; i++) {
			if (text[i] >= '0' && text[i] <= '9') pid = pid * 10 + text[i] - '0';
			else if (pid) { if (count < max) list[count++] = (pid_t)pid; pid = 0; }
		}
	}
	close(fd);
	return count;
}

int list_children(pid_t *list, int max)
{
	char path[64];
	int left = 0;
	print(path, sizeof path, "/proc/self/task/%d/children", getpid());
	int count = read_children(path, list, 0, max);
	for (int i = 0; i < count; i++) if (list[i] != pump_pid && list[i] != apart_pid) list[left++] = list[i];
	return count < 0 ? count : left;
}

/* A child belongs to the thread that forked it, so every thread of the parent is asked. */
static int children_of(pid_t pid, pid_t *list, int count, int max)
{
	char path[96], entries[2048];
	print(path, sizeof path, "/proc/%d/task", pid);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) return count;
	for (long n; (n = syscall(SYS_getdents64, fd, entries, sizeof entries)) > 0;) {
		for (long at = 0; at < n;) {
			struct { uint64_t inode; int64_t offset; uint16_t size; uint8_t type; char name[]; } *e = (void *)(entries + at);
			at += e->size;
			if (e->name[0] == '.') continue;
			print(path, sizeof path, "/proc/%d/task/%s/children", pid, e->name);
			int more = read_children(path, list, count, max);
			if (more >= 0) count = more;
		}
	}
	close(fd);
	return count;
}

static PAGES pid_t found[WALK_MAX]; /* the last walk */
static int found_count;

/* A pid found a moment ago may be somebody else's by now: its parent is one of ours only while it is ours itself. */
static bool still_ours(pid_t pid)
{
	pid_t parent = 0;
	if (!start_ticks(pid, NULL, &parent)) return false;
	if (parent == getpid()) return true;
	for (int i = 0; i < found_count; i++) if (found[i] == parent) return true;
	return false;
}

bool send_descendant(pid_t pid, int signal)
{
	if (!may_signal(pid)) return false;
	record_flush();
	int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* pins whoever has the number, before it is looked at */
	bool ours = still_ours(pid), sent = false;
	if (ours && fd >= 0) sent = syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0;
	if (ours && (fd < 0 || (!sent && errno == ENOSYS))) sent = kill(pid, signal) == 0; /* old kernel or seccomp profile */
	if (fd >= 0) close(fd);
	return sent;
}

/* Freezing stops each process before its children are read, so that none is forked behind the walk's back. */
static int walk(bool (*skip)(pid_t), bool freeze, int *stopped)
{
	int count = 0, own = list_children(found, WALK_MAX);
	for (int i = 0; i < own; i++) if (!skip || !skip(found[i])) found[count++] = found[i];
	for (int i = 0; i < count; i++) {
		char mark = 0;
		found_count = count;
		if (freeze && start_ticks(found[i], &mark, NULL) && !strchr("TtZXD", mark)) *stopped += send_descendant(found[i], SIGSTOP);
		count = children_of(found[i], found, count, WALK_MAX);
	}
	found_count = 0;
	for (int i = 0; i < count; i++) {
		char mark = 0;
		if (start_ticks(found[i], &mark, NULL) && mark != 'Z' && mark != 'X') found[found_count++] = found[i];
	}
	return found_count;
}

int walk_tree(const pid_t **list, bool (*skip)(pid_t))
{
	*list = found;
	return walk(skip, false, NULL);
}

/* Whoever forks faster than it is killed has to be stopped first: stopped processes do not fork, and keep their places
 * under the limit of processes. The passes are bounded; the caller comes again until nobody is left. */
void kill_descendants(bool (*skip)(pid_t))
{
	for (int pass = 0, stopped = 1; pass < 4 && stopped; pass++) {
		stopped = 0;
		if (walk(skip, true, &stopped) <= 1) break;
	}
	for (int i = 0; i < found_count; i++) send_descendant(found[i], SIGKILL);
}

char *names_of(const pid_t *pids, int count, char *text, size_t size)
{
	size_t used = 0;
	text[0] = 0;
	for (int i = 0; i < count && used + 64 < size; i++) {
		char path[64], name[32] = "?";
		print(path, sizeof path, "/proc/%d/comm", pids[i]);
		ssize_t n = read_file(path, name, sizeof name);
		if (n > 0 && name[n - 1] == '\n') name[n - 1] = 0;
		used += (size_t)print(text + used, size - used, "%s%s (%d)", i ? ", " : "", name, pids[i]);
	}
	return text;
}
