/*
 * What init, its coordinators and the supervisor say to each other, on one page. Version 5.
 *
 * The supervisor has a stream socket (its descriptor 3), a coordinator a SOCK_SEQPACKET one; the frames are the same.
 * A frame is a head and a body of fixed layout; only SPAWN is followed by strings. Little endian, natural alignment, no
 * implicit padding: src/host/protocol.ts has the same offsets, and a test compares both. Every frame is bounded by
 * FRAME_MAX; whoever breaks a bound is cut off. Times are CLOCK_MONOTONIC nanoseconds, FOREVER where none is set.
 *
 * supervisor -> init: a request carries the seq of the record that decided it. Init carries out a request only when its
 * number is greater than that of the last one, so that a request repeated after a crash happens once.
 *   SPAWN    struct spawn + strings    start a run. Its key, for all that follows, is the number of this request
 *   RUNG     struct rung_request       enter a rung of the run's ladder now, and from now on have this order
 *   SIGNAL   struct signal_request     send a signal once, outside the ladder
 *   FORGET   struct key_request        the run has ended, and its outcome is in the log: its slot may be used again. May come late,
 *                                      behind greater numbers: to forget a key twice does nothing
 *   EXIT     struct exit_request       nothing will run any more: end, with this code, when every tree is empty
 *   UPGRADE  struct upgrade_request    start the supervisor from that installation; go back if it does not come up
 *   CLEAR    nothing                   when no run is left, end the strangers; ASKS tells when they have gone
 *   SEEN     struct seen               (not numbered) everything up to this event is dealt with; wake me at this time
 *   LEAVE    struct leaving            (not numbered) the same, and nothing is to be decided until then: end me, and start the next
 *                                      one at that time, or when there is something to be told
 *   COUNT    nothing                   (not numbered) tell what has been counted so far; nobody is told unasked
 *   CONFIG_KEPT nothing                (not numbered) of who has read the config of `up`, once, before all else: it is kept, and the
 *                                      first supervisor can be this process
 *
 * init -> supervisor: state, not events. What has changed is sent again, whole; what was not yet sent is not queued.
 *   PLACE    struct place              answers CONFIG_KEPT, when the task is taken; HELLO follows
 *   HELLO    struct hello              first frame of a connection
 *   RUN      struct run_state          a run as it is now
 *   ASKS     struct asks               how often a stop has been asked for, and by whom first; and a reload; whether CLEAR is done
 *   SYNC     struct sync               end of a batch; SEEN answers it. The first one ends the picture of what is there
 *   BYTES    struct bytes              answers COUNT, for each process of which output was captured: how much, in all its runs
 *   COUNTS   struct counts             behind them, once: what is counted for the task as a whole
 *
 * init <-> coordinator: SPAWN is inherited by fork; RUNG and SIGNAL are passed on; LINK tells whether a supervisor lives
 * or is being started; ALONE says that a stop was asked for and nobody is there to decide. FORWARD is a signal that init has
 * received, and how often: real-time ones queue, so what a socket has no room for is added up and goes when it has. It takes
 * no more than a quarter of the socket, so that the others find room behind it. RUN comes back, and RECORD:
 * type and members of a record, as text, that init signs and writes; its number counts those that were lost before it.
 */
#ifndef GSUP_PROTOCOL_H
#define GSUP_PROTOCOL_H
#include <stdint.h>

enum { PROTOCOL_VERSION = 5, FRAME_MAX = 2 * 1024 * 1024, RUNGS_MAX = 16, LIMITS_MAX = 16, NAME_SIZE = 96, PIDS_MAX = 16, INSTALLATION_SIZE = 1024, FOLDER_SIZE = 512, SIGNAL_MAP_SIZE = 72 };
#define FOREVER UINT64_MAX

enum frame_type {
	SPAWN = 1, RUNG = 2, SIGNAL = 3, FORGET = 4, EXIT = 5, SEEN = 6, UPGRADE = 7, CLEAR = 8, LEAVE = 9, COUNT = 10, CONFIG_KEPT = 11,
	HELLO = 16, RUN = 17, ASKS = 18, SYNC = 19, BYTES = 20, COUNTS = 21, PLACE = 22,
	LINK = 32, RECORD = 33, ALONE = 34, FORWARD = 35
};

