/* SPDX-License-Identifier: MIT */
#include "vmm/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char id_header[] = "X-Request-Id";

/* Stop the parser: a callback returns this. */
static int refuse(http_parser *p, int status)
{
	struct http *h = p->data;

	h->refusal = status;
	return -1;
}

static int on_url(http_parser *p, const char *at, size_t len)
{
	struct http *h = p->data;

	if (len > HTTP_TARGET - h->target_len)
		return refuse(p, HTTP_STATUS_URI_TOO_LONG);
	memcpy(h->target + h->target_len, at, len);
	h->target_len += len;
	h->target[h->target_len] = '\0';
	return 0;
}

static void append(struct http_text *t, const char *at, size_t len)
{
	if (t->len + len <= HTTP_TEXT)
		memcpy(t->text + t->len, at, len);
	t->len += len;
	t->text[t->len <= HTTP_TEXT ? t->len : 0] = '\0';
}

static int count_header(http_parser *p, size_t len)
{
	struct http *h = p->data;

	if (len > HTTP_HEADER - h->header_len)
		return refuse(p, HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE);
	h->header_len += len;
	return 0;
}

static int on_header_field(http_parser *p, const char *at, size_t len)
{
	struct http *h = p->data;

	if (h->name_ended)
		h->name.len = 0;
	h->name_ended = false;
	append(&h->name, at, len);
	return count_header(p, len);
}

static int on_header_value(http_parser *p, const char *at, size_t len)
{
	struct http *h = p->data;

	h->name_ended = true;
	if (!strcasecmp(h->name.text, id_header))
		append(&h->id, at, len);
	else if (!strcasecmp(h->name.text, "Content-Type"))
		append(&h->type, at, len);
	else if (!strcasecmp(h->name.text, "Allow"))
		append(&h->allow, at, len);
	return count_header(p, len);
}

/* A body that says it is too long is refused before it is sent. */
static int on_headers_complete(http_parser *p)
{
	if (p->http_major != 1)
		return refuse(p, HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED);
	if (p->content_length != UINT64_MAX && p->content_length > HTTP_BYTES)
		return refuse(p, HTTP_STATUS_PAYLOAD_TOO_LARGE);
	return 0;
}

/* The body is part of the message, so http_feed's cap keeps it in bounds. */
static int on_body(http_parser *p, const char *at, size_t len)
{
	struct http *h = p->data;

	memcpy(h->body + h->body_len, at, len);
	h->body_len += len;
	h->body[h->body_len] = '\0';
	return 0;
}

/* Pause: or the parser would run on into the next message. */
static int on_message_complete(http_parser *p)
{
	struct http *h = p->data;

	h->complete = true;
	h->keep_alive = http_should_keep_alive(p);
	http_parser_pause(p, 1);
	return 0;
}

static const http_parser_settings settings = {
	.on_url = on_url,
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

void http_begin(struct http *h, enum http_parser_type type)
{
	http_parser_init(&h->parser, type);
	h->parser.data = h;
	h->bytes = 0;
	h->complete = false;
	h->keep_alive = false;
	h->refusal = 0;
	h->header_len = h->target_len = h->body_len = 0;
	h->name = h->id = h->type = h->allow = (struct http_text){ 0 };
	h->name_ended = false;
	h->target[0] = h->body[0] = '\0';
}

static void check(struct http *h)
{
	if (h->complete || h->refusal)
		return;
	switch (HTTP_PARSER_ERRNO(&h->parser)) {
	case HPE_OK:
		if (h->bytes == HTTP_BYTES)
			h->refusal = HTTP_STATUS_PAYLOAD_TOO_LARGE;
		break;
	default:
		h->refusal = HTTP_STATUS_BAD_REQUEST;
	}
}

size_t http_feed(struct http *h, const char *from, size_t len)
{
	size_t room = HTTP_BYTES - h->bytes;
	size_t used = http_parser_execute(&h->parser, &settings, from,
					  len < room ? len : room);

	h->bytes += used;
	check(h);
	return used;
}

bool http_begins_request(const char *from, size_t len)
{
	static const http_parser_settings nothing;
	http_parser p;

	http_parser_init(&p, HTTP_REQUEST);
	http_parser_execute(&p, &nothing, from, len);
	return p.http_major != 0; /* the line ends with the version */
}

void http_end(struct http *h)
{
	http_parser_execute(&h->parser, &settings, NULL, 0);
	check(h);
}

char *http_format(const struct http_reply *reply, const struct http *request,
		  bool keep_alive, size_t *len)
{
	bool head = request->complete && request->parser.method == HTTP_HEAD;
	const char *body = reply->body ? reply->body : "";
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	if (!f)
		return NULL;
	fprintf(f, "HTTP/1.1 %d %s\r\nConnection: %s\r\n", reply->status,
		http_status_str((enum http_status)reply->status),
		keep_alive ? "keep-alive" : "close");
	if (request->id.text[0])
		fprintf(f, "%s: %s\r\n", id_header, request->id.text);
	if (reply->allow)
		fprintf(f, "Allow: %s\r\n", reply->allow);
	/* RFC 9110, 8.6: a 204 has no length, everything else needs one. */
	if (reply->stream)
		fprintf(f, "Content-Type: application/x-ndjson\r\n"
			   "Transfer-Encoding: chunked\r\n");
	else if (reply->status != HTTP_STATUS_NO_CONTENT)
		fprintf(f,
			"Content-Type: %s\r\n"
			"Content-Length: %zu\r\n",
			reply->type ? reply->type : "application/json",
			strlen(body));
	fprintf(f, "\r\n%s", head ? "" : body);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
