/* SPDX-License-Identifier: MIT */
#include "harness/profile/launch/flags.h"

#include "harness/text/complain.h"

#include <string.h>

int amp_flags_next(int argc, char **argv, const struct option *known, const char *none)
{
    int flag;

    opterr = 0;
    flag = getopt_long(argc, argv, "+:o:", known, NULL);
    if (flag == -1)
        return AMP_FLAGS_END;
    if (flag != ':' && flag != '?')
        return flag;
    amp_complain(2, argv[optind - 1], "%s", flag == ':' ? "needs a value" : none);
    return AMP_FLAGS_WRONG;
}

int amp_flags_format(const char *value, bool *is_json)
{
    *is_json = strcmp(value, "json") == 0;
    if (!*is_json && strcmp(value, "table") != 0)
        return amp_complain(2, "--format", "'%s': no such format: table or json", value);
    return 0;
}

bool amp_flags_have_program(int argc, char **argv)
{
    return optind < argc && strcmp(argv[optind - 1], "--") == 0;
}
