# SPDX-License-Identifier: MIT
"""A page, read strictly; and words in a run that no page may take as its own."""
import html.parser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
HOSTILE = ("</title></style><script>alert(1)</script><img src=x onerror=alert(2)> \"'&amp; $x$ url(#p) {{ 7*7 }} "
           "\x00\x1b[31m\ud800")


class Page(html.parser.HTMLParser):
    """A strict reader: every tag that opens closes, in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.faults, self.stack, self.tags, self.texts = [], [], [], []
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is left open" for tag in self.stack]

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if len(dict(attrs)) != len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice at {self.getpos()}")
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if "svg" not in self.stack:
            self.faults.append(f"<{tag}/> outside of SVG at {self.getpos()}")

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing at {self.getpos()}")

    def handle_data(self, data):
        self.texts.append((tuple(self.stack), data))

    def text(self, *inside):
        return " ".join(text for stack, text in self.texts if all(tag in stack for tag in inside))

    def ids(self):
        return [attrs["id"] for _, attrs in self.tags if "id" in attrs]
