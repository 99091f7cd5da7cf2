/* The parts of init, and what they know of each other. Each file has one duty, named at its head. */
#ifndef GSUP_INIT_H
#define GSUP_INIT_H
#define _GNU_SOURCE
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include "options.gen.h"
#include "protocol.h"

enum { SIGNALS = 65 };
/* A large buffer has pages of its own: what is never touched costs nothing, and what is small lies together. */
#define PAGES _Alignas(4096) __attribute__((section(".bss.pages")))
/* What is small, and init's alone: together, so that a coordinator has no page of it (rest_fork). */
#define INITS __attribute__((section(".bss.pages.init")))
#define MS 1000000ull
#define SECOND (1000 * MS)
static inline uint64_t later(uint64_t at, uint64_t by) { return at > FOREVER - by ? FOREVER : at + by; }
static inline uint64_t sooner(uint64_t a, uint64_t b) { return a < b ? a : b; }
/* Who was killed should be gone: look again after this, and give up (stuck) after that. */
#define KILL_AGAIN (20 * MS)
#define STUCK_AFTER (5 * SECOND)
#define STUCK_AT_LAST (60 * SECOND) /* however many die, while others are born */

/* ---- launch: how a command is to be started; from the command line or from a SPAWN request ---- */
struct launch {
	struct spawn fixed;
	const char *name, *cwd, *user, *group;
	const char *path;                    /* of OUTPUT_FILE */
	char **argv, **env_set, **env_unset; /* each ends with NULL */
	int ready;                           /* the end of a pipe that the command gets as fixed.ready_fd */
	int output[2], source[2];            /* what it writes to, where that is read; -1: as gsup's */
	int parent_death_signal;             /* 0: none */
	pid_t parent;
};

/* ---- options.c ---- */
extern bool pid1, is_coordinator;
bool is_option_variable(const char *entry, size_t name_size);

const char *signal_name(int signal);

/* ---- text.c: text from values, and values from text ---- */
int print(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4))); /* snprintf(3) for %s %.*s %d %u %x, ll, %0N */
int vprint(char *to, size_t size, const char *format, va_list args);
uint64_t read_number(const char **at);                  /* moves behind the digits; at most UINT64_MAX */
size_t escape(char *to, size_t size, const char *from, bool json); /* what comes from outside is shown, not obeyed; cut where it does not fit */
char *keep_text(const char *text, size_t size);        /* a copy for good; NULL: no memory */
char *duration_text(uint64_t ns, char text[32]);
enum { WORD_BYTES = 64 };
size_t distance(const char *a, size_t size, const char *b); /* insertions, removals and changes from a (at most WORD_BYTES) to b */

