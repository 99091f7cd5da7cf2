/* The terminal: the command gets the foreground, and job control works as without gsup.
 * OWN: gsup leads the session of its terminal (docker run -it): it lets go of it, and the command's new session takes it.
 * SHARED: somebody's shell leads the session: the command gets a group of its own there, and the foreground.
 * `up` gives its terminal to nobody: ^C and the end of the terminal are for gsup. */
#include "init.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum terminal terminal = TERMINAL_NONE;
static int tty = -1;
static struct termios modes;
static bool swallow_hup, swallow_cont;
static bool watched, outlives, hung_up; /* outlives: nohup(1), which is what whoever started gsup has asked for */

static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) close(fd);
	return fd >= 0;
}

void terminal_watch(void)
{
	struct sigaction old;
	outlives = sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler == SIG_IGN; /* a signal that is blocked comes all the same */
	watched = has_terminal();
}

/* Both the shell, to its jobs, and the kernel, to the foreground, tell of a terminal that is gone. It goes once: the second is no
 * second request. While it is there SIGHUP is a wish of whoever sends it. */
enum hangup terminal_hangup(bool by_kernel)
{
	bool gone = by_kernel || (watched && !has_terminal() && (errno == ENXIO || errno == EIO));
	if (!gone) return HANGUP_NONE;
	if (outlives || hung_up) return HANGUP_KNOWN;
	return hung_up = true, HANGUP_NEW;
}

void terminal_open(bool gives)
{
	struct stat st;
	if (!isatty(0) || tcgetsid(0) != getsid(0)) return;
	if (getsid(0) == getpid()) {
		if (!gives) return;
		/* The foreground group, we are in it, gets HUP and CONT for this (tty_ioctl(4)): not meant for anybody. */
		swallow_hup = swallow_cont = tcgetpgrp(0) == getpgrp();
		if (ioctl(0, TIOCNOTTY) == 0) terminal = TERMINAL_OWN;
		else swallow_hup = swallow_cont = false;
		return;
	}
	/* In a pipeline the foreground belongs to the neighbours as well: it stays where it is. */
	bool piped = fstat(1, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
	if (piped || tcgetpgrp(0) != getpgrp()) return;
	tty = fcntl(0, F_DUPFD_CLOEXEC, 10);
	if (tty >= 0 && tcgetattr(tty, &modes) == 0) terminal = TERMINAL_SHARED;
}

/* A group that is gone was the last command's. */
static bool foreground_is_free(void)
{
	pid_t group = tcgetpgrp(tty);
	return group == getpgrp() || !group_exists(group);
}

int terminal_in_child(bool may_have_it)
{
	if (may_have_it && terminal == TERMINAL_SHARED) {
		bool free = foreground_is_free(); /* in the background (bg) it is somebody else's */
		/* TTOU is blocked, or a background group could not take the foreground. */
		return setpgid(0, 0) < 0 || (free && tcsetpgrp(tty, getpid()) < 0) ? errno : 0;
	}
	if (setsid() < 0) return errno;
	if (may_have_it && terminal == TERMINAL_OWN && ioctl(0, TIOCSCTTY, 0) < 0) return errno;
	return 0;
}

/* The command was stopped. Stop as well, so that the shell notices and takes its terminal; when the shell continues us,
 * resume the command where we are now: in the foreground (fg) or not (bg). A coordinator whose init is gone has no shell. */
void terminal_stopped(pid_t group, int signal, bool alone)
{
	if (terminal != TERMINAL_SHARED || alone) return;
	bool ours = tcgetpgrp(tty) == getpgrp();
	/* A background job that was put in the foreground is not told: it reads, and is stopped for that. */
	if (!(ours && (signal == SIGTTIN || signal == SIGTTOU))) stop_ourselves(true);
	if (tcgetpgrp(tty) == getpgrp()) tcsetpgrp(tty, group);
	send_group(group, SIGCONT);
}

/* Until the next one is there ^C is for us. */
void terminal_leader_gone(pid_t group)
{
	if (terminal == TERMINAL_SHARED && tcgetpgrp(tty) == group) tcsetpgrp(tty, getpgrp());
}

bool terminal_swallows(int signal)
{
	bool *which = signal == SIGHUP ? &swallow_hup : signal == SIGCONT ? &swallow_cont : NULL;
	bool swallow = which && *which;
	if (swallow) *which = false;
	return swallow;
}

int terminal_descriptor(void) { return tty; }

void terminal_close(void)
{
	if (terminal != TERMINAL_SHARED || !foreground_is_free()) return; /* in the background it is the shell's */
	tcsetpgrp(tty, getpgrp());
	tcsetattr(tty, TCSANOW, &modes);
}
