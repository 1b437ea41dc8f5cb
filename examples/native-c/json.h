/* Reads JSON (RFC 8259) where it lies: a value is a piece of a text that was
 * found to be valid. Strings are decoded into the caller's memory; numbers are
 * left as they are written. That strings are UTF-8 is not checked. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A value, without the white space around it. The zero value is none. */
struct json {
	const char *text;
	size_t len;
};

/* Reports whether text is one JSON value with at most 64 levels, and stores it. */
bool json_parse(const char *text, size_t len, struct json *value);

/* Finds the first member of that name in an object. */
bool json_member(struct json object, const char *name, struct json *value);

/* Decodes a string into at most room bytes of UTF-8, which may include zero
 * bytes, and returns their number; -1 if value is no string or has more.
 * A string has never more bytes than its value. */
long json_string(struct json value, char *out, size_t room);

/* Reports whether value is that string. */
bool json_is(struct json value, const char *string);

/* Writes a string with its quotes. It must be UTF-8. */
void json_write(FILE *out, const char *s, size_t len);

#endif
