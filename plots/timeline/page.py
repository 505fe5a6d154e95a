# SPDX-License-Identifier: MIT
"""The page of a time line, without data: `trace` puts these in where a line is one @WORD@
(harness/timeline/write/page.c).
It is made when ampersand is built, so that tracing needs no Python."""

import sys
from pathlib import Path

from markupsafe import Markup

from plots.pages import shell


def page():
    script = shell.read_template("timeline_data.js") + shell.read_template("timeline.js")
    return shell.environment().get_template("timeline.html.j2").render(
        title="ampersand: a time line", manifest={"version": ""}, place="",
        css=Markup(shell.read_template("report.css")),
        sheet=Markup(shell.read_template("timeline.css")), script=Markup(script), script_hash=shell.policy_hash(script))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
