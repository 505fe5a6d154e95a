# SPDX-License-Identifier: MIT
"""The machine and the build in words, and what of them is known to harm measurements."""

from plots.words import quantity


def warnings(machine):
    """[(fact, why it harms and what helps)] for the manifest's `machine`. A fact that cannot be read harms nothing."""
    rules = [
        (machine.get("virtual"), f"a virtual machine ({machine.get('virtual')}): others share its cores and caches, "
         "unseen; trust ratios, re-measure times"),
        (machine.get("governor") not in (None, "performance"), f"the frequency governor is {machine.get('governor')}: "
         "the clock rises while you measure; cpupower frequency-set -g performance"),
        (machine.get("turbo"), "turbo is on: the frequency depends on heat and on the other cores"),
        (machine.get("thp") == "always", "transparent huge pages are always on: a large block's speed depends on when "
         "it was made; echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"),
        (machine.get("aslr") == 0, "address randomisation is off: every launch repeats one draw of addresses; "
         "sysctl kernel.randomize_va_space=2"),
        ((machine.get("load_1min") or 0) > 0.5, f"something else is running: the load is "
         f"{quantity.load(machine.get('load_1min') or 0)}"),
        ((machine.get("cpus_allowed") or machine.get("cpus") or 1) < (machine.get("cpus") or 1),
         f"{machine.get('cpus_allowed')} of {machine.get('cpus')} CPUs allowed (taskset, a cpuset): "
         + ("pairs with threads need 2" if machine.get("cpus_allowed") == 1 else "the others are not used")),
        (machine.get("cpus") == 1, "one CPU only: the harness runs on the core that it measures"),
        (machine.get("hardware_counters") is False, "no hardware counters: instructions and misses cannot be counted; "
         "valgrind --tool=callgrind counts instructions anywhere"),
        (machine.get("clock_source") not in (None, "tsc", "kvm-clock", "arch_sys_counter"),
         f"the clock is {machine.get('clock_source')}: reading it is a system call"),
    ]
    return [why for harms, why in rules if harms]


def facts(machine, build):
    def shown(value):
        return "cannot be read here" if value is None else str(value)

    caches = ", ".join(f"L{cache['level']} {cache['type'].lower()} {quantity.size(cache['size_b'])}"
                       for cache in machine.get("caches") or [] if cache.get("size_b"))
    return [
        ("processor", f"{shown(machine['cpu'])}, {machine['cpus']} CPUs"
         + f" ({machine.get('cpus_allowed')} allowed)" * (machine.get("cpus_allowed") not in (None, machine["cpus"]))
         + f", {machine['arch']}"),
        ("caches", caches or shown(None)),
        ("memory", quantity.size(machine["memory_b"]) if machine["memory_b"] else shown(None)),
        ("virtual machine", "none seen" if machine["virtual"] is None else machine["virtual"]),
        ("frequency governor", shown(machine["governor"])),
        ("turbo", {True: "on", False: "off", None: shown(None)}[machine["turbo"]]),
        ("huge pages", shown(machine["thp"])),
        ("ASLR", {0: "off", None: shown(None)}.get(machine["aslr"], "on")),
        ("load, 1 minute", shown(None if machine["load_1min"] is None else quantity.load(machine["load_1min"]))),
        ("hardware counters", {True: "there", False: "none", None: shown(None)}[machine["hardware_counters"]]),
        ("clock", shown(machine["clock_source"])),
        ("compiler", build["compiler"]),
        ("kernels' flags", " ".join(build["kernel_args"])),
        ("libraries", ", ".join(f"{name} {version.split('-')[0]}" for name, version in build["libraries"].items()
                                if version)),
    ]
