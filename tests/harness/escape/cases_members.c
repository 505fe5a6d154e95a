/* SPDX-License-Identifier: MIT
 *
 * As cases_whole.c: which functions a call reaches through the member of a struct. Each row has a type of function of
 * its own, so that no other row's functions fit, and in each there is one that keeps what it gets. A number comes first,
 * since LLVM 15 and newer do not tell the first member from the struct. */
#include <stdlib.h>
#include <string.h>

void *kept;

/* ---- by the member's name */
struct ops { int number; int (*look)(char *, double, char); int (*keep)(char *, double, char); };
static int looks1(char *p, double x, char y) { return *p + (int) x + y; }
static int keeps1(char *p, double x, char y) { kept = p; return (int) x + y; }
static struct ops ops = { 1, looks1, keeps1 };
static int through(const struct ops *o, char *p) { return o->look(p, 1, 2); }
int by_member(void) { char *p = malloc(8); /* want frame */
    p[0] = 1; int r = ops.look(p, 1, 2); free(p); return r; }
int by_member_of_argument(void) { char *p = malloc(8); /* want frame */
    p[0] = 1; int r = through(&ops, p); free(p); return r; }
int by_other_member(void) { char *p = malloc(8); /* want outlives: keeps1() */
    p[0] = 1; int r = ops.keep(p, 1, 2); free(p); return r; }

/* ---- put there while it runs */
struct late { int number; int (*look)(char *, double, short); int (*keep)(char *, double, short); };
static int looks2(char *p, double x, short y) { return *p + (int) x + y; }
static int keeps2(char *p, double x, short y) { kept = p; return (int) x + y; }
static void fill(struct late *l) { l->look = looks2; l->keep = keeps2; }
int by_late_member(struct late *l) { fill(l); char *p = malloc(8); /* want frame */
    p[0] = 1; int r = l->look(p, 1, 2); free(p); return r; }
int by_late_other(struct late *l) { fill(l); char *p = malloc(8); /* want outlives: keeps2() */
    p[0] = 1; int r = l->keep(p, 1, 2); free(p); return r; }

/* ---- from one member to another: through locals, through a copy of the struct, through an argument */
struct source { int number; int (*give)(char *, double, int); };
struct sink { int number; int (*take)(char *, double, int); };
static int keeps3(char *p, double x, int y) { kept = p; return (int) x + y; }
static int looks3(char *p, double x, int y) { return *p + (int) x + y; }
static struct source source3 = { 1, keeps3 };
static struct sink sink3 = { 1, looks3 };
void move(void) { int (*f)(char *, double, int) = source3.give; sink3.take = f; }
int by_moved(void) { char *p = malloc(8); /* want outlives: keeps3() */
    p[0] = 1; int r = sink3.take(p, 1, 2); free(p); return r; }
struct from4 { int number; int (*give)(char *, double, long); };
struct to4 { int number; int (*take)(char *, double, long); };
static int keeps4(char *p, double x, long y) { kept = p; return (int) x + (int) y; }
static int looks4(char *p, double x, long y) { return *p + (int) x + (int) y; }
static struct from4 from4 = { 1, keeps4 };
static struct to4 to4 = { 1, looks4 };
void move_by_copy(void) { struct from4 copy = from4; to4.take = copy.give; }
int by_copied(void) { char *p = malloc(8); /* want outlives: keeps4() */
    p[0] = 1; int r = to4.take(p, 1, 2); free(p); return r; }
struct from5 { int number; int (*give)(char *, double, float); };
struct to5 { int number; int (*take)(char *, double, float); };
static int keeps5(char *p, double x, float y) { kept = p; return (int) x + (int) y; }
static int looks5(char *p, double x, float y) { return *p + (int) x + (int) y; }
static struct from5 from5 = { 1, keeps5 };
static struct to5 to5 = { 1, looks5 };
static void set5(int (*f)(char *, double, float)) { to5.take = f; }
void move_by_argument(void) { set5(from5.give); }
int by_argument(void) { char *p = malloc(8); /* want outlives: keeps5() */
    p[0] = 1; int r = to5.take(p, 1, 2); free(p); return r; }
