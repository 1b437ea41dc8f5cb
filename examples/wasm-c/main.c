/* Draws the bar codes of articles (EAN-13) as a WebAssembly mini-program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ean.h"
#include "mp.h"

/* Reads a JSON string of digits, blanks around it allowed. */
static int read_digits(const char *json, char digits[EAN_DIGITS + 1])
{
	size_t n;

	json += strspn(json, " \t\r\n");
	if (*json++ != '"')
		return -1;
	n = strspn(json, "0123456789");
	if (n > EAN_DIGITS || json[n] != '"' || json[n + 1 + strspn(json + n + 1, " \t\r\n")])
		return -1;
	memcpy(digits, json, n);
	digits[n] = 0;
	return 0;
}

/* Reads the input, and gives it its check digit. NULL, or why that failed. */
static const char *read_article(char digits[EAN_DIGITS + 1])
{
	size_t size;
	char *input = mp_read_input(&size);
	int wrong;

	if (!input)
		return "no memory for the input";
	wrong = read_digits(input, digits);
	free(input);
	if (wrong)
		return "the input must be a string of 12 or 13 digits, such as \"400638133393\"";
	return ean_complete(digits);
}

static int32_t give(const char *json)
{
	mp_output(json, strlen(json));
	return 0;
}

MP_EXPORT(complete) {
	char digits[EAN_DIGITS + 1], json[EAN_DIGITS + 3];
	const char *wrong = read_article(digits);

	if (wrong)
		return mp_fail(wrong);
	snprintf(json, sizeof json, "\"%s\"", digits);
	return give(json);
}

MP_EXPORT(svg) {
	static char json[1 << 14];
	char digits[EAN_DIGITS + 1], modules[EAN_MODULES + 1];
	const char *wrong = read_article(digits);
	int n;

	if (wrong)
		return mp_fail(wrong);
	ean_modules(digits, modules);
	n = snprintf(json, sizeof json, "\"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d 60'>"
		"<rect width='100%%' height='100%%' fill='#fff'/>", EAN_MODULES + 20);
	for (int i = 0; i < EAN_MODULES; i++)
		if (modules[i] == '1')
			n += snprintf(json + n, sizeof json - n, "<rect x='%d' y='4' width='1' height='44'/>", 10 + i);
	snprintf(json + n, sizeof json - n, "<text x='%d' y='57' text-anchor='middle' font-size='9'>%s</text></svg>\"",
		EAN_MODULES / 2 + 10, digits);
	mp_log(MP_INFO, digits);
	return give(json);
}
