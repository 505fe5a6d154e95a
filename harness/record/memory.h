/* SPDX-License-Identifier: MIT
 *
 * What the kernel says of the recorded process's memory. By system calls, and without a lock of the C library's: this
 * is asked within malloc(). */
#ifndef AMP_RECORD_MEMORY_H
#define AMP_RECORD_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* The pages that are the process's own: resident and of no file. 0: the kernel does not tell. */
size_t amp_memory_own(void);

/* Of these, the pages that are no heap: written to in mappings of files, such as variables and the linker's tables; in
 * what lies behind these, variables that begin with 0; on the first thread's stack; and in the mapping that holds
 * `ours`. It takes as long as the kernel takes to look at all pages. */
size_t amp_memory_besides(const void *ours);

/* Resident pages of an object; SIZE_MAX: the kernel does not tell. The last page, which another object may have
 * touched, counts only if all before it were touched. */
size_t amp_memory_resident(uintptr_t address, size_t size_b);

#endif
