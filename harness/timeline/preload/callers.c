/* SPDX-License-Identifier: MIT
 *
 * A stack that was seen before is found by its hash; else each of its places is, by its address. */
#include "harness/timeline/preload/callers.h"

#include "harness/profile/record/modules.h"
#include "harness/profile/record/sites.h"
#include "harness/timeline/preload/ring.h"
#include "harness/timeline/preload/write.h"

#include <stdio.h>
#include <string.h>

#define MODULES 512
#define KNOWN_BITS 14 /* of stacks, and of places */
#define TRIES 16
#define FRAMES 24 /* of a stack that are told: the innermost */

struct known {
    uint64_t key;
    uint32_t number;
};

struct module {
    uintptr_t start, end;
    uint32_t number;
};

/* Of this process alone: a forked child finds it empty. */
struct callers {
    struct amp_lock lock;
    uint32_t n_modules;
    struct module modules[MODULES];
    struct known stacks[1 << KNOWN_BITS], places[1 << KNOWN_BITS];
};

static struct callers *callers;

__attribute__((constructor)) static void make(void)
{
    callers = amp_region_map(sizeof *callers);
}

/* The entry of a key, or a free one for it; NULL: there is none. */
static struct known *find(struct known *list, uint64_t key)
{
    uint64_t at = (key * 0x9e3779b97f4a7c15u) >> (64 - KNOWN_BITS);

    for (unsigned i = 0; i < TRIES; i++) {
        struct known *known = &list[(at + i) % (1 << KNOWN_BITS)];

        if (known->key == key || known->number == 0)
            return known;
    }
    return NULL;
}

void amp_sites_forget(void)
{
    if (!callers)
        return;
    amp_lock(&callers->lock);
    callers->n_modules = 0;
    memset(callers->stacks, 0, sizeof callers->stacks);
    memset(callers->places, 0, sizeof callers->places);
    amp_unlock(&callers->lock);
}

static const struct module *find_module(uintptr_t pc)
{
    for (uint32_t i = 0; i < callers->n_modules; i++)
        if (pc >= callers->modules[i].start && pc < callers->modules[i].end)
            return &callers->modules[i];
    return NULL;
}

/* The loader's list is read without our lock, which another thread may want while it holds the loader's. */
static void learn_module(uintptr_t pc)
{
    struct amp_found found;
    char text[sizeof found.path + 128];
    uint32_t number;

    amp_modules_look(pc, &found);
    if (!found.module.start)
        return;
    snprintf(text, sizeof text, AMP_RING_MODULE "%lx %lx %lx %lx %s", (unsigned long) found.module.start,
             (unsigned long) found.module.end, (unsigned long) found.offset, (unsigned long) found.bias, found.path);
    number = amp_ring_name(text);
    amp_lock(&callers->lock);
    if (number && callers->n_modules < MODULES && !find_module(pc))
        callers->modules[callers->n_modules++] = (struct module){ found.module.start, found.module.end, number };
    amp_unlock(&callers->lock);
}

/* number 0: there is none that is known. */
static struct module module_of(uintptr_t pc)
{
    const struct module *module;
    struct module found = { 0 };

    amp_lock(&callers->lock);
    module = find_module(pc);
    if (module)
        found = *module;
    amp_unlock(&callers->lock);
    return found;
}

static uint32_t look_up(struct known *list, uint64_t key)
{
    const struct known *known;
    uint32_t number;

    amp_lock(&callers->lock);
    known = find(list, key);
    number = known ? known->number : 0;
    amp_unlock(&callers->lock);
    return number;
}

static uint32_t remember(struct known *list, uint64_t key, uint32_t number)
{
    struct known *known;

    amp_lock(&callers->lock);
    known = find(list, key);
    if (known)
        *known = (struct known){ key, number };
    amp_unlock(&callers->lock);
    return number;
}

/* The place of a call, by its return address less 1. */
static uint32_t number_of_place(uintptr_t pc)
{
    uint32_t number = look_up(callers->places, pc);
    struct module module;
    char text[64];

    if (number)
        return number;
    module = module_of(pc);
    if (!module.number) {
        learn_module(pc);
        module = module_of(pc);
    }
    snprintf(text, sizeof text, AMP_RING_PLACE "%lx %lx", (unsigned long) module.number,
             (unsigned long) (pc - module.start));
    return remember(callers->places, pc, amp_ring_name(text));
}

uint32_t amp_callers_number(const struct amp_caller *caller)
{
    struct amp_stack_room room;
    const struct amp_stack *stack = &room.stack;
    char text[FRAMES * 10 + 8] = AMP_RING_STACK;
    size_t n = sizeof AMP_RING_STACK - 1;
    uint32_t number;

    if (!callers)
        return 0;
    amp_stack_walk(caller, false, &room);
    number = look_up(callers->stacks, stack->hash);
    if (number)
        return number;
    for (uint32_t i = 0; i < stack->n && i < FRAMES; i++) {
        number = number_of_place((i == 0 ? caller->pc : stack->words[i - 1].value) - 1);
        n += (size_t) snprintf(text + n, sizeof text - n, "%lx ", (unsigned long) number);
    }
    return remember(callers->stacks, stack->hash, amp_ring_name(text));
}
