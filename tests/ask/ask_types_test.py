# SPDX-License-Identifier: MIT
"""ask: what it says of a type, whatever the header, the flags and the type hold; nothing is measured here.

Each row is a header, a type, flags, and what the same compiler says of it, worked out by hand or told by the ABI of
x86-64. Types of the system's headers are held against a program that prints sizeof and _Alignof."""

import json
import os
import platform
import random
import shutil
import subprocess
import sys

import pytest

import lesson_object
import make_layouts
from ask import answer, arguments, lessons, profiles
from ask.types import compiler as compilers, subject as subjects
from places import ROOT
from plots.files.strict_json import validate
from plots.program.errors import Refused
from waiting import HANGS_S

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the rows are those of the ABI of x86-64")
needs_clang = pytest.mark.skipif(not shutil.which("clang"), reason="clang is not here: apt-get install clang")
COMPILERS = ["gcc", pytest.param("clang", marks=needs_clang)]

PLAIN = "struct t { int id; double price; };"
MEMORY, NOTHING = "memory", "nothing"


def registers(integers, vectors=0):
    return integers, vectors


@pytest.fixture
def study(compiler, tmp_path):
    def of(text, name="struct t", cc="gcc", flags=""):
        header = tmp_path / "t.h"
        header.write_text(text + "\n")
        return subjects.study(compiler(cc, flags), str(header), name)
    return of


def passed(subject):
    abi = subject.abi
    return registers(abi["integers"], abi["vectors"]) if abi["passed"] == "registers" else abi["passed"]


