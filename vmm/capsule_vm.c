/* SPDX-License-Identifier: MIT */
#include "vmm/capsule_vm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "vmm/helper.h"

#define MIB (UINT64_C(1) << 20)

static const char *const port_name[PORTS] = {
	[PORT_IN] = "in",	[PORT_OUT] = "out",	[PORT_ERR] = "err",
	[PORT_STATS] = "stats", [PORT_TRACE] = "trace", [PORT_EXIT] = "exit",
};

static void add_port(struct words *w, const char *name, int fd)
{
	words_add(w, "-chardev");
	words_add(w, "socket,id=%s,fd=%d", name, fd);
	words_add(w, "-device");
	words_add(w, "virtserialport,chardev=%s,name=%s", name, name);
}

/* Its serial number tells the capsule which option it is for. Errors are the
 * inner run's to deal with. */
static void add_drive(struct words *w, const char *option, unsigned i)
{
	words_add(w, "-device");
	words_add(w, "virtio-blk-pci,drive=%s%u,serial=%s%u,werror=report",
		  option, i, option, i);
}

/* QEMU opens the file again. Ours, which it inherits, has the lock. */
static void add_file(struct words *w, const char *option, unsigned i, int fd,
		     bool block, const char *how)
{
	words_add(w, "-blockdev");
	words_add(w,
		  "driver=%s,node-name=%s%u,filename=/proc/self/fd/%d,"
		  "locking=off,%s",
		  block ? "host_device" : "file", option, i, fd, how);
	add_drive(w, option, i);
}

/* QEMU's own client waits for a server that went away, and sends again what
 * was under way. -blockdev takes no URI; -drive does, and --swap's have no
 * commas. */
static void add_nbd(struct words *w, unsigned i, const char *uri,
		    unsigned timeout_s)
{
	words_add(w, "-drive");
	words_add(w,
		  "if=none,id=swap%u,format=raw,file.reconnect-delay=%u,"
		  "cache.no-flush=on,file=%s",
		  i, timeout_s, uri);
	add_drive(w, "swap", i);
}

static void add_storage(struct words *w, const struct capsule_vm *v)
{
	for (unsigned i = 0; i < MAX_SWAPS; i++)
		if (v->swap[i].uri)
			add_nbd(w, i, v->swap[i].uri, v->swap[i].timeout_s);
		else if (v->swap[i].fd >= 0)
			add_file(w, "swap", i, v->swap[i].fd, v->swap[i].block,
				 "cache.no-flush=on");
	for (unsigned i = 0; i < MAX_DISKS; i++)
		if (v->disk[i].fd >= 0)
			add_file(w, "disk", i, v->disk[i].fd, v->disk[i].block,
				 v->disk[i].readonly ? "read-only=on"
						     : "discard=unmap");
}

static void add_nets(struct words *w, const struct capsule_vm *v)
{
	for (unsigned i = 0; i < v->nets; i++) {
		words_add(w, "-netdev");
		if (v->tap[i] < 0)
			words_add(w, "user,id=net%u", i);
		else
			words_add(w, "tap,id=net%u,fd=%d", i, v->tap[i]);
		words_add(w, "-device");
		words_add(w, "virtio-net-pci,netdev=net%u,romfile=", i);
	}
}

static void add_machine(struct words *w, const struct capsule_vm *v)
{
	words_add(w, "-accel");
	words_add(w, "tcg,thread=multi");
	words_add(w, "-cpu");
	words_add(w, "max,+svm");
	words_add(w, "-smp");
	words_add(w, "1");
	words_add(w, "-m");
	words_add(w, "%" PRIu64 "M", (v->memory_bytes + MIB - 1) / MIB);
	words_add(w, "-nodefaults");
	words_add(w, "-no-user-config");
	words_add(w, "-no-reboot");
	words_add(w, "-display");
	words_add(w, "none");
}

static void add_boot(struct words *w, const struct capsule_vm *v)
{
	words_add(w, "-kernel");
	words_add(w, "%s", v->kernel);
	words_add(w, "-initrd");
	words_add(w, "/proc/self/fd/%d", v->initrd);
	words_add(w, "-append");
	/* A busy host's timer is late; the check then panics. */
	words_add(w, "console=ttyS0 quiet panic=-1 mitigations=off "
		     "ipv6.disable=1 no_timer_check");
	words_add(w, "-chardev");
	words_add(w, "stdio,id=log,signal=off");
	words_add(w, "-serial");
	words_add(w, "chardev:log");
}

void capsule_vm_args(struct words *w, const struct capsule_vm *v)
{
	words_add(w, "%s", v->qemu);
	add_machine(w, v);
	add_boot(w, v);
	words_add(w, "-device");
	words_add(w, "virtio-serial-pci");
	for (unsigned i = 0; i < PORTS; i++)
		add_port(w, port_name[i], v->port[i]);
	add_port(w, "ctl", v->ctl);
	add_storage(w, v);
	add_nets(w, v);
}

/* In the child: let the program that comes next have @fd. */
static void inherit(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, 0);
}

_Noreturn static void become_qemu(const struct capsule_vm *v, char **args,
				  pid_t parent)
{
	helper_begin(parent);
	dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
	dup2(v->log, 1);
	dup2(v->log, 2);
	inherit(v->initrd);
	inherit(v->ctl);
	for (unsigned i = 0; i < PORTS; i++)
		inherit(v->port[i]);
	for (unsigned i = 0; i < MAX_SWAPS; i++)
		inherit(v->swap[i].fd);
	for (unsigned i = 0; i < MAX_DISKS; i++)
		inherit(v->disk[i].fd);
	for (unsigned i = 0; i < v->nets; i++)
		inherit(v->tap[i]);
	execv(args[0], args);
	dprintf(2, "%s: %s\n", args[0], strerror(errno));
	_exit(127);
}

pid_t capsule_vm_start(const struct capsule_vm *v)
{
	struct words w = { 0 };
	pid_t parent = getpid();

	capsule_vm_args(&w, v);
	pid_t child = fork();
	if (child == 0)
		become_qemu(v, w.word, parent);
	int error = child < 0 ? -errno : 0;
	words_free(&w);
	return error ? error : child;
}
