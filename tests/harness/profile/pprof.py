# SPDX-License-Identifier: MIT
"""Reads profile.proto, by the description of its fields alone: an oracle for what writes it."""
import gzip
from dataclasses import dataclass, field

from protobuf import fields, packed


@dataclass
class Sample:
    values: list
    stack: list  # of (function, file, line), the innermost first
    labels: dict


@dataclass
class Profile:
    types: list = field(default_factory=list)
    samples: list = field(default_factory=list)
    mappings: dict = field(default_factory=dict)
    default_type: str = ""

    def total(self, kind):
        return sum(sample.values[self.types.index(kind)] for sample in self.samples)


def read(path):
    data = gzip.decompress(path.read_bytes())
    parts = list(fields(data))
    texts = [value.decode() for number, value in parts if number == 6]
    assert texts[0] == ""
    messages = {kind: [dict(fields(value)) if kind != 4 else list(fields(value))
                       for number, value in parts if number == kind] for kind in (1, 3, 4, 5)}
    functions = {each[1]: (texts[each.get(2, 0)], texts[each.get(4, 0)]) for each in messages[5]}
    profile = Profile([texts[each[1]] for each in messages[1]])
    profile.default_type = texts[dict(part for part in parts if part[0] == 14)[14]]
    profile.mappings = {each[1]: (texts[each[5]], texts[each.get(6, 0)], each[2], each[3]) for each in messages[3]}
    locations = {}
    for each in messages[4]:
        plain = dict(each)
        start = profile.mappings.get(plain.get(2))
        assert start is None or start[2] <= plain[3] < start[3]
        lines = [dict(fields(value)) for number, value in each if number == 4]
        locations[plain[1]] = [(*functions[line[1]], line.get(2, 0)) for line in lines] or [(hex(plain[3]), "", 0)]
    assert sorted(locations) == list(range(1, len(locations) + 1))
    for number, value in parts:
        if number != 2:
            continue
        sample = list(fields(value))
        plain = dict(sample)
        labels = [dict(fields(part)) for kind, part in sample if kind == 3]
        profile.samples.append(Sample(
            [number - (1 << 64) if number >> 63 else number for number in packed(plain[2])],
            [frame for each in packed(plain[1]) for frame in locations[each]],
            {texts[label[1]]: texts[label[2]] if 2 in label else label[3] for label in labels}))
    return profile
