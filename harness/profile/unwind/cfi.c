/* SPDX-License-Identifier: MIT
 *
 * source   DWARF 5, 6.4 (call frame information); Linux Standard Base 5.0, 10.6 (.eh_frame)
 */
#include "harness/profile/unwind/cfi.h"

#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)
enum { FP = 6, SP = 7, RA = 16 };
#elif defined(__aarch64__)
enum { FP = 29, SP = 31, RA = 30 };
#else
#error "the registers of this processor's unwind tables are not known"
#endif

/* libgcc's: the description of the function that holds an address. Its header is not installed. */
struct dwarf_eh_bases {
    void *tbase, *dbase, *func;
};
extern const void *_Unwind_Find_FDE(void *pc, struct dwarf_eh_bases *bases);

struct cursor {
    const uint8_t *at, *end;
};

enum rule { SAME, UNDEFINED, AT_CFA, AT_FP, OTHER };

/* What has been read up to here. */
struct state {
    uint64_t cfa_register;
    int64_t cfa_offset;
    enum { BY_REGISTER, BY_FP_MEMORY, BY_OTHER } cfa;
    struct {
        enum rule rule;
        int64_t offset;
    } fp, ra;
};

#define REMEMBERED 8

struct program {
    uint64_t code_align;
    int64_t data_align;
    uint64_t ra_register;
    uint8_t pointers; /* how the FDE writes addresses */
    bool is_augmented, is_signal;
    struct state initial, remembered[REMEMBERED];
    unsigned n_remembered;
};

static uint8_t take(struct cursor *c)
{
    return c->at < c->end ? *c->at++ : 0;
}

static uint64_t take_fixed(struct cursor *c, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t) take(c) << (8 * i);
    return value;
}

/* A LEB128 number: its bits, how many these are, and the last byte, whose bit 6 is a signed number's sign. */
static uint64_t take_leb128(struct cursor *c, unsigned *bits, uint8_t *last)
{
    uint64_t value = 0;

    *bits = 0;
    do {
        *last = take(c);
        if (*bits < 64)
            value |= (uint64_t) (*last & 0x7f) << *bits;
        *bits += 7;
    } while (*last & 0x80);
    return value;
}

static uint64_t take_unsigned(struct cursor *c)
{
    unsigned bits;
    uint8_t last;

    return take_leb128(c, &bits, &last);
}

static int64_t take_signed(struct cursor *c)
{
    unsigned bits;
    uint8_t last;
    uint64_t value = take_leb128(c, &bits, &last);

    if (bits < 64 && (last & 0x40))
        value |= ~(uint64_t) 0 << bits;
    return (int64_t) value;
}

/* A length, and as many bytes. */
static struct cursor take_block(struct cursor *c)
{
    uint64_t length = take_unsigned(c);
    struct cursor block = { c->at, c->at };

    if (length > (uint64_t) (c->end - c->at))
        length = (uint64_t) (c->end - c->at);
    block.end = c->at += length;
    return block;
}

static unsigned pointer_size(uint8_t encoding)
{
    static const uint8_t sizes[8] = { 8, 0, 2, 4, 8, 0, 0, 0 };

    return sizes[encoding & 7];
}

/* "what the frame pointer holds, plus n", then perhaps "the word there". */
static bool is_fp_plus(struct cursor block, bool dereferenced, int64_t *offset)
{
    if (take(&block) != 0x70 + FP) /* DW_OP_breg0 + n */
        return false;
    *offset = take_signed(&block);
    if (dereferenced && take(&block) != 0x06) /* DW_OP_deref */
        return false;
    return block.at == block.end;
}

static void set_rule(const struct program *p, struct state *s, uint64_t number, enum rule rule, int64_t offset)
{
    if (number == FP) {
        s->fp.rule = rule;
        s->fp.offset = offset;
    } else if (number == p->ra_register) {
        s->ra.rule = rule;
        s->ra.offset = offset;
    }
}

static void restore(const struct program *p, struct state *s, uint64_t number)
{
    if (number == FP)
        s->fp = p->initial.fp;
    else if (number == p->ra_register)
        s->ra = p->initial.ra;
}

static void set_expression(const struct program *p, struct state *s, struct cursor *c)
{
    uint64_t number = take_unsigned(c);
    int64_t offset = 0;
    bool is_fp = is_fp_plus(take_block(c), false, &offset);

    set_rule(p, s, number, is_fp ? AT_FP : OTHER, offset);
}

