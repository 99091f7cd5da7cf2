/* How many orphans have been reaped. Each coordinator reaps those of its own run, so where there are any all of them count in one
 * page, which init shares with its forks. What is counted there outlives whoever has counted it. */
#include "init.h"
#include <sys/mman.h>

static uint64_t own, *count = &own; /* own: of a plain run, in which init alone reaps */

/* Before the first coordinator. Without the page only what init itself reaps is known. */
void orphans_share(void)
{
	if (count != &own) return;
	void *page = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page != MAP_FAILED) count = page;
}

void orphans_reaped(uint64_t more) { if (more) __atomic_fetch_add(count, more, __ATOMIC_RELAXED); }
uint64_t orphans_counted(void) { return __atomic_load_n(count, __ATOMIC_RELAXED); }
