/* SPDX-License-Identifier: MIT */
#include "vmm/top.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/api.h"

#define TIMEOUT_S 5

/* 0; -errno: no answer. What is refused (a VM may have no balloon) is NULL. */
static int get(const char *path, const char *target, json_t **to)
{
	char *text = NULL;
	int status = api_call(path, "GET", target, NULL, TIMEOUT_S, &text);

	*to = status == 200 ? json_loads(text, 0, NULL) : NULL;
	free(text);
	return status < 0 ? status : 0;
}

int top_ask(struct top_sample *s, const char *path)
{
	struct top_sample t = { NULL, NULL, NULL, NULL };
	int r = get(path, "/status", &t.status);

	if (!r)
		r = get(path, "/memory/map", &t.map);
	if (!r)
		r = get(path, "/memory/mrc", &t.ghosts);
	if (!r)
		r = get(path, "/balloon", &t.balloon);
	if (!r && !t.status)
		r = -EPROTO;
	if (r) {
		top_free(&t);
		t = (struct top_sample){ NULL, NULL, NULL, NULL };
	}
	*s = t;
	return r;
}

void top_free(struct top_sample *s)
{
	json_decref(s->status);
	json_decref(s->map);
	json_decref(s->ghosts);
	json_decref(s->balloon);
}

double top_number(const json_t *from, const char *path)
{
	char key[64];

	for (; *path; path += strcspn(path, ".")) {
		path += *path == '.';
		snprintf(key, sizeof(key), "%.*s", (int)strcspn(path, "."),
			 path);
		from = json_object_get(from, key);
	}
	return json_number_value(from);
}
