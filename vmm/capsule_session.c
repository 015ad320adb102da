/* SPDX-License-Identifier: MIT */
#include "vmm/capsule_session.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/api.h"
#include "vmm/capsule_args.h"
#include "vmm/capsule_disk.h"
#include "vmm/capsule_image.h"
#include "vmm/capsule_net.h"
#include "vmm/disk.h"
#include "vmm/image.h"

#define OVERHEAD (UINT64_C(512) << 20) /* the capsule's Linux and its files */

static bool complain(struct complaint *why, const char *what, int error)
{
	return complaint_set(why, "%s: %s", what, strerror(error));
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* 128 random bits as hexadecimal digits. */
static bool make_mark(char mark[MARK_BYTES + 1], struct complaint *why)
{
	uint64_t bits[2];

	if (getrandom(bits, sizeof(bits), 0) != sizeof(bits))
		return complain(why, "getrandom", errno);
	snprintf(mark, MARK_BYTES + 1, "%016lx%016lx", bits[0], bits[1]);
	return true;
}

/* A bad image is told here, in the words of a run without capsule. */
static bool check_guest(const struct run_options *o, const char *guest,
			struct complaint *why)
{
	struct ram ram = ram_layout(o->memory_bytes);
	struct image im;

	if (!image_open(&im, guest, o->initrd, &ram, why))
		return false;
	image_close(&im);
	return true;
}

static bool open_swaps(struct capsule_session *s, struct complaint *why)
{
	for (unsigned i = 0; i < s->o->swaps; i++) {
		const struct swap_option *o = &s->o->swap[i];
		struct stat st;

		s->vm.swap[i].uri = o->nbd ? o->path : NULL;
		s->vm.swap[i].timeout_s = o->timeout_s;
		if (o->ram || o->nbd)
			continue;
		int fd = capsule_disk(o, s->o->memory_bytes, why);
		if (fd < 0)
			return false;
		s->vm.swap[i].fd = fd;
		s->vm.swap[i].block = !fstat(fd, &st) && S_ISBLK(st.st_mode);
	}
	return true;
}

/* Inside, each is a disk; copies are made now: QEMU takes longer. */
static bool open_disks(struct capsule_session *s, struct complaint *why)
{
	for (unsigned i = 0; i < s->o->disks; i++) {
		const struct disk_option *o = &s->o->disk[i];
		struct disk d;
		int r;

		if (!disk_open(&d, o, why))
			return false;
		r = disk_make(o, &d.fd);
		s->vm.disk[i].fd = d.fd;
		s->vm.disk[i].block = d.block;
		s->vm.disk[i].readonly = o->readonly;
		if (r)
			return complain(why, o->path ? o->path : "scratch disk",
					-r);
	}
	return true;
}

/* Where a stream goes that ends in a file of ours. */
static bool open_output(int *fd, const char *what, const char *path,
			struct complaint *why)
{
	if (!path)
		return true;
	*fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return *fd >= 0 ||
	       complaint_set(why, "%s %s: %s", what, path, strerror(errno));
}

static bool open_memory(int *fd, const char *name, struct complaint *why)
{
	*fd = memfd_create(name, MFD_CLOEXEC);
	return *fd >= 0 || complain(why, "memfd_create", errno);
}

static bool open_files(struct capsule_session *s, struct complaint *why)
{
	s->file[PORT_OUT] = STDOUT_FILENO;
	s->file[PORT_ERR] = STDERR_FILENO;
	return open_output(&s->file[PORT_STATS], "stats", s->o->stats, why) &&
	       open_output(&s->file[PORT_TRACE], "trace", s->o->trace, why) &&
	       open_memory(&s->file[PORT_EXIT], "exit", why) &&
	       open_memory(&s->vm.log, "log", why);
}

static bool open_ports(struct capsule_session *s, struct complaint *why)
{
	for (unsigned i = 0; i < PORTS; i++) {
		int pair[2];

		if (socketpair(AF_UNIX,
			       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			       pair))
			return complain(why, "socketpair", errno);
		s->ours[i] = pair[0];
		s->vm.port[i] = pair[1];
		s->stream[i] = (struct stream){ .from = pair[0],
						.to = s->file[i],
						.mark = s->mark };
	}
	s->stream[PORT_IN].from = STDIN_FILENO;
	s->stream[PORT_IN].to = s->ours[PORT_IN];
	s->stream[PORT_IN].mark = NULL;
	return true;
}

/* Where our control API is to be. */
static bool find_socket(struct capsule_session *s, const char *name,
			struct complaint *why)
{
	int error;

	if (s->o->api_socket) {
		if (strlen(s->o->api_socket) >= sizeof(s->socket))
			return complain(why, "--api-socket", ENAMETOOLONG);
		strcpy(s->socket, s->o->api_socket);
		return true;
	}
	error = api_make_folder();
	if (error)
		return complaint_set(why,
				     "the folder for control sockets: %s; "
				     "set XDG_RUNTIME_DIR or --api-socket",
				     strerror(-error));
	return api_path(name, s->socket) || complain(why, name, ENAMETOOLONG);
}

/* Ours, which passes on what it is asked. */
static bool open_api(struct capsule_session *s, const char *name,
		     struct complaint *why)
{
	int pair[2];

	if (!find_socket(s, name, why))
		return false;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		       pair))
		return complain(why, "socketpair", errno);
	s->ctl = pair[0];
	s->vm.ctl = pair[1];
	s->forward = api_forward_create(s->ctl);
	if (!s->forward)
		return complain(why, "the control API", ENOMEM);
	return api_serve(&s->api, s->socket, api_forward_desk(s->forward),
			 API_IDLE_MS, why);
}

