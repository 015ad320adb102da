/* SPDX-License-Identifier: MIT */
/* A control API over the VM of fake_vm.h, on a socket in a folder of its
 * own. */
#ifndef TESTS_API_FIXTURE_H
#define TESTS_API_FIXTURE_H

#include <sys/stat.h>

#include "tests/unit/api_client.h"
#include "tests/unit/fake_vm.h"

struct fixture {
	char folder[64], path[108];
	struct fake_vm vm;
	struct api *api;
};

static inline void fixture_folder(struct fixture *f)
{
	*f = (struct fixture){ .folder = "/tmp/twofold-api-XXXXXX" };
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/vm.sock", f->folder);
}

static inline void fixture_start(struct fixture *f, unsigned idle_ms)
{
	struct complaint why = { "" };

	fixture_folder(f);
	if (!api_start_idle(&f->api, f->path, fake_control(&f->vm), idle_ms,
			    &why))
		fail_msg("%s", why.text);
}

/* Every file is gone with the server: the folder can be removed. */
static inline void fixture_stop(struct fixture *f)
{
	if (f->api)
		api_stop(f->api);
	assert_int_equal(rmdir(f->folder), 0);
}

/* One request and its answer, on a connection of its own. */
static inline struct answer *ask(struct fixture *f, struct answer *a,
				 const char *method, const char *target,
				 const char *body)
{
	int fd = connect_at(f->path);

	assert_true(fd >= 0);
	send_request(fd, method, target, body, strlen(body));
	receive(fd, a);
	close(fd);
	return a;
}

static inline void assert_served(struct fixture *f)
{
	struct answer a;

	assert_int_equal(ask(f, &a, "GET", "/status", "")->status, 200);
}

#endif
