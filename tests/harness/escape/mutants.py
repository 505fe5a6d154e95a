# SPDX-License-Identifier: MIT
"""Mutants of every rule of the analysis: each is one change to its C that some case of cases.c must notice.

python3 tests/harness/escape/mutants.py, with AMPERSAND_BUILD set, builds each and prints which one lives. With a
pattern, only those of files that match."""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[3])]

import escaping
from places import ROOT
from plots.escape.told import explain

LONGEST_S = 60  # a case takes less than one second
MUTANTS = [  # file, what stands there, what takes its place
    ("graph/solve.c", "solver->memory_changed = ++graph->order;\n        }", "}"),
    ("graph/solve.c", "put_memory(solver, 0, AMP_ANY, graph->memory[m].word_at[w].holds.at[g].memory, AMP_ANY, m);",
     ";"),
    ("graph/solve.c", "a->n == 1 && b->n == 1 && a->at[0].memory == b->at[0].memory", "true"),
    ("graph/solve.c", "if (first != AMP_ANY && number != AMP_ANY && (number < first || number > last))",
     "if (number != first)"),
    ("graph/solve.c", "*last = word_of((int32_t) (offset + size - 1));", "*last = *first;"),
    ("graph/solve.c", "first = last = AMP_ANY;\n    else", "return;\n    else"),
    ("graph/solve.c", "WORDS_APART ? AMP_ANY : word", "WORDS_APART ? 0 : word + 1"),
    ("graph/summary.c", "if (is_callers(&graph->memory[m]))\n            queue[n++] = m;", ";"),
    ("graph/summary.c", "queue[n++] = 0;", ";"),
    ("graph/summary.c", "for (int f = 0; f < returned->n; f++) {\n        if (reach",
     "for (int f = 1; f < returned->n; f++) {\n        if (reach"),
    ("graph/summary.c", "(m == 0 && fact->memory == 0))", "m == 0)"),
    ("bodies/apply.c", "add(a, AMP_STEP_LOAD, a->deep[i], first, AMP_ANY, 0);", ";"),
    ("bodies/apply.c", "return made(a, &a->below, AMP_BELOW);", "return -1;"),
    ("bodies/apply.c", "return made(a, &a->fresh, AMP_HEAP);", "return -1;"),
    ("bodies/apply.c", "add(&a, AMP_STEP_STORE, body->graph.outside, argument(&a, i), 0, 0);", ";"),
    ("bodies/apply.c", "if (freed->node.kind != AMP_NODE_ARGUMENT || a->body->one_of_several)", "if (false)"),
    ("bodies/apply.c", "if (freed->node.kind != AMP_NODE_ARGUMENT || ", "if ("),
    ("bodies/apply.c", " || a->body->one_of_several)", ")"),
    ("bodies/apply.c", ".resizes = a->summary->fresh_resized", ".resizes = false"),
    ("bodies/apply.c", "if (edge->holder.kind != AMP_NODE_RETURNED)\n        a->fills = true;", "if (false) ;"),
    ("bodies/apply.c", "edge->held.kind != AMP_NODE_FRESH || ", ""),
    ("bodies/program.c", "freed->how == AMP_FREES_ELSE ||", ""),
    ("bodies/program.c", "amp_body_freed(body, &body->graph.value[freed->value]) != 1)", "false)"),
    ("bodies/program.c", "frees_only(body, memory) ? AMP_FREES_ALONE", "true ? AMP_FREES_ALONE"),
    ("findings/allocations.c", "body->free[f].how == AMP_FREES_ELSE;", "false;"),
    ("findings/allocations.c", "judge_shared(&function->body, judged);", ";"),
    ("findings/allocations.c", "return judged[s].obstacle ? NULL : &judged[s];", "return &judged[s];"),
    ("findings/allocations.c", "true };\n                changed = true;", "true };"),
    ("bodies/calls.c", "store(body, call, body->graph.outside, argument(body, call, i));", ";"),
    ("bodies/calls.c", "LLVMCountBasicBlocks(function) == 0 || !is_final(function)",
     "LLVMCountBasicBlocks(function) == 0"),
    ("bodies/calls.c", "store(body, call, first, argument(body, call, (unsigned) (word[3] - '0')));", ";"),
    ("bodies/calls.c", "copy(body, call, amp_body_operand(body, call), first, AMP_ANY);", ";"),
    ("bodies/calls.c", ".how = resizes || body->one_of_several ?", ".how = body->one_of_several ?"),
    ("bodies/calls.c", "&& !LLVMIsNull(LLVMGetOperand(call, 0))", ""),
    ("bodies/calls.c", "word[1] == '0' && word[2] == '*' ? AMP_ZERO", "word[2] == '*' ? AMP_ZERO"),
    ("bodies/calls.c", "body->returns_twice = body->returns_twice || returns_twice(call, called, name);",
     "(void) returns_twice;"),
    ("bodies/calls.c", "copy_word(body, call, to, from, (int32_t) at, WORD_B);", ";"),
    ("bodies/instructions.c", "store(body, at, 1, 0);", ";"),
    ("bodies/instructions.c", "store(body, at, 2, 0);", ";"),
    ("bodies/instructions.c",
     "if (!LLVMIsAConstantInt(LLVMGetOperand(at, i)))\n            copy(body, at, i, AMP_ANY);", ";"),
    ("bodies/instructions.c", "copy_all(body, at, 1, 0);", "copy_all(body, at, 2, 0);"),
    ("bodies/instructions.c", "copy(body, at, i, 0);", "if (i > 0) copy(body, at, i, 0);"),
    ("bodies/instructions.c", "copy_all(body, at, 0, AMP_ANY);\n        else", ";\n        else"),
    ("bodies/program.c", "changed |= solve_again(program, circle[f]);", "solve_again(program, circle[f]);"),
    ("bodies/loops.c", "->in_loop || !alone;", "->in_loop;"),
    ("bodies/loops.c", "block->in_loop = true;\n        else", ";\n        else"),
    ("findings/older.c", "if (older->function->body.returns_twice)", "if (false)"),
    ("findings/older.c", "if (holds(&graph->memory[m], memory))\n            return true;", ""),
    ("findings/older.c", "is_live(older, value, site->call))", "false)"),
    ("findings/older.c", "add_held(graph, set);", ""),
    ("findings/older.c", "add_reads_of_call(older, at);", ";"),
    ("findings/older.c", "found = kind == AMP_HEAP || meets(older, made, &events, walk);",
     "found = meets(older, made, &events, walk);"),
    ("findings/older.c", "amp_event_ends(event, walk->first_b, walk->end_b)", "event->kind == AMP_EVENT_END"),
    ("findings/older.c", "!amp_older_lives(older, &body->site[s]))", "true)"),
    ("findings/older.c", "leads(leading, &graph->memory[m].word_at[w].holds)", "false"),
    ("findings/older.c", "if (!LLVMIsAPHINode(user)) {", "if (false) {"),
    ("findings/older.c", "set[held] = changed = true;", ";"),
    ("bodies/order.c", "n = add_neighbours(order, block, back, n);\n    while", ";\n    while"),
    ("bodies/order.c", "if (order->block[to].walk == order->walks)\n            continue;",
     "if (order->block + to == block || order->block[to].walk == order->walks)\n            continue;"),
    ("bodies/order.c", "a->at != b->at ? (a->at > b->at) - (a->at < b->at) : (a->kind > b->kind) - (a->kind < b->kind)",
     "(a->at > b->at) - (a->at < b->at)"),
    ("bodies/sights.c", "if (amp_is_call(body->graph.constraint[read->constraint].at))", "if (false)"),
    ("bodies/sights.c", "event->first_b <= first_b && end_b <= event->end_b", "event->first_b <= first_b"),
    ("bodies/sights.c", "event->first_b <= first_b && end_b <= event->end_b", "end_b <= event->end_b"),
    ("bodies/sights.c", "&& !LLVMGetVolatile(at)", ""),
    ("bodies/sights.c", "c->offset != AMP_ANY && offset != AMP_ANY && c->size > 0", "true"),
    ("bodies/sights.c", "if (more == AMP_ANY)\n            return NULL;\n        *offset += more;", "*offset += more == AMP_ANY ? 0 : more;"),
    ("graph/solve.c", "load_lent(solver, c->to);", ";"),
    ("graph/solve.c", "(solver->memory_changed > c->seen || sees_newer(graph, c))", "solver->memory_changed > c->seen"),
    ("bodies/bound.c", "range.signed_least >= 0 &&", ""),
    ("bodies/bound.c", "turned(predicate)", "predicate"),
    ("bodies/bound.c", "!use || LLVMGetNextUse(use) ||", "!use ||"),
    ("bodies/bound.c", "return opcode != LLVMSExt && bits <= NARROW_BITS;", "return bits <= NARROW_BITS;"),
    ("bodies/bound.c", "LLVMGetOperand(condition, 0) != value ||", ""),
    ("bodies/bound.c", "number - (predicate == LLVMIntULT)", "number"),
    ("bodies/bound.c", "with_sign - (predicate == LLVMIntSLT)", "with_sign"),
    ("bodies/bound.c", "with_sign + (predicate == LLVMIntSGT)", "with_sign"),
    ("bodies/bound.c", "with_sign + (predicate == LLVMIntSGT)", "with_sign + 1"),
    ("bodies/bound.c", "predicate == LLVMIntULE || predicate == LLVMIntEQ", "predicate != LLVMIntULT"),
    ("bodies/bound.c", "(predicate == LLVMIntSLE && with_sign < range->signed_most)", "with_sign < range->signed_most"),
    ("bodies/bound.c", "range.signed_most != INT64_MAX &&", ""),
    ("bodies/bound.c", "return !__builtin_add_overflow(a, b, most);",
     "__builtin_add_overflow(a, b, most); return true;"),
    ("bodies/bound.c", "return !__builtin_mul_overflow(a, b, most);",
     "__builtin_mul_overflow(a, b, most); return true;"),
    ("bodies/bound.c", "return b < 64 && *most >> b == a;", "return b < 64;"),
    ("bodies/bound.c", "*most = number - 1;", "*most = number;"),
    ("bodies/bound.c", "*most /= number;\n        return true;\n    case LLVMUDiv", "return true;\n    case LLVMUDiv"),
    ("bodies/bound.c", "*most /= number;\n        return true;\n    case LLVMLShr", "return true;\n    case LLVMLShr"),
    ("bodies/bound.c", "opcode != LLVMSExt || *most < UINT64_C(1) << (bits - 1)", "true"),
    ("bodies/bound.c", "*most = one > *most ? one : *most;", "*most = one;"),
    ("bodies/bound.c", "*most = other > *most ? other : *most;", "*most = other;"),
    ("bodies/bound.c", "LLVMGetIncomingBlock(value, i)), depth", "LLVMGetIncomingBlock(value, 0)), depth"),
    ("bodies/bound.c", "LLVMGetSuccessor(jump, 0) == to ? predicate", "true ? predicate"),
    ("graph/solve.c", "facts->at[f].offset = AMP_ANY;", ";"),
    ("graph/solve.c", "whole ? 0 : AMP_ANY, m);", "0, m);"),
    ("graph/solve.c", "first <= other_last && other_first <= last", "first == other_first"),
    ("graph/solve.c", "if (!touch(first, last, store_first, store_last))\n        return;", ""),
    ("graph/solve.c", " || graph->memory[m].outside)\n        put_value", ")\n        put_value"),
    ("graph/solve.c", "return memory->kind == AMP_DEEP || memory->kind == AMP_BELOW ||",
     "return memory->kind == AMP_BELOW ||"),
    ("graph/solve.c", "memory->kind == AMP_BELOW ||", ""),
    ("graph/solve.c", "return !solver->last;", "return true;"),
    ("graph/solve.c", "return !solver->last;", "return false;"),
    ("graph/solve.c", "a->n == 1 && b->n == 1 &&", "a->n == 1 &&"),
    ("graph/solve.c", "(c->step == AMP_STEP_STORE && graph->value[c->to].changed > c->seen) ||", ""),
    ("graph/solve.c", "graph->memory[m].kind != AMP_DEEP && !graph->memory[m].lent)",
     "graph->memory[m].kind != AMP_DEEP)"),
    ("graph/solve.c", "held->kind != AMP_HEAP && held->kind != AMP_BELOW", "held->kind != AMP_HEAP"),
    ("graph/solve.c", "if (graph->order == before && !solver.last)", "if (false)"),
    ("graph/solve.c", "c->size >= WORD_B || c->size == 0 ? held.offset : AMP_ANY, m);\n    }\n    solver",
     "held.offset, m);\n    }\n    solver"),
    ("graph/solve.c", "c->size >= WORD_B || c->size == 0 ? held.offset : AMP_ANY, m);\n        }\n    }",
     "held.offset, m);\n        }\n    }"),
    ("graph/solve.c", "w <= last; w++)\n        put_value", "w <= first; w++)\n        put_value"),
    ("graph/solve.c", "for (int32_t w = first; w <= last; w++)\n            put_memory",
     "for (int32_t w = first; w <= first; w++)\n            put_memory"),
    ("graph/solve.c", "memory.kind == AMP_HELD || memory.kind == AMP_DEEP)", "memory.kind == AMP_DEEP)"),
    ("targets/opened.c", "offset %= LLVMABISizeOfType(fields->layout, type);", ""),
    ("bodies/calls.c", ".kind != AMP_LOCAL;", ".kind == AMP_HEAP;"),
    ("targets/fields.c", "if (field->leaves || field->open)", "if (field->open)"),
    ("targets/fields.c", "if (field->leaves || field->open)", "if (field->leaves)"),
    ("targets/fields.c", "return field && !field->open ? field : NULL;", "return field;"),
    ("targets/fields.c", "changed |= give_member(fields, field, field->to[t]);", ";"),
    ("targets/fields.c", "field && field->loaded ? &field->holds : &fields->anywhere", "&fields->anywhere"),
    ("targets/opened.c", "open_all(fields, to, DEPTH_MOST);", ";"),
    ("targets/fields.c", "amp_open_member(fields, LLVMGetOperand(at, is_load ? 0 : 1));", ";"),
    ("targets/fields.c", "amp_open_member(fields, LLVMGetOperand(at, (unsigned) i));", ";"),
    ("targets/fields.c", "amp_open_initialised(fields, constant);", ""),
    ("targets/opened.c", "return is_member ? amp_field_of(fields, &member, true) : NULL;", "return NULL;"),
    ("targets/fields.c", "amp_field_of(fields, &member, true)->any = true;", ";"),
    ("targets/fields.c", "named(&fields->members, value, &member))\n        return true;",
     "named(&fields->members, value, &member))\n        return false;"),
    ("targets/member.c", "if (!is_access && !(is_address_step(user) && is_only_accessed(user)))", "if (false)"),
    ("targets/fields.c", "read_load(fields, field, LLVMGetUser(use), depth - 1);", ";"),
    ("targets/fields.c", "field->any && t < fields->anywhere.n", "false"),
    ("findings/allocations.c", "bytes > AMP_FRAME_MOST_B", "false"),
    ("bodies/apply.c", "edge->offset == AMP_ANY", "false"),
    ("bodies/apply.c", "else if (a.fresh >= 0 && a.fills)", "else if (false)"),
    ("bodies/apply.c", "else if (a.fresh >= 0 && a.others)", "else if (false)"),
    ("bodies/calls.c", "all = call_one(body, call, targets->at[t]) && all;",
     "if (t == 0) call_one(body, call, targets->at[t]);"),
    ("bodies/calls.c", "if (makers > 0 && (makers < targets->n || !all))", "if (false)"),
    ("bodies/calls.c", ".how = resizes || body->one_of_several ?", ".how = resizes ?"),
    ("bodies/calls.c", "known->size.n = 0;", ";"),
    ("targets/world.c", "if (taken > passed ||", "if (taken != passed ||"),
    ("targets/world.c", "if (LLVMIsFunctionVarArg(called) || passed > 64)", "if (passed > 64)"),
    ("targets/world.c", "LLVMIsGlobalConstant(pointer) &&", ""),
    ("targets/world.c", "for (int i = 0; i < n && !LLVMIsAGlobalValue(constant); i++)",
     "for (int i = 0; i < n && i < 1; i++)"),
    ("bodies/size.c", "*result = a & b;", "*result = a;"),
    ("bodies/program.c", "if (found)\n            add_call(function, found);",
     "if (found && called)\n            add_call(function, found);"),
]


