/* From the bytes that a process writes to the lines that gsup passes on: where a line ends, and how it is shown. No side
 * effects, and any bytes will do. */
#include "output.h"
#include <string.h>

struct text { char *at; };

static void add(struct text *t, const char *bytes, size_t size)
{
	memcpy(t->at, bytes, size);
	t->at += size;
}

static void add_text(struct text *t, const char *text) { add(t, text, strlen(text)); }

size_t name_size(const char *run) { return strcspn(run, "#"); }

static char *digits(char *to, unsigned value, int count)
{
	for (int i = count - 1; i >= 0; i--, value /= 10) to[i] = (char)('0' + value % 10);
	return to + count;
}

/* 2026-11-25T17:03:26.123Z. The calendar in days since 0000-03-01, so that the odd day is a year's last. */
size_t time_stamp(char text[STAMP_BYTES], uint64_t wall_ms)
{
	uint64_t days = wall_ms / 86400000 + 719468, era = days / 146097, of_era = days % 146097;
	unsigned ms = (unsigned)(wall_ms % 86400000);
	uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = (unsigned)(of_era - (365 * year + year / 4 - year / 100)), month = (5 * of_year + 2) / 153;
	unsigned day = of_year - (153 * month + 2) / 5 + 1;
	month = month < 10 ? month + 3 : month - 9;
	char *at = digits(text, (unsigned)(year + era * 400 + (month <= 2)), 4);
	*at++ = '-'; at = digits(at, month, 2);
	*at++ = '-'; at = digits(at, day, 2);
	*at++ = 'T'; at = digits(at, ms / 3600000, 2);
	*at++ = ':'; at = digits(at, ms / 60000 % 60, 2);
	*at++ = ':'; at = digits(at, ms / 1000 % 60, 2);
	*at++ = '.'; at = digits(at, ms % 1000, 3);
	*at++ = 'Z';
	*at = 0;
	return (size_t)(at - text);
}

/* Bytes of the UTF-8 character at c; 0: there is none. */
static size_t character(const unsigned char *c, size_t left)
{
	if (*c < 0x80) return 1;
	size_t n = *c >= 0xc2 && *c < 0xe0 ? 2 : *c >= 0xe0 && *c < 0xf0 ? 3 : *c >= 0xf0 && *c < 0xf5 ? 4 : 0;
	if (!n || n > left) return 0;
	for (size_t i = 1; i < n; i++) if ((c[i] & 0xc0) != 0x80) return 0;
	bool wrong = (*c == 0xe0 && c[1] < 0xa0) || (*c == 0xed && c[1] > 0x9f) || (*c == 0xf0 && c[1] < 0x90) || (*c == 0xf4 && c[1] > 0x8f);
	return wrong ? 0 : n;
}

/* No more than size, and no character torn by the cut. */
static size_t whole_characters(const char *text, size_t size)
{
	size_t back = 0;
	while (back < 3 && back + 1 < size && ((unsigned char)text[size - 1 - back] & 0xc0) == 0x80) back++;
	unsigned char lead = (unsigned char)text[size - 1 - back];
	size_t need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	return need > back + 1 && back + 1 < size ? size - 1 - back : size;
}

/* last: nothing follows. broken: what was passed on before has not ended its line. bulk: as many whole lines as are in so many
 * bytes, for who shows them as they are. false: to be continued, when there is more. */
bool next_piece(const char *text, size_t size, bool last, bool broken, size_t bulk, struct piece *p)
{
	const char *end = bulk ? memrchr(text, '\n', size < bulk ? size : bulk) : NULL;
	if (!end) end = memchr(text, '\n', size < LINE_BYTES + 1 ? size : LINE_BYTES + 1);
	if (end) *p = (struct piece){ (size_t)(end - text), (size_t)(end - text) + 1, true };
	else if (size > LINE_BYTES) *p = (struct piece){ whole_characters(text, LINE_BYTES), whole_characters(text, LINE_BYTES), false };
	else if (last && (size || broken)) *p = (struct piece){ size, size, true };
	else return false;
	return true;
}

static const char hex[] = "0123456789abcdef";

