#include "ean.h"

#include <string.h>

/* The digits' modules of the right half; those of the left are the same with the
 * colours exchanged (set A), or these backwards (set B). */
static const char *const right[10] = {
	"1110010", "1100110", "1101100", "1000010", "1011100",
	"1001110", "1010000", "1000100", "1001000", "1110100",
};

/* Which digits of the left half are of set B, for each first digit. */
static const char *const sets[10] = {
	"AAAAAA", "AABABB", "AABBAB", "AABBBA", "ABAABB",
	"ABBAAB", "ABBBAA", "ABABAB", "ABABBA", "ABBABA",
};

static char check_digit(const char *digits)
{
	int sum = 0;

	for (int i = 0; i < EAN_DIGITS - 1; i++)
		sum += (digits[i] - '0') * (i % 2 ? 3 : 1);
	return '0' + (10 - sum % 10) % 10;
}

const char *ean_complete(char digits[EAN_DIGITS + 1])
{
	size_t n = strlen(digits);

	if (n < EAN_DIGITS - 1)
		return "an article number has 12 digits and a check digit";
	if (n == EAN_DIGITS - 1) {
		digits[n] = check_digit(digits);
		digits[n + 1] = 0;
	} else if (digits[EAN_DIGITS - 1] != check_digit(digits)) {
		return "the check digit does not fit";
	}
	return NULL;
}

static char *left_digit(char *at, char digit, char set)
{
	const char *modules = right[digit - '0'];

	for (int i = 0; i < 7; i++)
		*at++ = set == 'A' ? (modules[i] == '1' ? '0' : '1') : modules[6 - i];
	return at;
}

static char *put(char *at, const char *modules)
{
	size_t n = strlen(modules);

	memcpy(at, modules, n);
	return at + n;
}

void ean_modules(const char digits[EAN_DIGITS + 1], char modules[EAN_MODULES + 1])
{
	const char *set = sets[digits[0] - '0'];
	char *at = put(modules, "101");

	for (int i = 0; i < 6; i++)
		at = left_digit(at, digits[1 + i], set[i]);
	at = put(at, "01010");
	for (int i = 7; i < EAN_DIGITS; i++)
		at = put(at, right[digits[i] - '0']);
	put(at, "101")[0] = 0;
}
