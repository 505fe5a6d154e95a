/* SPDX-License-Identifier: MIT */
#include "harness/machine/cpu.h"

#include "harness/machine/files.h"

#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#define CPUS "/sys/devices/system/cpu/"

json_t *amp_machine_cpu(void)
{
    char text[256], part[64];
    json_t *cpu = NULL;

    if (amp_machine_value(text, sizeof text, "/proc/cpuinfo", "model name"))
        cpu = json_string(text);
    else if (amp_machine_value(part, sizeof part, "/proc/cpuinfo", "CPU part") && /* AArch64 has only numbers */
             amp_machine_value(text, sizeof text, "/proc/cpuinfo", "CPU implementer"))
        cpu = json_sprintf("implementer %s, part %s", text, part);
    return cpu ? cpu : json_null();
}

/* What a hypervisor calls itself, and what people call it. */
static const struct {
    const char *signature, *name;
} hypervisors[] = {
    { "KVMKVMKVM", "kvm" },       { "Linux KVM Hv", "kvm" },          { "TCGTCGTCGTCG", "qemu" },
    { "VMwareVMware", "vmware" }, { "Microsoft Hv", "hyper-v" },      { "XenVMMXenVMM", "xen" },
    { "bhyve bhyve ", "bhyve" },  { "VBoxVBoxVBox", "virtualbox" },   { " lrpepyh  vr", "parallels" },
    { "QEMU", "qemu" },           { "VMware, Inc.", "vmware" },       { "innotek GmbH", "virtualbox" },
    { "Amazon EC2", "kvm" },      { "Google Compute Engine", "kvm" }, { "linux,dummy-virt", "kvm" },
};

static const char *known_hypervisor(const char *signature)
{
    for (size_t i = 0; i < sizeof hypervisors / sizeof hypervisors[0]; i++)
        if (strcmp(hypervisors[i].signature, signature) == 0)
            return hypervisors[i].name;
    return NULL;
}

#if defined(__x86_64__) || defined(__i386__)
/* source   Intel SDM, CPUID leaf 1, ECX bit 31: "always 0" on a processor, 1 under a hypervisor; leaf 0x40000000: its
 *          signature in EBX, ECX, EDX. */
json_t *amp_machine_virtual(void)
{
    unsigned a, b, c, d;
    char signature[13] = "";
    const char *name;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 31))
        return json_null();
    __cpuid(0x40000000, a, b, c, d);
    memcpy(signature, &b, 4);
    memcpy(signature + 4, &c, 4);
    memcpy(signature + 8, &d, 4);
    for (size_t i = 0; signature[i]; i++)
        if (signature[i] < ' ' || signature[i] > '~')
            return json_string("unknown");
    name = known_hypervisor(signature);
    return json_string(name ? name : signature[0] ? signature : "unknown");
}
#else
json_t *amp_machine_virtual(void)
{
    static const char *const files[] = { "/sys/class/dmi/id/sys_vendor", "/sys/class/dmi/id/product_name",
                                         "/proc/device-tree/compatible", "/proc/device-tree/hypervisor/compatible" };
    char line[256];

    if (amp_machine_line(line, sizeof line, "/sys/hypervisor/type"))
        return json_string(line);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (amp_machine_line(line, sizeof line, "%s", files[i]) && known_hypervisor(line))
            return json_string(known_hypervisor(line));
    return json_null();
}
#endif

json_t *amp_machine_governor(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    char all[64] = "", one[64];

    for (long cpu = 0; cpu < cpus; cpu++) {
        if (!amp_machine_line(one, sizeof one, CPUS "cpu%ld/cpufreq/scaling_governor", cpu))
            continue;
        if (all[0] && strcmp(all, one) != 0)
            return json_string("mixed");
        strcpy(all, one);
    }
    return all[0] ? json_string(all) : json_null();
}

json_t *amp_machine_turbo(void)
{
    char line[16];

    if (amp_machine_line(line, sizeof line, CPUS "intel_pstate/no_turbo"))
        return json_boolean(line[0] == '0');
    if (amp_machine_line(line, sizeof line, CPUS "cpufreq/boost"))
        return json_boolean(line[0] == '1');
    return json_null();
}

/* "32K", "1024K", "8M" */
static json_t *size_b(const char *text)
{
    char *unit;
    unsigned long long n = strtoull(text, &unit, 10);

    if (unit == text)
        return json_null();
    return json_integer((json_int_t) (n << (*unit == 'K' ? 10 : *unit == 'M' ? 20 : *unit == 'G' ? 30 : 0)));
}

json_t *amp_machine_caches(void)
{
    json_t *caches = json_array();

    for (int i = 0; caches; i++) {
        char level[16], type[32], size[32] = "", line[16] = "";

        if (!amp_machine_line(level, sizeof level, CPUS "cpu0/cache/index%d/level", i) ||
            !amp_machine_line(type, sizeof type, CPUS "cpu0/cache/index%d/type", i))
            break;
        amp_machine_line(size, sizeof size, CPUS "cpu0/cache/index%d/size", i);
        amp_machine_line(line, sizeof line, CPUS "cpu0/cache/index%d/coherency_line_size", i);
        json_array_append_new(caches, json_pack("{s:o, s:s, s:o, s:o}", "level", size_b(level), "type", type, "size_b",
                                                size_b(size), "line_b", size_b(line)));
    }
    return caches;
}

/* Whether the instructions of this process can be counted: open a counter and try it. */
json_t *amp_machine_hardware_counters(void)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof attributes,
        .config = PERF_COUNT_HW_INSTRUCTIONS,
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };
    int fd = (int) syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
    uint64_t count = 0;
    bool counted = fd >= 0 && read(fd, &count, sizeof count) == (ssize_t) sizeof count && count > 0;

    if (fd >= 0)
        close(fd);
    return json_boolean(counted);
}
