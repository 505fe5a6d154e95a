/* SPDX-License-Identifier: MIT */
#include "harness/allocators/workload/replay.h"

#include "harness/lesson/pair.h"
#include "harness/machine/memory.h"
#include "harness/text/complain.h"

#include <errno.h>
#include <inttypes.h>
#include <link.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE_B = 64, PAGE_B = 4096, SPINS = 256 };

struct slot {
    unsigned char *at; /* NULL: no object */
    uint64_t size;
};

static struct replay {
    struct amp_trace_head head;
    const struct amp_trace_call *calls; /* of a cycle: those of the trace, and fillers; to the end of the process */
    uint64_t n;                   /* a multiple of the threads */
    struct slot *slots;
    uint64_t live_b, peak_b, mark; /* mark: the next call after which live bytes are known */
    uint64_t again_b, most_rss_b;  /* look at resident memory when so much is live; the most that was seen */
    bool is_looked_at;             /* throughout a cycle */
    _Alignas(64) uint64_t turn;    /* how many calls are done */
    struct {
        _Alignas(64) uint64_t until; /* this thread goes on to that turn */
    } of[AMP_WORKLOAD_THREADS];
} replay;

/* ---- One call */

/* As the program did: all of a small object, of a large one so many pages. The first word is kept, to be read at the
 * end: an allocator that gives out memory twice changes it. */
static void touch(unsigned char *p, uint64_t from, const struct amp_trace_call *call)
{
    uint64_t step = call->size < AMP_TRACE_LARGE_B ? LINE_B : PAGE_B;
    uint64_t end = step == LINE_B ? call->size : (uint64_t) call->pages * PAGE_B;
    uint64_t word = call->slot * 0x9e3779b97f4a7c15u;

    end = end < call->size ? end : call->size;
    for (uint64_t at = from > 0 ? (from + step - 1) / step * step : step; at < end; at += step)
        p[at] = 1;
    if (from < sizeof word && call->size >= sizeof word)
        memcpy(p, &word, sizeof word);
    else if (call->size > 0 && from == 0)
        p[0] = 1;
}

/* The kernel's own peak is that of a counter which, where memory is given back, may lag behind by 32 pages on each CPU
 * (percpu_counter(), as of Linux 6.2). What it says when it is asked is exact. So the first cycle, which is not timed,
 * asks where memory may be highest: when a page more, or a 64th, is live than ever before, and before large objects
 * end. */
static void look(void)
{
    struct amp_memory memory;

    if (!replay.is_looked_at && amp_memory_of(0, &memory) && memory.rss_b > replay.most_rss_b)
        replay.most_rss_b = memory.rss_b;
}

static void look_at_growth(void)
{
    if (replay.live_b < replay.again_b)
        return;
    look();
    replay.again_b = replay.live_b + (replay.live_b / 64 > PAGE_B ? replay.live_b / 64 : PAGE_B);
}

static void begin(const struct amp_trace_call *call)
{
    struct slot *slot = &replay.slots[call->slot];
    size_t size = call->size, alignment = (size_t) 1 << (call->alignment > 4 ? call->alignment : 4);

    if (call->what == AMP_TRACE_MALLOC)
        slot->at = malloc(size);
    else if (call->what == AMP_TRACE_CALLOC)
        slot->at = calloc(1, size);
    else
        slot->at = aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    if (!slot->at && size > 0)
        _exit(AMP_EXIT_NO_MEMORY);
    slot->size = size;
    replay.live_b += size;
    if (slot->at)
        touch(slot->at, 0, call);
}

static void move(const struct amp_trace_call *call)
{
    struct slot *slot = &replay.slots[call->slot];
    uint64_t before = slot->size;
    unsigned char *p;

    if (before >= AMP_TRACE_LARGE_B)
        look();
    p = realloc(slot->at, call->size > 0 ? call->size : 1);

    if (!p)
        _exit(AMP_EXIT_NO_MEMORY);
    replay.live_b += call->size - before;
    *slot = (struct slot){ p, call->size };
    if (call->size > before)
        touch(p, before, call);
}

static uint64_t end(struct slot *slot)
{
    uint64_t word = 0;

    if (slot->size >= AMP_TRACE_LARGE_B)
        look();
    if (slot->size >= sizeof word)
        memcpy(&word, slot->at, sizeof word);
    free(slot->at);
    replay.live_b -= slot->size;
    *slot = (struct slot){ NULL, 0 };
    return word;
}

