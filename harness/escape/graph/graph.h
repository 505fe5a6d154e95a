/* SPDX-License-Identifier: MIT
 *
 * Which memory the values of one function may point into: inclusion constraints over its values and memories.
 *
 *   struct s { char *text; } *s = arg;       memories            values
 *   char *p = malloc(8);                     H  the malloc       p  {H+0}
 *   s->text = p;                             A  what arg         s  {A+0}
 *                                               points at: a store puts H into A's word 0
 *
 * A memory is a local, an allocation, or something of the caller's: what an argument points at (ARGUMENT), what the
 * words of that hold (HELD), all that lies behind (DEEP). OUTSIDE is all the rest of the world: globals, and whatever
 * code that is not seen may hold. A memory's content is kept by words of 8 bytes; a store at an offset that is not
 * known goes to the word AMP_ANY, which every load reads. Order of execution is ignored, but for loads that have a
 * sight: they see only the stores which may run before them.
 *
 * Every fact knows the constraint that first gave it and its place in the order of facts, so that a path back to the
 * start can be walked through older facts only. Functions that allocate end the program where there is no memory. */
#ifndef AMP_ESCAPE_GRAPH_H
#define AMP_ESCAPE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <llvm-c/Core.h>

#define AMP_ANY INT32_MIN /* an offset or a word that is not known */

enum amp_memory_kind { AMP_OUTSIDE, AMP_ARGUMENT, AMP_HELD, AMP_DEEP, AMP_LOCAL, AMP_HEAP, AMP_BELOW };

enum { AMP_WHY_START = -1, AMP_WHY_REACHED = -2 }; /* instead of a constraint */

/* May point into `memory`, at `offset` bytes. */
struct amp_fact {
    int memory;
    int32_t offset;
    int why;   /* the constraint that gave it, or AMP_WHY_ */
    int via;   /* the memory that it was loaded from, or through which OUTSIDE reaches it; else -1 */
    int by;    /* the store that a load with a sight saw; else -1 */
    int order; /* among all facts of the function */
};

struct amp_facts {
    struct amp_fact *at;
    int n, room, changed; /* changed: the order of the newest */
};

struct amp_word {
    int32_t number;
    struct amp_facts holds;
};

struct amp_memory {
    enum amp_memory_kind kind;
    int argument;      /* of ARGUMENT, HELD and DEEP */
    int32_t word;      /* of HELD */
    LLVMValueRef made; /* LOCAL: its alloca; HEAP, BELOW: the call */
    struct amp_word *word_at;
    int words, room, changed;
    bool outside; /* OUTSIDE reaches it */
    bool lent;    /* the caller's memory leads to a local or an allocation: what is held there may be this one, too */
};

enum amp_step { AMP_STEP_ADDRESS, AMP_STEP_COPY, AMP_STEP_LOAD, AMP_STEP_STORE, AMP_STEP_DIFFERENCE };

struct amp_edge;

/* ADDRESS: `to` points at memory `from`.  COPY: to = from + offset.  LOAD: to = *(from + offset).
 * STORE: *(to + offset) = from. Of size bytes; 0: of any number.  DIFFERENCE: to = from - other, which points nowhere
 * if both point into one and the same memory; size 1: they were seen to. */
struct amp_constraint {
    enum amp_step step;
    int to, from, other;
    int32_t offset;
    int64_t size;
    LLVMValueRef at;               /* the instruction */
    const struct amp_edge *through; /* what the called function does, or NULL */
    int seen;                      /* order of the newest fact when it was last applied */
    int sight;                     /* of a load: its first one; else -1 */
};

/* Of what a load may find in a memory: the constraints that stored it. Where there is none, all that was stored. */
struct amp_sight {
    int memory;
    int *store;
    int stores, room;
    int next; /* of the same load; -1 */
};

struct amp_value; /* a value of LLVM and its number */

struct amp_graph {
    LLVMValueRef function;
    struct amp_memory *memory;
    int memories, memory_room;
    struct amp_constraint *constraint;
    int constraints, constraint_room;
    struct amp_sight *sight;
    int sights, sight_room;
    struct amp_facts *value;
    int values, value_room;
    struct amp_value *known; /* hash */
    int order;
    int64_t steps; /* that it took to solve it */
    int returned; /* value: what is returned */
    int outside;  /* value: points to OUTSIDE, which is memory 0 */
};

void *amp_escape_grow(void *array, int *room, int n, size_t size);

void amp_graph_start(struct amp_graph *graph, LLVMValueRef function);
void amp_graph_end(struct amp_graph *graph);

int amp_graph_new_value(struct amp_graph *graph);
/* The number of a value; *is_new if it had none before. */
int amp_graph_value(struct amp_graph *graph, LLVMValueRef value, bool *is_new);
int amp_graph_new_memory(struct amp_graph *graph, enum amp_memory_kind kind, LLVMValueRef made);
/* The memory of this kind behind an argument, made if it is not there. A HELD word beyond AMP_HELD_WORDS is AMP_ANY. */
int amp_graph_memory_of(struct amp_graph *graph, enum amp_memory_kind kind, int argument, int32_t word);
enum { AMP_HELD_WORDS = 24 };

void amp_graph_add(struct amp_graph *graph, struct amp_constraint constraint);

/* The load may find in the sight's memory only what its stores put there. The graph takes the list of stores. */
void amp_graph_add_sight(struct amp_graph *graph, int constraint, struct amp_sight sight);

/* Forget all facts, but not that a difference is one within one object: what is solved anew, with sights, is less. */
void amp_graph_restart(struct amp_graph *graph);

/* The next value behind `last`, or the first if that is NULL; NULL if there is none. *number: its number. */
LLVMValueRef amp_graph_next(const struct amp_graph *graph, LLVMValueRef last, int *number);

/* The facts of a value; NULL if it has none. */
const struct amp_facts *amp_graph_facts(const struct amp_graph *graph, LLVMValueRef value);

/* offset + more; AMP_ANY if one is, or the sum leaves what is told apart. */
int32_t amp_offset_add(int32_t offset, int64_t more);

const struct amp_fact *amp_facts_find(const struct amp_facts *facts, int memory);
/* The facts of a word, made if it is not there. */
struct amp_facts *amp_memory_word(struct amp_memory *memory, int32_t number);

#endif
