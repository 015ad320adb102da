/* SPDX-License-Identifier: MIT */
/* What the commands say of themselves: nothing is missing, every line fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ept/policy.h"
#include "vmm/command.h"

static char *text_of(const struct command *c)
{
	char *text;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (c)
		command_help(c, to);
	else
		command_list(to);
	fclose(to);
	return text;
}

static void assert_fits(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		if (strlen(line) > 79)
			fail_msg("wider than a terminal: %s", line);
}

static void help_names_every_word(void **state)
{
	(void)state;
	for (const struct command *c = commands; c->name; c++) {
		char *text = text_of(c);
		const struct word *w;

		for (unsigned i = 0; (w = command_word(c, i)); i++) {
			char line[160];

			snprintf(line, sizeof(line), "%s%s%s\n", w->name,
				 *w->argument ? " " : "", w->argument);
			if (!strstr(text, line))
				fail_msg("%s: no %s", c->name, line);
			assert_true(*w->help);
		}
		assert_fits(text);
		free(text);
	}
}

static void the_list_has_every_command(void **state)
{
	char *text = text_of(NULL);

	(void)state;
	for (const struct command *c = commands; c->name; c++) {
		assert_non_null(strstr(text, c->name));
		assert_ptr_equal(command_find(c->name), c);
	}
	assert_null(command_find("frob"));
	assert_fits(text);
	free(text);
}

static void policies_are_named(void **state)
{
	char *run = text_of(command_find("run"));
	char *replay = text_of(command_find("replay"));

	(void)state;
	for (unsigned i = 0; policies[i]; i++) {
		assert_non_null(strstr(run, policies[i]->name));
		assert_non_null(strstr(replay, policies[i]->name));
	}
	assert_null(strstr(run, " opt\n"));
	assert_non_null(strstr(replay, " opt\n"));
	free(run);
	free(replay);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(help_names_every_word),
		cmocka_unit_test(the_list_has_every_command),
		cmocka_unit_test(policies_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
