#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Make the layouts of both sides from what link_sides.py --template has left: the same files as it would link with the
same seed, but for what is not loaded, in a few milliseconds each."""

import argparse
import concurrent.futures
import os
import sys
from pathlib import Path

import slots
import templates


def main():
    parser = argparse.ArgumentParser(description=__doc__.split(":", 1)[0])
    parser.add_argument("--template", type=Path, required=True, metavar="FILE")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--count", type=int, default=64, help="how many layouts, a multiple of 4")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--programs", action="store_true", help="they are programs")
    args = parser.parse_args()
    try:
        sides, order, slots_of, more = templates.load(args.template)

        def make(job):
            k, (at, _) = job
            for name, template in sides.items():
                write(args.out / f"{name}.{k:03d}{'' if args.programs else '.so'}", templates.place(template, at))

        for name, data in more.items():
            write(args.out / name, data)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(make, enumerate(slots.layouts(*order, slots_of, args.count, args.seed))))
    except OSError as error:
        sys.exit(f"ampersand: ab: {error}")


def write(path, data):
    path.write_bytes(data)
    path.chmod(0o755)


if __name__ == "__main__":
    main()
