/* The other writer of the format: init's, with hostile text, and with a disk that is full for a while. */
#include "../../src/init/init.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct state state = { .folder = -1 };
uint64_t now_ns(void) { return 18446744073709551614u; }
const char *signal_name(int signal) { return signal == 15 ? "SIGTERM" : "SIG?"; }

static void stuck(const char *run)
{
	const pid_t pids[] = { 1, 2147483647 };
	record_begin("stuck");
	record_text("run", run);
	record_pids("pids", pids, 2);
	record_end();
	record_flush();
}

static void limit(rlim_t size)
{
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ size, RLIM_INFINITY });
}

int main(int argc, char **argv)
{
	(void)argc;
	struct stat st;
	struct usage usage = { UINT64_MAX / 2048, 2, 3 };
	signal(SIGXFSZ, SIG_IGN);
	int fd = open(argv[1], O_RDWR | O_CREAT | O_APPEND, 0600);
	record_open(fd);
	for (int i = 2; argv[i]; i++) stuck(argv[i]);
	record_begin("run-ended");
	record_text("run", "web#1");
	record_text("code", NULL);
	record_signal("signal", 15);
	record_bool("forced", true);
	record_usage("rusage", &usage);
	record_ns("deadline_ns", FOREVER);
	record_ns("other_ns", FOREVER - 1);
	record_end();
	record_flush();
	fstat(fd, &st);
	limit((rlim_t)st.st_size + 30); /* a short write, then none at all */
	stuck("lost");
	stuck("lost too");
	limit(RLIM_INFINITY);
	stuck("after");
	return 0;
}
