/* Standing in for another init: stand-in.c, tini.c and dumb-init.c. */
#ifndef GSUP_STAND_IN_H
#define GSUP_STAND_IN_H
#include "init.h"

/* ---- stand-in.c ---- */
struct long_name { const char *name; char letter; };
struct words { /* as getopt_long(3) of the GNU C library reads them */
	int argc; char **argv;
	bool permute;                 /* options may stand behind other words */
	int at; const char *cluster;  /* what comes next; in a word of several letters */
	const char *value;            /* of the option that was returned */
	char **others; int count;     /* out: room for argc + 1; all other words, and NULL */
};
int next_option(struct words *w, const char *letters, const struct long_name *names); /* its letter; 0: no more; '?': wrong, and said so */
bool next_integer(const char **at, long long *value); /* as scanf(3) reads %d */
const char *reason(int error);                        /* strerror(3) of the GNU C library */
void write_text(int fd, const char *text, size_t size);
size_t add_line(char *text, size_t room, size_t used, const char *format, va_list args); /* behind what is there, cut to the room, ends with a newline; the size */
int wait_for_signal(uint64_t mask);
bool signal_child(pid_t child, int signal, bool group);
int exec_as_shell(char **command);                    /* execvp(3) of the GNU C library; errno */

/* What of the other program's command line gsup has as well, when it is to stop as gsup does. */
struct wishes { bool verbose, silent, leader; int parent_death_signal; bool successes[256]; int rewrites[32]; /* 0: as it is; -1: dropped */ };
bool wants_grace(void);                               /* GSUP_GRACE is set */
char **as_run(char *self, const struct wishes *wishes, char **command); /* the command line of `gsup run`; NULL: no memory */

/* ---- tini.c, dumb-init.c: an exit code; or -1, and *argv is what gsup shall do instead ---- */
int tini_main(int argc, char ***argv);
int dumb_init_main(int argc, char ***argv);
#endif
