/* SPDX-License-Identifier: MIT
 *
 * How long a process may take. On a busy machine it is slow, and hangs no more than on a quiet one. So time in which it
 * was ready and got no CPU does not count:
 *
 *   begin_s --- runs ---|--- waits for a CPU ---|--- runs ---|--- sleeps ---> end_s
 *               counts          does not            counts        counts
 *
 * Until AMP_TIME_LIMIT_MOST times the limit has passed: then it is over all the same. */
#ifndef AMP_TIME_LIMIT_H
#define AMP_TIME_LIMIT_H

#include <stdbool.h>
#include <sys/types.h>

enum { AMP_TIME_LIMIT_MOST = 10 };

struct amp_time_limit {
    double begin_s, limit_s;
    double waited_s; /* for a CPU, as far as is known */
};

/* When it is over, as far as is known. */
double amp_time_limit_end_s(const struct amp_time_limit *limit);

/* Whether it is over now. Only when it seems so, `waited_s` is asked how long the group's processes have waited. */
bool amp_time_limit_is_over(struct amp_time_limit *limit, double now_s, double (*waited_s)(pid_t group), pid_t group);

/* How long one of the group's threads has waited for a CPU: the one that waited longest, of those that still run. 0 if
 * the kernel does not tell. */
double amp_time_limit_waited_s(pid_t group);

#endif