/* An instruction that says where the CFA is. False: it is another one. */
static bool step_cfa(const struct program *p, struct state *s, uint8_t op, struct cursor *c)
{
    switch (op) {
    case 0x0c: /* DW_CFA_def_cfa */
        s->cfa = BY_REGISTER;
        s->cfa_register = take_unsigned(c);
        s->cfa_offset = (int64_t) take_unsigned(c);
        return true;
    case 0x0d: /* DW_CFA_def_cfa_register */
        s->cfa = BY_REGISTER;
        s->cfa_register = take_unsigned(c);
        return true;
    case 0x0e: /* DW_CFA_def_cfa_offset */
        s->cfa_offset = (int64_t) take_unsigned(c);
        return true;
    /* DW_CFA_def_cfa_expression: where gcc aligns a stack, it keeps the CFA in a word below the frame pointer. */
    case 0x0f:
        s->cfa = is_fp_plus(take_block(c), true, &s->cfa_offset) ? BY_FP_MEMORY : BY_OTHER;
        return true;
    case 0x12: /* DW_CFA_def_cfa_sf */
        s->cfa = BY_REGISTER;
        s->cfa_register = take_unsigned(c);
        s->cfa_offset = take_signed(c) * p->data_align;
        return true;
    case 0x13: /* DW_CFA_def_cfa_offset_sf */
        s->cfa_offset = take_signed(c) * p->data_align;
        return true;
    }
    return false;
}

/* An instruction about a register. False: it is one that nobody knows, nor how long it is. */
static bool step_register(struct program *p, struct state *s, uint8_t op, struct cursor *c)
{
    uint64_t number;

    switch (op) {
    case 0x05: /* DW_CFA_offset_extended */
        number = take_unsigned(c);
        set_rule(p, s, number, AT_CFA, (int64_t) take_unsigned(c) * p->data_align);
        break;
    case 0x11: /* DW_CFA_offset_extended_sf */
        number = take_unsigned(c);
        set_rule(p, s, number, AT_CFA, take_signed(c) * p->data_align);
        break;
    case 0x07: /* DW_CFA_undefined */
        set_rule(p, s, take_unsigned(c), UNDEFINED, 0);
        break;
    case 0x08: /* DW_CFA_same_value */
        set_rule(p, s, take_unsigned(c), SAME, 0);
        break;
    case 0x10: /* DW_CFA_expression */
        set_expression(p, s, c);
        break;
    case 0x16: /* DW_CFA_val_expression */
        number = take_unsigned(c);
        take_block(c);
        set_rule(p, s, number, OTHER, 0);
        break;
    case 0x09: /* DW_CFA_register */
    case 0x14: /* DW_CFA_val_offset */
    case 0x15: /* DW_CFA_val_offset_sf: of one length with the unsigned form */
        number = take_unsigned(c);
        take_unsigned(c);
        set_rule(p, s, number, OTHER, 0);
        break;
    case 0x00: /* DW_CFA_nop */
    case 0x2d: /* DW_CFA_AARCH64_negate_ra_state */
        break;
    case 0x2e: /* DW_CFA_GNU_args_size */
        take_unsigned(c);
        break;
    default:
        return false;
    }
    return true;
}

/* An instruction that takes back what others said. */
static bool step_back(struct program *p, struct state *s, uint8_t op, struct cursor *c)
{
    if (op == 0x06) { /* DW_CFA_restore_extended */
        restore(p, s, take_unsigned(c));
        return true;
    }
    if (op == 0x0a && p->n_remembered < REMEMBERED) { /* DW_CFA_remember_state */
        p->remembered[p->n_remembered++] = *s;
        return true;
    }
    if (op == 0x0b && p->n_remembered > 0) { /* DW_CFA_restore_state */
        *s = p->remembered[--p->n_remembered];
        return true;
    }
    return false;
}

/* Execute instructions up to the place `target`, counted from the function's start. False: one is unknown. */
static bool execute(struct program *p, struct state *s, struct cursor c, uint64_t target)
{
    uint64_t at = 0;

    while (c.at < c.end) {
        uint8_t op = take(&c), low = op & 0x3f;

        switch (op >> 6) {
        case 1: /* DW_CFA_advance_loc */
            at += low * p->code_align;
            break;
        case 2: /* DW_CFA_offset */
            set_rule(p, s, low, AT_CFA, (int64_t) take_unsigned(&c) * p->data_align);
            break;
        case 3: /* DW_CFA_restore */
            restore(p, s, low);
            break;
        default:
            if (op >= 0x02 && op <= 0x04) /* DW_CFA_advance_loc1, 2, 4 */
                at += take_fixed(&c, 1u << (op - 2)) * p->code_align;
            else if (!step_cfa(p, s, op, &c) && !step_back(p, s, op, &c) && !step_register(p, s, op, &c))
                return false;
        }
        if (at > target)
            break;
    }
    return true;
}