ROWS = [
    # id, header, type, flags, size, alignment, holes (offset, bytes), how it is passed
    ("plain", PLAIN, "struct t", "", 16, 8, [(4, 4)], registers(1, 1)),
    # what the header does beside declaring the type
    ("prints", "#include <stdio.h>\nstruct t { void *a, *b; };\n"
     "__attribute__((constructor)) static void f(void) { puts(\"f\"); }", "struct t", "", 16, 8, [], registers(2)),
    ("ends", "void exit(int);\nstruct t { int a; };\n__attribute__((constructor)) static void f(void) { exit(3); }",
     "struct t", "", 4, 4, [], registers(1)),
    ("prints late", "int puts(const char *);\nstruct t { int a; };\n__attribute__((destructor)) static void f(void)\n"
     "{ puts(\"f\"); }", "struct t", "", 4, 4, [], registers(1)),
    ("thread's own", "struct t { int fd; };\n_Thread_local int last; static __thread long other;\n"
     "long *where(void) { return &other; }", "struct t", "", 4, 4, [], registers(1)),
    ("calls out", "struct t { int a; };\nvoid gone(void);\nvoid (*table[])(void) = { gone };\n"
     "static inline void f(void) { gone(); }", "struct t", "", 4, 4, [], registers(1)),
    ("defines main", "struct t { int a; };\nint main(void) { return 7; }\nint record, filled;", "struct t", "", 4, 4,
     [],
     registers(1)),
    ("asm", "struct t { int a; };\n__asm__(\".globl amp_other\\namp_other: .byte 1\\n\");", "struct t", "", 4, 4, [],
     registers(1)),
    # macros
    ("noinline", "#define noinline __attribute__((__noinline__))\n#define always_inline inline noinline\n" + PLAIN,
     "struct t", "", 16, 8, [(4, 4)], registers(1, 1)),
    ("used", "#define used @\n#define section(s) @\n#define visibility @\n" + PLAIN, "struct t", "", 16, 8, [(4, 4)],
     registers(1, 1)),
    ("words", PLAIN + "\n#define object @\n#define size 4\n#define byte @\n#define id @\n#define price .x", "struct t",
     "",
     16, 8, [(4, 4)], registers(1, 1)),
    ("keywords", PLAIN + "\n#define typedef @\n#define enum @\n#define const\n#define static\n#define __typeof__ @\n"
     "#define extern @\n#define sizeof @\n#define return @\n#define void char\n#define double float", "struct t", "",
     16, 8,
     [(4, 4)], registers(1, 1)),
    ("type is a macro", PLAIN + "\n#define order_t struct t", "order_t", "", 16, 8, [(4, 4)], registers(1, 1)),
    ("member is a macro", "struct t { union { int a; void *b; } u; };\n#define a u.a", "struct t", "", 8, 8, [],
     registers(1)),
    # its own C library
    ("uint64_t", "typedef unsigned long long uint64_t;\ntypedef unsigned int uint32_t;\n"
     "struct t { uint64_t base; uint32_t len; };", "struct t", "", 16, 8, [(12, 4)], registers(2)),
    ("size_t", "typedef unsigned size_t;\nstruct t { size_t n; };", "struct t", "", 4, 4, [], registers(1)),
    ("malloc", "void *malloc(unsigned n);\nvoid free(int);\nint memcpy(int);\nstruct t { int a; };", "struct t", "", 4,
     4, [],
     registers(1)),
    ("printf", "int printf(void);\nstruct t { int a; };", "struct t", "", 4, 4, [], registers(1)),
    ("timespec", "struct timespec { int s, ns; };\nstruct t { struct timespec t; };", "struct t", "", 8, 4, [],
     registers(1)),
    ("poison", "#include <stdlib.h>\nstruct t { int a; };\n#pragma GCC poison malloc free memcpy", "struct t", "", 4,
     4, [],
     registers(1)),
    ("poisoned member", "struct t { int a; int b; };\n#pragma GCC poison b", "struct t", "", 8, 4, [], registers(1)),
    ("free is a macro", "#include <stdlib.h>\nvoid mine(void *p);\n#define free(p) mine(p)\nstruct t { int a; };",
     "struct t", "", 4, 4, [], registers(1)),
    # pragmas that stay open
    ("pack", "#pragma pack(1)\nstruct t { char c; int a; };", "struct t", "", 5, 1, [], MEMORY),
    ("pack 2", "#pragma pack(push, 2)\nstruct t { char c; int a; char d; };", "struct t", "", 8, 2, [(1, 1), (7, 1)],
     MEMORY),
    ("hidden", "#pragma GCC visibility push(hidden)\nstruct t { int a, b; };", "struct t", "", 8, 4, [], registers(1)),
    ("optimize", "#pragma GCC optimize (\"O0\")\nstruct t { int a, b; };", "struct t", "", 8, 4, [], registers(1)),
    ("diagnostic", "#pragma GCC diagnostic error \"-Wall\"\n#pragma GCC diagnostic error \"-Wmissing-prototypes\"\n"
     + PLAIN, "struct t", "", 16, 8, [(4, 4)], registers(1, 1)),
    # flags: the language is the user's
    ("no _GNU_SOURCE", "#ifdef _GNU_SOURCE\nstruct t { int a; double b; };\n#else\nstruct t { int a; };\n#endif",
     "struct t", "", 4, 4, [], registers(1)),
    ("_GNU_SOURCE", "#ifdef _GNU_SOURCE\nstruct t { int a; double b; };\n#endif", "struct t", "-D_GNU_SOURCE", 16, 8,
     [(4, 4)], registers(1, 1)),
    ("not optimised", "#ifdef __OPTIMIZE__\nstruct t { char a; };\n#else\nstruct t { int a; };\n#endif", "struct t",
     "", 4,
     4, [], registers(1)),
    ("no -fPIC", "#if defined __PIC__ && !defined __PIE__\nstruct t { char a; };\n#else\nstruct t { int a; };\n#endif",
     "struct t", "", 4, 4, [],
     registers(1)),
    ("c99", "#if __STDC_VERSION__ >= 201112L\nstruct t { _Bool b; };\n#else\nstruct t { int b; };\n#endif", "struct t",
     "-std=c99", 4, 4, [], registers(1)),
    ("c89", "#ifdef __STDC_VERSION__\nstruct t { char b; };\n#else\nstruct t { int b; };\n#endif", "struct t",
     "-ansi -pedantic-errors", 4, 4, [], registers(1)),
    ("strict", "#ifdef __STRICT_ANSI__\nstruct t { char b; };\n#else\nstruct t { int b; };\n#endif", "struct t",
     "-std=c11",
     1, 1, [], registers(1)),
    ("-fpack-struct", PLAIN, "struct t", "-fpack-struct", 12, 1, [], MEMORY),
    ("-fpack-struct=4", PLAIN, "struct t", "-fpack-struct=4", 12, 4, [], MEMORY),
    ("-fshort-enums", "enum e { A, B };\nstruct t { enum e a, b; };", "struct t", "-fshort-enums", 2, 1, [],
     registers(1)),
    ("-fms-extensions", "struct in { int a; };\nstruct t { struct in; int b; };", "struct t", "-fms-extensions", 8, 4,
     [],
     registers(1)),
    ("-include", "struct t { included a; };", "struct t", "-include {folder}/more.h", 8, 8, [], registers(1)),
    ("-fwhole-program", PLAIN, "struct t", "-fwhole-program -O2", 16, 8, [(4, 4)], registers(1, 1)),
    ("-mcmodel", PLAIN, "struct t", "-mcmodel=large -fno-pic", 16, 8, [(4, 4)], registers(1, 1)),
    # what is written for debuggers
    *((flags, PLAIN, "struct t", flags, 16, 8, [(4, 4)], registers(1, 1))
      for flags in ("-femit-struct-debug-baseonly", "-femit-struct-debug-reduced", "-fdebug-types-section", "-g0",
                    "-gsplit-dwarf", "-gdwarf-2 -gstrict-dwarf", "-g3 -gz", "-feliminate-unused-debug-types")),
    # floating point by what it holds
    ("long double", "typedef long double t;", "t", "", 16, 16, [(10, 6)], MEMORY),
    ("and an int", "struct t { long double v; int n; };", "struct t", "", 32, 16, [(10, 6), (20, 12)], MEMORY),
    ("__float80", "struct t { __float80 v; int n; };", "struct t", "", 32, 16, [(10, 6), (20, 12)], MEMORY),
    ("_Float64x", "struct t { _Float64x v; int n; };", "struct t", "", 32, 16, [(10, 6), (20, 12)], MEMORY),
    ("__float128", "struct t { __float128 v; int n; };", "struct t", "", 32, 16, [(20, 12)], MEMORY),
    ("_Complex long double", "struct t { _Complex long double v; };", "struct t", "", 32, 16, [(10, 6), (26, 6)],
     MEMORY),
    ("_Complex _Float64x", "struct t { _Complex _Float64x v[2]; };", "struct t", "", 64, 16,
     [(10, 6), (26, 6), (42, 6), (58, 6)], MEMORY),
    ("-mlong-double-64", "struct t { long double v; int n; };", "struct t", "-mlong-double-64", 16, 8, [(12, 4)],
     registers(1, 1)),
    ("-mlong-double-128", "struct t { long double v; };", "struct t", "-mlong-double-128", 16, 16, [], registers(0, 1)),
    ("_Complex double", "typedef _Complex double t;", "t", "", 16, 8, [], registers(0, 2)),
    ("_Decimal64", "struct t { _Decimal64 v; char c; };", "struct t", "", 16, 8, [(9, 7)], registers(1, 1)),
    # members of all kinds, declared once more
    ("const member", "struct t { const float x, y; };", "struct t", "", 8, 4, [], registers(0, 1)),
    ("const whole", "typedef const struct { int a; const int b[2]; } t;", "t", "", 12, 4, [], registers(2)),
    ("empty", "struct t { };", "struct t", "", 0, 1, [], NOTHING),
    ("empty inside", "struct e { };\nstruct t { int a; struct e b; struct e c[3]; int d; };", "struct t", "", 8, 4, [],
     registers(1)),
    ("no length", "struct t { void *buf; char end[0]; };", "struct t", "", 8, 8, [], registers(1)),
    ("no length inside", "struct t { char a; long mark[0]; int b; };", "struct t", "", 16, 8, [(1, 7), (12, 4)],
     registers(2)),
    ("two dimensions", "struct c { char kind; short hp; };\nstruct t { struct c c[2][2]; };", "struct t", "", 16, 2,
     [(1, 1), (5, 1), (9, 1), (13, 1)], registers(2)),
    ("nested", "struct t { char a; struct { short b; struct { char c; long d; } e; } f; };", "struct t", "", 32, 8,
     [(1, 7), (10, 6), (17, 7)], MEMORY),
    ("anonymous", "struct t { int kind; union { long n; struct { float x, y; }; }; };", "struct t", "", 16, 8, [(4, 4)],
     registers(2)),
    ("packed inside", "struct __attribute__((packed)) in { char a; int b; };\nstruct t { char c; struct in i[2]; };",
     "struct t", "", 11, 1, [], MEMORY),
    ("packed member", "struct t { char a; int b __attribute__((packed)); long c; };", "struct t", "", 16, 8, [(5, 3)],
     MEMORY),
    ("aligned member", "struct t { char a; char b __attribute__((aligned(8))); };", "struct t", "", 16, 8, [(1, 7), (9,
     7)],
     registers(2)),
    ("aligned typedef", "typedef int wide __attribute__((aligned(8)));\nstruct t { char a; wide b; };", "struct t", "",
     16,
     8, [(1, 7), (12, 4)], registers(2)),
    ("less aligned typedef", "typedef double near __attribute__((aligned(4)));\nstruct t { int a; near b; int c; };",
     "struct t", "", 16, 4, [], None),
    ("aligned whole", "struct __attribute__((aligned(16))) t { int a; };", "struct t", "", 16, 16, [(4, 12)], None),
    ("bit-fields", "struct t { unsigned a : 3, b : 13; int c; unsigned : 4; unsigned d : 9; };", "struct t", "", 12, 4,
     [(2, 2), (10, 2)], registers(2)),
    ("zero width", "struct t { unsigned a : 3; unsigned : 0; unsigned b : 3; };", "struct t", "", 8, 4, [(1, 3), (5,
     3)],
     registers(1)),
    ("over a unit", "struct t { unsigned a : 20; unsigned b : 20; };", "struct t", "", 8, 4, [(3, 1), (7, 1)],
     registers(1)),
    ("packed bit-fields", "struct __attribute__((packed)) t { unsigned a : 20; unsigned b : 20; char c; };", "struct t",
     "", 6, 1, [], registers(1)),
    ("long bit-fields", "struct t { char a; long long b : 40; _Bool c : 1; };", "struct t", "", 8, 8, [(7, 1)],
     registers(1)),
    ("enum bit-field", "enum e { A, B, C };\nstruct t { enum e a : 2; enum e b : 2; };", "struct t", "", 4, 4, [(1, 3)],
     registers(1)),
    ("unnamed bits", "struct t { int : 32; };", "struct t", "", 4, 1, [(0, 4)], None),
    ("union", "union t { int i; double d; char c[12]; };", "union t", "", 16, 8, [(12, 4)], registers(2)),
    ("packed union", "union __attribute__((packed)) t { int i; char c[5]; };", "union t", "", 5, 1, [], registers(1)),
    ("vector", "typedef float v __attribute__((vector_size(16)));\nstruct t { v a; };", "struct t", "", 16, 16, [],
     registers(0, 1)),
    ("vector, not aligned", "typedef int v __attribute__((vector_size(8), aligned(1)));\nstruct t { char a; v b; };",
     "struct t", "", 9, 1, [], None),
    ("__int128", "struct t { __int128 a; };", "struct t", "", 16, 16, [], registers(2)),
    ("pointers", "struct t { int (*f)(struct t *); const char *restrict s; };", "struct t", "", 16, 8, [],
     registers(2)),
    ("itself", "struct t { struct t *next; struct u { struct t *(*up)[2]; } u; };", "struct t", "", 16, 8, [],
     registers(2)),
    ("an enum", "typedef enum { A = 1L << 40 } t;", "t", "", 8, 8, [], registers(1)),
    ("same names", "struct amp_asked { int amp_w0; };\nstruct t { struct amp_asked amp_asked; int amp_to, subject; };",
     "struct t", "", 12, 4, [], registers(2)),
]
GCC_ONLY = {"-fwhole-program", "-femit-struct-debug-baseonly", "-femit-struct-debug-reduced",
            "-feliminate-unused-debug-types", "__float80", "_Float64x", "_Complex _Float64x", "_Decimal64", "optimize",
            "-gdwarf-2 -gstrict-dwarf", "-mlong-double-128"}