struct from11 { int number; int (*give)(char *, float, char); };
struct to11 { int number; int (*take)(char *, float, char); };
static int keeps11(char *p, float x, char y) { kept = p; return (int) x + y; }
static int looks11(char *p, float x, char y) { return *p + (int) x + y; }
static struct from11 from11 = { 1, looks11 };
static struct to11 to11 = { 1, looks11 };
static int wild(int (*f)(char *, float, char), char *p) { return f(p, 1, 2); }
int goes_wild(char *p) { return wild(keeps11, p); }
void move_reader(void) { int (*f)(char *, float, char) = from11.give; to11.take = f; }
int by_moved_reader(void) { char *p = malloc(8); /* want frame */
    p[0] = 1; int r = to11.take(p, 1, 2); free(p); return r; }

/* ---- a variable */
static int keeps12(char *p, float x, short y) { kept = p; return (int) x + y; }
static int looks12(char *p, float x, short y) { return *p + (int) x + y; }
static int (*look12)(char *, float, short) = looks12, (*keep12)(char *, float, short) = keeps12;
int by_variable(void) { char *p = malloc(8); /* want frame */
    p[0] = 1; int r = look12(p, 1, 2); free(p); return r; }
int by_other_variable(void) { char *p = malloc(8); /* want outlives: keeps12() */
    p[0] = 1; int r = keep12(p, 1, 2); free(p); return r; }
static int keeps13(char *p, float x, int y) { kept = p; return (int) x + y; }
static int looks13(char *p, float x, int y) { return *p + (int) x + y; }
static int (*look13)(char *, float, int) = looks13;
static void set13(int (**at)(char *, float, int)) { *at = keeps13; }
void set_by_address(void) { set13(&look13); }
int by_set_variable(void) { char *p = malloc(8); /* want outlives: keeps13() */
    p[0] = 1; int r = look13(p, 1, 2); free(p); return r; }

/* ---- written in another way than by its name */
struct open6 { int number; int (*look)(char *, double, double, char); };
static int keeps6(char *p, double x, double y, char z) { kept = p; return (int) (x + y) + z; }
static int looks6(char *p, double x, double y, char z) { return *p + (int) (x + y) + z; }
struct keeper6 { int number; int (*give)(char *, double, double, char); };
static struct open6 open6 = { 1, looks6 };
static struct keeper6 keeper6 = { 1, keeps6 };
int keeper6_gives(char *p) { return keeper6.give(p, 1, 2, 3); }
static void set6(int (**at)(char *, double, double, char)) { memcpy(at, &keeper6.give, sizeof *at); }
void open_it(void) { set6(&open6.look); }
int by_address(void) { char *p = malloc(8); /* want outlives: keeps6() */
    p[0] = 1; int r = open6.look(p, 1, 2, 3); free(p); return r; }
struct from14 { int number; int (*give)(char *, float, long); };
struct to14 { int number; int (*take)(char *, float, long); };
static int keeps14(char *p, float x, long y) { kept = p; return (int) x + (int) y; }
static int looks14(char *p, float x, long y) { return *p + (int) x + (int) y; }
static struct from14 from14 = { 1, keeps14 };
static struct to14 to14 = { 1, looks14 };
int from14_gives(char *p) { return from14.give(p, 1, 2); }
void move_bytes(void) { int (*f)(char *, float, long); memcpy(&f, &from14.give, sizeof f); to14.take = f; }
int by_moved_bytes(void) { char *p = malloc(8); /* want outlives: keeps14() */
    p[0] = 1; int r = to14.take(p, 1, 2); free(p); return r; }
