# SPDX-License-Identifier: MIT
"""Four figures of a run of `./ampersand stack --bench`: where the string was, what an operation costs, what a growth
costs, and many coroutines at once."""

from matplotlib.ticker import NullLocator

from plots.figures import style
from plots.judge import stack_summary
from plots.judge.stack_summary import number
from plots.words import quantity
from plots.words.stack_text import NAMES

LEFT_IN, RIGHT_IN = 0.95, style.WIDTH_IN - style.MARGIN_IN
LOOKS = {  # colour, marker, line: told apart in grey print by marker and dashes
    "native": (style.INK, "s", "-"),
    "growable": (style.VALUE.colour, "o", "-"),
    "fresh": (style.VALUE.colour, "^", (0, (4, 1.5))),
    "split": (style.FAINT, "x", (0, (1, 1.2))),
    "go": (style.POINTER.colour, "D", "-"),
    "go_fresh": (style.POINTER.colour, "v", (0, (4, 1.5))),
    "memcpy": (style.FAINT, "s", (0, (1, 1.2))),
}


def line_of(kind):
    colour, marker, line = LOOKS[kind]
    return {"color": colour, "marker": marker, "linestyle": line, "linewidth": 1.2, "markersize": 4}


def key_of(kind, text=None):
    return style.Key(text or NAMES[kind], line_of(kind))


def small(result):
    document = result.document
    launches = quantity.counted(len(result.launches), "launch", "launches")
    return " · ".join([*style.place(document), document["go"] or "no Go", f"{launches} of {document['rounds']} rounds",
                       document["created"][:10]])


# ---- The staircase


def staircase(result):
    trails = [(kind, result.trail(kind, 1024)) for kind in ("native", "fresh", "split", "go")]
    trails = [(kind, trail) for kind, trail in trails if trail]
    heights_in = [1.05 if stack_summary.moves(trail) else 0.4 for _, trail in trails]
    gap_in, below_in = 0.3, 0.42
    page = style.Page(sum(heights_in) + gap_in * len(trails) + below_in, "Where the string is, call by call",
                      "Ten calls, each with an array of 1024 elements (8 KiB) by value; s is a local of their caller.",
                      [style.Key("address of s, over the lowest that it had", {"color": style.INK, "linewidth": 1.2}),
                       style.Key("before this call the stack grew, and s moved with it",
                                 {"color": style.INK, "marker": "o", "linestyle": "none", "markersize": 5})],
                      "A stack that grows by moving also moves s, so s gets a new address. A stack of segments leaves "
                      "s where it is, and pays at each call that needs a new segment.", small(result))
    bottom = below_in
    for (kind, trail), height in reversed(list(zip(trails, heights_in))):
        ax = page.axes(LEFT_IN, RIGHT_IN, bottom, bottom + height)
        draw_trail(ax, trail, LOOKS[kind][0])
        ax.set_title("growable" if kind == "fresh" else NAMES[kind], loc="left", fontsize=style.TEXT_PT,
                     fontweight="bold",
                     pad=3)
        ax.tick_params(axis="x", labelbottom=bottom == below_in)
        if bottom == below_in:
            ax.set_xlabel("call", labelpad=2)
        bottom += height + gap_in
    return page.fig


def draw_trail(ax, addresses, colour):
    lowest = min(addresses)
    kib = [(address - lowest) / 1024 for address in addresses]
    high = max(kib) or 1
    lift = 0.06 * high if max(kib) else 0.25
    ax.step(range(len(kib)), kib, where="mid", color=colour, linewidth=1.2)
    for n in stack_summary.moves(addresses):
        ax.plot([n - 0.5], [kib[n]], marker="o", color=colour, markersize=5, linestyle="none", clip_on=False)
        ax.text(n - 0.4, kib[n] + lift, f"{addresses[n]:#x}", fontsize=style.SMALL_PT, va="bottom")
    ax.text(0, kib[0] + lift, f"{addresses[0]:#x}", fontsize=style.SMALL_PT, va="bottom", ha="center")
    ax.set_ylim(-0.12 * high, 1.35 * high)
    ax.set_xlim(-0.6, len(kib) - 0.4)
    ax.set_xticks(range(len(kib)))
    ax.set_yticks([0] if max(kib) == 0 else [0, round(max(kib), 1)])
    ax.yaxis.set_major_formatter(lambda x, _: quantity.size(1024 * x))


# ---- The cost of an operation


def cost(result):
    kinds = result.kinds()
    panel_in, gap_in, below_in = 2.3, 0.55, 0.35
    middle_in = (LEFT_IN + RIGHT_IN) / 2
    page = style.Page(2 * panel_in + gap_in + below_in + 0.25, "stack_copy on each kind of stack: time of an operation",
                      "", [key_of(kind) for kind in kinds],
                      "Above: ten calls, over the number of 64-bit elements of the array. Below: 64 elements, over the "
                      "number of calls. Fresh: a new stack for each operation, of 2 KiB; else one that has grown "
                      "before. Bars: 95 % intervals of the median over launches, mostly narrower than the marks.",
                      small(result))
    for row, (values, label) in enumerate(((result.depths(), "calls"), (result.sizes(), "elements"))):
        bottom = below_in + row * (panel_in + gap_in)
        axes = []
        for side, left, right in (("value", LEFT_IN, middle_in - 0.15), ("pointer", middle_in + 0.15, RIGHT_IN)):
            ax = page.axes(left, right, bottom, bottom + panel_in)
            draw_costs(ax, result, kinds, side, values, label)
            axes.append(ax)
        low, high = min(ax.get_ylim()[0] for ax in axes), max(ax.get_ylim()[1] for ax in axes)
        ticks = style.time_ticks(low, high)
        for ax in axes:
            ax.set_ylim(low, high)
            ax.set_yticks(ticks, [quantity.time(ns, exact=True) for ns in ticks] if ax is axes[0] else [])
            ax.yaxis.set_minor_locator(NullLocator())
            ax.grid(True, axis="y", linewidth=0.5)
    return page.fig


