/* One measurement of an init, for run-latency.mjs; prints nanoseconds.
 *   latency-probe stop FILE INIT...   INIT runs `latency-probe child FILE`: "SIGNAL END", from the SIGTERM sent to INIT to the
 *                                     handler of its child, and from that child's end to the end of INIT as its parent sees it
 *   latency-probe start INIT...       "WHOLE": from before INIT's exec to its end
 *   latency-probe signals N FILE INIT...  INIT runs `latency-probe counts N FILE`: "ALL", from the first of N real-time signals sent to
 *                                     INIT until its child has had all of them; fails when one is lost
 *   latency-probe orphans N FILE INIT...  INIT runs `latency-probe leaves N FILE`: "ALL", from the first of N orphans until INIT has
 *                                     reaped them all
 * FILE is memory that both share. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared { volatile uint64_t ready, handled, ended; };
enum { BATCH = 100, PATIENCE_S = 30 };
static struct shared *shared;

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void on_term(int signal)
{
	(void)signal;
	shared->handled = now();
	shared->ended = now();
	_exit(0);
}

static void share(const char *file)
{
	int fd = open(file, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, sizeof *shared) < 0) { perror(file); exit(1); }
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED) { perror(file); exit(1); }
	close(fd);
}

static int counts(int n)
{
	sigset_t set;
	struct timespec patience = { PATIENCE_S, 0 };
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	shared->ready = 1;
	for (int i = 0; i < n; i++) if (sigtimedwait(&set, NULL, &patience) < 0) return 1;
	shared->handled = now();
	return 0;
}

/* Each batch is left behind by a process of its own, which has ended by then. */
static int leaves(int n)
{
	char path[64], children[64];
	shared->ready = now();
	for (int i = 0; i < n; i += BATCH) {
		pid_t middle = fork();
		for (int k = 0; middle == 0 && k < BATCH; k++) if (fork() == 0) _exit(0);
		if (middle == 0) _exit(0);
		if (middle < 0 || waitpid(middle, NULL, 0) != middle) return 1;
	}
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", getppid(), getppid());
	for (uint64_t end = now() + PATIENCE_S * 1000000000ull; now() < end; ) {
		int fd = open(path, O_RDONLY);
		ssize_t size = read(fd, children, sizeof children - 1);
		close(fd);
		children[size > 0 ? size : 0] = 0;
		shared->handled = now();
		if (size > 0 && !strchr(strchr(children, ' ') + 1, ' ')) return 0; /* this one alone */
	}
	return 1;
}

static int many(char **argv)
{
	int status, n = atoi(argv[2]);
	bool signals = strcmp(argv[1], "signals") == 0;
	share(argv[3]);
	memset((void *)shared, 0, sizeof *shared);
	pid_t pid = fork();
	if (pid == 0) { execvp(argv[4], argv + 4); perror(argv[4]); _exit(127); }
	while (!shared->ready && waitpid(pid, &status, WNOHANG) == 0) usleep(200);
	if (signals) usleep(2000);
	uint64_t began = signals ? now() : shared->ready;
	for (int i = 0; i < n && signals; i++) if (kill(pid, SIGRTMIN) < 0) return 1;
	if (waitpid(pid, &status, 0) != pid || status) return 1;
	printf("%llu\n", (unsigned long long)(shared->handled - began));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3) return 64;
	if (strcmp(argv[1], "counts") == 0) { share(argv[3]); return counts(atoi(argv[2])); }
	if (strcmp(argv[1], "leaves") == 0) { share(argv[3]); return leaves(atoi(argv[2])); }
	if (strcmp(argv[1], "signals") == 0 || strcmp(argv[1], "orphans") == 0) return many(argv);
	if (strcmp(argv[1], "child") == 0) {
		struct sigaction a = { .sa_handler = on_term };
		share(argv[2]);
		sigaction(SIGTERM, &a, NULL);
		shared->ready = 1;
		for (;;) pause();
	}
	int stop = strcmp(argv[1], "stop") == 0, status;
	if (stop) { share(argv[2]); memset((void *)shared, 0, sizeof *shared); }
	uint64_t began = now(), sent = 0;
	pid_t pid = fork();
	if (pid == 0) { execvp(argv[2 + stop], argv + 2 + stop); perror(argv[2 + stop]); _exit(127); }
	if (stop) {
		while (!shared->ready && waitpid(pid, &status, WNOHANG) == 0) usleep(200);
		usleep(2000); /* let init come to rest: it has something to note of the start */
		sent = now();
		kill(pid, SIGTERM);
	}
	if (waitpid(pid, &status, 0) != pid) return 1;
	uint64_t over = now();
	if (!stop) printf("%llu\n", (unsigned long long)(over - began));
	else if (!shared->handled) return 1;
	else printf("%llu %llu\n", (unsigned long long)(shared->handled - sent), (unsigned long long)(over - shared->ended));
	return 0;
}
