/* The pump: a process of gsup's that copies captured output from pipes to where it goes. Its buffers are shared with init, and
 * each step counts by one store: killed at any instant it loses nothing, and the next one goes on where it was. A reader that
 * does not read makes the writers wait: nothing is kept but what the buffers hold. */
#include "output.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 64, DESCRIPTORS_MAX = 65536 };
enum { KEY_SOCKET = 0xffffff00, KEY_OUTLET };

static int poller = -1;
static PAGES bool paused[STREAMS_MAX];
static bool stalled[JOBS], finishing;
static uint32_t first; /* whose turn it is when an outlet has room again */

/* ---- jobs: one write each ---- */

static uint64_t wall_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / MS;
}

static void make_style(struct style *style, const struct stream *s, enum way way)
{
	static uint64_t stamp_ms;
	static char stamp[STAMP_BYTES];
	static const char *const names[] = { "stdout", "stderr" };
	uint64_t now = wall_ms();
	if (now != stamp_ms) { time_stamp(stamp, now); stamp_ms = now; }
	*style = (struct style){ .format = s->format[way], .run = s->run, .stream = names[s->is_error], .stamps = s->stamps, .shade = (int)s->shade };
	memcpy(style->time, stamp, sizeof stamp);
	if (style->format != FORMAT_PREFIX) return;
	style->colour = outlets[s->job[way]].coloured;
	style->width = (int)shared->width;
}

/* As much as fits in so many bytes, or one piece. Returns the bytes made; *used: of the stream. */
static size_t compose(char *to, size_t room, bool one, uint32_t i, enum way way, size_t *used, bool *broken)
{
	const struct stream *s = &streams[i];
	const char *text = stream_buffers[i] + (s->passed[way] - s->base);
	size_t size = (size_t)(s->taken - s->passed[way]), n = 0, shown;
	struct style style;
	struct piece p;
	*used = 0;
	*broken = s->broken[way];
	if (!size && !*broken) return 0;
	make_style(&style, s, way);
	bool raw = style.format == FORMAT_RAW, bulk = style.format == FORMAT_LINES && !style.stamps && !one;
	for (;;) {
		size_t left = size - *used;
		style.continued = *broken;
		if (raw) p = (struct piece){ left < room - n ? left : room - n, left < room - n ? left : room - n, true };
		if (raw ? !p.size : !next_piece(text + *used, left, s->at_end, *broken, bulk ? room - n : 0, &p)) break;
		if (!(shown = show_piece(to + n, room - n, &style, text + *used, &p))) break;
		n += shown;
		*used += p.skip;
		*broken = !p.ends;
		if (one) break;
	}
	return n;
}

static uint64_t end_of(int fd)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	return at < 0 ? 0 : (uint64_t)at;
}

/* false: there is nothing that is complete. */
static bool fill(struct job *j, uint32_t i, enum way way)
{
	struct stream *s = &streams[i];
	struct file *f = s->job[way] == JOB_FILE ? file_open(i, way) : NULL;
	uint64_t most = f ? file_limit(i, way) : 0;
	size_t used = 0, room = JOB_BYTES, n;
	bool broken;
	if (most) room = f->size >= most ? 0 : most - f->size < JOB_BYTES ? (size_t)(most - f->size) : JOB_BYTES;
	n = compose(j->data, room, false, i, way, &used, &broken);
	if (!n && most && room < JOB_BYTES) { /* it did not fit, if it was anything: then into a new file, whatever its size */
		n = compose(j->data, JOB_BYTES, true, i, way, &used, &broken);
		if (n && f->size) f = file_rotate(f, i, way);
		if (n && n < most && !(n = compose(j->data, most < JOB_BYTES ? (size_t)most : JOB_BYTES, false, i, way, &used, &broken)))
			n = compose(j->data, JOB_BYTES, true, i, way, &used, &broken);
	}
	if (!n) return false;
	j->stream = i;
	j->way = way;
	j->passed = s->passed[way] + used;
	j->broken = broken;
	j->input = (uint32_t)used;
	j->sent = 0;
	j->offset = f ? f->size : s->job[way] == JOB_FILE ? 0 : outlets[s->job[way]].regular ? end_of(outlets[s->job[way]].fd) : 0;
	j->inode = f ? f->inode : 0;
	STORE(j->size, (uint32_t)n);
	return true;
}

