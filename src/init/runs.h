/* Between supervisor.c and runs.c. */
#ifndef GSUP_RUNS_H
#define GSUP_RUNS_H
#include "options.h"

enum { RUNS_MAX = 2048 };
extern struct run runs[RUNS_MAX];
extern int runs_used, live_runs;
extern bool runs_forced;                             /* one of them has ended by SIGKILL */
extern struct run_state last_judged; /* forgotten since: how the task ends when nobody comes to say it */

extern struct run *own_run;                          /* of a plain run that has had a supervisor: init itself is its coordinator. NULL: none */

struct room { int poller, signals; bool present, leaving; }; /* what a new coordinator inherits, and who is no stranger */
extern struct room room;

bool runs_request(const struct head *h, const char *body, size_t size, const char *frame); /* false: malformed */
void runs_read(struct run *run);                     /* what its coordinator says */
bool runs_child(pid_t pid);                          /* it was a coordinator */
void runs_own_changed(void);                         /* the plain run may have ended */
void runs_note(void);                                /* for the next gsup, should this one be killed */
void runs_tell(uint16_t type, const void *body, size_t size);
void runs_forward(int signal, bool received, uint32_t times); /* forward.c: marks it, for runs_pass_on() */
void runs_pass_on(struct run *crowded);              /* as far as there is room; NULL: to all that have something new */
void runs_asked_again(void);                         /* where they stand now tells later whether somebody has answered */
struct run_state *runs_told(const struct run *run);  /* as a supervisor is told of it; until the next call */
int runs_stuck(void);                                /* nobody waits for these */
void runs_stop_alone(const struct asks *asks, int *done, bool hooks); /* nobody decides: each run's own order, by stop level; hooks: theirs too */
void runs_unkept(void);                              /* what nobody is there to start any more */
bool runs_all_stop(void);                            /* the last level is on its way */
bool strangers_gone(int *code);                      /* also drives their ladder */
void strangers_hurry(void);
uint64_t strangers_due(void);
#endif
