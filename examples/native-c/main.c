/* Checksum is a native mini-program: it serves one function to whoever calls
 * it, writes to the log, and asks its host who it is. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "host.h"

enum { APP = 1 }; /* the id of our one request */

/* The CRC-32 of ISO 3309 and RFC 1952. */
static uint32_t crc32(const char *s, size_t len)
{
	uint32_t crc = 0xffffffff;
	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)s[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* Answers a call of crc32. */
static void serve_crc32(struct host *h, struct message m)
{
	struct json text;
	char *s;
	long n = -1;
	if (!json_member(m.params, "text", &text) || !(s = malloc(text.len))) {
		host_fail(h, m, RPC_BAD_PARAMS, "the input must be an object such as {\"text\": \"123456789\"}");
		return;
	}
	if ((n = json_string(text, s, text.len)) < 0) {
		host_fail(h, m, RPC_BAD_PARAMS, "text must be a string");
	} else if (m.id.text) {
		host_begin(h, m);
		fprintf(h->out, "{\"crc32\":\"%08" PRIx32 "\",\"bytes\":%ld}", crc32(s, (size_t)n), n);
		host_end(h);
	}
	free(s);
}

/* Logs who the host says that we are. */
static void greet(struct host *h, struct json app)
{
	char line[300] = "ready as ";
	const size_t before = 9;
	struct json id;
	long n;
	if (json_member(app, "id", &id) && (n = json_string(id, line + before, sizeof line - before)) >= 0)
		host_log(h, "info", line, before + (size_t)n);
}

int main(void)
{
	struct host h;
	struct message m;
	if (!host_open(&h)) {
		fputs("checksum: MP_HOST_FD names no descriptor: this program is to be run by mpsupervisor\n", stderr);
		return 1;
	}
	host_ask(&h, APP, "app");
	while (host_read(&h, &m)) {
		if (!m.method.text)
			greet(&h, m.result);
		else if (json_is(m.method, "crc32"))
			serve_crc32(&h, m);
		else
			host_fail(&h, m, RPC_NO_METHOD, "there is no such function");
	}
	return 0;
}
