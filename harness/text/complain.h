/* SPDX-License-Identifier: MIT
 *
 * The one way to say what is wrong, of every program. */
#ifndef AMP_COMPLAIN_H
#define AMP_COMPLAIN_H

#include <stdarg.h>

/* "ampersand: <what>: <why>" on stderr, one line whatever the words hold; returns `status`, the caller's exit status. */
__attribute__((format(printf, 3, 4))) int amp_complain(int status, const char *what, const char *why, ...);
__attribute__((format(printf, 2, 0))) void amp_complain_list(const char *what, const char *why, va_list arguments);

#endif
