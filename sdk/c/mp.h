/*
 * mp.h lets a C program run as a WebAssembly mini-program: it is called by name
 * with JSON, answers with JSON, and asks its host. docs/wasm.md has the rules.
 *
 * A function that the host is to call is exported, takes nothing, and returns 0,
 * or MP_FAILED after mp_fail:
 *
 *	MP_EXPORT(greet) {
 *		size_t size;
 *		char *name = mp_read_input(&size);
 *		if (!name)
 *			return mp_fail("no memory");
 *		mp_output(name, size);
 *		free(name);
 *		return 0;
 *	}
 *
 * Build it as a reactor, a module that stays after its initialisation:
 *
 *	clang --target=wasm32-wasi -mexec-model=reactor -O2 -o app.wasm app.c
 *
 * A module that is built without -mexec-model=reactor is a command: its main
 * runs once, and nothing of it can be called.
 */
#ifndef MP_H
#define MP_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MP_IMPORT(name) __attribute__((import_module("mp"), import_name(#name)))

/* MP_EXPORT begins the definition of a function that the host can call. */
#define MP_EXPORT(name) __attribute__((export_name(#name))) int32_t name(void)

/* MP_FAILED is what an exported function returns after it has said why. */
#define MP_FAILED 1

enum mp_level { MP_DEBUG, MP_INFO, MP_WARN, MP_ERROR };

/* mp_input_size is the size of the call's input in bytes; 0 if it has none. */
MP_IMPORT(input_size) int32_t mp_input_size(void);

/* mp_input copies the input to p, which has room for all of it. */
MP_IMPORT(input) void mp_input(void *p);

/* mp_output sets the call's result, JSON of size bytes. The last one counts. */
MP_IMPORT(output) void mp_output(const void *p, size_t size);

/* mp_error sets the text of the call's error; see mp_fail. */
MP_IMPORT(error) void mp_error(const void *p, size_t size);

/*
 * mp_request asks the host and waits. It returns the size of the answer, or
 * minus the size if the host refused; then the answer is a JSON object with the
 * members code and message. mp_answer copies it; see mp_ask.
 */
MP_IMPORT(request)
int64_t mp_request(const void *method, size_t method_size, const void *params, size_t params_size);

MP_IMPORT(answer) void mp_answer(void *p);

/* mp_log_line writes one line of text to the log; see mp_log. */
MP_IMPORT(log) void mp_log_line(int32_t level, const void *p, size_t size);

/* mp_read_input returns the input with a zero byte behind it, to be freed, or
 * NULL for want of memory. */
static inline char *mp_read_input(size_t *size)
{
	char *p;

	*size = (size_t)mp_input_size();
	p = malloc(*size + 1);
	if (!p)
		return NULL;
	if (*size > 0)
		mp_input(p);
	p[*size] = 0;
	return p;
}

/* mp_fail says why an exported function fails, and is what it returns. */
static inline int32_t mp_fail(const char *why)
{
	mp_error(why, strlen(why));
	return MP_FAILED;
}

/*
 * mp_ask asks the host: params is JSON, "null" for none. It returns the answer,
 * JSON with a zero byte behind it, to be freed, or NULL for want of memory.
 * Refused tells whether it is the host's refusal.
 */
static inline char *mp_ask(const char *method, const char *params, int *refused)
{
	int64_t n = mp_request(method, strlen(method), params, strlen(params));
	size_t size;
	char *p;

	*refused = n < 0;
	size = (size_t)(n < 0 ? -n : n);
	p = malloc(size + 1);
	if (!p)
		return NULL;
	if (size > 0)
		mp_answer(p);
	p[size] = 0;
	return p;
}

/* mp_log writes a line to the log. Standard output and standard error go there
 * as well, line by line, as MP_INFO and MP_ERROR. */
static inline void mp_log(enum mp_level level, const char *text)
{
	mp_log_line(level, text, strlen(text));
}

#endif
