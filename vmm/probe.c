/* SPDX-License-Identifier: MIT */
#include "vmm/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ept/uffd.h"

static bool explain_kvm(int error, struct complaint *why)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return complaint_set(why,
				     "/dev/kvm is missing: load kvm_intel "
				     "or kvm_amd, enable virtualization in "
				     "the firmware, or use --accel "
				     "capsule");
	case EACCES:
	case EPERM:
		return complaint_set(why,
				     "/dev/kvm is forbidden: add yourself "
				     "to group kvm (usermod -aG kvm $USER, "
				     "then log in again), or use --accel "
				     "capsule");
	default:
		return complaint_set(why, "/dev/kvm: %s", strerror(error));
	}
}

bool kvm_usable(struct complaint *why)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return explain_kvm(errno, why);
	int version = ioctl(fd, KVM_GET_API_VERSION, 0);
	close(fd);
	if (version < 0)
		return complaint_set(why,
				     "/dev/kvm is not a KVM device: remove "
				     "it and load kvm_intel or kvm_amd, or "
				     "use --accel capsule");
	if (version != KVM_API_VERSION)
		return complaint_set(why,
				     "/dev/kvm speaks API %d, not %d: use "
				     "a newer kernel, or --accel capsule",
				     version, KVM_API_VERSION);
	return true;
}

bool uffd_usable(struct complaint *why)
{
	int fd = uffd_open();

	if (fd >= 0) {
		close(fd);
		return true;
	}
	if (fd == -EPERM || fd == -EACCES)
		return complaint_set(why, "userfaultfd is forbidden: give "
					  "yourself /dev/userfaultfd (setfacl "
					  "-m u:$USER:rw /dev/userfaultfd) or "
					  "set the sysctl "
					  "vm.unprivileged_userfaultfd=1");
	if (fd == -ENOTSUP)
		return complaint_set(why, "userfaultfd lacks minor faults of "
					  "shared memory: use Linux 5.14 or "
					  "newer");
	return complaint_set(why,
			     "userfaultfd: %s: use a kernel with "
			     "CONFIG_USERFAULTFD",
			     strerror(-fd));
}
