/* SPDX-License-Identifier: MIT */
#include "harness/escape/findings/places.h"

#include <stdio.h>

enum { PATH_MAX_B = 4096, DEPTH_MOST = 40 };

json_t *amp_name_json(const char *name)
{
    json_t *text = json_string(name);
    char plain[PATH_MAX_B];

    if (text)
        return text;
    snprintf(plain, sizeof plain, "%s", name);
    for (char *at = plain; *at; at++)
        if ((unsigned char) *at >= 128)
            *at = '?';
    return json_string(plain);
}

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
    json_object_set_new(object, "file", amp_name_json(path));
    json_object_set_new(object, "line", json_integer(file ? LLVMGetDebugLocLine(at) : 0));
    json_object_set_new(object, "column", json_integer(file ? LLVMGetDebugLocColumn(at) : 0));
}

/* Edges are made from older ones only, so that this ends. */
static json_t *list(const struct amp_path *path, int depth)
{
    json_t *hops = json_array();

    for (int h = 0; h < path->n; h++) {
        const struct amp_hop *hop = &path->hop[h];
        json_t *object = json_object();

        amp_place_set(object, hop->at);
        json_object_set_new(object, "what", amp_name_json(hop->what));
        if (hop->assumed)
            json_object_set_new(object, "assumed", json_true());
        if (hop->through && depth < DEPTH_MOST)
            json_object_set_new(object, "within", list(&hop->through->path, depth + 1));
        json_array_append_new(hops, object);
    }
    return hops;
}

json_t *amp_path_json(const struct amp_path *path)
{
    return list(path, 0);
}

static bool is_assumed(const struct amp_path *path, int depth)
{
    for (int h = 0; h < path->n; h++) {
        const struct amp_hop *hop = &path->hop[h];

        if (hop->assumed || (hop->through && depth < DEPTH_MOST && is_assumed(&hop->through->path, depth + 1)))
            return true;
    }
    return false;
}

bool amp_path_is_assumed(const struct amp_path *path)
{
    return is_assumed(path, 0);
}
