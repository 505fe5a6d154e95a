/* SPDX-License-Identifier: MIT */
#include "harness/lesson/built.h"

#include "harness/lesson/layout.h"

#include <stdlib.h>
#include <string.h>

uint32_t *amp_built_note(const struct amp_rows *rows)
{
    uint32_t *noted = calloc(rows->n + 1, sizeof *noted);

    for (size_t i = 0; noted && i < rows->n; i++) {
        if (i > 0 && strcmp(rows->row[i]->lesson, rows->row[i - 1]->lesson) == 0) {
            noted[i] = noted[i - 1];
        } else if (amp_layout_crc32(rows->row[i]->lesson, &noted[i])) {
            free(noted);
            noted = NULL;
        }
    }
    return noted;
}

bool amp_built_holds(const struct amp_row *row, uint32_t noted)
{
    uint32_t now;

    return amp_layout_crc32(row->lesson, &now) == 0 && now == noted;
}
