/* Any bytes as output of a process, in any pieces, through lines.c. What comes out is whole lines of the format, and without
 * what the format adds it is what went in. Input: format and flags, room, how much arrives at once, bytes. */
#include "fuzz-world.h"
#include "../lines.c"

static char made[1 << 20], plain[1 << 20];
static size_t made_size, plain_size;

static void keep(const char *text, size_t size, bool ends)
{
	memcpy(plain + plain_size, text, size);
	plain_size += size;
	if (ends) plain[plain_size++] = '\n';
}

/* One line of JSON, and nothing that a terminal obeys. */
static void check_json(const char *line, size_t size)
{
	MUST(size > 2 && line[0] == '{' && line[size - 2] == '}');
	for (size_t i = 0; i + 1 < size; ) {
		size_t n = character((const unsigned char *)line + i, size - i);
		MUST(n > 0);
		MUST(n > 1 ? !(line[i] == (char)0xc2 && (unsigned char)line[i + 1] < 0xa0) : line[i] >= 0x20 && line[i] != 0x7f);
		i += n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint8_t flags = (uint8_t)take_number(&in, 1);
	struct style s = { .format = (enum format)(FORMAT_LINES + flags % 4), .run = "web#1", .stream = "stdout", .stamps = flags & 16, .colour = flags & 32,
		.shade = flags, .width = flags % 24 };
	MUST(time_stamp(s.time, take_number(&in, 5)) == 24 && s.time[24] == 0);
	size_t step = 1 + take_number(&in, 2), bulk = flags & 64 && s.format == FORMAT_LINES && !s.stamps ? 1 + take_number(&in, 2) : 0;
	const char *text = (const char *)in.at;
	size_t arrived = 0, passed = 0, last_size = 0;
	struct piece p;
	made_size = plain_size = 0;
	for (bool broken = false, last = false; !last || passed < in.left || broken; ) {
		arrived = in.left - arrived < step ? in.left : arrived + step;
		last = arrived == in.left;
		while (next_piece(text + passed, arrived - passed, last, broken, bulk, &p)) {
			MUST(p.skip >= p.size && p.skip <= p.size + 1 && p.skip <= arrived - passed && (p.skip || broken));
			MUST(bulk || (p.size <= LINE_BYTES && !memchr(text + passed, '\n', p.size)));
			s.continued = broken;
			size_t room = sizeof made - made_size < JOB_BYTES ? sizeof made - made_size : JOB_BYTES, n = show_piece(made + made_size, room, &s, text + passed, &p);
			if (!n) return 0; /* more than is looked at */
			MUST(n <= room && (made[made_size + n - 1] == '\n' || (s.format == FORMAT_LINES && !p.ends)));
			if (s.format == FORMAT_JSON) check_json(made + made_size, n);
			else if (!bulk && s.format != FORMAT_LINES) MUST(n == (size_t)((char *)memchr(made + made_size, '\n', n) - (made + made_size)) + 1);
			made_size += n;
			keep(text + passed, p.size, p.ends);
			passed += p.skip;
			broken = !p.ends;
		}
		MUST(arrived - passed <= LINE_BYTES);
	}
	last_size = in.left && text[in.left - 1] != '\n';
	MUST(plain_size == in.left + last_size && memcmp(plain, text, in.left) == 0);
	if (s.format == FORMAT_LINES && !s.stamps) MUST(made_size == plain_size && memcmp(made, plain, plain_size) == 0);
	return 0;
}