static uint64_t memory_for(const struct run_options *o, int initrd)
{
	uint64_t bytes = OVERHEAD + o->resident_bytes;
	struct stat st;

	for (unsigned i = 0; i < o->swaps; i++)
		if (o->swap[i].ram)
			bytes += o->swap[i].size ? o->swap[i].size
						 : o->memory_bytes;
	/* Once as it was loaded, once unpacked; once more what is shared. */
	if (!fstat(initrd, &st))
		bytes += 2 * (uint64_t)st.st_size;
	for (unsigned i = 0; i < o->shares; i++)
		if (!stat(o->share[i].path, &st))
			bytes += (uint64_t)st.st_size;
	return bytes + bytes / 32;
}

static bool open_image(struct capsule_session *s, const char *name,
		       const char *guest, struct complaint *why)
{
	struct words args = { 0 };
	struct capsule_image im;

	if (!capsule_find_qemu(s->vm.qemu, why) ||
	    !capsule_find_image(&im, why))
		return false;
	strcpy(s->kernel, im.kernel);
	s->vm.kernel = s->kernel;
	capsule_args(&args, s->o, name);
	s->vm.initrd = capsule_pack(&im, s->o, guest, &args, s->mark, why);
	words_free(&args);
	if (s->vm.initrd < 0)
		return false;
	s->vm.memory_bytes = memory_for(s->o, s->vm.initrd);
	return true;
}

static void clear(struct capsule_session *s, const struct run_options *o)
{
	memset(s, 0, sizeof(*s));
	s->o = o;
	s->vm.initrd = s->vm.ctl = s->vm.log = s->ctl = -1;
	for (unsigned i = 0; i < PORTS; i++)
		s->ours[i] = s->vm.port[i] = s->file[i] = -1;
	for (unsigned i = 0; i < MAX_SWAPS; i++)
		s->vm.swap[i].fd = -1;
	for (unsigned i = 0; i < MAX_DISKS; i++)
		s->vm.disk[i].fd = -1;
}

bool capsule_session_open(struct capsule_session *s,
			  const struct run_options *o, const char *guest,
			  struct complaint *why)
{
	char pid[16];
	const char *name = o->name ? o->name : pid;

	snprintf(pid, sizeof(pid), "%d", getpid());
	clear(s, o);
	if (check_guest(o, guest, why) && make_mark(s->mark, why) &&
	    open_image(s, name, guest, why) && open_swaps(s, why) &&
	    open_disks(s, why) && open_files(s, why) &&
	    capsule_net_open(&s->vm, o, why) && open_ports(s, why) &&
	    open_api(s, name, why))
		return true;
	capsule_session_close(s);
	return false;
}

void capsule_session_close(struct capsule_session *s)
{
	capsule_session_started(s);
	if (s->api)
		api_stop(s->api);
	api_forward_destroy(s->forward);
	close_fd(&s->ctl);
	close_fd(&s->vm.log);
	for (unsigned i = 0; i < PORTS; i++) {
		close_fd(&s->ours[i]);
		if (i != PORT_OUT && i != PORT_ERR)
			close_fd(&s->file[i]);
	}
}

void capsule_session_started(struct capsule_session *s)
{
	close_fd(&s->vm.initrd);
	close_fd(&s->vm.ctl);
	for (unsigned i = 0; i < PORTS; i++)
		close_fd(&s->vm.port[i]);
	for (unsigned i = 0; i < MAX_SWAPS; i++)
		close_fd(&s->vm.swap[i].fd);
	for (unsigned i = 0; i < MAX_DISKS; i++)
		close_fd(&s->vm.disk[i].fd);
	for (unsigned i = 0; i < s->vm.nets; i++)
		close_fd(&s->vm.tap[i]);
}
