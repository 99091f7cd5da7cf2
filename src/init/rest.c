/* What has set gsup up gives its memory back: init rests for days, and its set-up took milliseconds.
 *
 * The kernel maps 64 kB around each page of code that is used (fault-around), so that all of a small program is mapped however
 * little of it runs. It does not go beyond a mapping, though: the code that runs from now on lies together (layout.ld), and
 * becomes a mapping of its own. The rest is still there for whoever calls it, and comes back from the page cache. */
#include "init.h"
#include <sys/mman.h>
#include <unistd.h>

/* Without layout.ld (a test build, another linker) there are no such symbols, and nothing is to be done. */
#define SYMBOL extern const char __attribute__((weak))
SYMBOL __executable_start[], constants_begin[], resting_begin[];

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
