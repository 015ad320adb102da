/* SPDX-License-Identifier: MIT */
/*
 * remote URI PAGES ROUNDS: the NBD tier in the first PAGES pages of an export,
 * beside libnbd alone in the next. What it prints: reads.h.
 */
#include <err.h>
#include <libnbd.h>
#include <stdlib.h>

#include "tests/bench/reads.h"
#include "vmm/nbd_helper.h"

static uint64_t place(const struct reads *r, uint64_t page)
{
	return (r->pages + page) * PAGE_SIZE;
}

static void write_page(struct reads *r, uint64_t page)
{
	if (nbd_pwrite(r->medium, r->buffer, PAGE_SIZE, place(r, page), 0))
		errx(1, "%s", nbd_get_error());
}

static void read_pages(struct reads *r, const uint64_t *page, unsigned n)
{
	int64_t cookie[TIER_BATCH];

	for (unsigned i = 0; i < n; i++)
		cookie[i] = nbd_aio_pread(r->medium, reads_page(r, i),
					  PAGE_SIZE, place(r, page[i]),
					  NBD_NULL_COMPLETION, 0);
	for (unsigned i = 0; i < n; i++) {
		int done;

		while (!(
			done = nbd_aio_command_completed(r->medium, cookie[i])))
			if (nbd_poll(r->medium, -1) < 0)
				break;
		if (done != 1)
			errx(1, "%s", nbd_get_error());
	}
}

int main(int argc, char **argv)
{
	struct reads r = { .write = write_page,
			   .read = read_pages,
			   .medium = nbd_create() };
	struct swap_option option = { .nbd = true, .timeout_s = NBD_TIMEOUT_S };
	struct complaint why;
	struct nbd_link link;

	if (argc != 4)
		errx(2, "URI PAGES ROUNDS");
	option.path = argv[1];
	r.pages = strtoul(argv[2], NULL, 0);
	option.size = r.pages * PAGE_SIZE;
	if (!r.medium || nbd_connect_uri(r.medium, argv[1]))
		errx(1, "%s", nbd_get_error());
	if (!nbd_helper_start(&link, &option, option.size, &why))
		errx(1, "%s", why.text);
	if (tier_nbd_create(&r.tier, &link, option.size))
		errx(1, "no NBD tier");
	reads_run(&r, atoi(argv[3]));
	r.tier->ops->destroy(r.tier);
	nbd_close(r.medium);
	return 0;
}
