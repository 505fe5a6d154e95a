/* SPDX-License-Identifier: MIT */
#include "harness/escape/bodies/body.h"

#include <stdlib.h>
#include <string.h>

#include "harness/escape/targets/libc.h"

enum { WORD_B = 8, WORDS_COPIED = 64 };

struct amp_site *amp_body_site(struct amp_body *body, LLVMValueRef call)
{
    for (int s = body->sites - 1; s >= 0; s--)
        if (body->site[s].call == call)
            return &body->site[s];
    return NULL;
}

int amp_body_fresh(struct amp_body *body, struct amp_site site)
{
    struct amp_site *known = body->one_of_several ? amp_body_site(body, site.call) : NULL;

    body->made++;
    if (known) {
        if (!amp_size_is_same(&known->size, &site.size))
            known->size.n = 0;
        known->most_b = known->most_b == 0 || site.most_b == 0 ? 0
                        : site.most_b > known->most_b          ? site.most_b
                                                               : known->most_b;
        known->resizes = known->resizes || site.resizes;
        if (known->contents != site.contents)
            known->contents = AMP_SET;
        return known->memory;
    }
    site.memory = amp_graph_new_memory(&body->graph, AMP_HEAP, site.call);
    body->site = amp_escape_grow(body->site, &body->site_room, body->sites, sizeof *body->site);
    body->site[body->sites++] = site;
    return site.memory;
}

void amp_body_add_free(struct amp_body *body, struct amp_free freed)
{
    body->free = amp_escape_grow(body->free, &body->free_room, body->frees, sizeof *body->free);
    body->free[body->frees++] = freed;
}

int amp_body_freed(const struct amp_body *body, const struct amp_facts *facts)
{
    int n = 0;

    for (int f = 0; f < facts->n; f++)
        n += body->graph.memory[facts->at[f].memory].kind != AMP_LOCAL;
    return n;
}

static void copy(struct amp_body *body, LLVMValueRef at, int to, int from, int32_t offset)
{
    if (from >= 0)
        amp_graph_add(&body->graph, (struct amp_constraint){
                                        .step = AMP_STEP_COPY, .to = to, .from = from, .offset = offset, .at = at });
}

static void store(struct amp_body *body, LLVMValueRef at, int to, int from)
{
    if (from >= 0 && to >= 0)
        amp_graph_add(&body->graph,
                      (struct amp_constraint){ .step = AMP_STEP_STORE, .to = to, .from = from, .at = at });
}

static int argument(struct amp_body *body, LLVMValueRef call, unsigned i)
{
    return i < LLVMGetNumArgOperands(call) ? amp_body_operand(body, LLVMGetOperand(call, i)) : -1;
}

void amp_body_unknown(struct amp_body *body, LLVMValueRef call)
{
    const unsigned n = LLVMGetNumArgOperands(call);

    for (unsigned i = 0; i < n; i++)
        store(body, call, body->graph.outside, argument(body, call, i));
    if (LLVMGetTypeKind(LLVMTypeOf(call)) != LLVMVoidTypeKind)
        copy(body, call, amp_body_operand(body, call), body->graph.outside, AMP_ANY);
}

static void copy_word(struct amp_body *body, LLVMValueRef call, int to, int from, int32_t offset, int64_t size)
{
    const int word = amp_graph_new_value(&body->graph);

    amp_graph_add(&body->graph, (struct amp_constraint){ .step = AMP_STEP_LOAD, .to = word, .from = from,
                                                         .offset = offset, .size = size, .at = call });
    amp_graph_add(&body->graph, (struct amp_constraint){ .step = AMP_STEP_STORE, .to = to, .from = word,
                                                         .offset = offset, .size = size, .at = call });
}

/* What memory holds is copied word by word where the number of bytes is known. */
static void copy_memory(struct amp_body *body, LLVMValueRef call, int to, int from, LLVMValueRef size)
{
    const uint64_t bytes = size && LLVMIsAConstantInt(size) ? LLVMConstIntGetZExtValue(size) : 0;

    if (from < 0 || to < 0)
        return;
    if (bytes == 0 || bytes > WORDS_COPIED * WORD_B) {
        copy_word(body, call, to, from, AMP_ANY, 0);
        return;
    }
    for (uint64_t at = 0; at < bytes; at += WORD_B)
        copy_word(body, call, to, from, (int32_t) at, WORD_B);
}