struct open15 { int number; int (*look)(char *, float, float); };
static int keeps15(char *p, float x, float y) { kept = p; return (int) (x + y); }
static int looks15(char *p, float x, float y) { return *p + (int) (x + y); }
static struct open15 open15 = { 1, looks15 };
static int (**at15)(char *, float, float) = &open15.look;
void open_by_variable(void) { *at15 = keeps15; }
int by_address_in_variable(void) { char *p = malloc(8); /* want outlives: keeps15() */
    p[0] = 1; int r = open15.look(p, 1, 2); free(p); return r; }
struct many16 { int number; int (*look)(char *, long double, char); };
static int keeps16(char *p, long double x, char y) { kept = p; return (int) x + y; }
static int looks16(char *p, long double x, char y) { return *p + (int) x + y; }
static struct many16 many16[3] = { { 1, looks16 }, { 2, looks16 }, { 3, looks16 } };
static int (**at16)(char *, long double, char) = &many16[2].look;
void open_in_array(void) { *at16 = keeps16; }
int by_address_in_array(void) { char *p = malloc(8); /* want outlives: keeps16() */
    p[0] = 1; int r = many16[2].look(p, 1, 2); free(p); return r; }
struct one7 { int number; int (*look)(char *, double, double, short); };
struct two7 { int number; int (*keep)(char *, double, double, short); };
static union { struct one7 one; struct two7 two; } both7;
static int keeps7(char *p, double x, double y, short z) { kept = p; return (int) (x + y) + z; }
static int looks7(char *p, double x, double y, short z) { return *p + (int) (x + y) + z; }
static struct one7 other7 = { 1, looks7 };
static struct two7 another7 = { 1, keeps7 };
int another7_keeps(char *p) { return another7.keep(p, 1, 2, 3); }
void by_two(void) { both7.two = another7; other7.look = both7.one.look; }
int by_union(void) { char *p = malloc(8); /* want outlives: keeps7() */
    p[0] = 1; int r = other7.look(p, 1, 2, 3); free(p); return r; }
struct like8 { int number; int (*look)(char *, double, double, int); };
struct unlike8 { int number; int (*keep)(char *, double, double, int); };
static int keeps8(char *p, double x, double y, int z) { kept = p; return (int) (x + y) + z; }
static int looks8(char *p, double x, double y, int z) { return *p + (int) (x + y) + z; }
static struct like8 like8 = { 1, looks8 };
static struct unlike8 unlike8 = { 1, keeps8 };
int unlike8_keeps(char *p) { return unlike8.keep(p, 1, 2, 3); }
void copy_bytes(void) { memcpy(&like8, &unlike8, sizeof like8); }
int by_bytes(void) { char *p = malloc(8); /* want outlives: keeps8() */
    p[0] = 1; int r = like8.look(p, 1, 2, 3); free(p); return r; }

/* ---- without a name, or in an array */
typedef struct { int number; int (*look)(char *, double, double, long); int (*keep)(char *, double, double, long); } nameless;
static int keeps9(char *p, double x, double y, long z) { kept = p; return (int) (x + y) + (int) z; }
static int looks9(char *p, double x, double y, long z) { return *p + (int) (x + y) + (int) z; }
static nameless nameless9 = { 1, looks9, keeps9 };
int by_nameless(void) { char *p = malloc(8); /* want outlives: keeps9() */
    p[0] = 1; int r = nameless9.look(p, 1, 2, 3); free(p); return r; }
struct many { int number; int (*look[2])(char *, double, double, float); };
static int keeps10(char *p, double x, double y, float z) { kept = p; return (int) (x + y + z); }
static int looks10(char *p, double x, double y, float z) { return *p + (int) (x + y + z); }
static struct many many = { 1, { looks10, keeps10 } };
int by_array(int n) { char *p = malloc(8); /* want outlives: keeps10() */
    p[0] = 1; int r = many.look[n & 1](p, 1, 2, 3); free(p); return r; }

int main(void)
{
    struct late late;

    move();
    move_by_copy();
    move_by_argument();
    open_it();
    by_two();
    copy_bytes();
    move_bytes();
    open_by_variable();
    open_in_array();
    move_reader();
    set_by_address();
    return by_member() + by_late_member(&late) + by_array(1);
}