struct head { uint32_t size; uint16_t type; uint16_t version; uint64_t number; }; /* size counts the head */

enum target { TARGET_GROUP = 0, TARGET_LEADER = 1, TARGET_TREE = 2 };
enum rung_flags {
	RUNG_HOOK = 1, /* a hook's place: waited out while a supervisor lives, skipped when there is none */
	RUNG_BUSY = 2  /* beside RUNG_HOOK: the hook is a question whether the run is busy */
};
enum { NO_SIGNAL = 0, SIGNAL_AS_RECEIVED = 255 };

struct rung { uint8_t signal, target, flags, pad[5]; uint64_t wait_ns; };

/* The ladder of a run. index: the rung that the run is on (RUNG: enters); NOT_STOPPING before a stop, count when killing. */
enum { NOT_STOPPING = 0xffffffff };
enum order_flags {
	ORDER_MUST_DRAIN = 1, ORDER_FIRST_ONLY = 2, /* a drain: its first rung waits for ever, until a stop is asked for */
	ORDER_POST_STOP = 4, ORDER_FINALS = 8       /* a hook follows on the end of this run, final processes on that of all; only a supervisor can start them */
};
struct order {
	uint32_t level, flags, count, index; /* level: highest stops first when init must stop by itself */
	uint64_t cap_ns;      /* all rungs together last at most this long; FOREVER: no cap */
	uint64_t deadline_ns; /* RUNG: when the wait of rung `index` ends */
	struct rung rungs[RUNGS_MAX];
};

enum spawn_flags {
	SPAWN_CLEAR_ENV = 1, SPAWN_NO_NEW_PRIVS = 2, SPAWN_UMASK = 4, SPAWN_NICE = 8, SPAWN_OOM = 16,
	SPAWN_TERMINAL = 32 /* the command of `run`: may have gsup's terminal, and the sockets that gsup was given */, SPAWN_STDIN_NULL = 64, SPAWN_NOTIFY = 128 /* gets a notify socket */,
	SPAWN_TTY = 256 /* gets a terminal of its own as descriptors 0 to 2 */, SPAWN_TIMESTAMPS = 512 /* on each line of its output */,
	SPAWN_DEEP_COPY = 1024 /* of its output, because a line of it is waited for */
};
enum output { OUTPUT_INHERIT = 0, OUTPUT_NONE = 1, OUTPUT_PREFIX = 2, OUTPUT_JSON = 3, OUTPUT_FILE = 4 };
struct limit { uint32_t resource, pad; uint64_t soft, hard; };
/* Strings follow, each with its NUL: name, cwd, user, group (empty: as gsup's), path (of OUTPUT_FILE), argc arguments,
 * env_set K=V, env_unset K. */
struct spawn {
	uint32_t flags, umask;
	int32_t nice, oom_score_adj;
	uint64_t start_timeout_ns;
	uint32_t argc, env_set, env_unset, limit_count;
	uint32_t output, max_files; /* max_files: the one that is written among them */
	uint64_t max_bytes;         /* of each file of OUTPUT_FILE; 0: no bound */
	uint8_t on_signal[SIGNAL_MAP_SIZE]; /* what becomes of each signal that init receives and that is no stop, by its number; 0: nothing */
	int32_t ready_fd;           /* a newline on this descriptor says NOTIFY_READY; 0: none */
	uint32_t pad;
	struct limit limits[LIMITS_MAX];
	struct order order;
};

struct rung_request { uint64_t key; struct order order; };
struct signal_request { uint64_t key; uint32_t signal, target; };
struct key_request { uint64_t key; };
struct exit_request { uint32_t code, drain_ms; }; /* drain_ms: how long output may take to be delivered, when every tree is empty */
struct upgrade_request { char installation[INSTALLATION_SIZE]; }; /* its folder, an absolute path; empty: init's own */
struct seen { uint64_t event, wake_ns; };
struct leaving { uint64_t event, wake_ns; uint32_t orders_suffice, pad; }; /* a stop is nothing to be told: the orders of all runs are all of it */

