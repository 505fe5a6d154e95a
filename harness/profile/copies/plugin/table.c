/* SPDX-License-Identifier: MIT */
#include "harness/profile/copies/plugin/table.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct amp_table_text {
    uint32_t at;
    UT_hash_handle hh;
    char text[];
};

/* Where a text lies among the texts. */
static uint32_t text_at(struct amp_table *table, const char *text)
{
    size_t length = strlen(text) + 1;
    struct amp_table_text *found;

    HASH_FIND_STR(table->known, text, found);
    if (found)
        return found->at;
    found = calloc(1, sizeof *found + length);
    table->texts = realloc(table->texts, table->texts_b + length);
    if (!found || !table->texts)
        abort();
    memcpy(found->text, text, length);
    memcpy(table->texts + table->texts_b, text, length);
    found->at = (uint32_t) table->texts_b;
    table->texts_b += length;
    HASH_ADD_STR(table->known, text, found);
    return found->at;
}

static uint32_t file_at(struct amp_table *table, LLVMMetadataRef place)
{
    LLVMMetadataRef file = LLVMDIScopeGetFile(LLVMDILocationGetScope(place));
    unsigned n_name = 0, n_folder = 0;
    const char *name = LLVMDIFileGetFilename(file, &n_name), *folder = LLVMDIFileGetDirectory(file, &n_folder);
    char path[PATH_MAX];
    bool is_whole = n_name > 0 && name[0] == '/';

    snprintf(path, sizeof path, "%.*s%s%.*s", is_whole ? 0 : (int) n_folder, is_whole ? "" : folder,
             is_whole || n_folder == 0 ? "" : "/", (int) n_name, name);
    return text_at(table, path);
}

/* The function in which a copy stands in the source, be it inlined or not. */
static const char *function_of(const struct amp_module *m, LLVMMetadataRef place)
{
    LLVMMetadataRef scope = LLVMDILocationGetScope(LLVMDILocationGetInlinedAt(place));
    const char *name;

    while (scope && !amp_md_is(scope, LLVMDISubprogramMetadataKind))
        scope = amp_md_operand(m, scope, AMP_MD_SCOPE);
    name = scope ? amp_md_name(m, scope) : NULL;
    return name ? name : "";
}

void amp_table_add(struct amp_table *table, const struct amp_module *m, size_t first, LLVMMetadataRef place,
                   const struct amp_copies_site *site)
{
    LLVMMetadataRef scope = LLVMDILocationGetScope(place);
    struct amp_copies_site *added;

    for (size_t i = first; i < table->n; i++)
        if (table->places[i] == place && table->sites[i].counter == site->counter && table->sites[i].bytes > 0) {
            table->sites[i].bytes += site->bytes;
            table->sites[i].copies += site->copies;
            return;
        }
    table->sites = realloc(table->sites, (table->n + 1) * sizeof *table->sites);
    table->places = realloc(table->places, (table->n + 1) * sizeof(LLVMMetadataRef));
    if (!table->sites || !table->places)
        abort();
    added = &table->sites[table->n];
    table->places[table->n++] = place;
    *added = *site;
    added->line = LLVMDILocationGetLine(place);
    added->column = LLVMDILocationGetColumn(place);
    added->name = text_at(table, amp_md_name(m, scope));
    added->file = file_at(table, place);
    added->function = text_at(table, function_of(m, place));
}

char *amp_table_bytes(const struct amp_table *table, size_t *size_b)
{
    size_t head_b = sizeof(struct amp_copies_tables) + table->n * sizeof *table->sites;
    struct amp_copies_tables head = { 0, AMP_COPIES_MAGIC, (uint32_t) ((head_b + table->texts_b + 7) / 8 * 8),
                                      (uint32_t) table->n };
    char *bytes = calloc(1, head.size_b);

    if (!bytes)
        abort();
    memcpy(bytes, &head, sizeof head);
    for (size_t i = 0; i < table->n; i++) {
        struct amp_copies_site site = table->sites[i];

        if (site.bytes > 0 && site.copies == 0)
            site.copies = 1; /* made in parts */
        site.name += (uint32_t) head_b;
        site.file += (uint32_t) head_b;
        site.function += (uint32_t) head_b;
        memcpy(bytes + sizeof head + i * sizeof site, &site, sizeof site);
    }
    memcpy(bytes + head_b, table->texts, table->texts_b);
    *size_b = head.size_b;
    return bytes;
}

void amp_table_free(struct amp_table *table)
{
    struct amp_table_text *text, *next;

    HASH_ITER(hh, table->known, text, next) {
        HASH_DEL(table->known, text);
        free(text);
    }
    free(table->sites);
    free(table->places);
    free(table->texts);
}
