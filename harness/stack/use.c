/* SPDX-License-Identifier: MIT
 *
 *   high +---------------------------+
 *        | the thread's own frames   |
 *   base +---------------------------+ <-- stack pointer of the function that calls run()
 *        | frames of run() and below |
 *        |                           | <-- lowest value of the stack pointer: reserved
 *        | red zone                  | <-- lowest byte that differs from the pattern: touched
 *        | pattern                   |
 *    low +---------------------------+
 *
 * The processor's trap flag raises SIGTRAP after each instruction. The handler, on a stack of its own, looks at the
 * stack pointer. So nobody has to know the code, and libc's stack is counted, too. */
#include "harness/stack/use.h"

#include "harness/stack/stack.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define STACK_B ((size_t) 8 << 20)
#define ASIDE_B ((size_t) 64 << 10) /* the handler's stack, above */
#define PAINT 0x9e3779b97f4a7c15U   /* mixed with the address: code is unlikely to write that */
#define TRAP_FLAG 0x100
#define DIRECTION_FLAG 0x400

struct job {
    uint64_t (*run)(void *, uint64_t);
    void *argument;
    uint64_t count;
    char *memory;
    uint64_t most;          /* steps */
    uintptr_t base, lowest; /* filled in, as is the number of steps */
    uint64_t steps;
};

static _Thread_local struct job *volatile stepping;

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define CAN_STEP 1

/* The processor traps after each element of a repeated string instruction. If the next instruction is one of the forms
 * that compilers and libc use (forwards, by 1 or 8 bytes), do all of it here at once. Other forms go on by element. */
static void finish_string(greg_t *registers)
{
    const unsigned char *at = (const unsigned char *) registers[REG_RIP]; /* rep, perhaps REX.W, the instruction */
    const unsigned instruction = at[0] != 0xf3 ? 0 : at[1] == 0x48 ? 0x4800u + at[2] : at[1];
    greg_t *to = &registers[REG_RDI], *from = &registers[REG_RSI], *n = &registers[REG_RCX];

    if (registers[REG_EFL] & DIRECTION_FLAG)
        return;
    if (instruction == 0xa4)
        __asm__ volatile("rep movsb" : "+D"(*to), "+S"(*from), "+c"(*n) : : "memory");
    else if (instruction == 0x48a5)
        __asm__ volatile("rep movsq" : "+D"(*to), "+S"(*from), "+c"(*n) : : "memory");
    else if (instruction == 0xaa)
        __asm__ volatile("rep stosb" : "+D"(*to), "+c"(*n) : "a"(registers[REG_RAX]) : "memory");
    else if (instruction == 0x48ab)
        __asm__ volatile("rep stosq" : "+D"(*to), "+c"(*n) : "a"(registers[REG_RAX]) : "memory");
    else
        return;
    registers[REG_RIP] += instruction < 0x100 ? 2 : 3;
}

static void look(int signal, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *) context)->uc_mcontext.gregs;
    const uintptr_t sp = (uintptr_t) registers[REG_RSP];
    struct job *job = stepping;

    (void) signal;
    (void) info;
    if (sp < job->lowest && sp >= (uintptr_t) job->memory)
        job->lowest = sp;
    if (++job->steps >= job->most)
        registers[REG_EFL] &= ~(greg_t) TRAP_FLAG;
    else
        finish_string(registers);
}

static inline void step(void)
{
    __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq" : : : "memory", "cc");
}

static inline void step_no_more(void)
{
    __asm__ volatile("pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq" : : : "memory", "cc");
}

#else
#define CAN_STEP 0

static void look(int signal, siginfo_t *info, void *context)
{
    (void) signal, (void) info, (void) context;
}

static inline void step(void)
{
}

static inline void step_no_more(void)
{
}
#endif

static inline uintptr_t stack_pointer(void)
{
    uintptr_t sp;

#if defined(__x86_64__)
    __asm__ volatile("movq %%rsp, %0" : "=r"(sp));
#else
    __asm__ volatile("mov %0, sp" : "=r"(sp));
#endif
    return sp;
}

static uint64_t paint_at(const uint64_t *word)
{
    return PAINT ^ (uintptr_t) word;
}

/* Not inlined, so that its stack pointer is right above run()'s return address. */
__attribute__((noinline)) static void call(struct job *job)
{
    job->run(job->argument, job->count); /* what happens only once for a thread, such as its first malloc() */
    job->base = job->lowest = stack_pointer();
    for (uint64_t *word = (uint64_t *) (void *) job->memory; (uintptr_t) word < job->base; word++)
        *word = paint_at(word);
    step();
    job->run(job->argument, job->count);
    step_no_more();
}

static void *on_thread(void *arg)
{
    struct job *job = arg;
    const stack_t alternate = { .ss_sp = job->memory + STACK_B, .ss_size = ASIDE_B }, none = { .ss_flags = SS_DISABLE };

    stepping = job;
    sigaltstack(&alternate, NULL);
    call(job);
    sigaltstack(&none, NULL);
    return NULL;
}

static int run_thread(struct job *job)
{
    struct sigaction action = { .sa_sigaction = look, .sa_flags = SA_SIGINFO | SA_ONSTACK }, before;
    const int hosted = amp_stack_hosted();
    pthread_attr_t attributes;
    pthread_t thread;
    int error = pthread_attr_init(&attributes);

    if (error)
        return -error;
    sigaction(SIGTRAP, &action, &before);
    amp_stack_host_all(1);
    error = pthread_attr_setstack(&attributes, job->memory, STACK_B);
    if (!error)
        error = pthread_create(&thread, &attributes, on_thread, job);
    if (!error)
        error = pthread_join(thread, NULL);
    amp_stack_host_all(hosted);
    sigaction(SIGTRAP, &before, NULL);
    pthread_attr_destroy(&attributes);
    return -error;
}

int amp_stack_use(uint64_t (*run)(void *argument, uint64_t count), void *argument, uint64_t count, uint64_t steps,
                  struct amp_stack_use *out)
{
    struct job job = { .run = run, .argument = argument, .count = count, .most = steps };
    const uint64_t *word;
    int error;

    job.memory =
        mmap(NULL, STACK_B + ASIDE_B, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (job.memory == MAP_FAILED)
        return -ENOMEM;
    error = run_thread(&job);
    if (!error) {
        word = (const uint64_t *) (const void *) job.memory;
        while (*word == paint_at(word))
            word++;
        out->touched_b = (uintptr_t) word < job.base ? job.base - (uintptr_t) word : 0;
        out->reserved_b = job.base - job.lowest;
        out->reserved_known = CAN_STEP && job.steps > 0 && job.steps < job.most;
    }
    munmap(job.memory, STACK_B + ASIDE_B);
    return error;
}