/* What is no UTF-8 becomes U+FFFD; controls are escaped, DEL and those of C1 too: a log is looked at on terminals. */
static void add_json(struct text *t, const char *text, size_t size)
{
	const unsigned char *c = (const unsigned char *)text, *end = c + size;
	while (c < end) {
		const unsigned char *plain = c;
		while (c < end && *c >= 0x20 && *c < 0x7f && *c != '"' && *c != '\\') c++;
		add(t, (const char *)plain, (size_t)(c - plain));
		if (c == end) return;
		size_t n = character(c, (size_t)(end - c));
		bool control = n == 1 ? *c < 0x20 || *c == 0x7f : n == 2 && *c == 0xc2 && c[1] < 0xa0;
		if (!n) add_text(t, "\\ufffd");
		else if (control) {
			unsigned char code = n == 1 ? *c : c[1];
			add(t, (char[]){ '\\', 'u', '0', '0', hex[code >> 4], hex[code & 15] }, 6);
		} else {
			if (n == 1) add_text(t, "\\");
			add(t, (const char *)c, n);
		}
		c += n ? n : 1;
	}
}

/* The colours of a terminal that can be read on light and on dark. */
static const char *const shades[] = { "\33[36m", "\33[33m", "\33[32m", "\33[35m", "\33[34m", "\33[31m" };

static void show_prefix(struct text *t, const struct style *s, const char *text, size_t size)
{
	size_t name = name_size(s->run);
	if (s->stamps) { add_text(t, s->time); add_text(t, " "); }
	if (s->colour) add_text(t, shades[(size_t)s->shade % (sizeof shades / sizeof *shades)]);
	add(t, s->run, name);
	for (size_t i = name; (int)i < s->width; i++) add_text(t, " ");
	add_text(t, s->colour ? " |\33[0m " : " | ");
	add(t, text, size);
	if (s->colour && memchr(text, '\33', size)) add_text(t, "\33[0m"); /* its colours end with its line */
	add_text(t, "\n");
}

static void show_json(struct text *t, const struct style *s, const char *text, const struct piece *p)
{
	add_text(t, "{\"time\":\"");
	add_text(t, s->time);
	add_text(t, "\",\"process\":\"");
	add_json(t, s->run, name_size(s->run));
	add_text(t, "\",\"run\":\"");
	add_json(t, s->run, strlen(s->run));
	add_text(t, "\",\"stream\":\"");
	add_text(t, s->stream);
	add_text(t, "\",\"msg\":\"");
	add_json(t, text, p->size);
	add_text(t, p->ends ? "\"}\n" : "\",\"partial\":true}\n");
}

/* As the log format of CRI, and the run: time, run, stream, F or P (whole, or to be continued), text. */
static void show_copy(struct text *t, const struct style *s, const char *text, const struct piece *p)
{
	add_text(t, s->time);
	add_text(t, " ");
	add_text(t, s->run);
	add_text(t, " ");
	add_text(t, s->stream);
	add_text(t, p->ends ? " F " : " P ");
	add(t, text, p->size);
	add_text(t, "\n");
}

static void show_lines(struct text *t, const struct style *s, const char *text, const struct piece *p)
{
	if (s->stamps && !s->continued) { add_text(t, s->time); add_text(t, " "); }
	add(t, text, p->size);
	if (p->ends) add_text(t, "\n");
}

size_t show_piece(char *to, size_t room, const struct style *s, const char *text, const struct piece *p)
{
	struct text t = { to };
	size_t frame = 3 * NAME_SIZE + (size_t)(s->width > 0 ? s->width : 0) + 2 * STAMP_BYTES + 128;
	bool fits = s->format == FORMAT_RAW ? p->size <= room : s->format == FORMAT_LINES ? p->size + 1 + (s->stamps ? STAMP_BYTES : 0) <= room :
		frame + p->size * (s->format == FORMAT_JSON ? 6 : 1) <= room;
	if (!fits) return 0;
	switch (s->format) {
	case FORMAT_RAW: add(&t, text, p->size); break;
	case FORMAT_LINES: show_lines(&t, s, text, p); break;
	case FORMAT_PREFIX: show_prefix(&t, s, text, p->size); break;
	case FORMAT_JSON: show_json(&t, s, text, p); break;
	case FORMAT_COPY: show_copy(&t, s, text, p); break;
	}
	return (size_t)(t.at - to);
}