HEAVY = bool(os.environ.get("AMPERSAND_HEAVY"))  # more of the same
SECOND = 3 if HEAVY else 6  # with clang, whose runs take twice as long, so many times fewer
ASKED = [pytest.param(row, "gcc", id=f"{row[0]}-gcc") for row in ROWS]
ASKED += [pytest.param(row, "clang", id=f"{row[0]}-clang", marks=needs_clang)
          for row in [row for row in ROWS if row[0] not in GCC_ONLY][::SECOND]]


@pytest.mark.parametrize("row, cc", ASKED)
def test_what_is_said_of_a_type(tmp_path, study, row, cc):
    _, text, name, flags, size, alignment, holes, how = row
    (tmp_path / "more.h").write_text("typedef long included;\n")
    found = study(text, name, cc, flags.format(folder=tmp_path))
    assert (found.size_b, found.alignment_b, found.layout.holes) == (size, alignment, holes)
    if how is not None:
        assert passed(found) == how


# ---- Types of this system's headers

SYSTEM = {
    "sys/stat.h": ["struct stat"], "time.h": ["struct timespec", "struct tm", "struct itimerspec"],
    "netinet/in.h": ["struct sockaddr_in", "struct sockaddr_in6", "struct in6_addr", "struct ip_mreq"],
    "netdb.h": ["struct addrinfo"], "sys/socket.h": ["struct msghdr", "struct sockaddr_storage", "struct linger"],
    "signal.h": ["siginfo_t", "struct sigaction", "union sigval", "ucontext_t"], "stdlib.h": ["div_t", "lldiv_t"],
    "stdio.h": ["FILE", "fpos_t"], "pthread.h": ["pthread_mutex_t", "pthread_cond_t"], "semaphore.h": ["sem_t"],
    "termios.h": ["struct termios"], "dirent.h": ["struct dirent"], "poll.h": ["struct pollfd"],
    "sys/epoll.h": ["struct epoll_event"], "sys/resource.h": ["struct rusage"], "sys/sysinfo.h": ["struct sysinfo"],
    "elf.h": ["Elf64_Ehdr", "Elf64_Sym", "Elf32_Sym"], "netinet/ip.h": ["struct iphdr", "struct timestamp"],
    "netinet/tcp.h": ["struct tcphdr", "struct tcp_info"], "net/if.h": ["struct ifreq"],
    "linux/input.h": ["struct input_event", "struct ff_effect"],
    "linux/perf_event.h": ["struct perf_event_attr", "struct perf_event_mmap_page"],
    "linux/io_uring.h": ["struct io_uring_sqe", "struct io_uring_params"], "linux/bpf.h": ["struct bpf_insn",
    "union bpf_attr"],
    "linux/videodev2.h": ["struct v4l2_format", "struct v4l2_buffer", "struct v4l2_ext_control"],
    "linux/kvm.h": ["struct kvm_run"], "linux/cdrom.h": ["struct cdrom_tocentry"], "linux/fuse.h": ["struct fuse_attr"],
    "linux/if_packet.h": ["struct tpacket3_hdr"], "complex.h": ["double complex", "float complex"],
    "immintrin.h": ["__m128", "__m128i", "__m64", "__m128_u", "__m256_u"], "wchar.h": ["mbstate_t"],
    "regex.h": ["regex_t"],
    "aio.h": ["struct aiocb"], "sys/shm.h": ["struct shmid_ds"], "utmp.h": ["struct utmp"], "fenv.h": ["fenv_t"],
    "threads.h": ["mtx_t", "once_flag"],
}
ALL_TYPES = [(header, name) for header, names in SYSTEM.items() for name in names]
TYPES = ALL_TYPES if HEAVY else ALL_TYPES[::3]


