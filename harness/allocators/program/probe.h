/* SPDX-License-Identifier: MIT
 *
 * Between ampersand-workload and the library that it preloads into the user's program to probe it. */
#ifndef AMP_PROGRAM_PROBE_H
#define AMP_PROGRAM_PROBE_H

/* The environment's variable: the file for the facts. Empty: a program that the probe starts again must end at once. */
#define AMP_PROBE_FILE "AMPERSAND_PROBE"
#define AMP_PROBE_LIBRARY "libampersand_probe.so" /* beside ampersand-workload */

#endif
