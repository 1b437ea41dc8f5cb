/* The connection to the host: JSON-RPC 2.0, one message a line, both ways. */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stdio.h>

#include "json.h"

/* Errors of JSON-RPC 2.0, section 5.1. */
enum { RPC_NO_METHOD = -32601, RPC_BAD_PARAMS = -32602 };

struct host {
	FILE *in, *out;
	char *line; /* the last that was read */
	size_t room;
};

/* A message: a request or a notification if it has a method, else an answer.
 * What it does not have is the zero value. It lasts until the next is read. */
struct message {
	struct json id, method, params, result;
};

/* Opens the descriptor that MP_HOST_FD names. */
bool host_open(struct host *h);

/* Reads the next message; false at the end, or if the host sent no JSON. */
bool host_read(struct host *h, struct message *m);

/* Asks the host. The answer comes with host_read, with the same id. */
void host_ask(struct host *h, int id, const char *method);

/* Writes a line to the program's log, at a level: debug, info, warn, error. */
void host_log(struct host *h, const char *level, const char *text, size_t len);

/* Answers a request with an error; a notification has no answer. */
void host_fail(struct host *h, struct message m, int code, const char *message);

/* Begins the answer to a request. The caller writes a JSON value to h->out, and
 * then calls host_end. */
void host_begin(struct host *h, struct message m);
void host_end(struct host *h);

#endif
