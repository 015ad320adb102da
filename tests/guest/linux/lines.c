/* SPDX-License-Identifier: MIT */
/* Work for a machine with little memory: `lines COUNT` writes as many lines of
 * LINE bytes, in no order, the same wherever it runs. To be sorted. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY   16
#define WORDS 8
#define LINE  (KEY + WORDS * 5 + 1)

static const char word[16][6] = {
	" page", " slot", " swap", " fork", " exec", " pipe", " node", " lock",
	" tree", " list", " hash", " heap", " byte", " cell", " ring", " code",
};

/* One to one, and looks random: splitmix64's. */
static uint64_t mix(uint64_t n)
{
	n += 0x9e3779b97f4a7c15;
	n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
	n = (n ^ n >> 27) * 0x94d049bb133111eb;
	return n ^ n >> 31;
}

static void make_line(char line[LINE], uint64_t key)
{
	for (unsigned i = 0; i < KEY; i++)
		line[i] = "0123456789abcdef"[key >> (60 - 4 * i) & 15];
	for (unsigned i = 0; i < WORDS; i++)
		memcpy(line + KEY + i * 5, word[key >> (4 * i) & 15], 5);
	line[LINE - 1] = '\n';
}

int main(int argc, char **argv)
{
	uint64_t count = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
	char line[LINE];

	for (uint64_t n = 0; n < count; n++) {
		make_line(line, mix(n));
		if (fwrite(line, LINE, 1, stdout) != 1)
			return 1;
	}
	return fflush(stdout) || !count;
}
