/* Sockets that gsup was given by socket activation, as sd_listen_fds(3) has it: descriptors 3, 4, ... which are meant for the process
 * with the pid LISTEN_PID. Where that is gsup, they are for the command of `run`, and for nobody else. Init keeps them, for the next run. */
#include "options.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST = 3 };
static pid_t given_to; /* 0: none were given */
static int behind = FIRST;
static const char *missing; /* LISTEN_FDS, where not all that it counts are there */

static bool number_of(const char *name, uint64_t *number)
{
	const char *text = getenv(name), *end = text;
	if (!text || !*text) return false;
	*number = read_number(&end);
	return !*end;
}

/* Before gsup opens anything: what is open in their place must be what was given. */
void listen_take(void)
{
	uint64_t pid, count;
	if (!number_of("LISTEN_PID", &pid) || pid != (uint64_t)getpid()) return;
	if (!number_of("LISTEN_FDS", &count) || !count || count > INT_MAX - FIRST) return;
	for (uint64_t i = 0; i < count; i++) if (fcntl(FIRST + (int)i, F_GETFD) < 0) { missing = getenv("LISTEN_FDS"); return; }
	given_to = getpid();
	behind = FIRST + (int)count;
}

int listen_settle(const struct parsed *p)
{
	const struct said *ready = &p->said[OPT_READY];
	const char *at = ready->set && strncmp(ready->text, "fd:", 3) == 0 ? ready->text + 3 : NULL;
	uint64_t fd = at ? read_number(&at) : 0;
	if (missing) say(LEVEL_WARN, "LISTEN_FDS is \"%s\", and not all of these descriptors are open: LISTEN_PID stays as it is, so they are nobody's", missing);
	if (!given_to) return 0;
	if (p->action == PARSED_UP) {
		say(LEVEL_WARN, "the sockets that LISTEN_FDS counts are closed: up has nobody who gets them");
		close_descriptors(FIRST, behind);
	} else if (fd >= FIRST && fd < (uint64_t)behind) {
		say(LEVEL_ERROR, "cannot use --ready %s: that descriptor is one of those that LISTEN_FDS counts; use another one", ready->text);
		return EXIT_USAGE;
	}
	return 0;
}

bool listen_drops(const char *entry, size_t name_size, bool is_command)
{
	static const char *const names[] = { "LISTEN_PIDFDID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES" }; /* the first is of gsup alone: who has it not goes by the pid */
	for (size_t i = 0; i < (is_command ? 1 : sizeof names / sizeof *names) && given_to; i++)
		if (strlen(names[i]) == name_size && strncmp(entry, names[i], name_size) == 0) return true;
	return false;
}

void listen_in_child(char **env, bool is_command)
{
	static char own[32];
	if (given_to && !is_command) close_descriptors(FIRST, behind);
	for (; *env && given_to && is_command; env++) {
		const char *at = strncmp(*env, "LISTEN_PID=", 11) == 0 ? *env + 11 : "";
		if (!*at || read_number(&at) != (uint64_t)given_to || *at) continue; /* another one was asked for */
		print(own, sizeof own, "LISTEN_PID=%d", getpid());
		*env = own;
	}
}