@pytest.mark.parametrize("cc", COMPILERS)
def test_types_of_the_systems_headers(tmp_path, compiler, cc):
    """Sizes are those that the compiler writes; that members lie alike and objects go one way is study()'s to check."""
    assert len(ALL_TYPES) > 60
    asked = [(header, name) for header, name in (TYPES if cc == "gcc" else TYPES[::SECOND])
             if subprocess.run([cc, "-E", "-x", "c", "-"], input=f"#include <{header}>\n", text=True,
                               capture_output=True, check=False).returncode == 0]
    assert len(asked) > len(TYPES) // (1 if cc == "gcc" else SECOND) * 0.7, "are libc6-dev and linux-libc-dev here?"
    for header, name in asked:
        (tmp_path / "size.c").write_text(f"#include <{header}>\n"
                                         f"const unsigned long amp_size[] = {{ sizeof({name}), _Alignof({name}) }};\n")
        text = subprocess.run([cc, "-w", "-S", tmp_path / "size.c", "-o", "-"], text=True, capture_output=True,
                              check=True).stdout
        numbers = [int(line.split()[1]) for line in text.splitlines() if line.split()[:1] == [".quad"]]
        found = subjects.study(compiler(cc), header, name)
        assert [found.size_b, found.alignment_b] == numbers, name
        assert sum(n for _, n in found.layout.holes) < max(found.size_b, 1), name


