/* SPDX-License-Identifier: MIT
 *
 * How every program reports an error. */
#ifndef AMP_COMPLAIN_H
#define AMP_COMPLAIN_H

#include <stdarg.h>

/* Print "ampersand: <what>: <why>" on stderr, always as one line. Returns `status`, the caller's exit status. */
__attribute__((format(printf, 3, 4))) int amp_complain(int status, const char *what, const char *why, ...);
__attribute__((format(printf, 2, 0))) void amp_complain_list(const char *what, const char *why, va_list arguments);

#endif
