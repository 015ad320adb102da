/* SPDX-License-Identifier: MIT */
#include "vmm/api_forward.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/api_answer.h"
#include "vmm/clock.h"
#include "vmm/events.h"

#define TIMEOUT_MS 10000

struct api_forward {
	int fd;
	struct events *events;
	struct http answer; /* the last one; replies point into it */
};

struct api_forward *api_forward_create(int fd)
{
	struct api_forward *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->fd = fd;
	f->events = events_create();
	if (f->events)
		return f;
	free(f);
	return NULL;
}

void api_forward_destroy(struct api_forward *f)
{
	if (!f)
		return;
	events_destroy(f->events);
	free(f);
}

static int converse(struct api_forward *f, const struct api_request *r)
{
	return api_converse(f->fd, r, clock_ms() + TIMEOUT_MS, &f->answer);
}

/* Take the news. True: there may be more. */
static bool catch_up(struct api_forward *f)
{
	struct api_request r = { .method = "GET", .body = "" };
	char target[48];
	unsigned n;
	json_t *news;

	snprintf(target, sizeof(target), "/events/after/%" PRIu64,
		 events_next(f->events) - 1);
	r.target = target;
	if (converse(f, &r) != HTTP_STATUS_OK)
		return false;
	news = json_loads(f->answer.body, 0, NULL);
	n = events_add(f->events, json_object_get(news, "events"));
	json_decref(news);
	return n > 0;
}

static struct http_reply no_answer(int error)
{
	char text[96];

	snprintf(text, sizeof(text), "the capsule does not answer: %s",
		 strerror(-error));
	return api_fault(error == -ETIMEDOUT ? HTTP_STATUS_GATEWAY_TIMEOUT
					     : HTTP_STATUS_BAD_GATEWAY,
			 text);
}

/* What a header said; NULL if it was not there. */
static const char *text_of(const struct http_text *t)
{
	return t->text[0] ? t->text : NULL;
}

/* A stream would take the port for itself, and nothing answers HEAD. */
static struct http_reply answer(void *ctx, const struct http *request)
{
	enum http_method method = (enum http_method)request->parser.method;
	struct api_forward *f = ctx;
	const struct api_request r = { .method = http_method_str(method),
				       .target = request->target,
				       .body = request->body,
				       .len = request->body_len };
	struct http_reply reply = { .status = HTTP_STATUS_OK };

	if (method == HTTP_GET && !strcmp(r.target, "/events")) {
		while (catch_up(f))
			continue;
		reply.stream = true;
		return reply;
	}
	if (method == HTTP_HEAD) {
		reply = api_fault(HTTP_STATUS_METHOD_NOT_ALLOWED, "not HEAD");
		reply.allow = "GET";
		return reply;
	}
	reply.status = converse(f, &r);
	if (reply.status < 0)
		return no_answer(reply.status);
	reply.type = text_of(&f->answer.type);
	reply.allow = text_of(&f->answer.allow);
	if (f->answer.body_len)
		reply.body = strdup(f->answer.body);
	return reply;
}

static void hear(void *ctx)
{
	catch_up(ctx);
}

struct api_desk api_forward_desk(struct api_forward *f)
{
	return (struct api_desk){
		.ctx = f, .answer = answer, .events = f->events, .hear = hear
	};
}
