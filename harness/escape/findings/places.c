/* SPDX-License-Identifier: MIT */
#include "harness/escape/findings/places.h"

#include <stdio.h>

#include "harness/text/utf8.h"

enum { PATH_MAX_B = 4096, DEPTH_MOST = 40, HOPS_MOST = 300 };

void amp_place_set(json_t *object, LLVMValueRef at)
{
    unsigned folder_length = 0, length = 0;
    const char *folder = at ? LLVMGetDebugLocDirectory(at, &folder_length) : NULL;
    const char *file = at ? LLVMGetDebugLocFilename(at, &length) : NULL;
    char path[PATH_MAX_B];

    if (file && file[0] != '/' && folder && folder_length > 0)
        snprintf(path, sizeof path, "%.*s/%.*s", (int) folder_length, folder, (int) length, file);
    else
        snprintf(path, sizeof path, "%.*s", (int) length, file ? file : "");
    json_object_set_new(object, "file", amp_text_json(path));
    json_object_set_new(object, "line", json_integer(file ? LLVMGetDebugLocLine(at) : 0));
    json_object_set_new(object, "column", json_integer(file && LLVMIsAInstruction(at) ? LLVMGetDebugLocColumn(at) : 0));
}

/* Edges are made from older ones only, so that this ends. But one call's steps may lead through the same steps of
 * others again and again: beyond so many hops those of called functions are left out. */
static json_t *list(const struct amp_path *path, int depth, int *hops_left)
{
    json_t *hops = json_array();

    for (int h = 0; h < path->n; h++) {
        const struct amp_hop *hop = &path->hop[h];
        json_t *object = json_object();

        amp_place_set(object, hop->at);
        json_object_set_new(object, "what", amp_text_json(hop->what));
        if (hop->assumed)
            json_object_set_new(object, "assumed", json_true());
        if (hop->through && depth < DEPTH_MOST && (*hops_left -= hop->through->path.n) > 0)
            json_object_set_new(object, "within", list(&hop->through->path, depth + 1, hops_left));
        json_array_append_new(hops, object);
    }
    return hops;
}

json_t *amp_path_json(const struct amp_path *path)
{
    int hops_left = HOPS_MOST;

    return list(path, 0, &hops_left);
}

static bool is_assumed(const struct amp_path *path, int depth, int *hops_left)
{
    for (int h = 0; h < path->n; h++) {
        const struct amp_hop *hop = &path->hop[h];

        if (hop->assumed || --*hops_left < 0)
            return true;
        if (hop->through && depth < DEPTH_MOST && is_assumed(&hop->through->path, depth + 1, hops_left))
            return true;
    }
    return false;
}

bool amp_path_is_assumed(const struct amp_path *path)
{
    int hops_left = HOPS_MOST * DEPTH_MOST;

    return is_assumed(path, 0, &hops_left);
}
