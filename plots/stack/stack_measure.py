# SPDX-License-Identifier: MIT
"""Run the programs that time stacks: ampersand's, gcc's segments, Go's goroutines, in turn, in one run.

A launch is one fresh process of each, in an order that turns by one from launch to launch. What is compared is compared
within a launch, so that drift of the machine falls on all."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np

from plots.files import pair_run, strict_json
from plots.program import scratch
from plots.program.errors import Refused
from plots.stats import statistics

ROOT = Path(__file__).resolve().parents[2]
CROWDS = (("idle", 10000, False), ("mixed", 4000, True))
# One processor for Go: a goroutine then never waits for another one to wake up, which is the best that it can do here.
GO_ENVIRONMENT = {"GOMAXPROCS": "1", "GODEBUG": "adaptivestackstart=0"}


class Programs:
    """What is there to be run. `go` is a folder's lifetime: the compiled peer is put into `folder`."""

    def __init__(self, build, folder, say):
        self.build, self.environment = Path(build), {"go": GO_ENVIRONMENT}
        self.stack = self.build / "benchmarks/stack/ampersand-stack"
        self.split = self.build / "benchmarks/stack/ampersand-stack-split"
        if not self.stack.exists():
            raise Refused(f"stack: {self.stack} is not there: build first, or name the folder by --build")
        if not self.split.exists():
            say("no segmented stacks: this compiler does not link -fsplit-stack; gcc does")
            self.split = None
        self.go = self.go_version = None
        if shutil.which("go"):
            self.go = Path(folder) / "go-stack"
            run(["go", "build", "-o", self.go, "."], cwd=ROOT / "benchmarks/go/stack", env={"GOFLAGS": "-mod=mod"})
            self.go_version = run(["go", "version"]).split()[2]
        else:
            say("no Go to compare with: its package is called golang")

    def measure(self, name, rounds):
        command = {"c": [self.stack, "measure", "--rounds", rounds], "split": [self.split, rounds],
                   "go": [self.go, "measure", rounds]}[name]
        return parsed(run(command, env=self.environment.get(name)), name)

    def crowd(self, kind, n, mixed):
        command = [self.go, "crowd", n] if kind == "go" else [self.stack, "crowd", kind, n]
        return parsed(run(command + ["mixed"] * mixed, env=self.environment.get(kind)), f"crowd of {kind}")

    def names(self):
        return ["c"] + ["split"] * bool(self.split) + ["go"] * bool(self.go)


def run(command, env=None, cwd=None):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace",
                          cwd=cwd, env=dict(os.environ, **(env or {})))
    if done.returncode:
        last = (done.stderr.strip() or f"{command[0]}: exit status {done.returncode}").splitlines()[-1]
        raise Refused(f"stack: {last.removeprefix('ampersand: stack: ')}")
    return done.stdout


def parsed(text, name):
    return strict_json.parse(text.encode(), f"the output of {name}")


def measure(programs, launches, rounds, say):
    """The raw result: {"launches": [{"order", "c", "split", "go"}], "crowds": [[a row of each kind]]}."""
    names, found = programs.names(), []
    for k in range(launches):
        order = names[k % len(names):] + names[:k % len(names)]
        found.append({"order": order, **{name: programs.measure(name, rounds) for name in order}})
        say(f"launch {k + 1} of {launches}")
    kinds, crowds = ["growable", "fixed"] + ["go"] * bool(programs.go), []
    for k in range(launches):
        order = kinds[k % len(kinds):] + kinds[:k % len(kinds)]
        crowds.append([{"crowd": crowd, **programs.crowd(kind, n, mixed)}
                       for crowd, n, mixed in CROWDS for kind in order])
    say(f"{launches} crowds of each kind")
    return {"launches": found, "crowds": crowds}


def check_ns(programs, launches):
    """[time a call of the check takes, one a launch]: of stack_check, over its layouts, ten calls an operation."""
    with scratch.folder("stack") as folder:
        out = Path(folder) / "run"
        run([programs.build / "harness/ampersand-bench", "paired", "--out", out, "--filter", "^stack_check/",
             "--launches", launches, "--counts-launches", 0, "--solo-launches", 0])
        measured = statistics.measure(pair_run.load(out).row("stack_check/size=1").launches)
        value_ns, pointer_ns = (np.exp(ln_ns).mean(axis=1) for ln_ns in (measured.ln_value_ns, measured.ln_pointer_ns))
        return [float(x) for x in (pointer_ns - value_ns) / 10]


# ---- Instructions, read from the code


def prologues(programs):
    """How many instructions a call costs before the body, of a small frame and of one beyond 128 B; None: not known.
    Ours end with a jump."""
    ours = {frame: checked(programs.stack, f"walk_by_value_growable_{n}") for frame, n in (("small", 1), ("large", 64))}
    theirs = {frame: before_body(programs.go, f"main.value{n}") if programs.go else None
              for frame, n in (("small", 1), ("large", 64))}
    return {"ampersand": ours, "go": theirs}


def checked(program, name):
    """Instructions of the check up to the jump to the body."""
    if not shutil.which("objdump"):
        return None
    text = run(["objdump", "-d", "--no-show-raw-insn", f"--disassemble={name}", program])
    verbs = re.findall(r"^ +[0-9a-f]+:\t(\w+)", text, re.M)
    return verbs.index("jmp") + 1 if "jmp" in verbs else None


def before_body(program, name):
    """Instructions of Go's prologue up to the jump to runtime.morestack's call."""
    text = run(["go", "tool", "objdump", "-s", f"^{re.escape(name)}$", program])
    verbs = re.findall(r"^ +\S+:\d+\s+0x\w+\s+\w+\s+(\w+)", text, re.M)
    jumps = [n for n, verb in enumerate(verbs) if verb == "JBE"]
    return jumps[0] + 1 if jumps else None
