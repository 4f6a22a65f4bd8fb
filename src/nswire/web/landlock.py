"""Nothing in any folder, no TCP port, no abstract socket and no signal to anybody else: Landlock, where the kernel has it.

Documentation/userspace-api/landlock.rst: what is handled and allowed by no rule is refused. There are no rules.
"""

from __future__ import annotations

import ctypes
import os
import struct

CREATE, RESTRICT = 444, 446  # the same on all machines (asm-generic/unistd.h)
VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION
# ABI: bits of handled_access_fs, handled_access_net, scoped (include/uapi/linux/landlock.h)
HANDLED = {1: (13, 0, 0), 2: (14, 0, 0), 3: (15, 0, 0), 4: (15, 2, 0), 5: (16, 2, 0), 6: (16, 2, 2)}


def confine() -> bool:
    """Restrict this thread and what it starts, for good; False if this kernel cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    call = libc.syscall
    abi = call(CREATE, None, ctypes.c_size_t(0), VERSION)
    if abi < 1:  # ENOSYS: not built in; EOPNOTSUPP: not enabled
        return False
    words = [(1 << bits) - 1 for bits in HANDLED[min(abi, max(HANDLED))]]
    while not words[-1]:  # an older kernel wants its own size of struct landlock_ruleset_attr
        words.pop()
    attributes = struct.pack(f"={len(words)}Q", *words)
    ruleset = call(CREATE, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return False
    try:
        return bool(call(RESTRICT, ruleset, 0) == 0)
    finally:
        os.close(ruleset)