/* ---- say.c: lines on stderr, as text or JSON; never blocks ---- */
enum level { LEVEL_ERROR = 50, LEVEL_WARN = 40, LEVEL_INFO = 30 };
void say_open(int json, enum level least_level); /* json -1: unless stderr is a terminal */
int say_descriptor(void);
void say_from_above(int least_fd);
void say_into(int file);                         /* instead; what is on 2 gets no more of it */
int say_shared(void);                            /* where a supervisor is to say its own */
bool say_is_json(void);
void say(enum level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_event(enum level level, const char *event, const char *format, ...) __attribute__((format(printf, 3, 4))); /* as a supervisor names it */

/* ---- state.c: the state directory, its lock, what an earlier gsup has left ---- */
struct state {
	int folder, lock, init_log, checkpoint_log; /* -1: none; logs are memfds when there is no folder */
	bool memory;
	char task[NAME_SIZE], path[FOLDER_SIZE], boot_id[40];
	uint64_t pid_ns, ticks;             /* identity of init itself */
};
extern struct state state;
struct parsed;
int state_open(const struct parsed *p, const char *config_name); /* the folder and its lock. 0, or an exit code */
int state_begin(const struct parsed *p);                        /* the logs. 0, or an exit code */
void state_visit(const struct parsed *p);                       /* what a supervisor of a plain run needs besides */
void state_note(void);                                          /* in the lock, who this is */
void find_identity(void);
void state_close(void);
uint64_t start_ticks(pid_t pid, char *process_state, pid_t *parent); /* /proc/PID/stat; 0: no such process */

/* ---- record.c: init.log ---- */
struct by { int signal; pid_t pid; uid_t uid; };
void record_stop(const char *run, const char *cause, struct by by); /* run NULL: the task */
void record_task_state(const char *state, int exit_code);
void record_unkept(const char *run, const char *what); /* of a stop that nobody decides about; run NULL: of the task */
void record_begin(const char *type);
void record_begin_at(const char *type, uint64_t mono_ns);       /* of what happened some time ago */
void record_text(const char *key, const char *value);           /* NULL: null */
void record_number(const char *key, int64_t value);
void record_ns(const char *key, uint64_t ns);                   /* decimal string; FOREVER: null */
void record_signal(const char *key, int signal);                /* name; 0: null */
void record_bool(const char *key, bool value);
void record_pids(const char *key, const pid_t *pids, int count);
void record_usage(const char *key, const struct usage *u);
void record_raw(const char *key, const char *json);
void record_end(void);
void record_flush(void);                                        /* before whatever follows from what was recorded */
void record_sign(const char *type, uint64_t mono_ns, const char *members); /* for a coordinator */
void record_open(int fd);
void record_lost(uint32_t count);
extern void (*record_sink)(const char *type, uint64_t mono_ns, const char *members); /* a coordinator's way to init */

/* ---- order.c: the rungs of a stop, as a function of time; no side effects ---- */
struct climb { struct order order; uint8_t received; uint64_t began_ns, due_ns, cut_ns; };
enum act { ACT_NONE, ACT_WAIT, ACT_SIGNAL, ACT_KILL };
struct action { enum act act; uint8_t signal, target; uint32_t rung; };
struct action climb_begin(struct climb *c, uint8_t signal, uint64_t now, bool hooks);
struct action climb_next(struct climb *c, uint64_t now, bool hooks);   /* escalate */
struct action climb_tick(struct climb *c, uint64_t now, bool hooks);   /* what is due at `now` */
struct action climb_kill(struct climb *c);
bool climb_over(const struct climb *c);                                /* at SIGKILL */

/* ---- output.c: captured output ---- */
extern pid_t pump_pid;                                  /* a child that is no part of any tree; 0: none */
bool output_open(struct launch *l, int most_runs);      /* before the fork: pipes or a terminal, if it is captured; false: errno tells */
void output_given(const struct launch *l);              /* after it */
int output_in_child(const struct launch *l);            /* 0 or errno */
bool output_discard(int source);
void output_reap(void);
bool output_child(pid_t pid, const siginfo_t *si);      /* reaped: it was the pump */
void output_tick(void);
struct bytes;
const struct bytes *output_counted(int row);            /* how much each process has written; NULL: there are no more of them */
uint64_t output_due(void);
bool output_drained(uint64_t within_ns);                /* when every tree is empty: all has arrived, or its time is over */

extern pid_t apart_pid;                                 /* the supervisor: no part of any tree either; 0: none */

/* ---- tree.c: who descends from this process; the only place that sends a signal ---- */
enum { WALK_MAX = 16384 };
bool send_signal(pid_t pid, int signal);                /* refuses 0, 1, -1 and this process */
bool send_group(pid_t group, int signal);
bool send_descendant(pid_t pid, int signal);            /* one of the last walk; race-free */
int walk_tree(const pid_t **list, bool (*skip)(pid_t)); /* descendants of this process that are not zombies */
int list_children(pid_t *list, int max);                /* of this process, zombies too; -1 without /proc */
void kill_descendants(bool (*skip)(pid_t));             /* freeze, then SIGKILL, whoever is there */
bool group_exists(pid_t group);
void stop_ourselves(bool whole_job);                    /* for job control: until SIGCONT */
char *names_of(const pid_t *pids, int count, char *text, size_t size);

/* ---- spawn.c: fork to exec ---- */
struct start { int pipe; pid_t pid; };
struct start start_command(const struct launch *l);     /* pid -1: errno tells */
int start_progress(int pipe, uint64_t *exec_ns, int *error); /* 0: not yet, -1: the pipe is closed, else the stage that failed; exec_ns: of the exec */
char *read_whole(const char *path, size_t *size);       /* NULL: errno tells */
extern uint64_t inherited_mask;                         /* bit n - 1: signal n is blocked */
uint64_t set_mask(uint64_t mask);                       /* returns the old one */
extern bool inherited_chld_ignored;
extern struct rlimit inherited_files;                   /* rlim_cur 0: as it was */
void take_over_signals(void);
void fill_standard_descriptors(void);
void raise_file_limit(void);
void close_descriptors(int fd, int end);                 /* all from `fd` on, before `end` */
enum { FILES_WANTED = 16384 };                          /* of `up`; a coordinator closes what it inherits of them */
extern char **inherited_env;

/* ---- listen.c: sockets that gsup was given, as sd_listen_fds(3) has it ---- */
void listen_take(void);
int listen_settle(const struct parsed *p);              /* 0, or an exit code */
bool listen_drops(const char *entry, size_t name_size, bool is_command); /* a variable that is not for it */
void listen_in_child(char **env, bool is_command);      /* it gets them, under its own pid, or has them closed */

/* ---- terminal.c: foreground, job control ---- */
enum terminal { TERMINAL_NONE, TERMINAL_SHARED, TERMINAL_OWN };
extern enum terminal terminal;
void terminal_watch(void);                              /* from now on its end is noticed */
enum hangup { HANGUP_NONE, HANGUP_NEW, HANGUP_KNOWN };
enum hangup terminal_hangup(bool by_kernel);            /* what a SIGHUP says of it. KNOWN: nothing that matters to anybody */
void terminal_open(bool gives);                         /* decide what the command gets, and let go of what it needs */
int terminal_in_child(bool may_have_it);                /* new session or group, and the terminal; 0 or errno */
void terminal_stopped(pid_t group, int signal, bool alone); /* the command was stopped; alone: init is gone */
bool terminal_swallows(int signal);
void terminal_leader_gone(pid_t group);                 /* the foreground is ours again */
void terminal_close(void);
int terminal_descriptor(void);

/* ---- run.c: one run whose leader is a child of this process ---- */
struct run {
	struct run_state s;
	struct climb climb;
	struct start start;
	uint64_t start_due_ns, kill_due_ns, stuck_due_ns, killed_ns;
	uint32_t early[SIGNALS];        /* signals that wait, and how many: for exec; in init for room in the socket to the coordinator */
	bool used, dirty, held, hooks;  /* held: the leader is a zombie of ours; hooks: a supervisor lives to carry them out */
	int left;                       /* children when last counted */
	bool alone;                     /* a coordinator without init */
	bool hooked;                    /* in init: the hook after its end was begun */
	bool supervised, stop_asked;    /* supervised: rungs come from elsewhere first; stop_asked: not only its leader's end */
	uint8_t job;                    /* in init: SIGSTOP or SIGCONT of job control that waits likewise; each makes up for the other */
	bool crowded;                   /* in init: told when there is room */
	uint32_t stood, answer;         /* in init: how many rungs it had taken when the second ask came, and has when that is answered */
	int socket, notify, ready;      /* to its coordinator, for sd_notify, for ready_fd; or -1 */
	uint32_t ready_left;            /* bytes that may come before the newline */
	pid_t told[256]; int told_count; /* stragglers that have had this rung's signal */
};
bool run_start(struct run *run, const struct launch *l); /* false: there is no process; run_over() is to follow */
void run_over(struct run *run);
void run_forward(struct run *run, int signal, enum target target, uint32_t times);
void run_stop(struct run *run, const char *cause, struct by by);
void run_escalate(struct run *run, bool kill);
void run_enter(struct run *run, const struct order *order); /* as the supervisor says */
void run_handshake(struct run *run);
void run_reap(struct run *run);
void run_tick(struct run *run);
void run_obey(struct run *run, const void *frame);      /* what init passes on */
uint64_t run_due(const struct run *run);
const char *run_outcome(const struct run *run);         /* where no supervisor judges */
const char *stage_name(uint32_t stage);
extern struct run the_run;                              /* of a plain run, or of a coordinator: a process looks after one at most, and init after none below a supervisor */

/* ---- orphans.c: how many were reaped, by init and by its coordinators ---- */
void orphans_share(void);                               /* with all that are forked from now on */
void orphans_reaped(uint64_t more);
uint64_t orphans_counted(void);

/* ---- usage.c ---- */
struct usage usage_of(const struct rusage *r);
void apart_ended(const struct rusage *r);               /* what a supervisor has used is not the run's */
struct usage tree_usage(const struct usage *leader);

/* ---- rest.c ---- */
void rest_buffer(void *buffer, size_t size);            /* that holds nothing now */
void rest_fork(void);                                   /* of a coordinator, that keeps no more than its run */
struct signalfd_siginfo;
int rest_until(struct signalfd_siginfo *si, int ms);    /* the signal that came, as signalfd(2) has it; 0: none within ms (-1: for ever), -1: it cannot be waited for so */
void rest(void);                                        /* once nothing is due: what only set-up needed is given back */

/* ---- memory.c: the kernel's OOM killer ---- */
void memory_open(void);
bool memory_took_it(void);                              /* asked once for each SIGKILL that is not ours */
void record_oom(struct run *run, bool tell);                       /* whose leader died so; and keeps that in mind */

/* ---- config.c: the config of `up`, as Node has read it ---- */
extern int config_descriptor;                           /* -1: none */
enum { CONFIG_STOPPED = -1 };                           /* by a signal, before anything was started */
int config_read(char **argv, int signals, const struct parsed *p, char name[NAME_SIZE]); /* 0, CONFIG_STOPPED, or an exit code */

/* ---- leftovers.c: for the next gsup of the same name, should this one be killed ---- */
void leftovers_read(void);
void leftovers_note_self(void);
void leftovers_note(struct run *const *runs, int count);
void leftovers_add(const struct run *run);              /* one more, behind the others */
void leftovers_note_leader(const struct launch *l);     /* in the child */
bool leftovers_found(void);
bool leftovers_live(void);
int leftovers_end(int signals, uint64_t stop_on, const uint8_t *rewrite);

/* ---- installation.c: from where the supervisor is started ---- */
bool installation_ask(const char root[INSTALLATION_SIZE]);
bool installation_asked(void);
bool installation_on_trial(void);
void installation_good(void);
void installation_bad(void);
bool installation_script(char *script, size_t size);

/* ---- node.c: Node.js, for a command and as the supervisor ---- */
enum node_for { NODE_SUPERVISOR, NODE_UP, NODE_COMMAND }; /* a command goes by way of client.cjs, which loads less */
int exec_node(char **argv, char **env, enum node_for what_for, bool say_why); /* an exit code, when it fails */
_Noreturn void become_supervisor(char **argv, int socket, bool say_why, bool visits); /* visits: a run that was started without it */
_Noreturn void become_first(char **argv, int socket, int control); /* who reads the config of `up`, and stays */
bool files_suffice(bool say_why);                       /* for a supervisor: of this process, which takes what it may */

/* ---- first.c: the first supervisor of `up` ---- */
void first_offered(pid_t pid, int socket);              /* who has read the config is there to be it */
int first_dismissed(int code);                          /* and is not needed: gsup ends with this code */

/* ---- notify.c: what a command says of itself: sd_notify, and a newline on a descriptor ---- */
int notify_open(char *path, size_t size);               /* -1: none */
void notify_read(struct run *run);
void ready_read(struct run *run);
void notify_close(void);

/* ---- control.c: the socket that clients connect to ---- */
extern int control_descriptor;                          /* -1: none */
enum { KEY_CONTROL = 0xfffffff2 };                      /* of epoll: a client waits */
int control_prepare(void);                              /* the socket, as yet without an address: for who is forked before the folder is taken */
void control_open(bool knocks);                         /* knocks: whoever connects is told of by a signal */
extern bool control_knocks;                             /* so it is: who waits for signals alone misses nobody */
void control_quiet(void);                               /* no more of that: epoll tells */
bool is_knock(int signal, int code);                    /* that signal, and nobody's */
void control_watch(int poller, bool on);                /* while nobody is there to accept */
void control_refuse(const char *why);                   /* whoever waits */
void control_close(void);

/* ---- peers.c ---- */
int tell_peers(void);

/* ---- absence.c ---- */
uint64_t absence_stay(void);                            /* how long the next supervisor stays without anything to decide */

/* ---- detach.c: `up` in the background ---- */
#define MESSAGES_LOG "messages.log"                     /* in the task's folder: what gsup says there */
enum { DETACHED = -1 };                                  /* this is who goes on there */
int detach(char **argv, int epoll, int signals); /* DETACHED, or an exit code */
int detach_begun(void);                                 /* clients find it now. 0, or an exit code */

/* ---- coordinator.c ---- */
int coordinator_main(const struct launch *l, int socket, int signals, bool hooks);

/* ---- supervisor.c: start it, replace it, speak with it; the runs that it has asked for ---- */
void supervisor_open(const struct parsed *p, char **argv, int epoll, int signals);
struct run *supervisor_visits(const struct parsed *p, char **argv, int epoll, int signals, const struct run *run, struct by first, int count);
extern bool supervisor_decides;                  /* false: a plain run, by its order alone */
void supervisor_asked(struct by by, int count);  /* a stop was asked for */
void supervisor_told(struct by by, int count, uint64_t first_ns); /* and is being carried out */
void supervisor_reap(void);
bool supervisor_parted(void);                    /* of a plain run that has ended */
void supervisor_reload(struct by by);            /* the config of `up` is to be read again */
void supervisor_forward(int signal, bool received, uint32_t times); /* to every run; received: as its on_signal says */
void supervisor_child(pid_t pid, const siginfo_t *si);
void supervisor_event(uint32_t key);             /* something to read there */
void supervisor_tick(void);
void supervisor_flush(void);
uint64_t supervisor_due(void);
bool supervisor_done(int *code);

/* ---- stand-in.c: started as tini or dumb-init ---- */
int stand_in(int argc, char ***argv);           /* an exit code; -1: go on, with this command line */

/* ---- main.c ---- */
bool keep_descriptor(int fd);                    /* CLOEXEC, and a coordinator needs it nevertheless */
int exit_code_of(const struct run_state *s);
uint64_t now_ns(void);
#endif
