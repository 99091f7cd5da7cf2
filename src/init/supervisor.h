/* Between supervisor.c, absence.c and ending.c: the supervisor as init sees it. */
#ifndef GSUP_SUPERVISOR_H
#define GSUP_SUPERVISOR_H
#include "runs.h"

#define ANSWER_WITHIN (250 * MS)     /* to what is due at once */
#define START_WITHIN (2 * SECOND)    /* while a supervisor is being started */
#define REPLACE_AFTER (10 * SECOND)  /* without an answer to anything */
#define RETRY_FIRST (100 * MS)
#define NO_MEMORY SECOND              /* whoever needs the memory more shall have had it by then */
#define RETRY_LAST (30 * SECOND)

enum { NOT_ASKED = -1 /* row: nobody wants to know */ };
enum { GONE, STARTING, PRESENT, ABSENT }; /* ABSENT: it has left, and is started when there is something for it */
struct supervisor {
	int state, socket;
	pid_t pid;
	uint64_t started_ns, retry_ns, delay_ns;
	uint64_t event, seen, unseen_since_ns, wake_ns; /* event: of the last SYNC; seen: of the last SEEN */
	uint64_t last_number, reap_by_ns; /* reap_by_ns: when it must have ended, once it was killed */
	uint64_t next_ns, refuse_until_ns; /* next_ns: what it leaves for; refuse_until_ns: no client is a reason to start one */
	bool orders_suffice, stops_alone;  /* for a stop in its absence; which is under way, and not late */
	uint32_t restarts, failed; /* failed: starts in a row that came to nothing, 2 each; 1 for a SIGKILL, which says little of the next one */
	bool tell_hello, tell_asks, spawned, said, yields, ended; /* yields: to the supervisor of another installation; ended: by us */
	int row;                   /* of what is counted: the next that is told */
	bool woken, leaves, called; /* woken: from an absence; leaves: into one; called: a client waits */
};
struct asked { struct asks frame; uint64_t event, due_ns; int alone; struct by by; };
struct ending { bool asked; int code; uint64_t bye_ns, drain_ns; bool killed, alone, clears; };
extern struct supervisor sup;
extern struct asked asks;
extern struct ending leave;
extern const struct parsed *parsed;
extern char **command_line;

void start_supervisor(void);
pid_t begin_supervisor(int *socket);                 /* -1: errno tells; else its end is in `socket` */
bool first_declines(const siginfo_t *si);            /* it has ended because the hand-over has failed */
void drop_socket(void);
void supervisor_rest(void);                          /* what it had said and was told */
void end_supervisor(void);
void set_present(bool present);                      /* whether one lives, or is being started: coordinators are told */
void leave_with(const struct leaving *l);            /* what it has asked for with that */
bool hopeless(void);
bool is_visitor(void);                               /* of a plain run, and has not taken over */
void visit_in_vain(const char *why);
void be_absent(void);                                /* it was ended because it has asked for that */
void wake(uint64_t now);                             /* out of its absence, if there is a reason */
uint64_t patience(void);                             /* how long an answer to an ask may take from now on */
void say_stop(struct by by);                         /* as a supervisor would, where a stop needs none */
bool nobody_comes(void);                             /* or not as long as a stop goes well */
#endif
