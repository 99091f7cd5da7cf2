/* From which installation the supervisor is started: init's own, or another one that was asked for (an upgrade). The other
 * one is on trial until it has answered; if it does not come up, the one before it is started again. */
#include "init.h"
#include <limits.h>
#include <string.h>
#include <unistd.h>

static PAGES char installation[INSTALLATION_SIZE], before[INSTALLATION_SIZE]; /* empty: init's own */
static bool asked;
static int waiting; /* requests for the one that is on trial: each is told how it went, once */

static const char *named(const char *root) { return *root ? root : "its own installation"; }

static void record_upgrade(const char *root, const char *what)
{
	record_begin("upgrade");
	record_text("installation", root);
	record_text("state", what);
	record_end();
}

static void settle(const char *what)
{
	for (; waiting; waiting--) record_upgrade(installation, what);
}

/* false: not a path, so nothing is tried. Whoever is on trial when another one is asked for does not come up any more. */
bool installation_ask(const char root[INSTALLATION_SIZE])
{
	if (!memchr(root, 0, INSTALLATION_SIZE) || (*root && *root != '/')) return false;
	if (!waiting) memcpy(before, installation, sizeof before);
	else if (strcmp(installation, root)) settle("failed");
	print(installation, sizeof installation, "%s", root);
	asked = true;
	waiting++;
	return true;
}

/* Once, when the supervisor of before is to make room. */
bool installation_asked(void)
{
	bool was = asked;
	asked = false;
	return was;
}

bool installation_on_trial(void) { return waiting; }

void installation_good(void)
{
	if (!waiting || asked) return;
	settle("done");
	say(LEVEL_INFO, "the supervisor is started from %s from now on", named(installation));
}

void installation_bad(void)
{
	if (!waiting) return;
	settle("failed");
	say(LEVEL_ERROR, "the supervisor of %s did not come up: back to %s", named(installation), named(before));
	memcpy(installation, before, sizeof installation);
}

/* What to start; false: init's own. So also where the other one has gone: a supervisor of before is better than none. */
bool installation_script(char *script, size_t size)
{
	if (!*installation) return false;
	return print(script, size, "%s/dist/main.js", installation) < (int)size && (waiting || access(script, R_OK) == 0);
}
