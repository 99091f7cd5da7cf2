/* For the drivers that replay what the model of test/model has explored: a script on stdin, what the real code does on stdout. */
#ifndef GSUP_MODEL_WORLD_H
#define GSUP_MODEL_WORLD_H
#include "fuzz-world.h"

static uint64_t now;
static char line[1 << 17], *words[8];

uint64_t now_ns(void) { return now; }
char *world_keep(char *text) { return text; }

/* The next line, in words. false: there is none. */
static bool next_line(void)
{
	if (!fgets(line, sizeof line, stdin)) return false;
	line[strcspn(line, "\n")] = 0;
	char *rest = line;
	for (int i = 0; i < 8; i++) words[i] = rest ? strsep(&rest, " ") : "";
	return true;
}
static bool is(const char *word) { return strcmp(words[0], word) == 0; }

static size_t from_hex(const char *text, uint8_t *to, size_t size)
{
	size_t n = strlen(text) / 2;
	MUST(n <= size);
	for (size_t i = 0; i < n; i++) {
		unsigned byte;
		MUST(sscanf(text + 2 * i, "%2x", &byte) == 1);
		to[i] = (uint8_t)byte;
	}
	return n;
}
static void print_hex(const char *what, const void *from, size_t size)
{
	const uint8_t *at = from;
	printf("%s ", what);
	for (size_t i = 0; i < size; i++) { putchar("0123456789abcdef"[at[i] >> 4]); putchar("0123456789abcdef"[at[i] & 15]); }
	putchar('\n');
}
static void print_due(uint64_t due)
{
	if (due == FOREVER) puts("due -");
	else printf("due %llu\n", (unsigned long long)due);
}
#endif
