/* SPDX-License-Identifier: MIT */
#include "vmm/safe_json.h"

#include <stdlib.h>
#include <string.h>

json_t *safe_text(const char *text)
{
	if (!text)
		text = "";
	json_t *j = json_string(text);
	if (j)
		return j;

	char *ascii = strdup(text);
	if (!ascii)
		return NULL;
	for (char *c = ascii; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	j = json_string(ascii);
	free(ascii);
	return j;
}