def random_members(draw, deep=0):
    """C text of a few members: scalars, bit-fields, arrays, nested structs and unions, packed or aligned at times."""
    lines = []
    for i in range(draw.randint(1, 5)):
        kind = draw.choice(("char", "short", "int", "long", "float", "double", "void *", "_Bool", "long double",
        "nested",
                            "bits", "bits"))
        if kind == "nested" and deep < 2:
            words = draw.choice(("", "", " __attribute__((packed))", " __attribute__((aligned(8)))"))
            lines.append(f"{draw.choice(('struct', 'union'))} {{ {random_members(draw, deep + 1)} }}{words} "
                         f"{draw.choice((f'm{deep}{i}', f'm{deep}{i}[2]'))};")
        elif kind == "bits":
            of, most = draw.choice((("unsigned", 32), ("unsigned char", 8), ("long long", 64), ("_Bool", 1)))
            lines.append(f"{of} {draw.choice((f'm{deep}{i}', f'm{deep}{i}', ''))} : {draw.randint(1, most)};")
        else:
            kind = "int" if kind == "nested" else kind
            words = draw.choice(("",) * 6 + (" __attribute__((packed))", " __attribute__((aligned(8)))"))
            lines.append(f"{kind} m{deep}{i}{draw.choice(('', '', '[3]', '[0]'))}{words};")
    return " ".join(lines)


