/* SPDX-License-Identifier: MIT
 *
 * Which launches of a matrix were disturbed. What the rows of tests/golden/disturbed.json say, plots/ says too
 * (tests/plots/judge/allocators/). */
#include "harness/allocators/matrix_accept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_what_is_disturbed(void **state)
{
    json_t *all = json_load_file(getenv("AMPERSAND_DISTURBED"), 0, NULL), *row;
    size_t i;

    (void) state;
    assert_true(json_array_size(all) > 5);
    json_array_foreach(all, i, row)
    {
        print_message("  %s\n", json_string_value(json_object_get(row, "name")));
        assert_int_equal(amp_matrix_is_disturbed(json_object_get(row, "result")),
                         json_is_true(json_object_get(row, "disturbed")));
    }
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_disturbed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