static bool starts(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static bool starts_one(const char *name, const char *const *prefixes)
{
    for (; *prefixes; prefixes++)
        if (starts(name, *prefixes))
            return true;
    return false;
}

static void intrinsic(struct amp_body *body, LLVMValueRef call, const char *name)
{
    static const char *const nothing[] = { "llvm.lifetime.", "llvm.dbg.", "llvm.assume", "llvm.va_end",
                                           "llvm.stackrestore", "llvm.prefetch", "llvm.trap", "llvm.debugtrap",
                                           "llvm.donothing", "llvm.experimental.noalias", "llvm.invariant.",
                                           "llvm.stacksave", "llvm.objectsize", "llvm.is.constant", "llvm.frameaddress",
                                           "llvm.returnaddress", "llvm.ubsantrap", "llvm.memset", NULL };
    /* Their result depends on their arguments, and they do nothing else. */
    static const char *const pure[] = {
        "llvm.abs", "llvm.bitreverse", "llvm.bswap", "llvm.ceil", "llvm.copysign", "llvm.cos", "llvm.ctlz",
        "llvm.ctpop",
        "llvm.cttz", "llvm.exp", "llvm.expect", "llvm.fabs", "llvm.floor", "llvm.fma", "llvm.fmuladd", "llvm.fsh",
        "llvm.launder", "llvm.llrint", "llvm.llround", "llvm.log", "llvm.lrint", "llvm.lround", "llvm.maxnum",
        "llvm.minnum",
        "llvm.nearbyint", "llvm.pow", "llvm.ptrmask", "llvm.rint", "llvm.round", "llvm.sadd", "llvm.sin", "llvm.smax",
        "llvm.smin", "llvm.smul", "llvm.sqrt", "llvm.sshl", "llvm.ssub", "llvm.strip", "llvm.trunc", "llvm.uadd",
        "llvm.umax", "llvm.umin", "llvm.umul", "llvm.usub", "llvm.ushl", "llvm.vector.reduce", "llvm.is.fpclass",
        "llvm.ptr.annotation", "llvm.threadlocal.address", NULL
    };
    const unsigned n = LLVMGetNumArgOperands(call);

    if (starts(name, "llvm.memcpy") || starts(name, "llvm.memmove")) {
        copy_memory(body, call, argument(body, call, 0), argument(body, call, 1), LLVMGetOperand(call, 2));
    } else if (starts(name, "llvm.va_start")) {
        store(body, call, argument(body, call, 0), body->graph.outside);
    } else if (starts(name, "llvm.va_copy")) {
        copy_memory(body, call, argument(body, call, 0), argument(body, call, 1), NULL);
    } else if (starts_one(name, pure)) {
        for (unsigned i = 0; i < n; i++)
            copy(body, call, amp_body_operand(body, call), argument(body, call, i), AMP_ANY);
    } else if (!starts_one(name, nothing)) {
        amp_body_unknown(body, call);
    }
}

static void fresh(struct amp_body *body, LLVMValueRef call, const char *word, bool resizes)
{
    const unsigned n = LLVMGetNumArgOperands(call);
    struct amp_size size = { 0 }, asked = { 0 };
    int memory;

    if (word[1] != '?' && (unsigned) (word[1] - '0') < n)
        size = amp_size_of(LLVMGetOperand(call, (unsigned) (word[1] - '0')));
    if (word[1] != '?' && word[2] == '*' && (unsigned) (word[3] - '0') < n)
        size = amp_size_join(size, amp_size_of(LLVMGetOperand(call, (unsigned) (word[3] - '0'))), '*');
    if (word[1] != '?') /* "a0" and "a0 a1 *" as a size */
        asked = (struct amp_size){ .n = word[2] == '*' ? 3 : 1, .step = { { 'a', (uint64_t) (word[1] - '0') } } };
    if (asked.n == 3) {
        asked.step[1].what = 'a';
        asked.step[1].value = (uint64_t) (word[3] - '0');
        asked.step[2].what = '*';
    }
    memory = amp_body_fresh(body, (struct amp_site){ .call = call, .size = size, .resizes = resizes,
                                                     .most_b = amp_size_most_at_call(&asked, call),
                                                     .contents = resizes || word[1] == '?'         ? AMP_SET
                                                                 : word[1] == '0' && word[2] == '*' ? AMP_ZERO
                                                                                                    : AMP_UNSET });
    amp_graph_add(&body->graph, (struct amp_constraint){
                                    .step = AMP_STEP_ADDRESS, .to = amp_body_operand(body, call), .from = memory,
                                    .at = call });
}

static void library(struct amp_body *body, LLVMValueRef call, const struct amp_libc *known)
{
    const bool resizes = strstr(known->effects, " m") && !LLVMIsNull(LLVMGetOperand(call, 0));

    for (const char *word = known->effects; *word; word += strcspn(word, " "), word += strspn(word, " ")) {
        const unsigned n = (unsigned) (word[1] - '0');
        const int first = word[0] == 'a' || word[1] == ':' ? -1 : argument(body, call, n);

        if (word[0] == 'a') {
            fresh(body, call, word, resizes);
        } else if (word[0] == 'r') {
            copy(body, call, amp_body_operand(body, call), first, AMP_ANY);
        } else if (word[0] == 'o') {
            copy(body, call, amp_body_operand(body, call), body->graph.outside, AMP_ANY);
        } else if (word[0] == 'i') {
            store(body, call, first, body->graph.outside);
        } else if (word[0] == 'w') {
            copy_memory(body, call, body->graph.outside, first, NULL);
        } else if (word[0] == 'v') {
            for (unsigned i = 2; i < LLVMGetNumArgOperands(call); i++)
                store(body, call, argument(body, call, i), body->graph.outside);
        } else if (word[0] == 's') {
            store(body, call, first, argument(body, call, (unsigned) (word[3] - '0')));
        } else if (word[0] == 'c' && word[1] == ':') { /* into the result */
            copy_memory(body, call, amp_body_operand(body, call), argument(body, call, (unsigned) (word[2] - '0')),
                        NULL);
        } else if (word[0] == 'c') {
            copy_memory(body, call, first, argument(body, call, (unsigned) (word[3] - '0')),
                        LLVMGetNumArgOperands(call) > 2 ? LLVMGetOperand(call, 2) : NULL);
        } else if (word[0] == 'f' && first >= 0) {
            amp_body_add_free(body, (struct amp_free){ .call = call, .value = first,
                                                       .how = resizes || body->one_of_several ? AMP_FREES_ELSE
                                                                                              : AMP_FREES_ALONE });
        }
    }
}

/* A definition that the linker may exchange for another says nothing. */
static bool is_final(LLVMValueRef function)
{
    const LLVMLinkage linkage = LLVMGetLinkage(function);

    return linkage == LLVMExternalLinkage || linkage == LLVMInternalLinkage || linkage == LLVMPrivateLinkage ||
           linkage == LLVMAvailableExternallyLinkage || linkage == LLVMLinkOnceODRLinkage;
}

static bool returns_twice(LLVMValueRef call, LLVMValueRef called, const char *name)
{
    static const char *const known[] = { "setjmp", "_setjmp", "sigsetjmp", "__sigsetjmp", "vfork", "getcontext",
                                         "llvm.eh.sjlj.setjmp", NULL };
    const unsigned kind = LLVMGetEnumAttributeKindForName("returns_twice", 13);
    const unsigned place = (unsigned) LLVMAttributeFunctionIndex;

    for (int i = 0; known[i]; i++)
        if (strcmp(name, known[i]) == 0)
            return true;
    return LLVMGetCallSiteEnumAttribute(call, place, kind) ||
           (called && LLVMGetEnumAttributeAtIndex(called, place, kind));
}

/* What a call does if it reaches this function. False: nothing is known of it. */
static bool call_one(struct amp_body *body, LLVMValueRef call, LLVMValueRef function)
{
    const struct amp_libc *known = amp_libc_means(function);
    const struct amp_summary *summary;

    if (known) {
        library(body, call, known);
        return true;
    }
    if (LLVMCountBasicBlocks(function) == 0 || !is_final(function))
        return false;
    summary = body->summary_of(body->program, function);
    if (!summary || summary->unknown)
        return false;
    amp_body_apply(body, call, function, summary);
    return true;
}

static void call_through_pointer(struct amp_body *body, LLVMValueRef call)
{
    const struct amp_targets *targets = body->targets_of(body->program, call);
    bool all = targets->n > 0;
    int makers = 0;

    body->one_of_several = targets->n > 1;
    for (int t = 0; t < targets->n; t++) {
        const int made = body->made;

        all = call_one(body, call, targets->at[t]) && all;
        makers += body->made > made;
    }
    body->one_of_several = false;
    if (!all)
        amp_body_unknown(body, call);
    if (makers > 0 && (makers < targets->n || !all))
        amp_body_site(body, call)->mixed = "another function may be called, which does not make it";
}

void amp_body_call(struct amp_body *body, LLVMValueRef call)
{
    LLVMValueRef called = amp_called_function(call);
    size_t length;
    const char *name = called ? LLVMGetValueName2(called, &length) : "";

    body->returns_twice = body->returns_twice || returns_twice(call, called, name);
    if (LLVMIsTailCall(call)) /* before optimisation only "musttail": the frame is gone by then */
        amp_body_unknown(body, call);
    else if (!called)
        call_through_pointer(body, call);
    else if (starts(name, "llvm."))
        intrinsic(body, call, name);
    else if (!call_one(body, call, called))
        amp_body_unknown(body, call);
}
