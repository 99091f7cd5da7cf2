/* The process that restart.mjs kills: adds its pid and the time at which it began to FILE, one line, and sleeps.
 *   restart-probe FILE */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	int fd = argc == 2 ? open(argv[1], O_WRONLY | O_APPEND | O_CREAT, 0600) : -1;
	if (fd < 0) { perror("restart-probe"); return 1; }
	dprintf(fd, "%d %lld\n", getpid(), t.tv_sec * 1000000000ll + t.tv_nsec);
	close(fd);
	for (;;) pause();
}
