/* SPDX-License-Identifier: MIT
 *
 * What a call of a function does to memory, for its callers: which memory holds what afterwards, and what is freed.
 *
 *   void push(struct list *l, void *p) { l->head = p; }     edge: ARGUMENT 0, word 0 holds ARGUMENT 1
 *   void *make(size_t n) { return malloc(n); }              edge: RETURNED holds FRESH, as large as argument 0 */
#ifndef AMP_ESCAPE_SUMMARY_H
#define AMP_ESCAPE_SUMMARY_H

#include "harness/escape/graph/path.h"

/* How many bytes: a number, or an expression of arguments in postfix, as `8 a0 8 + *`. */
struct amp_size {
    int n; /* steps; 0: not known */
    struct {
        char what; /* 'c' a constant, 'a' an argument, or an operator: + - * & | < > */
        uint64_t value;
    } step[12];
};

/* What fresh memory holds when it is handed over. */
enum amp_contents { AMP_UNSET, AMP_ZERO, AMP_SET };

/* How a call frees what it gets, the surest first. */
enum amp_freeing {
    AMP_FREES_ALONE,  /* gives exactly its argument to free(), and does nothing else */
    AMP_FREES_BESIDE, /* does other things, too */
    AMP_FREES_ELSE    /* resizes it, or frees what its argument leads to, or perhaps another object */
};

struct amp_freed {
    struct amp_node node;
    enum amp_freeing how;
};

struct amp_summary {
    bool unknown; /* given up: all that it gets is taken to escape */
    bool coarse;  /* words are not told apart any more */
    struct amp_edge **edge; /* each stays where it is */
    int edges, edge_room, in_force;
    struct amp_freed *freed;
    int frees, freed_room;
    struct amp_size fresh_size;
    enum amp_contents fresh_contents;
    bool fresh_resized; /* made by realloc() */
};

/* Memory that outlives a call, and how it is reached: `from` is the memory that holds it; AMP_FROM_ for none. */
enum { AMP_FROM_NOWHERE = -1, AMP_FROM_RETURN = -2, AMP_FROM_START = -3 };
struct amp_reach {
    int *from; /* one for each memory */
};

/* For each memory: is it reached from what is returned, from the caller's memory or from OUTSIDE? Free reach->from. */
void amp_reach_find(const struct amp_graph *graph, struct amp_reach *reach);

/* The way out of a memory that is reached. */
void amp_reach_path(const struct amp_graph *graph, const struct amp_reach *reach, int memory, struct amp_path *path);

/* Add what the solved graph shows. True if the summary changed. Beyond AMP_EDGES_MANY edges words are not told apart
 * any more, beyond AMP_EDGES_MOST it becomes unknown. */
bool amp_summary_take(struct amp_summary *summary, const struct amp_graph *graph, const struct amp_reach *reach);
enum { AMP_EDGES_MANY = 100, AMP_EDGES_MOST = 250 };

/* The node of a memory in its function's summary. False if the caller cannot name it. */
bool amp_summary_node(const struct amp_graph *graph, const struct amp_reach *reach, int memory, struct amp_node *node);

bool amp_summary_add_freed(struct amp_summary *summary, struct amp_node node, enum amp_freeing how);

#endif
