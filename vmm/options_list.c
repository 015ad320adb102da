/* SPDX-License-Identifier: MIT */
/* The options whose values are key=value lists: --memory, --swap, --disk,
 * --balloon, --share. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/options_part.h"

bool list_read(const char *value, item_fn *take, void *to,
	       struct complaint *why)
{
	char *copy = strdup(value), *rest = copy, *text;
	bool good = copy || complaint_set(why, "no memory");
	struct item item = { .first = true };

	for (; good && (text = strsep(&rest, ",")); item.first = false) {
		item.key = strsep(&text, "="); /* a value may hold more */
		item.value = text;
		good = take(to, &item, why);
	}
	free(copy);
	return good;
}

bool item_is(const struct item *item, const char *key)
{
	return item->value && !strcmp(item->key, key);
}

static bool memory_size(struct run_options *o, const char *text,
			struct complaint *why)
{
	uint64_t bytes;

	if (!size_parse(text, UINT64_C(1) << 20, &bytes))
		return complaint_set(why, "not a size (512M, 2G; a bare number "
					  "is MiB)");
	if (bytes < MEMORY_MIN || bytes > MEMORY_MAX)
		return complaint_set(why, "memory is from 4M to 8T");
	o->memory_bytes = bytes;
	return true;
}

static bool memory_page(struct run_options *o, const char *text,
			struct complaint *why)
{
	uint64_t bytes;

	if (!size_parse(text, 0, &bytes) ||
	    (bytes != PAGE_SIZE && bytes != LARGE_PAGE))
		return complaint_set(why, "page_size is 4K or 2M");
	o->large_pages = bytes == LARGE_PAGE;
	return true;
}

static bool memory_item(void *to, const struct item *item,
			struct complaint *why)
{
	struct run_options *o = to;

	if (item->first && !item->value)
		return memory_size(o, item->key, why);
	if (item_is(item, "size"))
		return memory_size(o, item->value, why);
	if (item_is(item, "page_size"))
		return memory_page(o, item->value, why);
	if (item_is(item, "prefault"))
		return !strcmp(item->value, "off") ||
		       complaint_set(why, "prefault must be off");
	return complaint_set(why, "want SIZE or size=SIZE[,page_size=4K|2M]"
				  "[,prefault=off]");
}

bool options_memory(struct run_options *o, const char *value,
		    struct complaint *why)
{
	return list_read(value, memory_item, o, why);
}

static bool swap_size(struct swap_option *s, const char *text,
		      struct complaint *why)
{
	if (!size_parse(text, 0, &s->size))
		return complaint_set(why, "not a size (64M, 2G)");
	if (s->size < PAGE_SIZE)
		return complaint_set(why, "a swap tier holds a page at least");
	return true;
}

static bool swap_codec(struct swap_option *s, const char *name,
		       struct complaint *why)
{
	if (!strcmp(name, "lz4"))
		s->codec = CODEC_LZ4;
	else if (!strcmp(name, "zstd"))
		s->codec = CODEC_ZSTD;
	else
		return complaint_set(why, "the codecs are lz4 and zstd");
	return true;
}

#define RAM_FORM  "ram[=SIZE][,codec=lz4|zstd]"
#define FILE_FORM "file=PATH[,size=SIZE]"
#define NBD_FORM  "nbd=URI[,size=SIZE][,timeout=SECONDS]"

static bool swap_timeout(struct swap_option *s, const char *text,
			 struct complaint *why)
{
	uint64_t seconds;

	if (!number_parse(text, &seconds) || !seconds || seconds > 86400)
		return complaint_set(why, "timeout is 1 to 86400 seconds");
	s->timeout_s = (unsigned)seconds;
	return true;
}

static bool swap_uri(struct swap_option *s, const char *uri,
		     struct complaint *why)
{
	s->nbd = true;
	if (strncmp(uri, "nbd", 3) || !strstr(uri, "://"))
		return complaint_set(why,
				     "want nbd=nbd://HOST[:PORT]/[EXPORT] or "
				     "nbd=nbd+unix:///[EXPORT]?socket=PATH");
	s->path = strdup(uri);
	return s->path || complaint_set(why, "no memory");
}

/* The item that says which kind of tier it is. */
static bool swap_first(struct swap_option *s, const struct item *item,
		       struct complaint *why)
{
	if (!strcmp(item->key, "ram")) {
		s->ram = true;
		return !item->value || swap_size(s, item->value, why);
	}
	s->timeout_s = NBD_TIMEOUT_S;
	if (item_is(item, "nbd"))
		return swap_uri(s, item->value, why);
	if (item_is(item, "file") && *item->value) {
		s->path = strdup(item->value);
		return s->path || complaint_set(why, "no memory");
	}
	return complaint_set(why,
			     "want " RAM_FORM ", " FILE_FORM " or " NBD_FORM);
}

