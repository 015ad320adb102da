/* SPDX-License-Identifier: MIT */
#include "vmm/host_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH 4096

/* What the two versions of control groups call the same things. */
struct group_kind {
	const char *folder, *limit, *usage, *stat, *reclaimable;
};

static const struct group_kind version_1 = {
	"/sys/fs/cgroup/memory", "memory.limit_in_bytes",
	"memory.usage_in_bytes", "memory.stat",
	"total_inactive_file",
};

static const struct group_kind version_2 = {
	"/sys/fs/cgroup", "memory.max",	   "memory.current",
	"memory.stat",	  "inactive_file",
};

/* The number behind @name, which begins a line of the file. */
static bool read_field(const char *path, const char *name, uint64_t *value)
{
	FILE *f = fopen(path, "re");
	const size_t len = strlen(name);
	char line[256];
	bool found = false;

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		char *at = line + len, *end;

		if (strncmp(line, name, len))
			continue;
		at += *at == ':';
		*value = strtoull(at, &end, 10);
		found = end != at;
	}
	fclose(f);
	return found;
}

/* A field of a file in the group @folder. "max" is no number. */
static bool group_field(const char *folder, const char *file, const char *name,
			uint64_t *value)
{
	char path[PATH + 32];

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	return read_field(path, name, value);
}

static void see_group(const struct group_kind *kind, const char *folder,
		      struct host_memory *m)
{
	uint64_t limit, usage, reclaimable = 0, left;

	if (!group_field(folder, kind->limit, "", &limit) ||
	    !group_field(folder, kind->usage, "", &usage) || limit >= m->total)
		return;
	group_field(folder, kind->stat, kind->reclaimable, &reclaimable);
	usage -= reclaimable < usage ? reclaimable : usage;
	left = limit > usage ? limit - usage : 0;
	if (left < m->left)
		*m = (struct host_memory){ limit, left };
}

/* The group @path and all that it is in. */
static void see_groups(const char *root, const struct group_kind *kind,
		       const char *path, struct host_memory *m)
{
	char folder[PATH];
	int n = snprintf(folder, sizeof(folder), "%s%s%s", root, kind->folder,
			 path);
	const size_t top = strlen(root) + strlen(kind->folder);
	char *slash;

	if (n < 0 || (size_t)n >= sizeof(folder))
		return;
	see_group(kind, folder, m);
	while ((slash = strrchr(folder + top, '/'))) {
		*slash = '\0';
		see_group(kind, folder, m);
	}
}

/* A line "ID:CONTROLLERS:PATH" of /proc/self/cgroup; version 2 is number 0. */
static void see_line(const char *root, char *line, struct host_memory *m)
{
	char *id = strsep(&line, ":"), *controllers = strsep(&line, ":");

	if (!line)
		return;
	line[strcspn(line, "\n")] = '\0';
	if (!strcmp(id, "0"))
		see_groups(root, &version_2, line, m);
	else if (!strcmp(controllers, "memory"))
		see_groups(root, &version_1, line, m);
}

bool host_memory_read(const char *root, struct host_memory *m)
{
	char path[PATH], line[PATH];
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/meminfo", root);
	if (!read_field(path, "MemTotal", &m->total) ||
	    !read_field(path, "MemAvailable", &m->left))
		return false;
	m->total <<= 10;
	m->left <<= 10;
	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	f = fopen(path, "re");
	if (!f)
		return true;
	while (fgets(line, sizeof(line), f))
		see_line(root, line, m);
	fclose(f);
	return true;
}
