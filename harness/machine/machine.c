/* SPDX-License-Identifier: MIT */
#include "harness/machine/machine.h"

#include "harness/files/record.h"
#include "harness/machine/cpu.h"
#include "harness/machine/files.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static json_t *line_of(const char *path)
{
    char line[256];
    json_t *text = amp_machine_line(line, sizeof line, "%s", path) ? json_string(line) : NULL;

    return text ? text : json_null();
}

static json_t *thp(void)
{
    char line[128], *begin, *end;

    if (!amp_machine_line(line, sizeof line, "/sys/kernel/mm/transparent_hugepage/enabled"))
        return json_null();
    begin = strchr(line, '['); /* "always [madvise] never" */
    end = begin ? strchr(begin, ']') : NULL;
    return end ? json_stringn(begin + 1, (size_t) (end - begin - 1)) : json_null();
}

static json_t *load_1min(void)
{
    double load;

    return getloadavg(&load, 1) == 1 ? json_real((double) (long) (load * 100 + 0.5) / 100) : json_null();
}

static json_t *memory_b(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page_b = sysconf(_SC_PAGESIZE);

    return pages > 0 && page_b > 0 ? json_integer((json_int_t) pages * page_b) : json_null();
}

static json_t *positive(long number)
{
    return number > 0 ? json_integer(number) : json_null();
}

struct facts {
    const char *host, *kernel, *arch;
    json_t *cpu, *cpus, *cpus_allowed, *memory_b, *virtual, *governor, *turbo, *thp, *aslr, *load_1min,
        *hardware_counters, *clock_source, *caches, *page_b;
};

#define FACT(member) AMP_FIELD(struct facts, member)
static const struct amp_record facts_record = {
    AMP_FIELDS(FACT(host), FACT(kernel), FACT(arch), FACT(cpu), FACT(cpus), FACT(cpus_allowed), FACT(memory_b),
               FACT(virtual), FACT(governor), FACT(turbo), FACT(thp), FACT(aslr), FACT(load_1min),
               FACT(hardware_counters), FACT(clock_source), FACT(caches), FACT(page_b))
};

json_t *amp_machine_facts(void)
{
    struct utsname name;
    struct facts facts = {
        .cpu = amp_machine_cpu(),
        .cpus = positive(sysconf(_SC_NPROCESSORS_ONLN)),
        .cpus_allowed = positive(amp_machine_cpus()),
        .memory_b = memory_b(),
        .virtual = amp_machine_virtual(),
        .governor = amp_machine_governor(),
        .turbo = amp_machine_turbo(),
        .thp = thp(),
        .aslr = amp_machine_integer("/proc/sys/kernel/randomize_va_space"),
        .load_1min = load_1min(),
        .hardware_counters = amp_machine_hardware_counters(),
        .clock_source = line_of("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        .caches = amp_machine_caches(),
        .page_b = positive(sysconf(_SC_PAGESIZE)),
    };

    if (uname(&name))
        memset(&name, 0, sizeof name);
    facts.host = name.nodename;
    facts.kernel = name.release;
    facts.arch = name.machine;
    return amp_record_write(&facts_record, &facts);
}

int amp_machine_cpus(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) ? -errno : CPU_COUNT(&set);
}
