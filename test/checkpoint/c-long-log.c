/* init's log grown long: N records, in a folder (kept as state.c opens it), or where there is none (`-`). Then one more record. */
#include "../../src/init/init.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct state state = { .folder = -1 };
static uint64_t now;
uint64_t now_ns(void) { return ++now; }
const char *signal_name(int signal) { return signal == 10 ? "SIGUSR1" : "SIG?"; }

int main(int argc, char **argv)
{
	const char *folder = argv[2], *log = argv[3];
	if (argc < 4) return 64;
	if (strcmp(folder, "-") != 0) state.folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = open(log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	record_open(fd);
	record_begin("task");
	record_text("task", "web");
	record_text("version", "0");
	record_text("config_digest", "0");
	record_text("boot_id", "b");
	record_number("pid_ns", 1);
	record_number("pid", 1);
	record_end();
	for (int i = 0; i < atoi(argv[1]); i++) {
		record_begin("signal");
		record_signal("signal", 10);
		record_end();
		record_flush();
	}
	return fcntl(fd, F_GETFD) & FD_CLOEXEC ? 0 : 1; /* the descriptor is still that of the log, and no child's */
}
