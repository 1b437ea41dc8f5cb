/* Article numbers and their bar codes: ISO/IEC 15420, EAN-13. */
#ifndef EAN_H
#define EAN_H

enum { EAN_DIGITS = 13, EAN_MODULES = 95 };

/* Adds the check digit to 12 digits, or checks it in 13. NULL, or what is wrong. */
const char *ean_complete(char digits[EAN_DIGITS + 1]);

/* Writes a bar code as 0 for a white module and 1 for a black one. */
void ean_modules(const char digits[EAN_DIGITS + 1], char modules[EAN_MODULES + 1]);

#endif
