# SPDX-License-Identifier: MIT
"""Which allocator the pointer sides met, and what configured it from outside: both change their times."""

import os
import re

CONFIGURES = re.compile(r"LD_PRELOAD$|(_RJEM_)?MALLOC_|GLIBC_TUNABLES$|MIMALLOC_|mimalloc_|TCMALLOC_")
LINK = "/etc/malloc.conf"  # where jemalloc looks, too: what the link points to is read as MALLOC_CONF is


def facts(of_run, environment=None, link=LINK):
    """`allocator` of the answer; `of_run`: that of the run's manifest."""
    environment = os.environ if environment is None else environment
    settings = {name: value for name, value in sorted(environment.items()) if CONFIGURES.match(name)}
    try:
        settings[link] = os.readlink(link)
    except OSError:
        pass
    of_run = of_run or {}
    return {"name": of_run.get("name", "unknown"), "version": of_run.get("version"), "file": of_run.get("file"),
            "environment": settings}


def words(found):
    """jemalloc 5.3.0, set by MALLOC_CONF=tcache:false"""
    version = f" {found['version'].split('-')[0]}" if found["version"] else ""
    settings = ", ".join(f"{name}={value}" for name, value in found["environment"].items())
    return f"{found['name']}{version}" + (f", set by {settings}" if settings else "")
