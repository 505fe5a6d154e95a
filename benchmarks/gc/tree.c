/* SPDX-License-Identifier: MIT
 *
 * A balanced binary tree. Each operation goes down a random path, and replaces a small subtree by a fresh one.
 *
 *     root -> node 64 B -> left, right ... */
#include "benchmarks/gc/collector.h"

#include <stdbool.h>

#define REPLACED 15 /* nodes, at most */

struct node {
    struct node *left, *right;
    uint64_t key, words[5];
};

static struct type node_type = { .name = "node", .size_b = sizeof(struct node),
                                 MEMBERS({ "left", offsetof(struct node, left) },
                                         { "right", offsetof(struct node, right) }) };
static struct type *const types[] = { &node_type };

static struct node *top;
static const struct root roots[] = { { "top", &top } };
static uint64_t n, random_state, next_key;

FUNCTION(struct node *, make_tree, 128, uint64_t nodes)
{
    struct node *node;

    if (nodes == 0)
        return NULL;
    node = new_object(&node_type);
    node->key = next_key++;
    for (unsigned i = 0; i < 5; i++)
        node->words[i] = node->key * (i + 1);
    STORE(node->left, make_tree((nodes - 1) / 2));
    STORE(node->right, make_tree(nodes - 1 - (nodes - 1) / 2));
    return node;
}

FUNCTION(uint64_t, tree_set_up, 128, uint64_t live_b, uint64_t seed)
{
    n = live_b / sizeof(struct node);
    random_state = seed;
    STORE(top, make_tree(n));
    return n;
}

FUNCTION(uint64_t, tree_run, 160, unsigned mutator, uint64_t bytes)
{
    uint64_t sum = mutator, done = 0;

    while (done < bytes) {
        struct node *above = top;
        uint64_t nodes = n, path = amp_random_next(&random_state);
        bool right = false;

        for (struct node *node = top; nodes > REPLACED; path >>= 1) {
            above = node;
            right = path & 1;
            sum += node->key ^ node->words[path % 5];
            nodes = right ? nodes - 1 - (nodes - 1) / 2 : (nodes - 1) / 2;
            node = right ? node->right : node->left;
        }
        if (right)
            STORE(above->right, make_tree(nodes));
        else
            STORE(above->left, make_tree(nodes));
        done += nodes * sizeof(struct node);
    }
    return sum;
}

static uint64_t live_b(void)
{
    return n * sizeof(struct node);
}

const struct workload tree = {
    .name = "tree", .purpose = "A balanced tree whose small subtrees are replaced: every object holds pointers.",
    .mutators = 1, .types = types, .n_types = sizeof types / sizeof *types,
    .roots = roots, .n_roots = sizeof roots / sizeof *roots,
    .set_up = tree_set_up, .run = tree_run, .live_b = live_b,
};
