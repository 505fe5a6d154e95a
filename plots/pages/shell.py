# SPDX-License-Identifier: MIT
"""What every page is made with: the templates, the sheet and the script, the run's machine and state, rules as HTML."""

import base64
import hashlib
import re
import shlex
from pathlib import Path

import jinja2
from markupsafe import Markup

from plots.files import compiled
from plots.program.guard import COMMAND
from plots.words import machine_text, rules

TEMPLATES = Path(__file__).resolve().parent / "templates"


def render(template, run, manifest, verb, about="", script="report.js", **own):
    """The page, as text. `manifest` is the run's, as far as it is shown; `own` is what only this template asks for."""
    machine = complete(manifest["machine"])
    script = read_template(script)
    return environment().get_template(template).render(
        title=f"ampersand: {about}{machine['host'] or 'a run'}, {manifest['created'][:10]}", manifest=manifest,
        unfinished=unfinished(run), warnings=machine_text.warnings(machine),
        facts=machine_text.facts(machine, built(manifest)), crossover_text=rule("crossover_rule"),
        repeat=repeat(manifest, verb), command=shlex.join(manifest["command"]), css=Markup(read_template("report.css")),
        script=Markup(script), script_hash=policy_hash(script), **own)


def environment():
    return jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True,
                              undefined=jinja2.StrictUndefined, keep_trailing_newline=True)


def policy_hash(script):
    """How the page's Content-Security-Policy names its only script: a text of others that became one would not run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def read_template(name):
    return (TEMPLATES / name).read_text(encoding="utf-8")


def unfinished(run):
    """A sentence; "" of a run that came to its end, or was published without its journal."""
    if not run.journal:
        return ""
    last = next((event for event in reversed(run.journal) if event["event"] in ("end", "resume")), {})
    status = last.get("status")
    if status is None:
        return "The run has not come to its end: what is here is what was finished."
    return "The run was interrupted: what is here is what was finished." if status == "interrupted" else ""


def complete(machine):
    """Facts that the manifest lacks are facts that could not be read."""
    known = dict.fromkeys(("host", "cpu", "cpus", "arch", "caches", "memory_b", "virtual", "governor", "turbo", "thp",
                           "aslr", "load_1min", "hardware_counters", "clock_source"))
    return known | machine


def built(manifest):
    """The manifest's `build`, complete, with the compiler and the flags of the run's lessons, if it has any."""
    facts = {"compiler": "unknown", "kernel_args": [], "libraries": {}} | manifest["build"]
    found = compiled.ways(manifest, telling=False)
    if found:
        how, *others = found
        facts |= {"compiler": compiled.brief(manifest),
                  "kernel_args": [how] + ["(most lessons; how the others, see at each)"] * bool(others)}
    return facts


def rule(name):
    return blocks(rules.text(name))


def blocks(text):
    """A rule as HTML: its paragraphs, and as they stand its drawings and tables, which are indented."""
    parts = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        indented = block.startswith(" ")
        if indented and parts and parts[-1][0]:
            parts[-1][1].append(block)
        else:
            parts.append((indented, [block]))
    return [Markup('<pre class="scroll" tabindex="0">{}</pre>' if indented else "<p>{}</p>").format("\n\n".join(found))
            for indented, found in parts]


def repeat(manifest, verb):
    """The command that makes the same run again, into a folder of its own."""
    given, kept = iter(manifest["command"][2:]), []
    for word in given:
        if word in ("--out", "--resume", "--seed"):
            next(given, None)
        elif not word.startswith(("--out=", "--resume=", "--seed=")):
            kept.append(word)
    return shlex.join([COMMAND, verb, *kept, "--seed", str(manifest["seed"])])
