/* As tini 0.19: its command line, variables, messages and exit codes, after its documentation and its behaviour, against which
 * test/parity compares it. The help is tini's own text (MIT License, Copyright 2015 Thomas Orozco). */
#include "stand-in.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERSION "tini version 0.19.0 - gsup " GSUP_VERSION
enum { EXIT_NOT_FOUND_HERE = 127, EXIT_NOT_EXECUTABLE_HERE = 126, BLOCK = 4096 };
enum told { FATAL, WARN, INFO, DEBUG, TRACE };

static long long verbosity = WARN;
static bool subreaper, group, warns;
static INITS struct wishes wishes;
static pid_t child;
static int child_code = -1;
static PAGES char waiting[BLOCK]; /* of stdout, which stdio would have: whole blocks, where it is no terminal */
static size_t waiting_size;

static void flush(void)
{
	write_text(1, waiting, waiting_size);
	waiting_size = 0;
}

static void put(enum told told, const char *text, size_t size)
{
	if (told <= WARN) { write_text(2, text, size); return; }
	while (size) {
		size_t n = BLOCK - waiting_size < size ? BLOCK - waiting_size : size;
		memcpy(waiting + waiting_size, text, n);
		waiting_size += n;
		text += n;
		size -= n;
		if (waiting_size == BLOCK) flush();
	}
	if (isatty(1)) flush();
}