/* A length and what follows it. */
static struct cursor entry_at(const uint8_t *at)
{
    uint32_t length;

    memcpy(&length, at, sizeof length);
    return (struct cursor){ at + 4, length == 0xffffffff ? at + 4 : at + 4 + length };
}

/* What the letters of an augmentation stand for. */
static bool read_augmentation(struct program *p, const char *letters, struct cursor data)
{
    for (; *letters; letters++) {
        switch (*letters) {
        case 'R':
            p->pointers = take(&data);
            break;
        case 'L':
            take(&data);
            break;
        case 'P':
            data.at += pointer_size(take(&data));
            break;
        case 'S':
            p->is_signal = true;
            break;
        case 'B': /* AArch64: return addresses are signed with another key */
            break;
        default:
            return false;
        }
    }
    return true;
}

static bool read_cie(struct program *p, const uint8_t *cie)
{
    struct cursor c = entry_at(cie);
    const char *letters;
    uint8_t version;

    c.at += 4;
    version = take(&c);
    letters = (const char *) c.at;
    c.at += strnlen(letters, (size_t) (c.end - c.at)) + 1;
    if (version == 4)
        c.at += 2;
    p->code_align = take_unsigned(&c);
    p->data_align = take_signed(&c);
    p->ra_register = version == 1 ? take(&c) : take_unsigned(&c);
    if (letters[0] == 'z') {
        p->is_augmented = true;
        if (!read_augmentation(p, letters + 1, take_block(&c)))
            return false;
    } else if (letters[0] != '\0') {
        return false;
    }
    return execute(p, &p->initial, c, UINT64_MAX);
}

static struct amp_row row_of(const struct state *s)
{
    struct amp_row row = { .cfa = AMP_CFA_UNKNOWN };

    if (s->ra.rule == UNDEFINED)
        return (struct amp_row){ .cfa = AMP_CFA_OUTERMOST };
    if (s->ra.rule != AT_CFA || s->ra.offset % 8 != 0 || s->ra.offset < -1024 || s->ra.offset >= 1024)
        return row;
    if (s->cfa_offset != (int32_t) s->cfa_offset || s->fp.offset != (int16_t) s->fp.offset)
        return row;
    row.cfa_offset = (int32_t) s->cfa_offset;
    row.fp_offset = (int16_t) s->fp.offset;
    row.ra_offset = (int8_t) (s->ra.offset / 8);
    row.fp = s->fp.rule == AT_CFA ? AMP_FP_AT_CFA : s->fp.rule == AT_FP ? AMP_FP_AT_FP : AMP_FP_KEPT;
    if (s->cfa == BY_FP_MEMORY)
        row.cfa = AMP_CFA_AT_FP;
    else if (s->cfa == BY_REGISTER && s->cfa_register == SP)
        row.cfa = AMP_CFA_SP;
    else if (s->cfa == BY_REGISTER && s->cfa_register == FP)
        row.cfa = AMP_CFA_FP;
    return row;
}

struct amp_row amp_cfi_row(uintptr_t pc)
{
    struct dwarf_eh_bases bases = { 0 };
    const uint8_t *fde = _Unwind_Find_FDE((void *) pc, &bases);
    struct program program = { .code_align = 1 };
    struct state state;
    struct cursor c;
    int32_t to_cie;

    if (!fde)
        return (struct amp_row){ .cfa = AMP_CFA_NONE };
    c = entry_at(fde);
    memcpy(&to_cie, c.at, sizeof to_cie);
    if (!read_cie(&program, c.at - to_cie))
        return (struct amp_row){ .cfa = AMP_CFA_UNKNOWN };
    if (program.is_signal)
        return (struct amp_row){ .cfa = AMP_CFA_SIGNAL };
    c.at += 4 + 2 * pointer_size(program.pointers);
    if (program.is_augmented)
        take_block(&c);
    state = program.initial;
    if (!execute(&program, &state, c, pc - (uintptr_t) bases.func))
        return (struct amp_row){ .cfa = AMP_CFA_UNKNOWN };
    return row_of(&state);
}