static uint64_t end_all(void)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < replay.head.slots; i++)
        if (replay.slots[i].at)
            sum += end(&replay.slots[i]);
    return sum;
}

/* Live bytes must be the recording's. */
static void hold_to_recording(uint64_t i)
{
    uint64_t want_b = replay.head.live_b[i / replay.head.step];

    if (replay.live_b != want_b) {
        amp_complain(0, "trace", "after call %" PRIu64 ", %" PRIu64 " bytes live, not %" PRIu64 " as in the recording",
                     i, replay.live_b, want_b);
        _exit(AMP_EXIT_DISAGREE);
    }
    replay.mark += replay.head.step;
}

static uint64_t do_call(uint64_t i)
{
    const struct amp_trace_call *call = &replay.calls[i];
    uint64_t sum = 0;

    switch ((enum amp_trace_what) call->what) {
    case AMP_TRACE_MALLOC:
    case AMP_TRACE_CALLOC:
    case AMP_TRACE_ALIGNED:
        begin(call);
        break;
    case AMP_TRACE_REALLOC:
        move(call);
        break;
    case AMP_TRACE_FREE:
        sum = end(&replay.slots[call->slot]);
        break;
    case AMP_TRACE_END: /* a filler: the first ends the cycle */
        if (i == replay.head.calls) {
            look();
            replay.is_looked_at = true;
            sum = end_all();
        }
        replay.mark = 0;
        return sum;
    }
    replay.peak_b = replay.live_b > replay.peak_b ? replay.live_b : replay.peak_b;
    look_at_growth();
    if (i == replay.mark)
        hold_to_recording(i);
    return sum;
}

/* ---- The workload */

static void *set_up(uint64_t seed)
{
    (void) seed; /* a trace leaves nothing to chance */
    return &replay;
}

/* Wait for the turn of another thread to end. */
static uint64_t wait_for_turn(uint64_t turn)
{
    uint64_t now;

    for (unsigned n = 1; (now = __atomic_load_n(&replay.turn, __ATOMIC_ACQUIRE)) == turn; n++)
        if (n % SPINS == 0)
            sched_yield();
    return now;
}

static uint64_t run(void *fixture, unsigned thread, uint64_t ops)
{
    uint64_t turn = __atomic_load_n(&replay.turn, __ATOMIC_ACQUIRE), i = turn % replay.n, sum = 0;
    uint64_t until = replay.of[thread].until += ops * replay.head.threads;

    (void) fixture;
    while (turn < until) {
        if (replay.calls[i].thread != thread) {
            turn = wait_for_turn(turn);
            i = turn % replay.n;
            continue;
        }
        do {
            sum += do_call(i);
            turn++;
            i = i + 1 == replay.n ? 0 : i + 1;
        } while (turn < until && replay.calls[i].thread == thread);
        __atomic_store_n(&replay.turn, turn, __ATOMIC_RELEASE);
    }
    return sum;
}

/* The next call is the first of a cycle. */
static void drain(void *fixture)
{
    (void) fixture;
    end_all();
    replay.turn = replay.mark = 0;
    for (unsigned i = 0; i < AMP_WORKLOAD_THREADS; i++)
        replay.of[i].until = 0;
}

static uint64_t asked_peak_b(const void *fixture)
{
    (void) fixture;
    return replay.peak_b;
}

static void tear_down(void *fixture)
{
    (void) fixture;
    amp_unmap(replay.slots, (replay.head.slots + 1) * sizeof *replay.slots);
}

uint64_t amp_replay_peak_rss_b(void)
{
    return replay.most_rss_b;
}

/* ---- Loading
 *
 * A child reads the trace, and leaves it in memory that both share: had this process read it, memory that reading freed
 * would lie in the allocator's heap, touched, and the replay would seem to take less than the program did. */

struct shared {
    struct amp_replay described;
    struct amp_trace_head head;
    int err;
    char why[256];
};

static uint64_t begin_b(void) /* of the calls, behind what is shared besides */
{
    return (sizeof(struct shared) + PAGE_B - 1) / PAGE_B * PAGE_B;
}

static uint64_t turns_of(const struct amp_trace_head *head)
{
    return (head->calls / head->threads + 1) * head->threads;
}