static void tell(enum told told, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(enum told told, const char *format, ...)
{
	static const char *const names[] = { "FATAL", "WARN ", "INFO ", "DEBUG", "TRACE" };
	char text[4096 + 256];
	if (told && (long long)told > verbosity) return;
	size_t size = (size_t)print(text, sizeof text, "[%s tini (%d)] ", names[told], getpid());
	va_list args;
	va_start(args, format);
	size = add_line(text, sizeof text, size, format, args);
	va_end(args);
	put(told, text, size);
}

static void tell_usage(int fd, const char *name)
{
	char text[2048];
	const char *slash = strrchr(name, '/');
	name = slash ? slash + 1 : name;
	int size = print(text, sizeof text, "%.*s (" VERSION ")\nUsage: %.*s [OPTIONS] PROGRAM -- [ARGS] | --version\n\n"
		"Execute a program under the supervision of a valid init process (tini)\n\n"
		"Command line options:\n\n"
		"  --version: Show version and exit.\n"
		"  -h: Show this help message and exit.\n"
		"  -s: Register as a process subreaper (requires Linux >= 3.4).\n"
		"  -p SIGNAL: Trigger SIGNAL when parent dies, e.g. \"-p SIGKILL\".\n"
		"  -v: Generate more verbose output. Repeat up to 3 times.\n"
		"  -w: Print a warning when processes are getting reaped.\n"
		"  -g: Send signals to the child's process group.\n"
		"  -e EXIT_CODE: Remap EXIT_CODE (from 0 to 255) to 0.\n"
		"  -l: Show license and exit.\n\n"
		"Environment variables:\n\n"
		"  TINI_SUBREAPER: Register as a process subreaper (requires Linux >= 3.4).\n"
		"  TINI_VERBOSITY: Set the verbosity level (default: 1).\n"
		"  TINI_KILL_PROCESS_GROUP: Send signals to the child's process group.\n\n", 200, name, 200, name);
	write_text(fd, text, (size_t)size);
}

/* Those of POSIX; Linux has a few more. */
static int signal_named(const char *name)
{
	for (int signal = 1; signal < 32; signal++)
		if (signal != SIGIO && signal != SIGPWR && signal != SIGSTKFLT && strcmp(signal_name(signal), name) == 0) return signal;
	return 0;
}

static bool take_success(const char *value)
{
	const char *at = value;
	long long code = 0;
	if (*value && (!next_integer(&at, &code) || *at || code < 0 || code > 255)) return false;
	wishes.successes[code] = true;
	return true;
}

/* -1: go on. */
static int take_options(struct words *w)
{
	static const char license[] = "The program that you have called tini is gsup, which stands in for it. Its license is the MIT License, in its file LICENSE.\n";
	for (int letter; (letter = next_option(w, "hvwgle:p:s", NULL)); ) switch (letter) {
	case 'h': tell_usage(1, w->argv[0]); return 0;
	case 'l': write_text(1, license, sizeof license - 1); return 0;
	case 's': subreaper = true; break;
	case 'g': group = true; break;
	case 'w': warns = true; break;
	case 'v': verbosity++; break;
	case 'p':
		if ((wishes.parent_death_signal = signal_named(w->value))) break;
		tell(FATAL, "Not a valid option for -p: %s", w->value);
		return 1;
	case 'e':
		if (take_success(w->value)) break;
		tell(FATAL, "Not a valid option for -e: %s", w->value);
		return 1;
	default: tell_usage(2, w->argv[0]); return 1;
	}
	if (!w->count) tell_usage(2, w->argv[0]);
	return w->count ? -1 : 1;
}

static void take_environment(void)
{
	const char *level = getenv("TINI_VERBOSITY");
	if (getenv("TINI_SUBREAPER")) subreaper = true;
	if (getenv("TINI_KILL_PROCESS_GROUP")) group = true;
	if (level && !next_integer(&level, &verbosity)) verbosity = 0;
	verbosity = (uint32_t)verbosity; /* below zero: all, as it is there */
}

static const int of_the_terminal[] = { SIGTTIN, SIGTTOU };
static INITS struct sigaction inherited[2];

static int become_child(char **command)
{
	if (setpgid(0, 0) < 0) { tell(FATAL, "setpgid failed: %s", reason(errno)); return 1; }
	if (tcsetpgrp(0, getpgrp()) < 0) {
		if (errno != ENOTTY && errno != ENXIO) { tell(FATAL, "tcsetpgrp failed: %s", reason(errno)); return 1; }
		tell(DEBUG, "tcsetpgrp failed: no %s (ok to proceed)", errno == ENOTTY ? "tty" : "such device");
	}
	for (int i = 0; i < 2; i++) sigaction(of_the_terminal[i], &inherited[i], NULL);
	if (inherited_chld_ignored) signal(SIGCHLD, SIG_IGN);
	set_mask(inherited_mask);
	int error = exec_as_shell(command);
	tell(FATAL, "exec %s failed: %s", command[0], reason(error));
	return error == ENOENT ? EXIT_NOT_FOUND_HERE : error == EACCES ? EXIT_NOT_EXECUTABLE_HERE : 1;
}

static const char *text_of(int signal)
{
	static char text[32];
	if (signal == SIGFPE) return "Floating point exception"; /* of the GNU C library; musl has other words */
	if (signal < 34) return strsignal(signal);
	print(text, sizeof text, "Real-time signal %d", signal - 34);
	return text;
}

static void tini_reap(void)
{
	for (int status, pid; ; ) {
		pid = waitpid(-1, &status, WNOHANG);
		if (pid <= 0) { tell(TRACE, pid ? "No child to wait" : "No child to reap"); return; }
		tell(DEBUG, "Reaped child with pid: '%d'", pid);
		if (pid != child) { if (warns) tell(WARN, "Reaped zombie process with pid=%d", pid); continue; }
		if (WIFEXITED(status)) tell(INFO, "Main child exited normally (with status '%d')", child_code = WEXITSTATUS(status));
		else {
			tell(INFO, "Main child exited with signal (with signal '%s')", text_of(WTERMSIG(status)));
			child_code = 128 + WTERMSIG(status);
		}
		if (wishes.successes[child_code]) child_code = 0;
	}
}

/* tini looks once a second whether there is anybody to reap; here a signal is waited for. */
static int tini_loop(uint64_t mask)
{
	while (child_code < 0) {
		rest();
		int signal = wait_for_signal(mask);
		if (signal < 0) continue;
		if (signal == SIGCHLD) tell(DEBUG, "Received SIGCHLD");
		else {
			tell(DEBUG, "Passing signal: '%s'", text_of(signal));
			if (!signal_child(child, signal, group)) /* tini itself would end here, for any other reason */
				tell(WARN, errno == ESRCH ? "Child was dead when forwarding signal" : "Unexpected error when forwarding signal: '%s'", reason(errno));
		}
		tini_reap();
	}
	tell(TRACE, "Exiting: child has exited");
	flush();
	return child_code;
}

int tini_main(int argc, char ***argv)
{
	char *others[argc + 1];
	struct words w = { .argc = argc, .argv = *argv, .permute = !getenv("POSIXLY_CORRECT"), .at = 1, .others = others };
	if (argc == 2 && strcmp((*argv)[1], "--version") == 0) { write_text(1, VERSION "\n", sizeof VERSION); return 0; }
	int code = take_options(&w);
	if (code >= 0) return code;
	take_environment();
	if (wants_grace()) {
		wishes.verbose = verbosity > INFO;
		wishes.silent = verbosity < WARN;
		if (warns) tell(WARN, "-w says nothing with GSUP_GRACE");
		*argv = as_run((*argv)[0], &wishes, others);
		return *argv ? -1 : 1;
	}
	static const int faults[] = { SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU };
	uint64_t mask = ~0ull;
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) mask &= ~(1ull << (faults[i] - 1));
	struct sigaction ignored = { .sa_handler = SIG_IGN };
	for (int i = 0; i < 2; i++) sigaction(of_the_terminal[i], &ignored, &inherited[i]);
	set_mask(mask);
	if (wishes.parent_death_signal) prctl(PR_SET_PDEATHSIG, wishes.parent_death_signal, 0, 0, 0);
	if (subreaper) {
		if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) { tell(FATAL, "Failed to register as child subreaper: %s", reason(errno)); return 1; }
		tell(TRACE, "Registered as child subreaper");
	} else if (getpid() != 1) tell(WARN, "Tini is not running as PID 1 and isn't registered as a child subreaper.\n"
		"Zombie processes will not be re-parented to Tini, so zombie reaping won't work.\n"
		"To fix the problem, use the -s option or set the environment variable TINI_SUBREAPER to register Tini as a child subreaper, or run Tini as PID 1.");
	child = fork();
	if (child < 0) { tell(FATAL, "fork failed: %s", reason(errno)); return 1; }
	if (!child) {
		code = become_child(others);
		flush();
		_exit(code);
	}
	tell(INFO, "Spawned child process '%s' with pid '%d'", others[0], child);
	return tini_loop(mask);
}
