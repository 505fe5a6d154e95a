# SPDX-License-Identifier: MIT
"""What to know of a type before copying it. Pure functions of its tree of members."""

from ask.types import members

# A copy of it is none, says POSIX, C or the one who made it.
NOT_COPIED = {
    "pthread_mutex_t": "mutex", "pthread_cond_t": "condition variable", "pthread_rwlock_t": "lock",
    "pthread_barrier_t": "barrier", "pthread_once_t": "pthread_once_t", "pthread_attr_t": "pthread_attr_t",
    "pthread_mutexattr_t": "pthread_mutexattr_t", "pthread_condattr_t": "pthread_condattr_t", "sem_t": "semaphore",
    "mtx_t": "mutex", "cnd_t": "condition variable", "once_flag": "once_flag", "FILE": "stream", "_IO_FILE": "stream",
    "va_list": "va_list", "__va_list_tag": "va_list", "jmp_buf": "jmp_buf", "sigjmp_buf": "jmp_buf",
    "__jmp_buf_tag": "jmp_buf", "regex_t": "compiled expression", "ucontext_t": "context",
    "posix_spawn_file_actions_t": "list of actions",
}


# Names of members that point back into the object that holds them, as long as a list of <sys/queue.h> is empty.
LAST_LINKS = ("tqh_last", "stqh_last", "sqh_last", "cqh_last")

# Names of members that say how many refer to the object.
REFERENCE_COUNTS = ("refs", "refcnt", "refcount", "ref_count", "reference_count")


def about(use):
    """One sentence each; what must not be copied comes first."""
    found = []
    places = _places(use)
    if any(member.bits is not None for _, _, member, _ in members.walk(use)):
        found.append("a bit-field has no address of its own: the pointer side passes the address of the whole object")
    if any(one.type.kind == "union" for _, one in _through(places)):
        found.append("a union is copied whole, whichever member is set")
    if not use.type.size:
        found.append("it has no bytes, which GNU C allows and C does not: nothing is copied, but the heap side still "
                     "allocates")
    return [f"{one}: a copy of it cannot be used as one, so pass its address" for one in not_copied(use)] + (
        _counted(use) + found + _linked(use) + _at_the_end(use))


def _places(use):
    return [("", use), *((path, member.use) for path, _, member, _ in members.walk(use))]


def _through(places):
    """Arrays and their elements."""
    for path, use in places:
        while use:
            yield path, use
            use = use.type.element


def not_copied(use):
    """What it is, or has in it, that no assignment can copy, as in "lock is a mutex"; each kind once."""
    found = {}
    for path, one in _through(_places(use)):
        for name in (*one.names, one.type.name):
            if NOT_COPIED.get(name):
                found.setdefault(NOT_COPIED[name], members.shown(path))
                break
    return [f"{where or 'it'} is a {what}" for what, where in found.items()] + _list_heads(use)


def _list_heads(use):
    """Heads of lists that point at themselves while empty, and their links: of <sys/queue.h>, by the names of members;
    of Linux and others, a struct of nothing but two pointers to its own type. The first of each kind of struct."""
    found, seen = [], set()
    for path, one in _places(use):
        kind, _ = members.innermost(one.type)
        if id(kind) in seen or "__" in path or not _is_head(kind):  # what is the C library's own affair is not told
            continue
        seen.add(id(kind))
        found.append(f"{members.shown(path) or 'it'} is a list head or link, which points at itself or is pointed at")
    return found


def _is_head(kind):
    if kind.kind != "struct" or len(kind.members) != 2:
        return False
    own = all(member.use.type.kind == "pointer" and member.use.type.pointee == kind.place for member in kind.members)
    return own or any(member.name in LAST_LINKS for member in kind.members)


def _counted(use):
    own = [members.shown(path) for path, _, member, _ in members.walk(use)
           if member.name.strip("_").lower() in REFERENCE_COUNTS and member.use.type.kind == "scalar"]
    return [f"{own[0]} counts references, by its name: a copy is not counted, and its own count changes alone"] if (
        own) else []


def _linked(use):
    """Members that point to objects of the type in which they are, or of the whole, as the links of <sys/queue.h> do;
    not what is the C library's own affair."""
    own = [members.shown(path) for path, _, member, holder in members.walk(use)
           if member.use.type.pointee and member.use.type.pointee in (holder.place, use.type.place)
           and "__" not in path]
    if not own:
        return []
    words = own[0] if len(own) == 1 else f"{', '.join(own[:-1])} and {own[-1]}"
    return [f"{words} point{'s' if len(own) == 1 else ''} to objects of the type itself, as in a list or a tree: a "
            "copy is no part of it, and what points to the object does not point to the copy"]


def _at_the_end(use):
    """An array that is declared shorter than it often is."""
    path, kind = "", use.type
    while kind.kind == "struct" and kind.members:
        member = kind.members[-1]
        path, kind = ".".join(part for part in (path, member.name) if part), member.use.type
    if kind.kind != "array" or kind.count > 1:
        return []
    if kind.count == 1:
        return [f"{path}[1] is the last member: such an array often stands for one of any length, and a copy then "
                "loses all but the first element"]
    return [f"{path}[0] is the last member, an array without elements: if any follow it in memory, a copy loses them"]