/* A log is a descriptor of init's, and which file that must be. folder: empty, there is none. */
struct log_place { int32_t fd, pad; uint64_t device, inode; };
struct place { int32_t init_pid, pad; struct log_place checkpoint_log, init_log; char task[NAME_SIZE], folder[FOLDER_SIZE]; };
enum hello_flags { HELLO_PID1 = 1, HELLO_WOKEN = 2 /* the one before has left: nobody was lost */ };
struct hello {
	uint32_t version, flags, restarts; /* restarts: how many supervisors there were before this one */
	int32_t init_pid;
	uint64_t last_number, init_ticks, pid_ns; /* last_number: of the last request that was carried out */
	uint64_t stay_ns; /* how long it is to stay when there is nothing to be decided; FOREVER: it does not leave */
	char boot_id[40];
};
struct asks {
	uint32_t count, signal; int32_t pid; uint32_t uid; uint64_t first_ns;
	uint32_t reloads; int32_t reload_pid; uint32_t reload_uid, cleared; /* how often the config was to be read again, and by whom last; cleared: no stranger was left */
};
struct sync { uint64_t event; };
struct bytes { char process[NAME_SIZE]; uint64_t out, error; }; /* out: of stdout, and of a terminal; without a name: of all those together that have no place of their own */
struct counts { uint64_t orphans; };               /* that were reaped, by init and by all coordinators */
struct link { uint32_t present, pad; };
struct alone { uint32_t asks, signal; int32_t pid; uint32_t uid; }; /* asks 1: stop, 2: next rung, 3: SIGKILL */
struct forward { uint32_t signal, received, times, pad; }; /* received: on_signal says what it is for the run; else it is of init's own job control */
struct record_frame { struct head head; uint64_t mono_ns; char type[32], members[8192]; };

enum phase { PHASE_STARTING = 1, PHASE_RUNNING = 2, PHASE_STOPPING = 3, PHASE_KILLING = 4, PHASE_ENDED = 5 };
enum run_flags {
	RUN_LEADER_EXITED = 1, RUN_FORCED = 2 /* SIGKILL was sent */, RUN_STUCK = 4 /* something outlives SIGKILL */,
	RUN_LOST = 8 /* coordinator gone, nobody knows the status */, RUN_ALONE = 16 /* took its last rung without supervisor */,
	RUN_OOM = 32 /* the kernel has killed the leader for lack of memory */,
	RUN_ASKED_AGAIN = 64 /* init: a stop was asked for a second time, and since then it has taken no rung */
};
enum stage { /* of a start, in their order; START_TIMEOUT when it hung in one of them */
	STAGE_FORK = 1, STAGE_TERMINAL, STAGE_OUTPUT, STAGE_LIMITS, STAGE_NICE, STAGE_OOM, STAGE_USER, STAGE_CWD, STAGE_PRIVS,
	STAGE_STDIN, STAGE_EXEC, STAGE_TIMEOUT
};
enum notify_flags { NOTIFY_READY = 1, NOTIFY_STOPPING = 2, NOTIFY_RELOADING = 4 };
struct usage { uint64_t user_us, sys_us, max_rss_kb; };
struct run_state {
	uint64_t key;
	uint32_t phase, flags;
	int32_t pid, coordinator_pid;
	uint64_t start_ticks, coordinator_ticks;
	uint32_t failed_stage; int32_t failed_errno;   /* 0 unless the start has failed */
	int32_t code, signal;                          /* of the leader: one of them -1 and 0; both -1 while it lives */
	uint32_t rung, stragglers;                     /* rung: index as in struct order; stragglers: how many outlived the leader */
	uint64_t deadline_ns, forked_ns, started_ns, leader_exited_ns, ended_ns, stop_ns;
	struct usage leader, tree;
	uint32_t notify, notify_count; int32_t main_pid; uint32_t pad;
	uint64_t extend_us, extend_ns, watchdog_ns;    /* EXTEND_TIMEOUT_USEC as last sent, and when; time of the last WATCHDOG=1 */
	int32_t pids[PIDS_MAX];                        /* of stragglers */
	char name[NAME_SIZE], status[NAME_SIZE];
};

#endif
