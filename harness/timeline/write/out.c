/* SPDX-License-Identifier: MIT */
#include "harness/timeline/write/out.h"

#include "harness/files/results.h"
#include "harness/text/utf8.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define BUFFER_B (1 << 20)
#define END ".gz"
#define PART_B ((size_t) 1 << 16) /* is compressed at once */

static ssize_t compress_to(void *file, const char *bytes, size_t n)
{
    return n == 0 || gzwrite(file, bytes, (unsigned) n) == (int) n ? (ssize_t) n : 0;
}

static int end_compressed(void *file)
{
    if (gzclose(file) == Z_OK)
        return 0;
    errno = errno ? errno : EIO;
    return EOF;
}

/* NULL, with errno. */
static FILE *open_compressed(const char *path)
{
    const cookie_io_functions_t functions = { .write = compress_to, .close = end_compressed };
    gzFile to = gzopen(path, "wbe1"); /* fast: these files are large */
    FILE *file = to ? fopencookie(to, "w", functions) : NULL;

    if (to && !file)
        gzclose(to);
    return file;
}

int amp_out_open(struct amp_out *out, const char *path)
{
    size_t n;

    *out = (struct amp_out){ .path = path };
    if (asprintf(&out->tmp, "%s.tmp", path) < 0)
        return -ENOMEM;
    n = strlen(path);
    out->file = n > strlen(END) && strcmp(path + n - strlen(END), END) == 0 ? open_compressed(out->tmp)
                                                                            : fopen(out->tmp, "we");
    if (!out->file) {
        int err = -errno;

        free(out->tmp);
        out->tmp = NULL;
        return err;
    }
    setvbuf(out->file, NULL, _IOFBF, BUFFER_B);
    return 0;
}

int amp_out_close(struct amp_out *out, int err)
{
    bool has_failed = ferror(out->file);

    if (has_failed) { /* why, a further write tells */
        clearerr(out->file);
        putc('\n', out->file);
    }
    if (fflush(out->file) && !err)
        err = -errno;
    if (fclose(out->file) && !err)
        err = -errno;
    if (has_failed && !err)
        err = -EIO;
    if (!err)
        err = amp_results_publish(out->path);
    if (err)
        unlink(out->tmp);
    free(out->tmp);
    return err;
}

void amp_out_text(struct amp_out *out, const char *text)
{
    fputs(text, out->file);
}

/* The digits, at the end of `room`. */
static const char *digits(uint64_t number, char room[24])
{
    char *at = room + 23;

    *at = '\0';
    do {
        *--at = (char) ('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return at;
}

void amp_out_number(struct amp_out *out, uint64_t number)
{
    char room[24];

    fputs(digits(number, room), out->file);
}

void amp_out_us(struct amp_out *out, uint64_t ns)
{
    char room[24];

    fputs(digits(ns / 1000, room), out->file);
    putc('.', out->file);
    for (uint64_t unit = 100; unit > 0; unit /= 10)
        putc((int) ('0' + ns / unit % 10), out->file);
}

#define REPLACED "\xef\xbf\xbd"

void amp_out_json(struct amp_out *out, const char *text)
{
    putc('"', out->file);
    while (*text) {
        size_t n = amp_text_utf8_at(text);
        unsigned char c = (unsigned char) *text;

        if (n == 0)
            fputs(REPLACED, out->file);
        else if (c < 0x20 || c == '<' || c == 0x7f)
            fprintf(out->file, "\\u%04x", c);
        else if (c == '"' || c == '\\')
            fprintf(out->file, "\\%c", c);
        else
            fwrite(text, 1, n, out->file);
        text += n ? n : 1;
    }
    putc('"', out->file);
}

void amp_out_html(struct amp_out *out, const char *text)
{
    while (*text) {
        size_t n = amp_text_utf8_at(text);
        unsigned char c = (unsigned char) *text;

        if (n == 0 || (c < 0x20 && c != '\n' && c != '\t'))
            fputs(REPLACED, out->file);
        else if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'')
            fprintf(out->file, "&#%d;", c);
        else
            fwrite(text, 1, n, out->file);
        text += n ? n : 1;
    }
}

/* ---- Packed numbers */

int amp_packed_begin(struct amp_packed *packed, struct amp_out *out)
{
    *packed = (struct amp_packed){ .out = out };
    return deflateInit(&packed->stream, 6) == Z_OK ? 0 : -ENOMEM;
}

/* Three bytes as four letters; of fewer, `=` stands for what is not there. */
static void put_letters(struct amp_packed *p)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *b = p->rest;
    const unsigned bits = (unsigned) b[0] << 16 | (unsigned) b[1] << 8 | b[2];

    for (unsigned i = 0; i < 4; i++)
        putc(i > p->n_rest ? '=' : letters[bits >> (18 - 6 * i) & 63], p->out->file);
    p->rest[0] = p->rest[1] = p->rest[2] = 0;
    p->n_rest = 0;
}

static void compress_waiting(struct amp_packed *p, int how)
{
    unsigned char made[PART_B];

    p->stream.next_in = p->waiting.bytes;
    p->stream.avail_in = (unsigned) p->waiting.n;
    do {
        p->stream.next_out = made;
        p->stream.avail_out = sizeof made;
        deflate(&p->stream, how);
        for (const unsigned char *at = made; at < p->stream.next_out; at++) {
            p->rest[p->n_rest++] = *at;
            if (p->n_rest == 3)
                put_letters(p);
        }
    } while (p->stream.avail_out == 0);
    p->waiting.n = 0;
}

void amp_packed_number(struct amp_packed *packed, uint64_t number)
{
    amp_message_varint(&packed->waiting, number);
    if (packed->waiting.n > PART_B)
        compress_waiting(packed, Z_NO_FLUSH);
}

int amp_packed_end(struct amp_packed *packed)
{
    bool has_failed = packed->waiting.failed;

    compress_waiting(packed, Z_FINISH);
    if (packed->n_rest > 0)
        put_letters(packed);
    deflateEnd(&packed->stream);
    free(packed->waiting.bytes);
    return has_failed ? -ENOMEM : 0;
}
