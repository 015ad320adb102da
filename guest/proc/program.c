/* SPDX-License-Identifier: MIT */
#include "guest/proc/program.h"

#include <stddef.h>

#include "guest/lib/print.h"
#include "guest/lib/string.h"
#include "guest/user/tour/names.h"

extern const uint8_t hello_start[], hello_end[];
extern const uint8_t verify_start[], verify_end[];
extern const uint8_t poke_start[], poke_end[];
extern const uint8_t touch_start[], touch_end[];
extern const uint8_t work_start[], work_end[];
extern const uint8_t hog_start[], hog_end[];
extern const uint8_t shell_start[], shell_end[];
extern const uint8_t stress_start[], stress_end[];
extern const uint8_t fuzz_start[], fuzz_end[];
extern const uint8_t tour_start[], tour_end[];

static const struct program programs[] = {
	{ "hello", hello_start, hello_end },
	{ "verify", verify_start, verify_end },
	{ "poke", poke_start, poke_end },
	{ "touch", touch_start, touch_end },
	{ "work", work_start, work_end },
	{ "hog", hog_start, hog_end },
	{ "shell", shell_start, shell_end },
	{ "stress", stress_start, stress_end },
	{ "fuzz", fuzz_start, fuzz_end },
	{ "list", tour_start, tour_end },
	{ "tour", tour_start, tour_end },
};

#define PROGRAMS		   (sizeof(programs) / sizeof(programs[0]))

#define DEMO(function, name, what) name,
static const char *const demonstrations[] = { DEMONSTRATIONS(DEMO) };
#define DEMOS (sizeof(demonstrations) / sizeof(demonstrations[0]))

const char *program_of(const char *name)
{
	for (size_t i = 0; i < DEMOS; i++)
		if (streq(demonstrations[i], name))
			return "tour";
	return name;
}

const struct program *program_at(unsigned index)
{
	return index < PROGRAMS ? &programs[index] : NULL;
}

void program_list(void)
{
	for (size_t i = 0; i < PROGRAMS; i++)
		print(" %s", programs[i].name);
	for (size_t i = 0; i < DEMOS; i++)
		print(" %s", demonstrations[i]);
	print("\n");
}
