# SPDX-License-Identifier: MIT
"""The page: every finding once in its list and once at its line, no step left out, nothing loaded from elsewhere."""
import re
from html.parser import HTMLParser

import escaping  # skips where nothing is analysed


class Reader(HTMLParser):
    """Which elements stand in which, their attributes, and what is not closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page(run, file, tmp_path):
    file.write_text(file.read_text() + "/* <script>&amp; */\n" * 40 + "void *late(void) { return make(); }\n")
    assert run("k.c", "--out", "out")[0] == 0
    text = (tmp_path / "out/escape.html").read_text()
    page = Reader(text)
    ids = [each["id"] for _, each in page.seen if "id" in each]
    assert len(set(ids)) == len(ids)
    links = [each["href"] for tag, each in page.seen if tag == "a"]
    assert links and all(link[0] == "#" and link[1:] in ids for link in links)
    assert not [each for _, each in page.seen if "src" in each] and "http:" not in text and "https:" not in text
    found = [each["data-rule"] for tag, each in page.seen if "data-rule" in each]
    assert sorted(found) == sorted(2 * ["local-outlives-frame", "could-live-in-frame", "must-be-on-heap",
                                        "must-be-on-heap"])
    assert text.count("<script>") == 1 and "without a note" in text
    steps = re.findall(r"<li>.*?</li>", text, re.S)
    assert sum("loaded from local `p`" in step for step in steps) == 1
    assert (tmp_path / "out/escape.json").exists()
