#include "json.h"

#include <string.h>

/* The functions skip_… return the end of what begins at p, or NULL if it does
 * not begin there. They never look at end or beyond. */

enum { DEPTH = 64 };

static const char *skip_value(const char *p, const char *end, int depth);

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

static const char *skip_word(const char *p, const char *end, const char *word)
{
	size_t n = strlen(word);
	return (size_t)(end - p) >= n && memcmp(p, word, n) == 0 ? p + n : NULL;
}

static bool is_digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

static const char *skip_digits(const char *p, const char *end)
{
	if (!is_digit(p, end))
		return NULL;
	while (is_digit(p, end))
		p++;
	return p;
}

static const char *skip_number(const char *p, const char *end)
{
	if (p < end && *p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else if (!(p = skip_digits(p, end)))
		return NULL;
	if (p < end && *p == '.' && !(p = skip_digits(p + 1, end)))
		return NULL;
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		p = skip_digits(p, end);
	}
	return p;
}

/* The value of four hexadecimal digits, or -1. */
static long hex4(const char *p, const char *end)
{
	long v = 0;
	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdefABCDEF";
		const char *d = p[i] == '\0' ? NULL : strchr(digits, p[i]);
		if (!d)
			return -1;
		long digit = d - digits;
		v = v * 16 + (digit < 16 ? digit : digit - 6);
	}
	return v;
}

static const char *skip_escape(const char *p, const char *end)
{
	if (p == end)
		return NULL;
	if (*p == 'u')
		return hex4(p + 1, end) < 0 ? NULL : p + 5;
	return *p != '\0' && strchr("\"\\/bfnrt", *p) ? p + 1 : NULL;
}

static const char *skip_string(const char *p, const char *end)
{
	if (p == end || *p != '"')
		return NULL;
	for (p++; p && p < end && *p != '"';) {
		if ((unsigned char)*p < 0x20)
			return NULL;
		p = *p == '\\' ? skip_escape(p + 1, end) : p + 1;
	}
	return p && p < end ? p + 1 : NULL;
}

/* A member's name and colon. */
static const char *skip_name(const char *p, const char *end)
{
	if (!(p = skip_string(p, end)))
		return NULL;
	p = skip_space(p, end);
	return p < end && *p == ':' ? skip_space(p + 1, end) : NULL;
}

/* An array or an object, of which p is the bracket. */
static const char *skip_items(const char *p, const char *end, int depth)
{
	bool object = *p == '{';
	char close = object ? '}' : ']';
	if (depth == 0)
		return NULL;
	p = skip_space(p + 1, end);
	if (p < end && *p == close)
		return p + 1;
	for (;;) {
		if (object && !(p = skip_name(p, end)))
			return NULL;
		if (!(p = skip_value(p, end, depth - 1)))
			return NULL;
		p = skip_space(p, end);
		if (p < end && *p == close)
			return p + 1;
		if (p == end || *p != ',')
			return NULL;
		p = skip_space(p + 1, end);
	}
}

static const char *skip_value(const char *p, const char *end, int depth)
{
	if (p == end)
		return NULL;
	switch (*p) {
	case '{':
	case '[':
		return skip_items(p, end, depth);
	case '"':
		return skip_string(p, end);
	case 't':
		return skip_word(p, end, "true");
	case 'f':
		return skip_word(p, end, "false");
	case 'n':
		return skip_word(p, end, "null");
	}
	return skip_number(p, end);
}

bool json_parse(const char *text, size_t len, struct json *value)
{
	const char *end = text + len, *begin = skip_space(text, end);
	const char *after = skip_value(begin, end, DEPTH);
	if (!after || skip_space(after, end) != end)
		return false;
	*value = (struct json){begin, (size_t)(after - begin)};
	return true;
}

bool json_member(struct json object, const char *name, struct json *value)
{
	if (object.len == 0 || *object.text != '{')
		return false;
	const char *end = object.text + object.len;
	const char *p = skip_space(object.text + 1, end);
	while (*p == '"') {
		struct json key = {p, (size_t)(skip_string(p, end) - p)};
		const char *from = skip_name(p, end), *to = skip_value(from, end, DEPTH);
		if (json_is(key, name)) {
			*value = (struct json){from, (size_t)(to - from)};
			return true;
		}
		p = skip_space(to, end);
		if (*p == ',')
			p = skip_space(p + 1, end);
	}
	return false;
}

static size_t put_utf8(char *out, unsigned long c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)((0xf00 >> n) | c);
	return n;
}

/* Decodes \uXXXX at p, and the second half of a pair. Half a pair alone is
 * U+FFFD. */
static const char *decode_unicode(const char *p, const char *end, unsigned long *c)
{
	*c = (unsigned long)hex4(p + 2, end);
	p += 6;
	if (*c < 0xd800 || *c > 0xdfff)
		return p;
	if (*c < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
		unsigned long low = (unsigned long)hex4(p + 2, end);
		if (low >= 0xdc00 && low <= 0xdfff) {
			*c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
			return p + 6;
		}
	}
	*c = 0xfffd;
	return p;
}

long json_string(struct json value, char *out, size_t room)
{
	if (value.len < 2 || *value.text != '"')
		return -1;
	const char *p = value.text + 1, *end = value.text + value.len - 1;
	size_t n = 0;
	while (p < end) {
		char c[4];
		size_t len = 1;
		if (*p != '\\') {
			c[0] = *p++;
		} else if (p[1] == 'u') {
			unsigned long code;
			p = decode_unicode(p, end, &code);
			len = put_utf8(c, code);
		} else {
			static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
			const char *at = strchr(names, p[1]);
			c[0] = at ? values[at - names] : p[1];
			p += 2;
		}
		if (room - n < len)
			return -1;
		memcpy(out + n, c, len);
		n += len;
	}
	return (long)n;
}

bool json_is(struct json value, const char *string)
{
	char s[64];
	size_t n = strlen(string);
	return n <= sizeof s && json_string(value, s, n) == (long)n && memcmp(s, string, n) == 0;
}

void json_write(FILE *out, const char *s, size_t len)
{
	putc('"', out);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20)
			fprintf(out, "\\u%04x", c);
		else
			putc(c, out);
	}
	putc('"', out);
}
