/* SPDX-License-Identifier: MIT
 *
 * A server: two mutators answer requests at the same time. A request is a small graph that dies with its answer; now
 * and then a session keeps something of it, and drops the oldest that it kept.
 *
 *     sessions [ * ] [ * ] ...                                request 64 B
 *                `-> session 96 B                               |-> header 32 B -> header -> ... (6)
 *                      `-> items (8): item 32 B -> text 64 B    `-> buffer 256 B */
#include "benchmarks/gc/collector.h"

#define KEPT 8
#define HEADERS 6
#define PASSES 48 /* over an answer, as it is encoded: about a microsecond */

struct text {
    uint64_t words[8];
};

struct item {
    struct text *text;
    uint64_t number, words[2];
};

struct session {
    struct item *items[KEPT];
    uint64_t number, answered, words[2];
};

struct header {
    struct header *next;
    uint64_t words[3];
};

struct buffer {
    uint64_t words[32];
};

struct request {
    struct header *headers;
    struct buffer *buffer;
    struct session *session;
    uint64_t words[5];
};

static struct type text_type = { .name = "text", .size_b = sizeof(struct text) };
static struct type buffer_type = { .name = "buffer", .size_b = sizeof(struct buffer) };
static struct type item_type = { .name = "item", .size_b = sizeof(struct item),
                                 MEMBERS({ "text", offsetof(struct item, text) }) };
#define ITEM(i) { "item", offsetof(struct session, items) + (i) * sizeof(void *) }
static struct type session_type = { .name = "session", .size_b = sizeof(struct session),
                                    MEMBERS(ITEM(0), ITEM(1), ITEM(2), ITEM(3), ITEM(4), ITEM(5), ITEM(6), ITEM(7)) };
static struct type header_type = { .name = "header", .size_b = sizeof(struct header),
                                   MEMBERS({ "next", offsetof(struct header, next) }) };
static struct type request_type = { .name = "request", .size_b = sizeof(struct request),
                                    MEMBERS({ "headers", offsetof(struct request, headers) },
                                            { "buffer", offsetof(struct request, buffer) },
                                            { "session", offsetof(struct request, session) }) };
static struct type table_type = { .name = "sessions", .size_b = sizeof(void *), MEMBERS({ "slot", 0 }) };
static struct type *const types[] = { &text_type,   &buffer_type,  &item_type, &session_type,
                                      &header_type, &request_type, &table_type };

#define ITEM_B (sizeof(struct item) + sizeof(struct text))
#define SESSION_B (sizeof(void *) + sizeof(struct session) + KEPT * ITEM_B)
#define REQUEST_B (sizeof(struct request) + HEADERS * sizeof(struct header) + sizeof(struct buffer))

static struct session **first, **second; /* of each mutator */
static const struct root roots[] = { { "first", &first }, { "second", &second } };
static uint64_t n; /* sessions of each */
static struct {
    _Alignas(64) uint64_t random, number;
} of[MUTATORS];

FUNCTION(struct item *, make_item, 96, uint64_t number)
{
    struct item *item = new_object(&item_type);
    struct text *text = new_object(&text_type);

    for (unsigned i = 0; i < 8; i++)
        text->words[i] = number * (i + 3);
    STORE(item->text, text);
    item->number = number;
    return item;
}

FUNCTION(struct session *, make_session, 96, uint64_t number)
{
    struct session *session = new_object(&session_type);

    session->number = number;
    for (unsigned i = 0; i < KEPT; i++)
        STORE(session->items[i], make_item(number + i));
    return session;
}

FUNCTION(struct request *, make_request, 128, struct session *session, uint64_t number)
{
    struct request *request = new_object(&request_type);

    STORE(request->session, session);
    STORE(request->buffer, new_object(&buffer_type));
    for (unsigned i = 0; i < HEADERS; i++) {
        struct header *header = new_object(&header_type);

        header->words[0] = number + i;
        STORE(header->next, request->headers);
        STORE(request->headers, header);
    }
    return request;
}

FUNCTION(uint64_t, answer, 96, struct request *request)
{
    struct session *session = request->session;
    uint64_t sum = session->number, at = 0;

    for (struct header *header = request->headers; header; header = header->next)
        request->buffer->words[at++] = header->words[0];
    for (unsigned i = 0; i < KEPT; i++)
        request->buffer->words[at++] = session->items[i]->text->words[i];
    for (unsigned pass = 0; pass < PASSES; pass++)
        for (uint64_t i = 0; i < at; i++)
            sum = (sum ^ request->buffer->words[i]) * 0x100000001b3;
    session->answered++;
    return sum;
}

FUNCTION(uint64_t, server_set_up, 96, uint64_t live_b, uint64_t seed)
{
    n = live_b / SESSION_B / MUTATORS;
    STORE(first, new_array(&table_type, n));
    STORE(second, new_array(&table_type, n));
    for (uint64_t i = 0; i < n; i++) {
        STORE(first[i], make_session(i));
        STORE(second[i], make_session(i + n));
    }
    for (unsigned m = 0; m < MUTATORS; m++) {
        of[m].random = seed + m;
        of[m].number = 0;
    }
    return 2 * n;
}

FUNCTION(uint64_t, server_run, 192, unsigned mutator, uint64_t bytes)
{
    struct session **sessions = mutator ? second : first;
    uint64_t sum = 0, done = 0;

    while (done < bytes) {
        struct session *session = sessions[amp_random_below(&of[mutator].random, n)];
        uint64_t number = of[mutator].number++;

        sum += answer(make_request(session, number));
        done += REQUEST_B;
        if (number % 2 == 0) {
            STORE(session->items[session->answered % KEPT], make_item(number));
            done += ITEM_B;
        }
    }
    return sum;
}

static uint64_t live_b(void)
{
    return MUTATORS * n * SESSION_B;
}

const struct workload server = {
    .name = "server", .purpose = "Two threads answer requests that die young; sessions keep a little of each.",
    .mutators = MUTATORS, .types = types, .n_types = sizeof types / sizeof *types,
    .roots = roots, .n_roots = sizeof roots / sizeof *roots,
    .set_up = server_set_up, .run = server_run, .live_b = live_b,
};
