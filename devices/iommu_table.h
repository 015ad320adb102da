/* SPDX-License-Identifier: MIT */
/*
 * The tables of one IOMMU domain: from a page of iovas to a page of guest
 * memory, by the same walk as the other two stages. An entry:
 *
 *      63   62  61 52 51                     12 11  8 7 6   2 1 0
 *    +-----+----+-----+------------------------+-----+-+-----+-+-+
 *    |first|last|     | table's or page's addr |     |L|     |W|R|
 *    +-----+----+-----+------------------------+-----+-+-----+-+-+
 *
 * It is present when R or W is set; L: a page of 2 MiB or 1 GiB. The first and
 * the last entry of each mapping say so, because a mapping goes as it came. A
 * table without an entry does not exist. The caller serialises all calls.
 */
#ifndef DEVICES_IOMMU_TABLE_H
#define DEVICES_IOMMU_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct iotable {
	uint64_t *root; /* NULL: nothing is mapped */
	/* Pages of tables in use by all domains, and how many may be. */
	unsigned *tables, most;
};

struct iotable_entry {
	unsigned rights; /* enum iommu_rights; 0: not mapped */
	uint64_t page; /* of guest memory */
};

/* Unmap everything. */
void iotable_clear(struct iotable *t);

/* Pages [page, page + pages) become those from @to on. @pages > 0, and all lie
 * within the reach of 36 bits. 0; -EINVAL one of them is mapped; -ENOMEM. */
int iotable_map(struct iotable *t, uint64_t page, uint64_t pages, uint64_t to,
		unsigned rights);
/* The mappings in that range go. 0; -ERANGE, and nothing has changed: one of
 * them lies in it in part. */
int iotable_unmap(struct iotable *t, uint64_t page, uint64_t pages);

struct iotable_entry iotable_lookup(const struct iotable *t, uint64_t page);

#endif
