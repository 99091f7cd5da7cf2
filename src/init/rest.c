/* What has set gsup up gives its memory back: init rests for days, and its set-up took milliseconds.
 *
 * The kernel maps 64 kB around each page of code that is used (fault-around), so that all of a small program is mapped however
 * little of it runs. It does not go beyond a mapping, though: the code that runs from now on lies together (layout.ld), and
 * becomes a mapping of its own. The rest is still there for whoever calls it, and comes back from the page cache. */
#include "init.h"
#include <errno.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_rt_sigtimedwait_time64 /* of 32-bit machines, where the other one has short times */
#define SYS_rt_sigtimedwait_time64 SYS_rt_sigtimedwait
#endif

/* Without layout.ld (a test build, another linker) there are no such symbols, and nothing is to be done. */
#define SYMBOL extern const char __attribute__((weak))
SYMBOL __executable_start[], constants_begin[], resting_begin[], pages_begin[], pages_end[];

/* Set-up code, constants, resting code: three mappings. To drop clean pages of a file is what the kernel does itself when memory is
 * short. Both calls may be refused. */
void rest(void)
{
	static bool rests;
	if (rests) return;
	rests = true;
	uintptr_t page = (uintptr_t)getpagesize(), begin = (uintptr_t)__executable_start & -page, constants = (uintptr_t)constants_begin & -page,
		resting = (uintptr_t)resting_begin & -page;
	if (!begin || constants >= resting) return;
	/* Of all that tells mappings apart, what changes nothing: a core dump holds no page that is as in its file. */
	madvise((void *)constants, resting - constants, MADV_DONTDUMP);
	madvise((void *)begin, resting - begin, MADV_DONTNEED);
}

/* All signals are blocked. */
int rest_until(struct signalfd_siginfo *si, int ms)
{
	siginfo_t got;
	const uint64_t all = ~0ull;
	struct timespec within = { ms / 1000, ms % 1000 * (long)MS };
	int signal = (int)syscall(SYS_rt_sigtimedwait_time64, &all, &got, ms < 0 ? NULL : &within, sizeof all);
	if (signal <= 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
	*si = (struct signalfd_siginfo){ .ssi_signo = (uint32_t)signal, .ssi_code = got.si_code, .ssi_pid = (uint32_t)got.si_pid, .ssi_uid = got.si_uid };
	return signal;
}

/* A buffer that holds nothing now: it is zeros from here on. */
void rest_buffer(void *buffer, size_t size)
{
	uintptr_t page = (uintptr_t)getpagesize(), from = ((uintptr_t)buffer + page - 1) & -page, to = ((uintptr_t)buffer + size) & -page;
	if (from < to) madvise((void *)from, to - from, MADV_DONTNEED);
}

/* Of a coordinator, which is a fork: what init has written since is otherwise kept twice, once for each of them. All that has pages of its
 * own is init's, or a buffer that is filled anew when it is used. Below this frame the stack is free. */
void rest_fork(void)
{
	static const size_t below = 64 * 1024, own = 1024; /* own: of this frame, and of what it calls */
	uintptr_t begin = (uintptr_t)pages_begin, end = (uintptr_t)pages_end;
	if (!begin || begin >= end) return;
	rest_buffer((void *)begin, end - begin);
	char *here = __builtin_frame_address(0);
	rest_buffer(here - below, below - own);
}
