/* SPDX-License-Identifier: MIT
 *
 * A queue as a list: each operation adds a message at one end and takes one from the other. Objects die in the order in
 * which they were made. To mark it is to follow one pointer after the other: two markers do not help.
 *
 *     head -> message 32 B -> message -> ... -> message <- tail
 *               `-> body 32 B  `-> body           `-> body */
#include "benchmarks/gc/collector.h"

struct body {
    uint64_t words[4];
};

struct message {
    struct message *next;
    struct body *body;
    uint64_t number, unused;
};

static struct type body_type = { .name = "body", .size_b = sizeof(struct body) };
static struct type message_type = { .name = "message", .size_b = sizeof(struct message),
                                    MEMBERS({ "next", offsetof(struct message, next) },
                                            { "body", offsetof(struct message, body) }) };
static struct type *const types[] = { &body_type, &message_type };

#define MESSAGE_B (sizeof(struct message) + sizeof(struct body))

static struct message *head, *tail;
static const struct root roots[] = { { "head", &head }, { "tail", &tail } };
static uint64_t n, number, random_state;

FUNCTION(struct message *, make_message, 128, void)
{
    struct message *message = new_object(&message_type);
    struct body *body = new_object(&body_type);

    for (unsigned i = 0; i < 4; i++)
        body->words[i] = amp_random_next(&random_state);
    STORE(message->body, body);
    message->number = number++;
    return message;
}

FUNCTION(uint64_t, queue_set_up, 128, uint64_t live_b, uint64_t seed)
{
    n = live_b / MESSAGE_B;
    random_state = seed;
    STORE(head, make_message());
    STORE(tail, head);
    for (uint64_t i = 1; i < n; i++) {
        STORE(tail->next, make_message());
        STORE(tail, tail->next);
    }
    return n;
}

FUNCTION(uint64_t, queue_run, 128, unsigned mutator, uint64_t bytes)
{
    uint64_t sum = mutator;

    for (uint64_t done = 0; done < bytes; done += MESSAGE_B) {
        STORE(tail->next, make_message());
        STORE(tail, tail->next);
        sum += head->body->words[head->number % 4] ^ head->number;
        STORE(head, head->next);
    }
    return sum;
}

static uint64_t live_b(void)
{
    return n * MESSAGE_B;
}

const struct workload queue = {
    .name = "queue", .purpose = "A long list as a queue: objects die in the order in which they were made.",
    .mutators = 1, .types = types, .n_types = sizeof types / sizeof *types,
    .roots = roots, .n_roots = sizeof roots / sizeof *roots,
    .set_up = queue_set_up, .run = queue_run, .live_b = live_b,
};