@pytest.mark.parametrize("cc, seeds", [("gcc", 16 if HEAVY else 8),
                                       pytest.param("clang", 6 if HEAVY else 2, marks=needs_clang)])
def test_any_type_is_declared_once_more(study, cc, seeds):
    """study() refuses where a member lies elsewhere or an object goes another way: of these it is to refuse none."""
    for seed in range(seeds):
        draw = random.Random(seed)
        words = draw.choice(("", "", " __attribute__((packed))"))
        text = f"struct t {{ {random_members(draw)} }}{words};"
        try:
            study(text, cc=cc)
        except Refused as refused:
            pytest.fail(f"{text}: {refused}")


# ---- What is refused, and by which word

@pytest.mark.parametrize("text, name, flags, says", [
    ("struct t { int n; char text[]; };", "struct t", "", "ends in the flexible array member text[]"),
    ("struct in { int n; char text[]; };\nstruct t { int a; struct in i; };", "struct t", "", "i.text[]"),
    ("#include <pthread.h>\nstruct t { pthread_spinlock_t lock; };", "struct t", "", "its member lock is volatile"),
    ("struct t { struct { _Atomic int n[2]; } in[2]; };", "struct t", "", "its member in[].n is atomic"),
    (PLAIN, "struct t", "-mno-sse", "because of -mno-sse: leave it out"),
    ("union t { int *a; float *b; } __attribute__((transparent_union)); struct s { int x; };", "struct gone", "",
     "does not have such a type"),
])
def test_what_is_refused_names_what_is_to_blame(study, text, name, flags, says):
    with pytest.raises(Refused) as refused:
        study(text, name, flags=flags)
    assert says in str(refused.value) and "\n" not in str(refused.value)


