/* SPDX-License-Identifier: MIT */
/*
 * tour: one demonstration after the other, each a line of TAP with the
 * addresses and counts it saw. With names, only these; called by the name of a
 * demonstration, only that one.
 */
#include "guest/lib/string.h"
#include "guest/user/lib/stdio.h"
#include "guest/user/tour/demo.h"
#include "guest/user/tour/names.h"

#define DECLARE(function, name) demo_fn demo_##function;
DEMONSTRATIONS(DECLARE)

static const struct {
	const char *name;
	demo_fn *show;
} demos[] = {
#define ROW(function, name) { name, demo_##function },
	DEMONSTRATIONS(ROW)
};

#define DEMOS ((int)(sizeof(demos) / sizeof(demos[0])))

static bool show(int number, int which)
{
	static struct demo d;
	const char *name = demos[which].name;

	d = (struct demo){ 0 };
	demos[which].show(&d);
	if (d.skip)
		printf("ok %d - %s # SKIP %s\n", number, name, d.skip);
	else if (d.failure[0])
		printf("not ok %d - %s: %s; %s\n", number, name, d.failure,
		       d.seen);
	else
		printf("ok %d - %s: %s\n", number, name, d.seen);
	return !d.failure[0];
}

static int find(const char *name)
{
	for (int i = 0; i < DEMOS; i++)
		if (streq(name, demos[i].name))
			return i;
	return -1;
}

static int show_all(void)
{
	bool ok = true;

	printf("1..%d\n", DEMOS);
	for (int i = 0; i < DEMOS; i++)
		ok &= show(i + 1, i);
	return ok ? 0 : 1;
}

static int show_named(int names, char **name)
{
	bool ok = true;

	for (int i = 0; i < names; i++) {
		if (find(name[i]) >= 0)
			continue;
		printf("tour: no demonstration is called '%s'\n", name[i]);
		return 2;
	}
	printf("1..%d\n", names);
	for (int i = 0; i < names; i++)
		ok &= show(i + 1, find(name[i]));
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (find(argv[0]) >= 0)
		return show_named(argc, argv);
	return argc > 1 ? show_named(argc - 1, argv + 1) : show_all();
}
