# SPDX-License-Identifier: MIT
"""The facts about a class of C++, in words."""

from plots.words import quantity


def facts(of_class):
    """(term, definition) for the list of facts; `of_class`: the answer's key "class"."""
    found = [("copied", _copied(of_class)), ("moved", _moved(of_class))]
    if of_class["polymorphic"]:
        found.append(("virtual", "has virtual functions: passed by value, an object of a derived class is sliced"))
    found.append(("object", of_class["make"] or "a default one" if of_class["default_constructible"] or of_class["make"]
                  else "has no default constructor: --make is needed to measure"))
    return found


def _copied(one):
    if one["trivially_copyable"] and one["copy_constructible"]:
        return "as its bytes are (trivially copyable)"
    if not one["copy_constructible"]:
        return "cannot be copied"
    how = "as its bytes are" if one["trivially_copy_constructible"] else "by its copy constructor"
    return how + _costs(one["copy"])


def _costs(copy):
    if not copy:
        return ""
    if not copy["allocs"]:
        return "; a copy of this object allocates nothing"
    n = quantity.counted(copy["allocs"], "allocation")
    return f"; a copy of this object makes {n}, {quantity.size(copy['asked_b'])}"


def _moved(one):
    if one["trivially_copyable"]:
        return "as it is copied"
    if not one["move_constructible"]:
        return "cannot be moved"
    if one["trivially_move_constructible"]:
        return "as its bytes are"
    if not one["nothrow_move_constructible"] and one["copy_constructible"]:
        return "not noexcept, so std::vector copies it as it grows; a class without a move constructor is copied"
    return "by its move constructor" + (", noexcept" if one["nothrow_move_constructible"] else "")
