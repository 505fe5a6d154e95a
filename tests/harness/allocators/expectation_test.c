/* SPDX-License-Identifier: MIT
 *
 * What a configuration expects of its allocator, held against what was read back. */
#include "harness/allocators/configuration/expectation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *text, *facts;
    bool holds;
} expectations[] = {
    { "opt.a = 1", "1", true },
    { "opt.a = 1", "2", false },
    { "opt.a != 1", "2", true },
    { "opt.a<2", "1", true },
    { "opt.a < 1", "1", false },
    { "opt.a <= 1", "1", true },
    { "opt.a > 1", "1.5", true },
    { "opt.a >= 2", "1.5", false },
    { "opt.a = 8M", "8388608", true },
    { "opt.a = 0x10", "16", true },
    { "opt.a = false", "false", true },
    { "opt.a = no", "0", true },
    { "opt.a = true", "false", false },
    { "opt.a = word", "\"Word\"", true },
    { "opt.a = 0.25", "\"0.25\"", true },
    { "opt.a = -1", "-1", true },
    { "opt.a = word", "\"words\"", false },
    { "opt.a < x", "1", false },
    { "opt.a = 1x", "1", false },
    { "opt.a = 9223372036854775807", "9223372036854775806", false },
    { "opt.b = 1", "1", false },
    { "opt.a = 1", "null", false },
    { "opt.a = nan", "\"inf\"", false },
    { "opt.a = 18446744073709551615", "\"0xffffffffffffffff\"", true },
};

static void test_expectations(void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof expectations / sizeof *expectations; i++) {
        json_t *facts =
            json_pack("{s:{s:o}}", "read_back", "opt.a", json_loads(expectations[i].facts, JSON_DECODE_ANY, NULL));
        struct amp_expectation expectation;
        char why[128];
        bool holds;

        assert_null(amp_expectation_parse(expectations[i].text, &expectation));
        holds = amp_expectation_holds(&expectation, facts, why, sizeof why);
        if (holds != expectations[i].holds)
            fail_msg("%s with %s: got %d", expectations[i].text, expectations[i].facts, holds);
        json_decref(facts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expectations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
