/* SPDX-License-Identifier: MIT
 *
 * source   ISO C11, POSIX.1-2017 and glibc's manual pages. In are only functions that keep no pointer beyond the call
 *          but as their effects say, and that call nothing of the program: so neither setvbuf() nor qsort(). */
#include "harness/escape/targets/libc.h"

#include <stdlib.h>
#include <string.h>

static const struct amp_libc table[] = { /* sorted */
    { "__errno_location", "o" },
    { "__isoc99_fscanf", "v" },
    { "__isoc99_sscanf", "v" },
    { "_exit", "" },
    { "abort", "" },
    { "access", "" },
    { "aligned_alloc", "a1" },
    { "atof", "" },
    { "atoi", "" },
    { "atol", "" },
    { "atoll", "" },
    { "bcmp", "" },
    { "calloc", "a0*1" },
    { "clock", "" },
    { "clock_gettime", "" },
    { "close", "" },
    { "closedir", "" },
    { "cos", "" },
    { "exp", "" },
    { "fabs", "" },
    { "fclose", "" },
    { "fcntl", "" },
    { "feof", "" },
    { "ferror", "" },
    { "fflush", "" },
    { "fgetc", "" },
    { "fgets", "r0" },
    { "fileno", "" },
    { "floor", "" },
    { "fopen", "o" },
    { "fopen64", "o" },
    { "fprintf", "" },
    { "fputc", "" },
    { "fputs", "" },
    { "fread", "i0" },
    { "free", "f0" },
    { "fscanf", "v" },
    { "fseek", "" },
    { "fstat", "" },
    { "ftell", "" },
    { "fwrite", "w0" },
    { "getc", "" },
    { "getchar", "" },
    { "getcwd", "r0 o" },
    { "getenv", "o" },
    { "getpid", "" },
    { "gettimeofday", "" },
    { "gmtime", "o" },
    { "gmtime_r", "r1" },
    { "isalnum", "" },
    { "isalpha", "" },
    { "isdigit", "" },
    { "isspace", "" },
    { "localeconv", "o" },
    { "localtime", "o" },
    { "localtime_r", "r1" },
    { "lseek", "" },
    { "lstat", "" },
    { "malloc", "a0" },
    { "memchr", "r0" },
    { "memcmp", "" },
    { "memcpy", "c0:1 r0" },
    { "memmove", "c0:1 r0" },
    { "mempcpy", "c0:1 r0" },
    { "memrchr", "r0" },
    { "memset", "r0" },
    { "mkdir", "" },
    { "mktime", "" },
    { "nanosleep", "" },
    { "open", "" },
    { "open64", "" },
    { "perror", "" },
    { "pow", "" },
    { "pread", "i1" },
    { "printf", "" },
    { "putc", "" },
    { "putchar", "" },
    { "puts", "" },
    { "pwrite", "w1" },
    { "raise", "" },
    { "rand", "" },
    { "read", "i1" },
    { "readlink", "" },
    { "realloc", "a1 c:0 f0 m" },
    { "reallocarray", "a1*2 c:0 f0 m" },
    { "remove", "" },
    { "rename", "" },
    { "rewind", "" },
    { "rmdir", "" },
    { "sin", "" },
    { "snprintf", "" },
    { "sprintf", "" },
    { "sqrt", "" },
    { "srand", "" },
    { "sscanf", "v" },
    { "stat", "" },
    { "strcasecmp", "" },
    { "strcat", "r0" },
    { "strchr", "r0" },
    { "strcmp", "" },
    { "strcoll", "" },
    { "strcpy", "r0" },
    { "strcspn", "" },
    { "strdup", "a?" },
    { "strerror", "o" },
    { "strftime", "" },
    { "strlen", "" },
    { "strncasecmp", "" },
    { "strncat", "r0" },
    { "strncmp", "" },
    { "strncpy", "r0" },
    { "strndup", "a?" },
    { "strnlen", "" },
    { "strpbrk", "r0" },
    { "strrchr", "r0" },
    { "strspn", "" },
    { "strstr", "r0" },
    { "strtod", "s1:0" },
    { "strtof", "s1:0" },
    { "strtol", "s1:0" },
    { "strtold", "s1:0" },
    { "strtoll", "s1:0" },
    { "strtoul", "s1:0" },
    { "strtoull", "s1:0" },
    { "time", "" },
    { "tolower", "" },
    { "toupper", "" },
    { "ungetc", "" },
    { "unlink", "" },
    { "vfprintf", "" },
    { "vprintf", "" },
    { "vsnprintf", "" },
    { "vsprintf", "" },
    { "write", "w1" },
};

static int compare(const void *name, const void *entry)
{
    return strcmp(name, ((const struct amp_libc *) entry)->name);
}

const struct amp_libc *amp_libc_find(const char *name)
{
    return bsearch(name, table, sizeof table / sizeof table[0], sizeof table[0], compare);
}

const struct amp_libc *amp_libc_means(LLVMValueRef function)
{
    static const char *const allocators[] = { "malloc", "calloc", "realloc", "reallocarray", "aligned_alloc", "free" };
    size_t length;
    const char *name = LLVMGetValueName2(function, &length);

    if (LLVMCountBasicBlocks(function) == 0)
        return amp_libc_find(name);
    for (size_t i = 0; i < sizeof allocators / sizeof allocators[0]; i++)
        if (LLVMGetLinkage(function) != LLVMInternalLinkage && strcmp(name, allocators[i]) == 0)
            return amp_libc_find(name);
    return NULL;
}
