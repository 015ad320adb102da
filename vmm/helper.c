/* SPDX-License-Identifier: MIT */
#include "vmm/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void helper_begin(pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
}

_Noreturn static void become(char *const *word, const int *fd, unsigned n,
			     pid_t parent)
{
	helper_begin(parent);
	dup2(open("/dev/null", O_RDWR | O_CLOEXEC), 0);
	for (unsigned i = 0; i < n; i++)
		fcntl(fd[i], F_SETFD, 0);
	execv(word[0], word);
	_exit(127);
}

pid_t helper_start(const struct words *words, const int *fd, unsigned n)
{
	pid_t parent = getpid(), child = fork();

	if (child == 0)
		become(words->word, fd, n, parent);
	return child < 0 ? -errno : child;
}

void helper_end(pid_t helper)
{
	kill(helper, SIGKILL);
	waitpid(helper, NULL, 0);
}