def test_a_type_that_cannot_be_rebuilt_is_refused(study, monkeypatch):
    """What is declared for the lessons is held against the original in size, places and registers."""
    real = subjects.clean.declare
    for old, new, says in (("unsigned amp_id", "unsigned long amp_id", "id differs: "),
                           ("double", "long", "it is passed in another way: integers 2 instead of 1"),
                           ("double amp_price;", "double amp_price, amp_more;", "its size differs: 24 instead of 16")):
        def other(*words, old=old, new=new):
            text = real(*words)
            assert old in text
            return text.replace(old, new)
        monkeypatch.setattr(subjects.clean, "declare", other)
        with pytest.raises(Refused, match=says):
            study(PLAIN)


# ---- What a reader should know before he copies it

NOTES = [
    ("struct head { struct head *next, *prev; }; struct t { int x; struct head h; };", "h is a list head or link, which "
     "points at itself or is pointed at: a copy of it cannot be used as one, so pass its address"),
    ("struct t { struct { struct t *tqh_first, **tqh_last; } of; int n; };", "of is a list head or link"),
    ("#include <pthread.h>\nstruct t { pthread_mutex_t lock; long n; };",
     "lock is a mutex: a copy of it cannot be used"),
    ("#include <pthread.h>\nstruct t { struct { pthread_cond_t c[2]; } in; };", "in.c is a condition variable"),
    ("#include <semaphore.h>\nstruct t { sem_t s; };", "s is a semaphore"),
    ("#include <threads.h>\nstruct t { mtx_t m; once_flag f; };", "f is a once_flag"),
    ("#include <stdio.h>\ntypedef FILE t; struct t { FILE f; };", "f is a stream"),
    ("struct t { struct { int refcount; } in; };", "in.refcount counts references"),
    ("struct t { int *refs; };", None),
    ("struct t { struct t *next, *prev; };", "next and prev point to objects of the type itself"),
    ("#include <sys/queue.h>\nstruct t { int a; LIST_ENTRY(t) all; };",
     "all.le_next and all.le_prev point to objects of the type itself"),
    ("struct u { int a; };\nstruct t { struct { struct u *other; } in; };", None),
    ("struct t { int n; struct { struct t *left, *right; } c; };",
     "c.left and c.right point to objects of the type itself"),
    ("struct link { struct link *next; };\nstruct t { int n; struct link link; };",
     "link.next points to objects of the"),
    ("struct t { int n; char text[1]; };", "text[1] is the last member"),
    ("struct t { int n; struct { int m; char text[1]; } in; };", "in.text[1] is the last member"),
    ("struct t { void *buf; char end[0]; };", "end[0] is the last member, an array without elements"),
    ("struct t { char text[1]; int n; };", None),
    ("struct t { const float x, y; };", "its member x is const: no object of it can be assigned as a whole, so what assigns"),
    ("struct t { int a : 3; };", "a bit-field has no address"),
    ("struct t { union { int a; float b; } u[2]; };", "a union is copied whole"),
    ("struct t { int a; };", None),
]


