/* SPDX-License-Identifier: MIT
 *
 * What happens to each memory that a function makes, at which instruction; and from that, which stores a load may see.
 *
 *   p = a;          store 1, ends what p held
 *   take(&p);       store 2, by the called function
 *   r = *p;         sees 1 and 2
 *   p = b;          store 3, ends what p held
 *   return p;       sees 3 */
#ifndef AMP_ESCAPE_SIGHTS_H
#define AMP_ESCAPE_SIGHTS_H

#include "harness/escape/bodies/body.h"
#include "harness/escape/bodies/order.h"

struct amp_histories {
    struct amp_order *order;
    struct amp_events *of; /* of each memory: only those of LOCAL and HEAP have events */
    int n;
};

/* The order of the function, and what each solved constraint does to its memories, sorted. */
void amp_histories_find(const struct amp_body *body, struct amp_histories *histories);
void amp_histories_free(struct amp_histories *histories);

/* Whether an event ends all that lies in these bytes. */
bool amp_event_ends(const struct amp_event *event, int64_t first_b, int64_t end_b);

/* Give each load its sights. True if one sees less than all stores, so that it is worth to solve the graph again. */
bool amp_sights_find(struct amp_body *body);
enum { AMP_SIGHTS_CONSTRAINTS_MOST = 60000, AMP_SIGHT_STORES_MOST = 200 };

#endif
