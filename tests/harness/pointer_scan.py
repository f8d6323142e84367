"""Byte-wise search of a process's memory for values that point into given address ranges.

A process that was updated completely holds no pointer into the file that it left. The search looks at every byte offset
of every readable mapping, private and shared, because packed structures hold pointers at odd addresses.
"""

import os
from dataclasses import dataclass

from harness import proc

# The ABI lets a function use this much below its stack pointer.
RED_ZONE = 128


@dataclass(frozen=True)
class Hit:
    pid: int
    address: int
    value: int
    mapping: str
    below_stack_pointer: bool

    def __str__(self):
        note = ", dead: below the stack pointer" if self.below_stack_pointer else ""
        return f"PID {self.pid}: {self.address:#x} in {self.mapping or 'anonymous memory'} holds {self.value:#x}{note}"


def module_range(pid, inode):
    """The address range [start, end) that a file's mappings take in a process, zero-initialised data included."""
    own = [mapping for mapping in proc.mappings(pid) if mapping.inode == inode]
    if not own:
        return None
    end = max(mapping.end for mapping in own)
    for mapping in proc.mappings(pid):
        if mapping.start == end and mapping.inode == 0 and not mapping.path:
            end = mapping.end
    return min(mapping.start for mapping in own), end


def leftovers(pid, former, new_inode):
    """What is mapped in the range `former` without belonging to the new file."""
    new = module_range(pid, new_inode) or (0, 0)
    return [mapping for mapping in proc.mappings(pid) if mapping.overlaps(*former) and not mapping.overlaps(*new)]


def _without_mapped(pid, start, end):
    """The parts of [start, end) where nothing is mapped any more: what is mapped there now is a legitimate target."""
    parts, at = [], start
    for mapping in proc.mappings(pid):
        if mapping.overlaps(at, end):
            if mapping.start > at:
                parts.append((at, mapping.start))
            at = mapping.end
    if at < end:
        parts.append((at, end))
    return parts


def _find_in(data, ranges):
    """Yields (offset, value) of the 8-byte little-endian values in `data` that fall into one of the ranges.

    Values in a range share their upper five bytes with few others, so that the search is one for a five-byte string.
    """
    for start, end in ranges:
        for high in range(start >> 24, ((end - 1) >> 24) + 1):
            pattern = high.to_bytes(5, "little")
            at = data.find(pattern, 3)
            while at != -1:
                value = int.from_bytes(data[at - 3:at + 5], "little")
                if start <= value < end:
                    yield at - 3, value
                at = data.find(pattern, at + 1)


def _is_dead_stack(mapping, address, stack_pointer):
    return mapping.path == "[stack]" and stack_pointer is not None and address < stack_pointer - RED_ZONE


def find_pointers(pid, former):
    """Every value in the process's memory that points into `former`, a range (start, end), where that is unmapped."""
    ranges = _without_mapped(pid, *former)
    stack_pointer = proc.stack_pointer(pid)
    hits = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for mapping in proc.mappings(pid):
            if not mapping.permissions.startswith("r") or mapping.path in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                continue
            try:
                data = os.pread(memory.fileno(), mapping.end - mapping.start, mapping.start)
            except OSError:
                continue  # unmapped since the list was read, or a device
            for offset, value in _find_in(data, ranges):
                address = mapping.start + offset
                hits.append(Hit(pid, address, value, mapping.path, _is_dead_stack(mapping, address, stack_pointer)))
    return hits