/* What a job holds has been passed on; to say so twice does no harm. */
static void count(const struct job *j)
{
	STORE(streams[j->stream].passed[j->way], j->passed);
	STORE(streams[j->stream].broken[j->way], j->broken);
}

static void lose(struct job *j)
{
	if (j->way == TO_LOG) STORE(shared->lost, shared->lost + j->input);
	j->sent = j->size;
}

static void write_file(struct job *j)
{
	struct file *f = file_open(j->stream, (enum way)j->way);
	while (f && j->sent < j->size) {
		ssize_t n = write(f->fd, j->data + j->sent, j->size - j->sent);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) { /* a full disk: no half line stays, so that the next one begins where a line does */
			complain(j->way == TO_COPY ? JOBS : JOB_FILE, f->path, n < 0 ? errno : ENOSPC);
			if (ftruncate(f->fd, (off_t)j->offset) == 0) f->size = j->offset;
			f = NULL;
		} else {
			j->sent += (uint32_t)n;
			f->size = j->offset + j->sent;
		}
	}
	if (!f) lose(j);
}

/* Never blocks: see say_open(). A pipe that could not be opened anew takes 4096 bytes when poll says that it has room. */
static ssize_t write_outlet(const struct outlet *o, const char *data, size_t size)
{
	if (o->socket) return send(o->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	struct pollfd p = { o->fd, POLLOUT, 0 };
	size_t most = o->terminal ? 200 : 4096;
	if (o->foreign && (poll(&p, 1, 0) != 1 || !(p.revents & (POLLOUT | POLLERR | POLLHUP)))) { errno = EAGAIN; return -1; }
	return write(o->fd, data, o->foreign && size > most ? most : size);
}

static void work(enum job_kind k)
{
	struct job *j = &shared->jobs[k];
	if (k == JOB_FILE) write_file(j);
	while (j->sent < j->size) {
		ssize_t n = write_outlet(&outlets[k], j->data + j->sent, j->size - j->sent);
		if (n > 0) { STORE(j->sent, j->sent + (uint32_t)n); continue; }
		if (n < 0 && errno == EINTR) continue;
		struct epoll_event e = { EPOLLOUT, { .u32 = KEY_OUTLET + k } };
		if (n < 0 && errno == EAGAIN) {
			if (!stalled[k]) stalled[k] = epoll_ctl(poller, EPOLL_CTL_ADD, outlets[k].fd, &e) == 0;
			return;
		}
		complain((int)k, k == JOB_OUT ? "stdout" : "stderr", n < 0 ? errno : ENOSPC);
		lose(j);
	}
	STORE(j->size, 0);
}

/* ---- streams ---- */

/* What nobody needs any more makes room for what comes. What is left moves to the front where it fits without overlap. */
static size_t make_room(uint32_t i)
{
	struct stream *s = &streams[i];
	uint64_t from = s->passed[TO_LOG] < s->passed[TO_COPY] ? s->passed[TO_LOG] : s->passed[TO_COPY];
	size_t left = (size_t)(s->taken - from), gone = (size_t)(from - s->base);
	if (gone && left <= gone && (!left || s->taken - s->base > BUFFER_BYTES / 2)) {
		memcpy(stream_buffers[i], stream_buffers[i] + gone, left);
		STORE(s->base, from);
	}
	return BUFFER_BYTES - (size_t)(s->taken - s->base);
}

/* Where a read writes its first byte stands what no text has, and then what nobody can guess: so it can be told afterwards
 * whether it happened. All of it is there before: a page that is missing would let a kill interrupt the read. */
static void make_mark(struct stream *s, char *to, size_t size)
{
	static uint64_t seed[MARK_BYTES / 8];
	if (!seed[0] && getrandom(seed, sizeof seed, GRND_NONBLOCK) != sizeof seed) seed[0] = now_ns() | 1;
	seed[0] = seed[0] * 6364136223846793005ull + 1442695040888963407ull;
	seed[1] ^= seed[0] >> 13 | seed[0] << 51;
	memcpy(s->mark, seed, MARK_BYTES);
	s->mark[0] = (char)0xff;
	for (size_t at = 0; at < size; at += 4096) *(volatile char *)(to + at) = 0;
	memcpy(to, s->mark, size < MARK_BYTES ? size : MARK_BYTES);
}

/* Only what is known to be there is asked for, so a read gives all of it or does not happen. Bytes taken; 0: none; -1: the end. */
static int take(uint32_t i, size_t room, bool over)
{
	struct stream *s = &streams[i];
	char *to = stream_buffers[i] + (s->taken - s->base);
	int ready = 0;
	if (ioctl(stream_sources[i], FIONREAD, &ready) < 0 || ready < 0) ready = 0;
	if (!ready && (!over || !s->tty)) return over ? -1 : 0;
	if (!ready) ready = 1; /* a terminal's last bytes may still be on their way */
	size_t size = (size_t)ready < room ? (size_t)ready : room;
	make_mark(s, to, size);
	s->taking_at = s->taken;
	STORE(s->taking, (uint32_t)size);
	ssize_t n = read(stream_sources[i], to, size);
	if (n > 0) STORE(s->taken, s->taken + (uint64_t)n);
	STORE(s->taking, 0);
	return n > 0 ? (int)n : n < 0 && (errno == EINTR || (errno == EAGAIN && !over)) ? 0 : -1;
}

static void listen_to(uint32_t i, bool on)
{
	struct epoll_event e = { EPOLLIN, { .u32 = i } };
	if (epoll_ctl(poller, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, stream_sources[i], &e) == 0) paused[i] = !on;
}

static void pass(uint32_t i, enum way way)
{
	struct stream *s = &streams[i];
	if (s->job[way] == NO_JOB) { STORE(s->passed[way], s->taken); return; }
	struct job *j = &shared->jobs[s->job[way]];
	while (!j->size && (s->passed[way] != s->taken || s->broken[way]) && fill(j, i, way)) {
		count(j);
		work(s->job[way]);
	}
}

static void settle(uint32_t i)
{
	struct stream *s = &streams[i];
	pass(i, TO_COPY);
	pass(i, TO_LOG);
	for (int k = 0; k < JOBS; k++) if (shared->jobs[k].size && shared->jobs[k].stream == i) return;
	for (int way = 0; way < WAYS; way++) if (s->passed[way] != s->taken || s->broken[way]) return;
	if (!s->at_end) return;
	close(stream_sources[i]);
	stream_sources[i] = -1;
	STORE(s->state, STREAM_ENDED);
}

static bool is_open(uint32_t i) { return streams[i].state == STREAM_OPEN && stream_sources[i] >= 0; }

/* over: nobody is left to write, or nobody is waited for. True: there may be more. */
static bool serve(uint32_t i, bool over)
{
	struct stream *s = &streams[i];
	size_t room;
	int n = 0;
	if (!is_open(i)) return false;
	if (!s->at_end && (room = make_room(i))) n = take(i, room, over);
	else if (!paused[i]) listen_to(i, false); /* level-triggered, it would come again and again */
	if (n < 0) { s->at_end = true; if (!paused[i]) listen_to(i, false); }
	settle(i);
	return n > 0;
}

static void outlet_has_room(enum job_kind k)
{
	if (stalled[k]) epoll_ctl(poller, EPOLL_CTL_DEL, outlets[k].fd, &(struct epoll_event){ 0 });
	stalled[k] = false;
	if (shared->jobs[k].size) work(k);
	for (int n = 0; n < stream_count && !stalled[k]; n++, first = (first + 1) % (uint32_t)stream_count) {
		if (!is_open(first) || streams[first].job[TO_LOG] != k) continue;
		uint32_t i = first;
		settle(i);
		if (is_open(i) && paused[i] && !streams[i].at_end && make_room(i)) listen_to(i, true);
	}
}

/* ---- its life ---- */

/* How much of a job stands in a file already. */
static uint32_t landed(const struct job *j, int fd)
{
	char text[4096];
	uint32_t at = 0;
	for (ssize_t n; at < j->size && (n = pread(fd, text, sizeof text, (off_t)(j->offset + at))) > 0; ) {
		uint32_t same = 0;
		while (same < (uint32_t)n && at + same < j->size && text[same] == j->data[at + same]) same++;
		at += same;
		if (same < (uint32_t)n) break;
	}
	return at;
}

static void recover(void)
{
	if (shared->rotation) file_rotate_from(shared->rotation, shared->rotating, (enum way)shared->rotating_way);
	for (int i = 0; i < stream_count; i++) {
		struct stream *s = &streams[i];
		int ready = 0;
		if (!is_open((uint32_t)i) || !s->taking || s->taking_at != s->taken) continue;
		const char *at = stream_buffers[i] + (s->taken - s->base);
		bool there = memcmp(at, s->mark, s->taking < MARK_BYTES ? s->taking : MARK_BYTES) != 0;
		if (!there && ioctl(stream_sources[i], FIONREAD, &ready) == 0) there = ready < (int)s->taking && !s->tty;
		if (there) STORE(s->taken, s->taken + s->taking);
		STORE(s->taking, 0);
	}
	for (int k = 0; k < JOBS; k++) {
		struct job *j = &shared->jobs[k];
		char path[64];
		if (!j->size) continue;
		count(j);
		struct file *f = k == JOB_FILE ? file_open(j->stream, (enum way)j->way) : NULL;
		if (f && f->inode == j->inode) j->sent = landed(j, f->fd);
		if (k != JOB_FILE && outlets[k].regular) {
			print(path, sizeof path, "/proc/self/fd/%d", outlets[k].fd);
			int fd = open(path, O_RDONLY | O_CLOEXEC);
			if (fd >= 0) j->sent = landed(j, fd);
			if (fd >= 0) close(fd);
		}
		work((enum job_kind)k);
	}
}

/* It keeps nothing of init's but what it works with: above all no end of somebody else's pipe. */
static void close_others(int socket)
{
	static PAGES uint8_t keep[DESCRIPTORS_MAX];
	int known[] = { 0, 1, 2, socket, outlets[JOB_OUT].fd, outlets[JOB_ERR].fd, say_descriptor(), state.folder };
	struct rlimit limit;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) if (known[i] >= 0 && known[i] < DESCRIPTORS_MAX) keep[known[i]] = 1;
	for (int i = 0; i < stream_count; i++) {
		if (streams[i].state == STREAM_OPEN && stream_sources[i] >= 0 && stream_sources[i] < DESCRIPTORS_MAX) keep[stream_sources[i]] = 1;
		else stream_sources[i] = -1;
	}
	for (int fd = 3, end; fd < DESCRIPTORS_MAX; fd = end + 1) {
		for (end = fd; end < DESCRIPTORS_MAX && !keep[end]; end++) ;
		if (end > fd && syscall(SYS_close_range, fd, end == DESCRIPTORS_MAX ? ~0u : (unsigned)end - 1, 0) < 0)
			for (; fd < end; fd++) close(fd); /* an old kernel, or seccomp profile */
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void read_socket(int socket)
{
	struct gift gift;
	char control[CMSG_SPACE(sizeof(int))];
	for (;;) {
		struct iovec part = { &gift, sizeof gift };
		struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
		ssize_t n = recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n == 0) { /* init waits for the last of it */
			finishing = true;
			epoll_ctl(poller, EPOLL_CTL_DEL, socket, &(struct epoll_event){ 0 });
		}
		if (n <= 0) return;
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		if (n != sizeof gift || !c || gift.stream >= (uint32_t)stream_count) continue;
		memcpy(&stream_sources[gift.stream], CMSG_DATA(c), sizeof(int));
		listen_to(gift.stream, true);
	}
}

static bool finished(void)
{
	for (int k = 0; k < JOBS; k++) if (shared->jobs[k].size) return false;
	for (int i = 0; i < stream_count; i++) if (is_open((uint32_t)i)) return false;
	return true;
}

int pump_main(int socket)
{
	struct epoll_event events[EVENTS], e = { EPOLLIN, { .u32 = KEY_SOCKET } };
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* its buffers go with init */
	prctl(PR_SET_NAME, "gsup pump", 0, 0, 0);
	close_others(socket);
	poller = epoll_create1(EPOLL_CLOEXEC);
	if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, socket, &e) < 0) return EXIT_INTERNAL;
	if (state.folder >= 0) mkdirat(state.folder, "logs", 0700);
	recover();
	for (int i = 0; i < stream_count; i++) if (is_open((uint32_t)i)) { listen_to((uint32_t)i, true); settle((uint32_t)i); }
	for (bool more = false;;) {
		int n = epoll_wait(poller, events, EVENTS, more ? 0 : -1);
		STORE(shared->rounds, shared->rounds + 1);
		for (int i = 0; i < n; i++) {
			uint32_t key = events[i].data.u32;
			if (key == KEY_SOCKET) read_socket(socket);
			else if (key >= KEY_OUTLET) outlet_has_room((enum job_kind)(key - KEY_OUTLET));
			else serve(key, (events[i].events & (EPOLLHUP | EPOLLERR)) != 0);
		}
		more = false;
		for (int i = 0; i < stream_count && finishing; i++) more |= serve((uint32_t)i, true);
		if (finishing && finished()) return 0;
	}
}