def draw_costs(ax, result, kinds, side, values, label):
    ax.set_xscale("log", base=10 if label == "calls" else 2)
    ax.set_yscale("log")
    for kind in kinds:
        points = [(x, result.walks(kind, side, *((64, x) if label == "calls" else (x,)))) for x in values]
        draw_line(ax, [(x, number(ns)) for x, ns in points if ns is not None], kind)
    ax.set_xticks(values, [str(x) for x in values])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel(label, labelpad=2)
    ax.set_title(f"by {side}", loc="left", fontsize=style.TEXT_PT, fontweight="bold", pad=3)


def draw_line(ax, points, kind):
    ax.plot([x for x, _ in points], [one.estimate for _, one in points], **line_of(kind))
    for x, one in points:
        if one.low is not None and one.low > 0:
            ax.plot([x, x], [one.low, one.high], color=LOOKS[kind][0], linewidth=2.2, solid_capstyle="butt", alpha=0.6)


# ---- The cost of a growth


def growth(result):
    growths = result.launches[0].c.growths
    sizes = [one.to_b for one in growths]
    copied = [one.copied_b for one in growths]
    keys = [key_of("growable", "ampersand, one growth"), key_of("memcpy", "memcpy of the same bytes")]
    if result.growth("go", sizes[0]) is not None:
        keys.insert(1, key_of("go", "Go, one growth"))
    page = style.Page(3.0, "What one growth costs, by the bytes that it copies",
                      "A stack that is full to some hundred bytes grows to twice its size.", keys,
                      "The time of an operation on a new stack that grows once more at its end, minus that of one that "
                      "does not: making and filling the stack cancel out. Bars: 95 % intervals of the median over "
                      "launches, mostly narrower than the marks. Go has about as many bytes in use.", small(result))
    ax = page.axes(LEFT_IN, RIGHT_IN, 0.4, 2.85)
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    for kind, program, key in (("go", "go", "ns"), ("growable", "c", "ns"), ("memcpy", "c", "memcpy_ns")):
        found = [(x, result.growth(program, size, key)) for x, size in zip(copied, sizes)]
        draw_line(ax, [(x, number(ns)) for x, ns in found if ns is not None], kind)
    ticks = style.time_ticks(*ax.get_ylim())
    ax.set_yticks(ticks, [quantity.time(ns, exact=True) for ns in ticks])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.grid(True, axis="y", linewidth=0.5)
    ax.set_xticks(copied, [f"{quantity.size(x)}\nto {quantity.size(size)}" for x, size in zip(copied, sizes)])
    ax.xaxis.set_minor_locator(NullLocator())
    return page.fig


# ---- Many at once


def crowd(result):
    rows = [(name, kind) for name in ("idle", "mixed") for kind in ("growable", "fixed", "go")
            if result.crowd(name, kind, "n") is not None]
    text = {"growable": "growable stacks", "fixed": "fixed, 64 KiB", "go": "goroutines"}
    page = style.Page(len(rows) * 0.3 + 0.4, "Coroutines at once: memory and time of each",
                      "", [],
                      "Idle: 10,000 that went three calls down. Mixed: 4,000, every 16th of which needs 12 KiB. Memory "
                      "is what became resident, the object of each (216 B) included; of a fixed stack two pages are "
                      "touched, one of them by the canary below it. Time: making one and its first turn, and each "
                      "further turn. Go's turns go through channels and its scheduler; ours are switches by hand.",
                      small(result))
    panels = (("memory", lambda name, kind: result.crowd(name, kind, "resident_b") / result.crowd(name, kind, "n"),
               quantity.size),
              ("made, first turn", lambda name, kind: result.crowd(name, kind, "create_ns"), quantity.time),
              ("a further turn", lambda name, kind: result.crowd(name, kind, "turn_ns"), quantity.time))
    left, width = 1.75, (RIGHT_IN - 1.75) / 3
    for n, (title, get, show) in enumerate(panels):
        ax = page.axes(left + n * width, left + (n + 1) * width - 0.75, 0.1, 0.1 + len(rows) * 0.3)
        draw_bars(ax, rows, get, show)
        ax.set_title(title, loc="left", fontsize=style.TEXT_PT, fontweight="bold", pad=4)
        if n == 0:
            ax.set_yticks(range(len(rows)), [f"{name}, {text[kind]}" for name, kind in rows])
    return page.fig


def draw_bars(ax, rows, get, show):
    colours = {"growable": style.VALUE.colour, "fixed": style.INK, "go": style.POINTER.colour}
    found = [number(get(name, kind)) for name, kind in rows]
    for y, ((_, kind), one) in enumerate(zip(rows, found)):
        ax.barh(y, one.estimate, height=0.55, color=colours[kind])
        ax.annotate(show(one.estimate), (one.estimate, y), (3, 0), textcoords="offset points", va="center",
                    fontsize=style.TEXT_PT)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(0, max(one.estimate for one in found) * 1.02)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines["bottom"].set_visible(False)


def figures(result):
    return {"stack_staircase": staircase(result), "stack_cost": cost(result), "stack_growth": growth(result),
            "stack_coroutines": crowd(result)}