static int read_calls(struct amp_trace_file *file, const struct amp_trace_head *head, struct amp_trace_call *calls,
                      const char **why)
{
    for (uint64_t i = 0; i < head->calls; i++) {
        int err = amp_trace_read(file, &calls[i], why);

        if (!err && calls[i].slot >= head->slots) {
            *why = "it has more slots than its head says";
            err = -EPROTO;
        }
        if (err)
            return err;
    }
    for (uint64_t i = head->calls; i < turns_of(head); i++)
        calls[i] = (struct amp_trace_call){ .what = AMP_TRACE_END };
    return 0;
}

static int read_trace(const char *path, int fd, struct shared *out, const char **why)
{
    struct amp_trace_head *head = &out->head;
    struct amp_trace_file *file;
    json_t *strings;
    const char *unused;
    char *whole;
    int err = amp_replay_describe(path, &out->described, why), closed;

    if (!err)
        err = amp_trace_open(path, head, &strings, &file, why);
    if (err)
        return err;
    if (head->n_live * head->step < head->calls) {
        *why = "its points do not cover its calls";
        err = -EPROTO;
    } else {
        uint64_t size_b = begin_b() + turns_of(head) * sizeof(struct amp_trace_call);

        *why = strerror(ENOMEM);
        whole = ftruncate(fd, (off_t) size_b)
                    ? MAP_FAILED
                    : mmap(NULL, size_b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
        err = whole == MAP_FAILED
                  ? -ENOMEM
                  : read_calls(file, head, (struct amp_trace_call *) (void *) (whole + begin_b()), why);
    }
    closed = amp_trace_close(file, err ? &unused : why);
    return err ? err : closed;
}

/* What a child reads, as this process may read it. */
static struct shared *read_apart(const char *path, int fd)
{
    struct shared *shared;
    pid_t child;

    if (ftruncate(fd, (off_t) begin_b()))
        return NULL;
    shared = mmap(NULL, begin_b(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED)
        return NULL;
    shared->err = -ECHILD;
    snprintf(shared->why, sizeof shared->why, "the process that read it has not ended by itself");
    child = fork();
    if (child == 0) {
        const char *why = "";

        shared->err = read_trace(path, fd, shared, &why);
        snprintf(shared->why, sizeof shared->why, "%s", why);
        _exit(0);
    }
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    return child > 0 ? shared : NULL;
}

/* Code that is executed for the first time becomes resident, 64 KiB at once: so that this is not taken for memory of
 * the heap, all of a file that is mapped is read, what AddressSanitizer puts between variables, too. */
__attribute__((no_sanitize("address"))) static int read_file(struct dl_phdr_info *file, size_t size, void *unused)
{
    (void) size;
    (void) unused;
    for (int i = 0; i < file->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &file->dlpi_phdr[i];
        const volatile unsigned char *at = (const unsigned char *) file->dlpi_addr + part->p_vaddr;

        if (part->p_type == PT_LOAD && part->p_flags & PF_R)
            for (size_t b = 0; b < part->p_filesz; b += PAGE_B)
                (void) at[b];
    }
    return 0;
}

static int take(const struct shared *shared, int fd, struct amp_replay *out)
{
    const char *whole;

    *out = shared->described;
    out->workload.name = out->name;
    out->workload.purpose = out->purpose;
    replay.head = shared->head; /* but for its strings, which are the child's */
    replay.n = turns_of(&replay.head);
    whole = mmap(NULL, begin_b() + replay.n * sizeof *replay.calls, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (whole == MAP_FAILED)
        return -ENOMEM;
    replay.calls = (const struct amp_trace_call *) (const void *) (whole + begin_b());
    replay.slots = amp_map((replay.head.slots + 1) * sizeof *replay.slots);
    dl_iterate_phdr(read_file, NULL);
    out->workload.set_up = set_up;
    out->workload.run = run;
    out->workload.drain = drain;
    out->workload.asked_peak_b = asked_peak_b;
    out->workload.tear_down = tear_down;
    return 0;
}

int amp_replay_load(const char *path, struct amp_replay *out, const char **why)
{
    static char words[sizeof ((struct shared *) NULL)->why];
    int fd = memfd_create("ampersand-trace", MFD_CLOEXEC), err;
    struct shared *shared = fd < 0 ? NULL : read_apart(path, fd);

    snprintf(words, sizeof words, "%s", shared ? shared->why : strerror(errno));
    *why = words;
    err = shared ? shared->err : -errno;
    if (!err)
        err = take(shared, fd, out);
    if (shared)
        munmap(shared, begin_b());
    if (fd >= 0)
        close(fd);
    return err;
}