def compile_one(folder, source):
    include = subprocess.run(["llvm-config", "--includedir"], capture_output=True, text=True, check=True).stdout.strip()
    subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-DAMP_VERSION=\"0\"", "-w", "-I", folder, "-isystem", include,
                    "-c", "-o",
                    source.with_suffix(".o"), source], check=True)


def changed(folder, file, old, new):
    """The tool with one change."""
    source = folder / "harness/escape" / file
    text = (ROOT / "harness/escape" / file).read_text()
    assert old in text, f"{file}: {old}"
    source.write_text(text.replace(old, new, 1))
    compile_one(folder, source)
    libraries = subprocess.run(["llvm-config", "--ldflags", "--libs"], capture_output=True, text=True,
                               check=True).stdout.split()
    subprocess.run(["cc", "-o", folder / "mutant", *sorted(folder.rglob("*.o")), *libraries, "-ljansson"], check=True)
    source.write_text(text)
    compile_one(folder, source)
    return folder / "mutant"


def noticed_in_any(tool, cases):
    """By which line of which case, or None."""
    return next((by for by in (noticed(tool, *case) for case in cases) if by), None)


def noticed(tool, bitcode, wanted):
    try:
        sites = escaping.analyse(bitcode, tool=tool, timeout=LONGEST_S)["allocations"]
    except (AssertionError, ValueError):
        return "fails"
    except subprocess.TimeoutExpired:
        return "does not end"
    for site in sites:
        obstacle, words = wanted[site["line"]]
        if (site["obstacle"] or "frame") != obstacle or words not in explain.why(site):
            return f"line {site['line']}"
    return None if len(sites) == len(wanted) else "a site is gone"


def main():
    sources = [Path(__file__).with_name(name) for name in escaping.CASES]
    changes = [one for one in MUTANTS if len(sys.argv) < 2 or re.search(sys.argv[1], one[0])]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "harness/escape", folder / "harness/escape")
        shutil.copytree(ROOT / "harness/text", folder / "harness/text")
        for source in folder.rglob("*.c"):
            compile_one(folder, source)
        cases = [(escaping.bitcode(source, folder / f"{source.stem}.bc"), escaping.wanted(source))
                 for source in sources]
        alive = 0
        for file, old, new in changes:
            by = noticed_in_any(changed(folder, file, old, new), cases)
            alive += by is None
            print(f"{by or 'LIVES'}: {file}: {' '.join(old.split())[:70]}", flush=True)
        print(f"{len(changes) - alive} of {len(changes)} mutants are noticed")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
