/* As dumb-init 1.2.5: its command line, variables, messages and exit codes, after its documentation and its behaviour, against which
 * test/parity compares it. The help is dumb-init's own text (MIT License, Copyright 2015 Yelp, Inc.). */
#include "stand-in.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERSION "dumb-init v1.2.5 (gsup " GSUP_VERSION ")"
enum { STANDARD_SIGNALS = 32 /* and those below can be rewritten */, EXIT_CANNOT = 2 };

static bool debugs, own_session = true;
static bool handed_over[STANDARD_SIGNALS]; /* what comes of giving the terminal away, once each */
static INITS struct wishes wishes;
static pid_t child;

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...)
{
	char text[4096 + 256] = "[dumb-init] ";
	size_t size = strlen(text);
	va_list args;
	va_start(args, format);
	size = add_line(text, sizeof text, size, format, args);
	va_end(args);
	write_text(2, text, size);
}
#define DEBUG(...) do { if (debugs) tell(__VA_ARGS__); } while (0)

static const char help[] = VERSION "\n"
	"Usage: %s [option] command [[arg] ...]\n\n"
	"dumb-init is a simple process supervisor that forwards signals to children.\n"
	"It is designed to run as PID1 in minimal container environments.\n\n"
	"Optional arguments:\n"
	"   -c, --single-child   Run in single-child mode.\n"
	"                        In this mode, signals are only proxied to the\n"
	"                        direct child and not any of its descendants.\n"
	"   -r, --rewrite s:r    Rewrite received signal s to new signal r before proxying.\n"
	"                        To ignore (not proxy) a signal, rewrite it to 0.\n"
	"                        This option can be specified multiple times.\n"
	"   -v, --verbose        Print debugging information to stderr.\n"
	"   -h, --help           Print this help message and exit.\n"
	"   -V, --version        Print the current version and exit.\n\n"
	"Full help is available online at https://github.com/Yelp/dumb-init\n";
static const char how_to_rewrite[] = "Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.\n"
	"This option can be specified multiple times.\nUse --help for full usage.\n";

static void tell_plain(const char *format, ...)
{
	char text[4096];
	va_list args;
	va_start(args, format);
	size_t size = (size_t)vprint(text, sizeof text, format, args);
	va_end(args);
	write_text(2, text, size < sizeof text ? size : sizeof text - 1);
}

static bool take_rewrite(const char *text)
{
	long long from, to;
	if (!next_integer(&text, &from) || *text++ != ':' || !next_integer(&text, &to)) return false;
	if (from < 1 || from >= STANDARD_SIGNALS || to < 0 || to >= STANDARD_SIGNALS) return false;
	wishes.rewrites[from] = to ? (int)to : -1;
	return true;
}

/* -1: go on. */
static int take_options(struct words *w)
{
	static const struct long_name names[] = { { "help", 'h' }, { "single-child", 'c' }, { "rewrite", 'r' }, { "verbose", 'v' }, { "version", 'V' }, { 0 } };
	for (int letter; (letter = next_option(w, "hvVcr:", names)); ) switch (letter) {
	case 'h': tell_plain(help, w->argv[0]); return 0;
	case 'V': tell_plain("%s\n", VERSION); return 0;
	case 'v': debugs = true; break;
	case 'c': own_session = false; break;
	case 'r': if (take_rewrite(w->value)) break; tell_plain("%s", how_to_rewrite); return 1;
	default: return 1;
	}
	if (!w->count) tell_plain("Usage: %s [option] program [args]\nTry %s --help for full usage.\n", w->argv[0], w->argv[0]);
	return w->count ? -1 : 1;
}

static void take_environment(void)
{
	const char *debug = getenv("DUMB_INIT_DEBUG"), *session = getenv("DUMB_INIT_SETSID");
	if (debug && strcmp(debug, "1") == 0) { debugs = true; DEBUG("Running in debug mode."); }
	if (session && strcmp(session, "0") == 0) { own_session = false; DEBUG("Not running in setsid mode."); }
}