@pytest.mark.parametrize("text, says", NOTES)
def test_notes(study, compiler, text, says):
    found = answer.notes(study(text), compiler("gcc"))
    assert any(note.startswith(says) for note in found) if says else found == []


# ---- Many holes, and the command

HOLES = ("struct cell { char kind; int hp; };\nstruct layer { struct cell c[64][64]; };\n"
         "struct t { struct layer l[32]; };")


def test_holes_are_told_by_what_they_have_in_common(study):
    layout = study(HOLES).layout
    told = answer.padding(layout)
    assert told["bytes"] == 393216 and len(told["holes"]) == 64 and told["more_holes"] == 131072 - 64
    assert told["patterns"] == [{"bytes": 3, "after": "l[].c[][].kind", "times": 131072, "first_offset_b": 1}]
    assert told["holes"][63] == {"offset_b": 505, "bytes": 3, "after": "l[0].c[0][63].kind"}


def ask(*words):
    return subprocess.run([sys.executable, "-m", "ask", *map(str, words)], cwd=ROOT, text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=HANGS_S, check=False)


def test_facts_alone(tmp_path):
    header = tmp_path / "t.h"
    header.write_text(PLAIN)
    done = ask(header, "struct t", "--facts")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[2:] == [
        "  size      16 B, aligned to 8 B", "  padding   4 B at offset 4 after id",
        "  passed    in registers: as a first argument in rdi and xmm0", "  returned  in registers: rax and xmm0"]
    done = ask(header, "struct t", "--facts", "--json")
    found = json.loads(done.stdout)
    validate(found, "ask", "answer")
    assert found["size_b"] == 16 and "answers" not in found and "seconds" not in found


# ---- The lessons at every level of optimisation

LEVELS = ["-O0", "-Og", "-Os", "-O2 -fno-inline", "-O1 -finstrument-functions -pg --coverage",
          "-O3 -fpack-struct -fshort-enums -funsigned-char -std=c89"]
BUILT = [(cc, flags) for flags in LEVELS for cc in ("gcc", "clang")]


@pytest.mark.parametrize("cc, flags", BUILT if HEAVY else BUILT[0::4] + BUILT[3::4])  # by one compiler or the other
def test_sixteen_layouts_balance_what_a_lesson_calls(tmp_path, study, compiler, cc, flags):
    if not shutil.which(cc):
        pytest.skip(f"{cc} is not here: apt-get install {cc}")
    subject = study("struct t { char c; int id; double price; union { long n; char *s; } u; float f[3]; };", cc=cc,
                    flags=flags)
    used = compiler(cc, flags)
    contract = make_layouts.read_contract(lessons.lesson_object(used))
    made_profiles = profiles.of(subject, arguments.parse(["a.h", "struct a"]))
    lessons.write_calls(used, subject, made_profiles)
    for part in lessons.parts(subject, made_profiles):
        for lesson in part.lessons:
            lessons.compile_lesson(used, subject, lesson, tmp_path / "made.o")
            made = lesson_object.Object(tmp_path / "made.o")
            for unit in make_layouts.make_units(make_layouts.read_pairs(made, contract)):
                make_layouts.design(unit, made.alignments, lessons.LAYOUTS, random.Random(1))
