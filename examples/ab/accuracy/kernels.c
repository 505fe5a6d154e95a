/* Kernels of Lua 5.4 by which accuracy.py finds out how well `ampersand ab` tells versions apart.
 *
 * The first five are ordinary ones. Of the others the number of steps stands in plants.h, which differs between
 * versions: so it is known how much longer an operation of the head takes. */
#include "harness/ab.h"
#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"
#include "plants.h"

#define STRING(x) #x
#define TEXT(x) STRING(x)

static const char program[] =
    "function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end\n"
    "local t = {}\n"
    "function sort(n) for i = 1, 20 do t[i] = i * n * 7919 % 1013 end table.sort(t) return t[1] + t[20] end\n"
    "function join(n) local s = '' for i = 1, 8 do s = s .. (n + i) .. ',' end return #s end\n"
    "function words(n) local c = 0 for w in string.gmatch('the quick brown fox jumps over the lazy dog', '%a+') do\n"
    "  c = c + #w end return c + n end\n"
    "function turns(n) local s = 0 for i = 1, " TEXT(TURNS) " do s = s + i end return s + n end\n"
    "local long = string.rep('a', " TEXT(LETTERS) ")\n"
    "function find(n) return (string.find(long, '[bc]') or 0) + n end\n";

static void *set_up(size_t size)
{
    lua_State *state = luaL_newstate();

    (void) size;
    if (!state || (luaL_openlibs(state), luaL_dostring(state, program)))
        abort();
    return state;
}

static inline uint64_t call(void *fixture, const char *function, lua_Integer argument, uint64_t ops)
{
    lua_State *state = fixture;
    uint64_t sum = 0;

    for (; ops > 0; ops--) {
        lua_getglobal(state, function);
        lua_pushinteger(state, argument);
        lua_call(state, 1, 1);
        sum += (uint64_t) lua_tointeger(state, -1);
        lua_pop(state, 1);
    }
    return sum;
}

#define CALL(function, argument)                                                                                       \
    static uint64_t run_##function(void *fixture, uint64_t ops)                                                        \
    {                                                                                                                  \
        return call(fixture, #function, argument, ops);                                                                \
    }                                                                                                                  \
    AMP_KERNEL(function, .set_up = set_up, .run = run_##function)

CALL(fib, 8);
CALL(sort, 3);
CALL(join, 100);
CALL(words, 1);

static uint64_t run_parse(void *fixture, uint64_t ops)
{
    uint64_t sum = 0;

    for (; ops > 0; ops--) {
        sum += (uint64_t) luaL_loadbuffer(fixture, program, sizeof program - 1, "t");
        lua_pop((lua_State *) fixture, 1);
    }
    return sum;
}
AMP_KERNEL(parse, .set_up = set_up, .run = run_parse);

static uint64_t run_chain(void *fixture, uint64_t ops)
{
    uint64_t x = ops;

    (void) fixture;
    for (; ops > 0; ops--)
        for (int i = 0; i < CHAIN; i++) {
            x = x * 3 + 1;
            amp_keep(&x);
        }
    return 0; /* another number of steps leads to another x */
}
AMP_KERNEL(chain, .run = run_chain);

/* The same code in both versions: only what `rare` holds differs. */
static uint64_t run_rare(void *fixture, uint64_t ops)
{
    static volatile unsigned rare = RARE;
    static unsigned n;
    uint64_t x = ops;

    (void) fixture;
    for (; ops > 0; ops--) {
        unsigned steps = OFTEN + (++n % 65536 == 0 ? rare : 0);

        for (unsigned i = 0; i < steps; i++) {
            x = x * 3 + 1;
            amp_keep(&x);
        }
    }
    return 0;
}
AMP_KERNEL(rare, .run = run_rare);

/* As CALL, but what is returned differs between versions, and is not compared. */
#define PLANTED(function)                                                                                              \
    static uint64_t run_##function(void *fixture, uint64_t ops)                                                        \
    {                                                                                                                  \
        return call(fixture, #function, 1, ops) == 0;                                                                  \
    }                                                                                                                  \
    AMP_KERNEL(function, .set_up = set_up, .run = run_##function)

PLANTED(turns);
PLANTED(find);
