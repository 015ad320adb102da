/* SPDX-License-Identifier: MIT */
/*
 * One HTTP/1.x message at a time, with caps. The grammar is libhttp-parser's;
 * this file only keeps what it finds and stops it at the end of a message, so
 * that the bytes of the next one are left to the caller.
 */
#ifndef VMM_HTTP_H
#define VMM_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include <http_parser.h>

#define HTTP_BYTES  65536 /* a message, its headers and framing included */
#define HTTP_HEADER 8192 /* its headers, names and values */
#define HTTP_TARGET 255
#define HTTP_TEXT   63

/* A short text that comes in pieces; one that is too long is "" for good. */
struct http_text {
	size_t len; /* of all pieces */
	char text[HTTP_TEXT + 1];
};

struct http {
	http_parser parser; /* method, status_code */
	size_t bytes; /* of this message, so far */
	bool complete;
	bool keep_alive; /* once complete */
	int refusal; /* not 0: the status to answer this message with */
	size_t header_len, target_len, body_len;
	struct http_text name; /* of the header being read */
	bool name_ended;
	struct http_text id; /* X-Request-Id, by which an answer is known */
	struct http_text type, allow; /* of an answer: so named headers */
	char target[HTTP_TARGET + 1]; /* of a request */
	char body[HTTP_BYTES + 1]; /* target and body end with a NUL */
};

/* Expect a new message: HTTP_REQUEST or HTTP_RESPONSE. */
void http_begin(struct http *h, enum http_parser_type type);

/*
 * Take up to @len > 0 bytes of the message and return how many. Afterwards it
 * is complete, or refused, or it wants more.
 */
size_t http_feed(struct http *h, const char *from, size_t len);

/* Do @len bytes begin with a request, at least with its first line? */
bool http_begins_request(const char *from, size_t len);

/* The peer has closed: ends a response that has no length. */
void http_end(struct http *h);

struct http_reply {
	int status;
	const char *allow; /* for 405: the method to use; else NULL */
	const char *type; /* of the body; NULL: JSON */
	char *body; /* malloced, or NULL */
	bool stream; /* the body is what happens from now on, in chunks */
};

/*
 * @reply to @request as bytes. Malloced, the length in *len; NULL: no memory.
 * The body stays the caller's.
 */
char *http_format(const struct http_reply *reply, const struct http *request,
		  bool keep_alive, size_t *len);

#endif
