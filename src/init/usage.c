/* What a tree has used: all that this process has reaped, but for a supervisor. */
#include "init.h"

struct usage usage_of(const struct rusage *r)
{
	return (struct usage){ (uint64_t)r->ru_utime.tv_sec * 1000000 + (uint64_t)r->ru_utime.tv_usec,
		(uint64_t)r->ru_stime.tv_sec * 1000000 + (uint64_t)r->ru_stime.tv_usec, (uint64_t)r->ru_maxrss };
}

static struct usage apart;
void apart_ended(const struct rusage *r)
{
	struct usage u = usage_of(r);
	apart = (struct usage){ apart.user_us + u.user_us, apart.sys_us + u.sys_us, u.max_rss_kb > apart.max_rss_kb ? u.max_rss_kb : apart.max_rss_kb };
}

/* Of all whom this process has reaped. Where the largest was none of the run, only its leader's size is known. */
struct usage tree_usage(const struct usage *leader)
{
	struct rusage r;
	if (getrusage(RUSAGE_CHILDREN, &r) < 0) return (struct usage){ 0 };
	struct usage u = usage_of(&r);
	return (struct usage){ u.user_us - apart.user_us, u.sys_us - apart.sys_us, u.max_rss_kb > apart.max_rss_kb ? u.max_rss_kb : leader->max_rss_kb };
}
