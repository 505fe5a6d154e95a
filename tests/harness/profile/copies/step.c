/* SPDX-License-Identifier: MIT
 *
 * Runs a program one instruction at a time, and prints for each instruction between two addresses how often it ran, and
 * the sum of what its third argument's register held (of a call of memcpy: the bytes):
 *
 *     step FROM TO PROGRAM ARGUMENTS        addresses in hexadecimal; the program must not be moved (-no-pie) */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    uint64_t from = argc > 3 ? strtoull(argv[1], NULL, 16) : 0, to = argc > 3 ? strtoull(argv[2], NULL, 16) : 0;
    uint64_t (*seen)[2] = calloc(to - from + 1, sizeof *seen);
    struct user_regs_struct registers;
    int status = 0;
    pid_t child;

    if (argc < 4 || !seen)
        return 2;
    child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execv(argv[3], argv + 3);
        _exit(127);
    }
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        ptrace(PTRACE_GETREGS, child, NULL, &registers);
        if (registers.rip >= from && registers.rip < to) {
            seen[registers.rip - from][0]++;
            seen[registers.rip - from][1] += registers.rdx;
        }
        ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
    }
    for (uint64_t i = 0; i < to - from; i++)
        if (seen[i][0] > 0)
            printf("%lx %lu %lu\n", (unsigned long) (from + i), (unsigned long) seen[i][0], (unsigned long) seen[i][1]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
