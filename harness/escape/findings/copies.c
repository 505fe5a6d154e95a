/* SPDX-License-Identifier: MIT */
#include "harness/escape/findings/copies.h"

#include <string.h>

#include <llvm-c/Target.h>

#include "harness/escape/bodies/loops.h"
#include "harness/escape/findings/passed.h"
#include "harness/escape/findings/places.h"
#include "harness/escape/graph/path.h"
#include "harness/text/utf8.h"

struct reading {
    LLVMTargetDataRef layout;
    LLVMValueRef function;
    struct amp_loops *loops;
    json_t *copies, *parameters, *frames, *taken;
    uint64_t frame_b;
};

static json_t *name_of(LLVMValueRef value)
{
    size_t length;

    return amp_text_json(LLVMGetValueName2(value, &length));
}

static void add_copy(struct reading *reading, LLVMValueRef at, const char *what, uint64_t bytes)
{
    json_t *object = json_object();

    amp_place_set(object, at);
    json_object_set_new(object, "function", name_of(reading->function));
    json_object_set_new(object, "what", json_string(what));
    json_object_set_new(object, "bytes", json_integer((json_int_t) bytes));
    json_object_set_new(object, "loop", json_boolean(amp_loops_hold(reading->loops, at)));
    json_array_append_new(reading->copies, object);
}

static uint64_t byval_b(const struct reading *reading, LLVMAttributeRef attribute)
{
    return attribute ? LLVMABISizeOfType(reading->layout, LLVMGetTypeAttributeValue(attribute)) : 0;
}

static void read_call(struct reading *reading, LLVMValueRef call)
{
    const unsigned kind = LLVMGetEnumAttributeKindForName("byval", 5);
    LLVMValueRef called = amp_called_function(call);
    size_t length;
    const char *name = called ? LLVMGetValueName2(called, &length) : "";

    for (unsigned i = 0; i < LLVMGetNumArgOperands(call); i++) {
        const uint64_t bytes = byval_b(reading, LLVMGetCallSiteEnumAttribute(call, i + 1, kind));

        if (bytes > 0)
            add_copy(reading, call, "argument", bytes);
    }
    if (strncmp(name, "llvm.memcpy", 11) == 0 && LLVMIsAConstantInt(LLVMGetOperand(call, 2)))
        add_copy(reading, call, "object", LLVMConstIntGetZExtValue(LLVMGetOperand(call, 2)));
}

/* A fixed local counts into the frame; what the function takes while it runs is named. */
static void read_alloca(struct reading *reading, LLVMValueRef at)
{
    LLVMValueRef n = LLVMGetOperand(at, 0);
    const bool fixed =
        LLVMIsAConstantInt(n) && LLVMGetInstructionParent(at) == LLVMGetEntryBasicBlock(reading->function);
    json_t *object;

    if (fixed) {
        reading->frame_b +=
            LLVMConstIntGetZExtValue(n) * LLVMABISizeOfType(reading->layout, LLVMGetAllocatedType(at));
        return;
    }
    object = json_object();
    amp_place_set(object, at);
    json_object_set_new(object, "what", json_string(LLVMGetValueName(at)[0] == 'v' ? "VLA" : "alloca"));
    json_object_set_new(object, "loop", json_boolean(amp_loops_hold(reading->loops, at)));
    json_array_append_new(reading->taken, object);
}

static void read_parameters(struct reading *reading)
{
    const unsigned kind = LLVMGetEnumAttributeKindForName("byval", 5), n = LLVMCountParams(reading->function);

    for (unsigned i = 0; i < n; i++) {
        LLVMValueRef parameter = LLVMGetParam(reading->function, i);
        const uint64_t bytes = byval_b(reading, LLVMGetEnumAttributeAtIndex(reading->function, i + 1, kind));

        json_t *object;

        if (bytes == 0)
            continue;
        object = json_pack("{s:o, s:o, s:I, s:b}", "function", name_of(reading->function), "name", name_of(parameter),
                           "bytes", (json_int_t) bytes, "changed", amp_passed_is_changed(parameter));
        amp_place_set(object, reading->function);
        json_array_append_new(reading->parameters, object);
    }
}

static void read_function(struct reading *reading, LLVMValueRef function)
{
    json_t *frame;

    reading->function = function;
    reading->frame_b = 0;
    reading->taken = json_array();
    reading->loops = amp_loops_find(function);
    read_parameters(reading);
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(function); b; b = LLVMGetNextBasicBlock(b)) {
        for (LLVMValueRef at = LLVMGetFirstInstruction(b); at; at = LLVMGetNextInstruction(at)) {
            if (amp_is_call(at))
                read_call(reading, at);
            else if (LLVMIsAAllocaInst(at))
                read_alloca(reading, at);
        }
    }
    amp_loops_free(reading->loops);
    frame = json_pack("{s:o, s:I, s:o}", "function", name_of(function), "bytes", (json_int_t) reading->frame_b, "taken",
                      reading->taken);
    amp_place_set(frame, function);
    json_array_append_new(reading->frames, frame);
}

json_t *amp_copies_find(LLVMModuleRef module)
{
    struct reading reading = { .layout = LLVMGetModuleDataLayout(module), .copies = json_array(),
                               .parameters = json_array(), .frames = json_array() };

    for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
        if (LLVMCountBasicBlocks(f) > 0)
            read_function(&reading, f);
    return json_pack("{s:o, s:o, s:o}", "copies", reading.copies, "parameters", reading.parameters, "frames",
                     reading.frames);
}
