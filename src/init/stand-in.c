/* Started under the name of tini or dumb-init gsup is that program: its command line, variables, messages and exit codes, one child,
 * no log. With GSUP_GRACE it is `gsup run` behind that program's command line. Here is what both have in common. */
#include "stand-in.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int stand_in(int argc, char ***argv)
{
	const char *name = argc > 0 ? (*argv)[0] : "", *slash = strrchr(name, '/');
	name = slash ? slash + 1 : name;
	if (strcmp(name, "tini") == 0 || strcmp(name, "tini-static") == 0) return tini_main(argc, argv);
	if (strcmp(name, "dumb-init") == 0) return dumb_init_main(argc, argv);
	return -1;
}

/* ---- the command line ---- */

static void complain(const struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void complain(const struct words *w, const char *format, ...)
{
	char text[1024];
	size_t size = (size_t)print(text, sizeof text / 2, "%.*s: ", 500, w->argv[0]);
	va_list args;
	va_start(args, format);
	size += (size_t)vprint(text + size, sizeof text - size, format, args);
	va_end(args);
	write_text(2, text, size < sizeof text ? size : sizeof text - 1);
}

static int take_letter(struct words *w, const char *letters)
{
	char letter = *w->cluster++;
	const char *known = letter == ':' ? NULL : strchr(letters, letter);
	if (!*w->cluster) w->at++;
	if (!known) {
		complain(w, "invalid option -- '%.*s'\n", 1, &letter);
		if (!*w->cluster) w->cluster = NULL;
		return '?';
	}
	if (known[1] == ':') {
		if (*w->cluster) { w->value = w->cluster; w->at++; }
		else if (w->at < w->argc) w->value = w->argv[w->at++];
		else { complain(w, "option requires an argument -- '%.*s'\n", 1, &letter); return '?'; }
		w->cluster = NULL;
	} else if (!*w->cluster) w->cluster = NULL;
	return letter;
}

/* A name may be cut short where that leaves one. */
static int take_name(struct words *w, const char *letters, const struct long_name *names)
{
	const char *word = w->argv[w->at++] + 2;
	size_t size = strcspn(word, "="), fits = 0;
	const struct long_name *found = NULL;
	for (const struct long_name *n = names; n->name; n++) {
		if (strncmp(n->name, word, size) != 0) continue;
		found = n;
		if (!n->name[size]) { fits = 1; break; }
		fits++;
	}
	if (fits > 1) {
		char list[256];
		int used = 0;
		for (const struct long_name *n = names; n->name; n++) if (strncmp(n->name, word, size) == 0) used += print(list + used, sizeof list - (size_t)used, " '--%s'", n->name);
		complain(w, "option '--%.*s' is ambiguous; possibilities:%s\n", 200, word, list);
		return '?';
	}
	if (!fits) { complain(w, "unrecognized option '--%.*s'\n", (int)(size < 400 ? size : 400), word); return '?'; }
	bool wants = strchr(letters, found->letter)[1] == ':';
	if (word[size] && !wants) { complain(w, "option '--%s' doesn't allow an argument\n", found->name); return '?'; }
	if (wants && !word[size] && w->at == w->argc) { complain(w, "option '--%s' requires an argument\n", found->name); return '?'; }
	if (wants) w->value = word[size] ? word + size + 1 : w->argv[w->at++];
	return found->letter;
}

int next_option(struct words *w, const char *letters, const struct long_name *names)
{
	for (; !w->cluster; w->others[w->count++] = w->argv[w->at++]) {
		const char *word = w->at < w->argc ? w->argv[w->at] : NULL;
		bool last = word && strcmp(word, "--") == 0, option = word && word[0] == '-' && word[1];
		if (!word || last || (!option && !w->permute)) {
			for (w->at += last; w->at < w->argc; ) w->others[w->count++] = w->argv[w->at++];
			w->others[w->count] = NULL;
			return 0;
		}
		if (option && names && word[1] == '-') return take_name(w, letters, names);
		if (option) { w->cluster = word + 1; break; }
	}
	return take_letter(w, letters);
}

bool next_integer(const char **at, long long *value)
{
	const char *text = *at + strspn(*at, " \t\n\v\f\r");
	bool negative = *text == '-';
	text += *text == '-' || *text == '+';
	const char *digits = text;
	uint64_t number = read_number(&text);
	if (text == digits) return false;
	*value = number > INT32_MAX ? INT32_MAX : (long long)number;
	if (negative) *value = -*value;
	*at = text;
	return true;
}

/* ---- what both do ---- */

/* Where the GNU C library has other words than musl. */
const char *reason(int error)
{
	return error == ENOTTY ? "Inappropriate ioctl for device" : error == ELOOP ? "Too many levels of symbolic links" :
		error == ENAMETOOLONG ? "File name too long" : strerror(error);
}

size_t add_line(char *text, size_t room, size_t used, const char *format, va_list args)
{
	used += (size_t)vprint(text + used, room - used - 1, format, args);
	if (used > room - 1) used = room - 1;
	text[used++] = '\n';
	return used;
}

void write_text(int fd, const char *text, size_t size)
{
	for (ssize_t n; size && (n = write(fd, text, size)) > 0; size -= (size_t)n) text += n;
}

/* The kernel's own call: a C library may keep some real-time signals for itself. */
int wait_for_signal(uint64_t mask)
{
	int signal;
	do signal = (int)syscall(SYS_rt_sigtimedwait, &mask, NULL, NULL, sizeof mask); while (signal < 0 && errno == EINTR);
	return signal;
}

/* Before it has its group it is told alone. */
bool signal_child(pid_t child, int signal, bool group)
{
	return (group && send_group(child, signal)) || ((!group || errno == ESRCH) && send_signal(child, signal));
}

/* A file that the kernel cannot execute is a script for sh. */
static int exec_file(char *file, char **command)
{
	int count = 0;
	execv(file, command);
	if (errno != ENOEXEC) return errno;
	while (command[count]) count++;
	char *words[count + 2];
	words[0] = "/bin/sh";
	words[1] = file;
	memcpy(words + 2, command + 1, (size_t)count * sizeof *words);
	execv(words[0], words);
	return errno;
}

int exec_as_shell(char **command)
{
	const char *at = getenv("PATH");
	char file[4096];
	int error = ENOENT;
	if (strchr(command[0], '/')) return exec_file(command[0], command);
	for (at = at ? at : "/bin:/usr/bin"; *command[0] && at; at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
		int size = (int)strcspn(at, ":");
		if (print(file, sizeof file, "%.*s%s%s", size, at, size ? "/" : "", command[0]) >= (int)sizeof file) continue;
		int why = exec_file(file, command);
		if (why == EACCES) error = EACCES;
		else if (why != ENOENT && why != ENOTDIR && why != ESTALE && why != ENODEV && why != ETIMEDOUT) return why;
	}
	return error;
}

/* ---- with a grace ---- */

bool wants_grace(void)
{
	const char *grace = getenv("GSUP_GRACE");
	return grace && *grace;
}

enum { OPTIONS_MAX = 8 + 256 + 32, OPTION_SIZE = 40 };
char **as_run(char *self, const struct wishes *wishes, char **command)
{
	size_t count = 0, n = 0;
	while (command[count]) count++;
	size_t list = (count + OPTIONS_MAX) * sizeof(char *);
	void *room = mmap(NULL, list + OPTIONS_MAX * OPTION_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED) return NULL;
	char **words = room, *text = (char *)room + list;
#define OPTION(...) do { print(text, OPTION_SIZE, __VA_ARGS__); words[n++] = text; text += OPTION_SIZE; } while (0)
	words[n++] = self;
	words[n++] = "run";
	if (wishes->verbose) words[n++] = "--verbose";
	if (wishes->silent) words[n++] = "--log-level=error";
	if (wishes->leader) words[n++] = "--target=leader";
	if (wishes->parent_death_signal) OPTION("--parent-death-signal=%d", wishes->parent_death_signal);
	for (int code = 0; code < 256; code++) if (wishes->successes[code]) OPTION("--exit-map=%d=0", code);
	for (int signal = 1; signal < 32; signal++)
		if (wishes->rewrites[signal]) OPTION("--rewrite=%d:%d", signal, wishes->rewrites[signal] < 0 ? 0 : wishes->rewrites[signal]);
	words[n++] = "--";
	memcpy(words + n, command, (count + 1) * sizeof *words);
	return words;
}
