/* SPDX-License-Identifier: MIT */
/*
 * From crt0.S to main. A program with _Thread_local variables gets them here:
 * they lie below the address that FS has as its base, and there, at FS:0, the
 * address itself (x86-64 psABI, 3.4.6, as every program has it).
 *
 *      | .tdata, .tbss | own address |
 *                      ^ FS base
 */
#include <stdint.h>

#include "guest/lib/string.h"
#include "guest/user/lib/sys.h"

/* user.ld: where the variables' first values lie, and how much they need. */
extern const char tls_start[], tls_data_end[], tls_end[];

/* The arguments: one string after the other. */
_Noreturn void start(char *text, size_t bytes);
int main(int argc, char **argv);

/* The heap that follows begins as it would have. */
#define ALIGNMENT 16

static void start_thread_locals(size_t all)
{
	int64_t at = sys_sbrk(all + ALIGNMENT);
	uint64_t *self = (uint64_t *)(at + (int64_t)all);

	if (at < 0)
		sys_exit(127);
	memcpy((void *)at, tls_start, (size_t)(tls_data_end - tls_start));
	*self = (uintptr_t)self;
	sys_set_bases((uintptr_t)self, 0);
}

void start(char *text, size_t bytes)
{
	size_t thread_locals = (size_t)(tls_end - tls_start);
	char **argv;
	int argc = 0;

	for (size_t i = 0; i < bytes; i++)
		argc += !text[i];
	argv = __builtin_alloca((size_t)(argc + 1) * sizeof(*argv));
	for (int i = 0; i < argc; i++, text += strlen(text) + 1)
		argv[i] = text;
	argv[argc] = NULL;
	if (thread_locals)
		start_thread_locals(thread_locals);
	sys_exit(main(argc, argv));
}
