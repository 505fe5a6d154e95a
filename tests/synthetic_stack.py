# SPDX-License-Identifier: MIT
"""What `./ampersand stack --bench` may have measured, by numbers that are known."""
import copy

LAUNCHES = 7
TO_B = [4096 << n for n in range(7)]


def walks(kinds, scale):
    """An operation takes 10 ns, 1 ns an element by value and 1 ns a call; a fresh one 100 ns more, and where it grows
    with 1024 elements, before calls 3 and 7, 400 and 800 ns more."""
    rows = []
    for kind in kinds:
        for side in ("value", "pointer"):
            for elements, depths in ((1, [10]), (16, [10]), (64, [1, 2, 5, 10, 1000]), (256, [10]),
                                     (1024, [2, 3, 6, 7, 10])):
                for depth in depths:
                    ns = 10.0 + depth * (1 + elements * (side == "value"))
                    if "fresh" in kind:
                        ns += 100
                        if elements == 1024 and side == "value":
                            ns += 400 * (depth > 2) + 800 * (depth > 6)
                    rows.append({"kind": kind, "side": side, "elements": elements, "depth": depth, "ns": ns * scale})
    return rows


def trails(kinds):
    still, moving = [1 << 40] * 10, [1 << 40] * 2 + [2 << 40] * 4 + [3 << 40] * 4
    return [{"kind": kind, "elements": n, "addresses": moving if kind in ("fresh", "go") and n == 1024 else still}
            for kind in kinds for n in (1, 64, 1024)]


def make_document():
    growths = [{"to_b": to_b, "copied_b": to_b // 2 - 500, "ns": to_b / 100, "memcpy_ns": to_b / 125} for to_b in TO_B]
    crowd = [{"crowd": name, "kind": kind, "n": n, "mixed": name == "mixed", "resident_b": n * each,
              "create_ns": 1000.0,
              "turn_ns": 50.0, "end_ns": 100.0, **({} if kind == "go" else {"bookkeeping_b": 216})}
             for name, n in (("idle", 10000), ("mixed", 4000)) for kind,
             each in (("growable", 2316), ("fixed", 8400), ("go", 2900))]
    launch = {
        "order": ["c", "split", "go"],
        "c": {"trails": trails(["native", "growable", "fresh"]), "walks": walks(["native", "growable", "fresh"], 1.0),
              "growths": growths},
        "split": {"trails": trails(["split"]), "walks": walks(["split"], 2.0),
                  "hot_split_op_ns": {"least": 20.0, "most": 820.0}},
        "go": {"version": "go1.99", "trails": trails(["go"]), "walks": walks(["go", "go_fresh"], 4.0),
               "empty_goroutine_ns": 300.0,
               "growths": [{"to_b": row["to_b"], "ns": 3 * row["ns"]} for row in growths]},
    }
    return {"schema": "ampersand/stack/1", "created": "2026-01-01T00:00:00+00:00", "rounds": 100, "go": "go1.99",
            "machine": {"cpu": "some", "cpus": 2, "virtual": None},
            "build": {"compiler": "gcc 12", "kernel_args": ["-O2"]},
            "prologues": {"ampersand": {"small": 3, "large": 4}, "go": {"small": 2, "large": 3}},
            "launches": [copy.deepcopy(launch) for _ in range(LAUNCHES)], "crowds": [crowd] * LAUNCHES,
            "check_ns": [0.1 * n for n in range(1, LAUNCHES + 1)]}
