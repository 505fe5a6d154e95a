/* SPDX-License-Identifier: MIT
 *
 * The steps by which a pointer got somewhere, in the order of the program's data flow. */
#ifndef AMP_ESCAPE_PATH_H
#define AMP_ESCAPE_PATH_H

#include "harness/escape/graph/graph.h"

struct amp_hop {
    LLVMValueRef at; /* the instruction */
    char *what;      /* as "stored in global `list`" */
    const struct amp_edge *through; /* what a called function does with it, or NULL */
    bool assumed;    /* not seen: a body, a function pointer, or assembly that is not known */
};

struct amp_path {
    struct amp_hop *hop;
    int n, room;
};

/* FRESH: allocated in the function and returned itself. BELOW: any other memory of the function that its caller may
 * reach. */
enum amp_node_kind {
    AMP_NODE_OUTSIDE,
    AMP_NODE_ARGUMENT,
    AMP_NODE_HELD,
    AMP_NODE_DEEP,
    AMP_NODE_FRESH,
    AMP_NODE_BELOW,
    AMP_NODE_RETURNED
};

struct amp_node {
    enum amp_node_kind kind;
    int argument;
    int32_t word;
};

/* One effect of a call: a memory holds another afterwards. */
struct amp_edge {
    struct amp_node holder, held;
    int32_t word;   /* of the holder; AMP_ANY */
    int32_t offset; /* into what is held */
    LLVMValueRef function;
    bool retired; /* a coarser one stands for it */
    struct amp_path path; /* from the held one to the holder */
};

/* Append the steps by which `memory` got into a value, or into a word of the memory `holder`. */
void amp_path_to_value(const struct amp_graph *graph, int value, int memory, struct amp_path *path);
void amp_path_to_memory(const struct amp_graph *graph, int holder, int memory, struct amp_path *path);
void amp_path_free(struct amp_path *path);

/* C has all three: with -fexceptions, a call beside a cleanup is an invoke. */
bool amp_is_call(LLVMValueRef at);

/* The function that a call names; NULL if it goes through a pointer or is assembly. */
LLVMValueRef amp_called_function(LLVMValueRef call);

#endif
