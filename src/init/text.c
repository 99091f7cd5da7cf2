/* Text from values, and values from text. The C library's printf and stdio would be half of this program, and of its memory. */
#include "init.h"
#include <string.h>
#include <sys/mman.h>

int vprint(char *to, size_t size, const char *format, va_list args)
{
	size_t n = 0;
	for (const char *f = format; *f; ) {
		char digits[24], *at = digits + sizeof digits;
		const char *from = f;
		size_t most = SIZE_MAX, width = 0;
		bool literal = *f != '%';
		if (!literal) {
			if (*++f == '.') { most = (size_t)va_arg(args, int); f += 2; }
			for (; *f >= '0' && *f <= '9'; f++) width = width * 10 + (size_t)(*f - '0');
			bool wide = *f == 'l';
			f += wide ? 2 : 0;
			if (*f == 's') from = va_arg(args, const char *);
			else {
				uint64_t value = wide ? va_arg(args, uint64_t) : *f == 'd' ? (uint64_t)va_arg(args, int) : va_arg(args, unsigned);
				bool negative = *f == 'd' && (int64_t)value < 0;
				unsigned base = *f == 'x' ? 16 : 10;
				for (value = negative ? -value : value; value || at == digits + sizeof digits; value /= base) *--at = "0123456789abcdef"[value % base];
				while ((size_t)(digits + sizeof digits - at) < width) *--at = '0';
				if (negative) *--at = '-';
				from = at;
				most = (size_t)(digits + sizeof digits - at);
			}
			f++;
		}
		for (; most && *from && !(literal && *from == '%'); from++, most--, n++) if (n < size) to[n] = *from; /* mostly few: memcpy(3) would take longer */
		if (literal) f = from;
	}
	if (size) to[n < size ? n : size - 1] = 0;
	return (int)n;
}

int print(char *to, size_t size, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vprint(to, size, format, args);
	va_end(args);
	return n;
}

uint64_t read_number(const char **at)
{
	uint64_t n = 0;
	for (; **at >= '0' && **at <= '9'; ++*at) n = n > (UINT64_MAX - 9) / 10 ? UINT64_MAX : n * 10 + (uint64_t)(**at - '0');
	return n;
}

/* Bytes of the character at c when it may be shown as it is; 0 for controls (C1 too), and what is no UTF-8. */
static size_t shown(const unsigned char *c)
{
	if (*c < 0x80) return *c >= 0x20 && *c != 0x7f;
	size_t n = *c >= 0xc2 && *c < 0xe0 ? 2 : *c >= 0xe0 && *c < 0xf0 ? 3 : *c >= 0xf0 && *c < 0xf5 ? 4 : 0;
	for (size_t i = 1; i < n; i++) if ((c[i] & 0xc0) != 0x80) return 0;
	if ((*c == 0xc2 && c[1] < 0xa0) || (*c == 0xe0 && c[1] < 0xa0) || (*c == 0xed && c[1] > 0x9f) ||
	    (*c == 0xf0 && c[1] < 0x90) || (*c == 0xf4 && c[1] > 0x8f)) return 0;
	return n;
}

char *keep_text(const char *text, size_t size)
{
	char *kept = mmap(NULL, size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return kept == MAP_FAILED ? NULL : memcpy(kept, text, size);
}

size_t escape(char *to, size_t size, const char *from, bool json)
{
	size_t n = 0, k;
	for (const unsigned char *c = (const unsigned char *)from; *c && n + 8 < size; c += k ? k : 1) {
		k = shown(c);
		if (k && json && (*c == '"' || *c == '\\')) to[n++] = '\\';
		if (k) for (size_t i = 0; i < k; i++) to[n++] = (char)c[i];
		else n += (size_t)print(to + n, size - n, json ? *c < 0x80 ? "\\u%04x" : "\\ufffd" : "\\x%02x", *c);
	}
	to[n] = 0;
	return n;
}

char *duration_text(uint64_t ns, char text[32])
{
	if (ns == FOREVER) print(text, 32, "forever");
	else if (ns < SECOND) print(text, 32, "%llums", (unsigned long long)(ns / MS));
	else print(text, 32, "%llu.%llus", (unsigned long long)(ns / SECOND), (unsigned long long)(ns / (100 * MS) % 10));
	return text;
}

size_t distance(const char *a, size_t size, const char *b)
{
	if (size > WORD_BYTES) return size;
	size_t row[WORD_BYTES + 1];
	for (size_t i = 0; i <= size; i++) row[i] = i;
	for (size_t j = 1; b[j - 1]; j++) {
		size_t diagonal = row[0];
		row[0] = j;
		for (size_t i = 1; i <= size; i++) {
			size_t above = row[i], least = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < least) least = above + 1;
			if (row[i - 1] + 1 < least) least = row[i - 1] + 1;
			diagonal = above;
			row[i] = least;
		}
	}
	return row[size];
}
