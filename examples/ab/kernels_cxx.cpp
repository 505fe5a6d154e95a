// The same in C++: of a library with a header in C, and of code of one's own.
#include "harness/ab.h"
#include "words.h"

#include <string>

static void *set_up(size_t size)
{
    return new std::string(size, 'x');
}

static uint64_t run(void *fixture, uint64_t ops)
{
    const std::string &text = *static_cast<std::string *>(fixture);
    uint64_t sum = 0;

    for (; ops > 0; ops--)
        sum += words_count(text.c_str());
    return sum;
}

AMP_KERNEL(count_string, .set_up = set_up, .run = run, .size = 64);
