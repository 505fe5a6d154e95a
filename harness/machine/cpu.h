/* SPDX-License-Identifier: MIT
 *
 * Facts about the processor, from /sys and CPUID. */
#ifndef AMP_MACHINE_CPU_H
#define AMP_MACHINE_CPU_H

#include <jansson.h>

/* Each returns a new reference; JSON's null if the fact cannot be read. */
json_t *amp_machine_cpu(void);
json_t *amp_machine_virtual(void);
json_t *amp_machine_governor(void);
json_t *amp_machine_turbo(void);
json_t *amp_machine_caches(void);
json_t *amp_machine_hardware_counters(void);

#endif
