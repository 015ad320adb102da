/* SPDX-License-Identifier: MIT */
/*
 * The control API: HTTP/1.1 with JSON bodies on a unix socket (mode 0600),
 * served by a thread of its own.
 *
 *   GET   /                    200, Firecracker's InstanceInfo
 *   GET   /version             200
 *   GET   /machine-config      200, Firecracker's MachineConfiguration
 *   PATCH /vm                  {"state": "Paused" | "Resumed" | "Stopped"}
 *   GET   /status              200, status_json
 *   GET   /metrics             200, text for Prometheus
 *   GET   /events              200, a chunk of one line of JSON an event, as
 *                              they happen; who is EVENTS behind is dropped
 *   GET   /events/after/N      200, {"lost": B, "events": [...]}
 *   GET   /explain/ADDRESS     200, explain_json
 *   GET   /memory/attribution  200, attribution_json
 *   GET   /memory/audit        200, audit_json
 *   GET   /memory/map          200, census_json
 *   GET   /memory/mrc          200, whatif_json
 *   GET   /memory/resident     200, {"resident_bytes": N, "floor_bytes": N}
 *   PUT   /memory/resident     {"resident_bytes": N}
 *   GET   /policy              200, {"policy": NAME, "policies": [NAME, ...]}
 *   PUT   /policy              {"policy": NAME}
 *   GET   /balloon             200, balloon_json
 *   PATCH /balloon             {"amount_mib": N}
 *   PUT   /balloon             400: run --balloon configures it
 *   GET   /balloon/statistics  200, balloon_statistics_json
 *   PATCH /balloon/statistics  {"stats_polling_interval_s": 0}, no other
 *   PATCH /balloon/hinting/start
 *   GET   /balloon/hinting/status  200, balloon_hinting_json
 *   GET   /pressure            200, {"tiers": [injection_json, ...]}
 *   PUT   /pressure            an injection (vmm/injection.h); PATCH: its
 *                              fields that change
 *   PUT   /trace               {"state": "Recording" | "Stopped",
 *                               "registers": BOOL}, the latter may be left out
 *   GET   /trace/N             200, {"state", "total", "lost", "first",
 *                               "header", "records"}: those from the N-th on,
 *                               as many as fit; header and records as they lie
 *                               in a file, in base64
 *
 * 204 on success, 400 {"fault_message": "..."} else. A request has at most
 * 64 KiB; a client that has not sent all of it in 5 s is dropped; a peer that
 * does not read is dropped too; one that asks many things at once gets an
 * answer whenever the others have had one. It never blocks a vCPU. An answer
 * repeats the X-Request-Id of its request, if that had one.
 */
#ifndef VMM_API_H
#define VMM_API_H

#include "vmm/http.h"
#include "vmm/status.h"

#define API_IDLE_MS 5000
#define API_PEERS   1200 /* clients at a time */

struct api;

/* Who answers, on the API's thread, one request at a time. */
struct api_desk {
	void *ctx;
	struct http_reply (*answer)(void *ctx, const struct http *request);
	struct events *events; /* what a stream of them tells */
	/* If not NULL: bring news to these, if there are; called now and then
	 * while somebody listens. */
	void (*hear)(void *ctx);
};

/*
 * Listen on @path, and have @desk answer. A socket file that nobody listens on
 * is replaced; one in use is refused. A character device (the capsule's serial
 * port) is served as one endless client instead. A client that does not get on
 * is dropped after @idle_ms. False: one line in *why.
 */
bool api_serve(struct api **out, const char *path, struct api_desk desk,
	       unsigned idle_ms, struct complaint *why);
/* The same for a VM, and API_IDLE_MS or, for tests, @idle_ms. */
bool api_start(struct api **out, const char *path, struct vm_control control,
	       struct complaint *why);
bool api_start_idle(struct api **out, const char *path,
		    struct vm_control control, unsigned idle_ms,
		    struct complaint *why);
/* Stop serving and remove the socket file. */
void api_stop(struct api *a);

/* The socket of the VM that @vm names (a name, a pid or a path with a slash),
 * into to[108]: ${XDG_RUNTIME_DIR:-/run}/twofold/NAME.sock. False: too long. */
bool api_path(const char *vm, char to[108]);
/* Make the folder that api_path names sockets in, mode 0700. 0 or -errno. */
int api_make_folder(void);

/*
 * One request to the API at @path, waiting at most @timeout_s. The HTTP status,
 * or -errno when there is no answer; *body (may be NULL) is malloced.
 */
int api_call(const char *path, const char *method, const char *target,
	     const char *json, int timeout_s, char **body);

struct api_request {
	const char *method, *target, *body;
	size_t len; /* of the body */
	bool last; /* on this connection */
};

/* The same over @fd, which is non-blocking and stays open, until @deadline
 * (clock_ms). */
int api_converse(int fd, const struct api_request *r, int64_t deadline,
		 struct http *answer);

#endif
