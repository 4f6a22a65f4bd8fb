/* timed: run a command and say what it cost.
 *
 *     timed SECONDS COMMAND ...
 *
 * The last line on stderr: status wall user system (seconds) peak (KiB); status is the exit status, 128 + signal, or -1 when
 * it took longer than SECONDS and was killed. The command's own output goes where it goes.
 * User and system time are those of the command and of all children that it waited for. A small C program, since a
 * child's peak memory begins with that of the process that forks it.
 */
#define _GNU_SOURCE
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t child;
static volatile sig_atomic_t late;

static void on_alarm(int number)
{
	(void)number;
	late = 1;
	kill(-child, SIGKILL);
}

static double seconds(struct timeval value)
{
	return value.tv_sec + value.tv_usec / 1e6;
}

int main(int count, char **words)
{
	struct timespec begin, end;
	struct rusage usage;
	int status;

	if (count < 3)
		errx(2, "usage: timed SECONDS COMMAND ...");
	clock_gettime(CLOCK_MONOTONIC, &begin);
	child = fork();
	if (child < 0)
		err(2, "fork");
	if (!child) {
		/* A group of its own, to end all of it; with timed itself it ends too. */
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(words[2], words + 2);
		err(127, "%s", words[2]);
	}
	setpgid(child, child);
	signal(SIGALRM, on_alarm);
	alarm(atoi(words[1]));
	while (wait4(child, &status, 0, &usage) < 0)
		;
	clock_gettime(CLOCK_MONOTONIC, &end);
	status = late ? -1 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	fprintf(stderr, "%d %.6f %.6f %.6f %ld\n", status,
		end.tv_sec - begin.tv_sec + (end.tv_nsec - begin.tv_nsec) / 1e9,
		seconds(usage.ru_utime), seconds(usage.ru_stime), usage.ru_maxrss);
	return 0;
}
