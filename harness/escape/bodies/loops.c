/* SPDX-License-Identifier: MIT
 *
 * source   Tarjan, Depth-first search and linear graph algorithms, 1972: strongly connected components, here with a
 *          stack of its own, since functions of many thousands of blocks are met. */
#include "harness/escape/bodies/loops.h"

#include <stdlib.h>

#include <uthash.h>

#include "harness/escape/graph/graph.h"

struct block {
    LLVMBasicBlockRef block;
    int index, low;
    unsigned next; /* successor */
    bool on_stack, in_loop;
    UT_hash_handle hh;
};

struct amp_loops {
    struct block *known; /* hash */
    struct block *block;
    int n;
};

struct search {
    struct amp_loops *loops;
    struct block **path, **open; /* being visited; not yet of a component */
    int paths, opens, index;
};

static struct block *find(const struct amp_loops *loops, LLVMBasicBlockRef block)
{
    struct block *found;

    HASH_FIND_PTR(loops->known, &block, found);
    return found;
}

static void enter(struct search *search, struct block *block)
{
    block->index = block->low = ++search->index;
    block->on_stack = true;
    search->path[search->paths++] = search->open[search->opens++] = block;
}

static void leave(struct search *search)
{
    struct block *block = search->path[--search->paths];
    const int last = search->opens;
    bool alone;

    if (search->paths > 0 && block->low < search->path[search->paths - 1]->low)
        search->path[search->paths - 1]->low = block->low;
    if (block->low != block->index)
        return;
    alone = search->open[last - 1] == block;
    do {
        search->opens--;
        search->open[search->opens]->on_stack = false;
        search->open[search->opens]->in_loop = search->open[search->opens]->in_loop || !alone;
    } while (search->open[search->opens] != block);
}

static void visit(struct search *search, struct block *first)
{
    enter(search, first);
    while (search->paths > 0) {
        struct block *block = search->path[search->paths - 1], *to;
        LLVMValueRef end = LLVMGetBasicBlockTerminator(block->block);

        if (!end || block->next >= LLVMGetNumSuccessors(end)) {
            leave(search);
            continue;
        }
        to = find(search->loops, LLVMGetSuccessor(end, block->next++));
        if (to == block)
            block->in_loop = true;
        else if (to->index == 0)
            enter(search, to);
        else if (to->on_stack && to->index < block->low)
            block->low = to->index;
    }
}

struct amp_loops *amp_loops_find(LLVMValueRef function)
{
    int room = 0, n = 0;
    struct amp_loops *loops = amp_escape_grow(NULL, &room, 0, sizeof *loops);
    struct search search = { .loops = loops };

    *loops = (struct amp_loops){ .n = (int) LLVMCountBasicBlocks(function) };
    room = 0;
    loops->block = amp_escape_grow(NULL, &room, loops->n, sizeof *loops->block);
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(function); b; b = LLVMGetNextBasicBlock(b), n++) {
        loops->block[n] = (struct block){ .block = b };
        HASH_ADD_PTR(loops->known, block, &loops->block[n]);
    }
    room = 0;
    search.path = amp_escape_grow(NULL, &room, loops->n, sizeof(struct block *));
    room = 0;
    search.open = amp_escape_grow(NULL, &room, loops->n, sizeof(struct block *));
    for (int b = 0; b < loops->n; b++)
        if (loops->block[b].index == 0)
            visit(&search, &loops->block[b]);
    free(search.path);
    free(search.open);
    return loops;
}

bool amp_loops_hold(const struct amp_loops *loops, LLVMValueRef instruction)
{
    return find(loops, LLVMGetInstructionParent(instruction))->in_loop;
}

void amp_loops_free(struct amp_loops *loops)
{
    HASH_CLEAR(hh, loops->known);
    free(loops->block);
    free(loops);
}
