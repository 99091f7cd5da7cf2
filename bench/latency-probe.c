/* One measurement of an init, for run-latency.mjs; prints nanoseconds.
 *   latency-probe stop FILE INIT...   INIT runs `latency-probe child FILE`: "SIGNAL END", from the SIGTERM sent to INIT to the
 *                                     handler of its child, and from that child's end to the end of INIT as its parent sees it
 *   latency-probe start INIT...       "WHOLE": from before INIT's exec to its end
 * FILE is memory that both share. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared { volatile uint64_t ready, handled, ended; };
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

int main(int argc, char **argv)
{
	if (argc < 3) return 64;
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