static void forward(int signal)
{
	int to = signal < STANDARD_SIGNALS ? wishes.rewrites[signal] : 0;
	if (to) { DEBUG("Translating signal %d to %d.", signal, to < 0 ? 0 : to); signal = to < 0 ? 0 : to; }
	if (signal) {
		signal_child(child, signal, own_session);
		DEBUG("Forwarded signal %d to children.", signal);
	} else DEBUG("Not forwarding signal %d to children (ignored).", signal);
}

/* The exit code when the child has gone, else -1. */
static int reap(void)
{
	for (int pid, status; (pid = waitpid(-1, &status, WNOHANG)) > 0; ) {
		int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (WIFEXITED(status)) DEBUG("A child with PID %d exited with exit status %d.", pid, code);
		else DEBUG("A child with PID %d was terminated by signal %d.", pid, code - 128);
		if (pid != child) continue;
		forward(SIGTERM); /* to whoever is left of its group */
		DEBUG("Child exited with status %d. Goodbye.", code);
		return code;
	}
	return -1;
}

static int dumb_loop(void)
{
	for (int code = -1; ; ) {
		rest();
		int signal = wait_for_signal(~0ull);
		if (signal < 0) continue;
		DEBUG("Received signal %d.", signal);
		if (signal < STANDARD_SIGNALS && handed_over[signal]) {
			DEBUG("Ignoring tty hand-off signal %d.", signal);
			handed_over[signal] = false;
		} else if (signal == SIGCHLD) {
			if ((code = reap()) >= 0) return code;
		} else {
			forward(signal);
			if (signal != SIGTSTP && signal != SIGTTOU && signal != SIGTTIN) continue;
			DEBUG("Suspending self due to TTY signal.");
			stop_ourselves(false);
		}
	}
}

static void let_go_of_terminal(void)
{
	if (ioctl(0, TIOCNOTTY) < 0) { DEBUG("Unable to detach from controlling tty (errno=%d %s).", errno, reason(errno)); return; }
	bool leads = getsid(0) == getpid();
	DEBUG("Detached from controlling tty, %s", leads ? "ignoring the first SIGHUP and SIGCONT we receive." : "but was not session leader.");
	handed_over[SIGHUP] = handed_over[SIGCONT] = leads;
}

static int become_child(char **command)
{
	for (int signal = 1; signal < STANDARD_SIGNALS; signal++) (void)sigaction(signal, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	set_mask(0);
	if (own_session) {
		if (setsid() < 0) { tell("Unable to setsid (errno=%d %s). Exiting.", errno, reason(errno)); return 1; }
		if (ioctl(0, TIOCSCTTY, 0) < 0) DEBUG("Unable to attach to controlling tty (errno=%d %s).", errno, reason(errno));
		DEBUG("setsid complete.");
	}
	int error = exec_as_shell(command);
	tell("%s: %s", command[0], reason(error));
	return EXIT_CANNOT;
}

int dumb_init_main(int argc, char ***argv)
{
	static const int stops[] = { SIGTSTP, SIGTTOU, SIGTTIN };
	char *others[argc + 1];
	struct words w = { .argc = argc, .argv = *argv, .at = 1, .others = others };
	int code = take_options(&w);
	if (code >= 0) return code;
	take_environment();
	if (wants_grace()) {
		wishes.verbose = debugs;
		wishes.leader = !own_session;
		*argv = as_run((*argv)[0], &wishes, others);
		return *argv ? -1 : 1;
	}
	/* A session of its own is no job of a shell: the stop signals of a terminal would not stop it. */
	for (int i = 0; i < 3 && own_session; i++) if (!wishes.rewrites[stops[i]]) wishes.rewrites[stops[i]] = SIGSTOP;
	if (own_session) let_go_of_terminal();
	child = fork();
	if (child < 0) { tell("Unable to fork. Exiting."); return 1; }
	if (!child) _exit(become_child(others));
	DEBUG("Child spawned with PID %d.", child);
	return dumb_loop();
}