static bool swap_item(void *to, const struct item *item, struct complaint *why)
{
	struct swap_option *s = to;

	if (item->first)
		return swap_first(s, item, why);
	if (!s->ram && item_is(item, "size"))
		return swap_size(s, item->value, why);
	if (s->ram && item_is(item, "codec"))
		return swap_codec(s, item->value, why);
	if (s->nbd && item_is(item, "timeout"))
		return swap_timeout(s, item->value, why);
	return complaint_set(why, "want %s",
			     s->ram   ? RAM_FORM
			     : s->nbd ? NBD_FORM
				      : FILE_FORM);
}

bool options_swap(struct run_options *o, const char *value,
		  struct complaint *why)
{
	struct swap_option s = { .ram = false };

	if (o->swaps == MAX_SWAPS)
		return complaint_set(why, "at most %d tiers", MAX_SWAPS);
	if (list_read(value, swap_item, &s, why)) {
		o->swap[o->swaps++] = s;
		return true;
	}
	free(s.path);
	return false;
}

/* "on" or "off", of the item called @item->key. */
static bool set_switch(bool *to, const struct item *item, struct complaint *why)
{
	*to = !strcmp(item->value, "on");
	return *to || !strcmp(item->value, "off") ||
	       complaint_set(why, "%s is on or off", item->key);
}

static bool disk_path(struct disk_option *d, const char *path,
		      struct complaint *why)
{
	if (d->path || !*path)
		return complaint_set(why, "one path is wanted");
	d->path = strdup(path);
	return d->path || complaint_set(why, "no memory");
}

#define DISK_FORM "want path=FILE[,readonly=on]"

static bool disk_item(void *to, const struct item *item, struct complaint *why)
{
	struct disk_option *d = to;

	if (item_is(item, "path"))
		return disk_path(d, item->value, why);
	if (item_is(item, "readonly"))
		return set_switch(&d->readonly, item, why);
	return complaint_set(why, DISK_FORM);
}

bool options_disk(struct run_options *o, const char *value,
		  struct complaint *why)
{
	struct disk_option d = { .readonly = false };

	if (o->disks == MAX_DISKS)
		return complaint_set(why, "at most %d disks", MAX_DISKS);
	if (list_read(value, disk_item, &d, why) &&
	    (d.path || complaint_set(why, DISK_FORM))) {
		o->disk[o->disks++] = d;
		return true;
	}
	free(d.path);
	return false;
}

/* The one size that needs no suffix. */
static bool number_is_zero(const char *text, uint64_t *number)
{
	return number_parse(text, number) && !*number;
}

static bool balloon_item(void *to, const struct item *item,
			 struct complaint *why)
{
	struct balloon_option *b = to;

	if (!item->value && !strcmp(item->key, "auto"))
		return b->automatic = true;
	if (item_is(item, "size"))
		return number_is_zero(item->value, &b->bytes) ||
		       size_parse(item->value, 0, &b->bytes) ||
		       complaint_set(why, "not a size (0, 64M, 2G)");
	if (item_is(item, "deflate_on_oom"))
		return set_switch(&b->deflate_on_oom, item, why);
	if (item_is(item, "free_page_reporting"))
		return set_switch(&b->reporting, item, why);
	return complaint_set(why, "want auto or size=SIZE"
				  "[,deflate_on_oom=on|off]"
				  "[,free_page_reporting=on|off]");
}

bool options_balloon(struct run_options *o, const char *value,
		     struct complaint *why)
{
	o->balloon.given = true;
	return list_read(value, balloon_item, &o->balloon, why);
}

/* A guest-physical address: 0x..., or as a size. */
static bool share_address(struct share_option *s, const char *text,
			  struct complaint *why)
{
	char *end;

	errno = 0;
	s->placed = true;
	s->address = strtoull(text, &end, 16);
	if (strncmp(text, "0x", 2) || *end || errno)
		if (!size_parse(text, 0, &s->address))
			return complaint_set(why, "not an address (0x100000000"
						  ", 4G)");
	return !(s->address & PAGE_MASK) ||
	       complaint_set(why, "the address is no multiple of 4K");
}

#define SHARE_FORM "want path=FILE[,address=GPA]"

static bool share_item(void *to, const struct item *item, struct complaint *why)
{
	struct share_option *s = to;

	if (item_is(item, "path") && *item->value && !s->path) {
		s->path = strdup(item->value);
		return s->path || complaint_set(why, "no memory");
	}
	if (item_is(item, "address"))
		return share_address(s, item->value, why);
	return complaint_set(why, SHARE_FORM);
}

bool options_share(struct run_options *o, const char *value,
		   struct complaint *why)
{
	struct share_option s = { .path = NULL };

	if (o->shares == MAX_SHARES)
		return complaint_set(why, "at most %d files", MAX_SHARES);
	if (list_read(value, share_item, &s, why) &&
	    (s.path || complaint_set(why, SHARE_FORM))) {
		o->share[o->shares++] = s;
		return true;
	}
	free(s.path);
	return false;
}
