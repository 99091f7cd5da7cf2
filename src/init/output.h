/* Captured output, between output.c (init's side), pump.c (the process that copies it) and lines.c (what a line looks like). */
#ifndef GSUP_OUTPUT_H
#define GSUP_OUTPUT_H
#include "init.h"

enum {
	BUFFER_BYTES = 64 * 1024, /* of what one stream has written and nobody has got yet; then its writer waits */
	LINE_BYTES = 16 * 1024,   /* a longer line is passed on in pieces */
	JOB_BYTES = 128 * 1024,   /* of one write: a piece that needs escaping throughout fits */
	STREAMS_MAX = 4096,       /* two for each run that there can be */
	STAMP_BYTES = 32, LOG_PATH_BYTES = 1024, MARK_BYTES = 16
};

/* ---- lines.c ---- */
enum format { FORMAT_RAW, FORMAT_LINES, FORMAT_PREFIX, FORMAT_JSON, FORMAT_COPY }; /* RAW: not even lines */
struct style {
	enum format format;
	const char *run, *stream;   /* web#1, stdout */
	bool stamps, colour, continued; /* continued: the line began in an earlier piece */
	int shade, width;           /* of the prefix: its colour, and how wide the longest name is */
	char time[STAMP_BYTES];     /* RFC 3339, UTC */
};
struct piece { size_t size, skip; bool ends; }; /* bytes of text; with the newline; whether a line ends here */
bool next_piece(const char *text, size_t size, bool last, bool broken, size_t bulk, struct piece *p);
size_t show_piece(char *to, size_t room, const struct style *s, const char *text, const struct piece *p); /* 0: no room */
size_t time_stamp(char text[STAMP_BYTES], uint64_t wall_ms);
size_t name_size(const char *run);                      /* of the process: what stands before # */

/* ---- what init and pump share. Whoever is killed leaves it whole: one store makes a step count, and it can be seen which
 * steps counted. ---- */
enum stream_state { STREAM_FREE, STREAM_OPEN, STREAM_ENDED };
enum way { TO_LOG, TO_COPY, WAYS };                     /* where a stream goes: as its process says, and the copy for `logs` */
enum job_kind { JOB_FILE, JOB_OUT, JOB_ERR, JOBS, NO_JOB = JOBS };

struct stream {
	uint32_t state, shade;
	uint8_t is_error, tty, stamps, deep, at_end;        /* deep: its copy; at_end: nothing more will be taken */
	uint8_t format[WAYS], job[WAYS], broken[WAYS];      /* broken: the last line that was passed on has not ended */
	uint32_t max_files;
	uint64_t max_bytes;
	uint64_t taken, base, passed[WAYS];                 /* bytes since its begin; base: of the first in the buffer */
	uint64_t taking_at;                                 /* taking != 0 and taking_at == taken: a read may have happened */
	uint32_t taking;
	char mark[MARK_BYTES];                              /* what stood in the buffer before it */
	char run[NAME_SIZE];
	uint32_t row; uint64_t counted;                     /* init's: where its bytes are counted, and how many were */
};

/* One write, for as long as it is not done. size is set last: from then on it counts as passed. */
struct job {
	uint32_t size, sent, stream, way;
	uint64_t passed;                                    /* of the stream, with this job */
	uint64_t offset, inode;                             /* of a file, before the write */
	uint32_t input; uint8_t broken;                     /* bytes that the process wrote for it */
	char data[JOB_BYTES];
};

struct shared {
	uint64_t rounds, lost;                              /* lost: bytes that could not be written, or whose reader has gone */
	uint32_t copies, width;                             /* how many processes write, how wide the longest name is */
	uint32_t rotation, rotating, rotating_way;          /* rotation: the step that is being taken, from max_files - 1 to 1; 0: none */
	struct job jobs[JOBS];
};

struct outlet { int fd; bool socket, foreign, terminal, regular, coloured; };

extern struct shared *shared;
extern struct stream *streams;                          /* stream_count of them, and of each of these: */
extern char (*stream_paths)[LOG_PATH_BYTES], (*stream_buffers)[BUFFER_BYTES];
extern int stream_count, stream_sources[STREAMS_MAX];               /* the read ends, of this process */
extern struct outlet outlets[JOBS];                     /* those of JOB_OUT and JOB_ERR */

/* ---- log-file.c ---- */
struct file { char path[LOG_PATH_BYTES + 8]; int fd; enum way way; uint64_t size, inode, used; };
struct file *file_open(uint32_t i, enum way way);       /* where stream i goes; NULL: it was complained about */
struct file *file_rotate(struct file *f, uint32_t i, enum way way);
void file_rotate_from(uint32_t step, uint32_t i, enum way way); /* also: what another pump has begun */
uint64_t file_limit(uint32_t i, enum way way);          /* bytes; 0: none */
void complain(int about, const char *what, int error);  /* once for each kind of job, and for copies (JOBS) */

/* A store that makes a step count. */
#define STORE(what, value) __atomic_store_n(&(what), value, __ATOMIC_RELEASE)

int pump_main(int socket);                              /* the streams that are open, and those that come through the socket */
struct gift { uint32_t stream; };                       /* goes with its read end */
#endif
