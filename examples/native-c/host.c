#include "host.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool host_open(struct host *h)
{
	const char *name = getenv("MP_HOST_FD");
	if (!name)
		return false;
	int fd = atoi(name), copy = dup(fd);
	*h = (struct host){.in = fdopen(fd, "r"), .out = copy < 0 ? NULL : fdopen(copy, "w")};
	return h->in && h->out;
}

bool host_read(struct host *h, struct message *m)
{
	struct json line;
	ssize_t n = getline(&h->line, &h->room, h->in);
	if (n < 0 || !json_parse(h->line, (size_t)n, &line))
		return false;
	*m = (struct message){0};
	json_member(line, "id", &m->id);
	json_member(line, "method", &m->method);
	json_member(line, "params", &m->params);
	json_member(line, "result", &m->result);
	return true;
}

void host_ask(struct host *h, int id, const char *method)
{
	fprintf(h->out, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\"", id, method);
	host_end(h);
}

void host_log(struct host *h, const char *level, const char *text, size_t len)
{
	fprintf(h->out, "{\"jsonrpc\":\"2.0\",\"method\":\"log\",\"params\":{\"level\":\"%s\",\"text\":", level);
	json_write(h->out, text, len);
	putc('}', h->out);
	host_end(h);
}

static void answer(struct host *h, struct message m, const char *member)
{
	fprintf(h->out, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"%s\":", (int)m.id.len, m.id.text, member);
}

void host_fail(struct host *h, struct message m, int code, const char *message)
{
	if (!m.id.text)
		return;
	answer(h, m, "error");
	fprintf(h->out, "{\"code\":%d,\"message\":", code);
	json_write(h->out, message, strlen(message));
	putc('}', h->out);
	host_end(h);
}

void host_begin(struct host *h, struct message m) { answer(h, m, "result"); }

void host_end(struct host *h)
{
	fputs("}\n", h->out);
	fflush(h->out);
}
