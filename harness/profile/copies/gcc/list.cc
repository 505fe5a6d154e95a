/* SPDX-License-Identifier: MIT
 *
 * The plugin for gcc: lists the struct copies of a file, and which of them are left at the end.
 *
 *   source --> gimple --[asked]--> inlining, scalar replacement, ... --[left]--> instructions
 *                        |                                              |
 *                        `-----------> copy_list of the object <--------'      text, in a section that is not loaded
 *
 * With -flto the linker starts another gcc, with the plugin, for what is on the right; the program gets both lists.
 *
 * A line of the list: asked, left, bytes, line, column, file, kind, type, function, with tabs between and a line feed
 * at the end, so that the linker joins the lists of all files. The code stays as it is: statements are only read. */
#include <cstdio>
#include <map>
#include <string>

#include "gcc-plugin.h"
#include "plugin-version.h"

#include "tree.h"

#include "basic-block.h"
#include "cgraph.h"
#include "context.h"
#include "function.h"
#include "gimple.h"

#include "gimple-iterator.h"
#include "output.h"
#include "tree-pass.h"

__attribute__((__visibility__("default"))) int plugin_is_GPL_compatible;

namespace {

const unsigned HOST_WIDE_INT in_registers_b = 16; /* up to so many a copy is a move or two of registers */

struct found {
    unsigned asked, left;
    std::string function; /* in which it stands in the source */
};

std::map<std::string, found> copies;

unsigned HOST_WIDE_INT size_of(tree type)
{
    tree size = TYPE_SIZE_UNIT(type);

    return size && tree_fits_uhwi_p(size) ? tree_to_uhwi(size) : 0;
}

struct what {
    tree type;
    const char *kind;
};

/* What `size_b` bytes are, which are copied as an object of type `as`, at the begin of, or within, one of type `whole`.
 * A call of memcpy becomes a move of an array of bytes, whose object tells more. */
what describe(tree as, tree whole, unsigned HOST_WIDE_INT size_b)
{
    if (RECORD_OR_UNION_TYPE_P(as) && size_of(as) == size_b)
        return { as, "assignment" };
    if (whole && RECORD_OR_UNION_TYPE_P(whole) && size_of(whole) >= size_b)
        return { whole, size_of(whole) == size_b ? "assignment" : "part" };
    while (TREE_CODE(as) == ARRAY_TYPE)
        as = TREE_TYPE(as);
    return { as, !RECORD_OR_UNION_TYPE_P(as) || size_of(as) == size_b ? "assignment"
                 : size_of(as) < size_b                                 ? "several"
                                                                        : "part" };
}

/* The type of the object that an expression is a part of; NULL_TREE: unknown. */
tree whole_of(tree part)
{
    tree base = get_base_address(part);

    if (!base)
        return NULL_TREE;
    if (TREE_CODE(base) != MEM_REF)
        return TREE_TYPE(base);
    tree pointer = TREE_TYPE(TREE_OPERAND(base, 0));
    return POINTER_TYPE_P(pointer) ? TREE_TYPE(pointer) : NULL_TREE;
}

std::string name_of(tree type)
{
    tree main = TYPE_MAIN_VARIANT(type), name = TYPE_NAME(main);

    for (tree other = main; !name && other; other = TYPE_NEXT_VARIANT(other)) /* typedef struct { ... } name */
        name = TYPE_NAME(other);
    if (name && TREE_CODE(name) == TYPE_DECL) /* a typedef, or a class of C++ */
        name = DECL_NAME(name);
    else if (name && RECORD_OR_UNION_TYPE_P(main))
        return std::string(TREE_CODE(main) == UNION_TYPE ? "union " : "struct ") + IDENTIFIER_POINTER(name);
    return name ? IDENTIFIER_POINTER(name) : "?";
}

void add(gimple *statement, tree type, const char *kind, unsigned HOST_WIDE_INT size_b, bool is_left)
{
    expanded_location at = expand_location(gimple_location(statement));
    char place[64];

    if (size_b <= in_registers_b || !at.file)
        return;
    snprintf(place, sizeof place, "%lu\t%d\t%d\t", (unsigned long) size_b, at.line, at.column);
    found &one = copies[std::string(place) + at.file + '\t' + kind + '\t' + name_of(type)];
    if (one.function.empty())
        one.function = function_name(cfun);
    ++(is_left ? one.left : one.asked);
}

/* What the function returns: its result, or a temporary that only hands it on. */
bool is_result(tree object, tree returned)
{
    if (object == returned || TREE_CODE(object) == RESULT_DECL)
        return true;
    if (TREE_CODE(object) != MEM_REF || TREE_CODE(TREE_OPERAND(object, 0)) != SSA_NAME)
        return false;
    tree through = SSA_NAME_VAR(TREE_OPERAND(object, 0));
    return through && TREE_CODE(through) == RESULT_DECL;
}

bool is_constant(tree from)
{
    return TREE_CODE(from) == STRING_CST || (TREE_CODE(from) == VAR_DECL && DECL_IN_CONSTANT_POOL(from));
}

void add_assignment(gimple *statement, tree returned, bool is_left)
{
    tree to = gimple_assign_lhs(statement), from = gimple_assign_rhs1(statement);

    if (!AGGREGATE_TYPE_P(TREE_TYPE(to)) || TREE_CODE(from) == CONSTRUCTOR)
        return;
    unsigned HOST_WIDE_INT size_b = size_of(TREE_TYPE(to));
    what found = describe(TREE_TYPE(to), whole_of(to), size_b);
    if (!RECORD_OR_UNION_TYPE_P(found.type))
        found = describe(TREE_TYPE(from), whole_of(from), size_b);
    if (is_constant(from))
        found.kind = "initialiser";
    else if (is_result(to, returned))
        found.kind = "return";
    add(statement, found.type, found.kind, size_b, is_left);
}

/* A struct by value; or memcpy, where one of its pointers tells of what. */
void add_call(gimple *statement, bool is_left)
{
    for (unsigned i = 0; i < gimple_call_num_args(statement); i++) {
        tree type = TREE_TYPE(gimple_call_arg(statement, i));

        if (AGGREGATE_TYPE_P(type))
            add(statement, type, "argument", size_of(type), is_left);
    }
    if (!gimple_call_builtin_p(statement, BUILT_IN_MEMCPY) || !tree_fits_uhwi_p(gimple_call_arg(statement, 2)))
        return;
    unsigned HOST_WIDE_INT size_b = tree_to_uhwi(gimple_call_arg(statement, 2));
    for (unsigned i = 0; i < 2; i++) {
        tree pointer = gimple_call_arg(statement, i);
        bool is_address = TREE_CODE(pointer) == ADDR_EXPR;
        tree object = is_address ? TREE_OPERAND(pointer, 0) : pointer;
        what found = is_address ? describe(TREE_TYPE(object), whole_of(object), size_b)
                                : describe(TREE_TYPE(TREE_TYPE(pointer)), NULL_TREE, size_b);

        if (RECORD_OR_UNION_TYPE_P(found.type)) {
            add(statement, found.type, found.kind, size_b, is_left);
            return;
        }
    }
}

void read_function(function *of, bool is_left)
{
    tree returned = NULL_TREE;
    basic_block block;

    FOR_EACH_BB_FN(block, of)
        for (gimple_stmt_iterator i = gsi_last_bb(block); !gsi_end_p(i); gsi_prev(&i))
            if (gimple_code(gsi_stmt(i)) == GIMPLE_RETURN)
                returned = gimple_return_retval(as_a<greturn *>(gsi_stmt(i)));
    FOR_EACH_BB_FN(block, of)
        for (gimple_stmt_iterator i = gsi_start_bb(block); !gsi_end_p(i); gsi_next(&i)) {
            gimple *statement = gsi_stmt(i);

            if (gimple_assign_single_p(statement))
                add_assignment(statement, returned, is_left);
            else if (is_gimple_call(statement))
                add_call(statement, is_left);
        }
}

const pass_data asked_data = { GIMPLE_PASS, "copies_asked", OPTGROUP_NONE, TV_NONE, PROP_cfg, 0, 0, 0, 0 };
const pass_data left_data = { GIMPLE_PASS, "copies_left", OPTGROUP_NONE, TV_NONE, PROP_cfg, 0, 0, 0, 0 };

struct list_pass : gimple_opt_pass {
    list_pass(const pass_data &data, gcc::context *context)
        : gimple_opt_pass(data, context), is_left(&data == &left_data)
    {
    }
    unsigned execute(function *of) override
    {
        read_function(of, is_left);
        return 0;
    }
    bool is_left;
};

std::string quoted(const std::string &text)
{
    std::string out;
    char octal[8];

    for (unsigned char c : text)
        if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') {
            out += c;
        } else {
            snprintf(octal, sizeof octal, "\\%03o", c);
            out += octal;
        }
    return out;
}

/* What has not been written yet, as the assembler takes it. Empty: nothing. */
std::string take_list()
{
    std::string lines;

    for (auto &one : copies) {
        if (one.second.asked > 0 || one.second.left > 0)
            lines += "\t.ascii \"" + quoted(std::to_string(one.second.asked) + '\t' + std::to_string(one.second.left) +
                                            '\t' + one.first + '\t' + one.second.function + '\n') + "\"\n";
        one.second.asked = one.second.left = 0;
    }
    return lines.empty() ? lines : "\t.pushsection copy_list,\"\",@progbits\n" + lines + "\t.popsection\n";
}

/* Where the linker compiles, only assembly of the source's own goes the way from here to there. */
void hand_on_list(void *, void *)
{
    if (!flag_generate_lto || in_lto_p)
        return;
    std::string list = take_list();
    if (!list.empty())
        symtab->finalize_toplevel_asm(build_string((int) list.size() + 1, list.c_str()));
}

void write_list(void *, void *)
{
    if (asm_out_file)
        fputs(take_list().c_str(), asm_out_file);
}

void add_pass(plugin_name_args *plugin, const pass_data &data, const char *reference, pass_positioning_ops where)
{
    register_pass_info info = { new list_pass(data, g), reference, 1, where };

    register_callback(plugin->base_name, PLUGIN_PASS_MANAGER_SETUP, NULL, &info);
}

}

__attribute__((__visibility__("default"))) int plugin_init(plugin_name_args *plugin, plugin_gcc_version *version)
{
    if (!plugin_default_version_check(version, &gcc_version))
        return 1;
    add_pass(plugin, asked_data, "cfg", PASS_POS_INSERT_AFTER);
    add_pass(plugin, left_data, "optimized", PASS_POS_INSERT_BEFORE);
    register_callback(plugin->base_name, PLUGIN_ALL_IPA_PASSES_START, hand_on_list, NULL);
    register_callback(plugin->base_name, PLUGIN_FINISH_UNIT, write_list, NULL);
    return 0;
}
