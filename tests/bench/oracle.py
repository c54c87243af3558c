"""What really lies in a folder: a second walk, independent of the one in tests/src/tree.rs and of every program that is measured."""

import hashlib
import os
import stat


def tree(root, state=False):
    """Path → ("file", size, mtime, mode, sha256), ("link", target), ("directory", mode) or ("other",) for everything below `root`.

    Without `state`, `.updater` and `bkp_remote.*` at the top are left out. Times are whole UTC seconds, rounded down.
    """
    found = {}
    pending = [""]
    while pending:
        folder = pending.pop()
        for name in os.listdir(os.path.join(root, folder)):
            path = f"{folder}/{name}" if folder else name
            if not state and not folder and (name == ".updater" or name.startswith("bkp_remote.")):
                continue
            full = os.path.join(root, path)
            about = os.lstat(full)
            mode = stat.S_IMODE(about.st_mode)
            if stat.S_ISLNK(about.st_mode):
                found[path] = ("link", os.readlink(full))
            elif stat.S_ISDIR(about.st_mode):
                found[path] = ("directory", mode)
                pending.append(path)
            elif stat.S_ISREG(about.st_mode):
                found[path] = ("file", about.st_size, about.st_mtime_ns // 10**9, mode, sha256(full))
            else:
                found[path] = ("other",)
    return found


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def as_released(found):
    """The same tree as a release carries it: modes are 0755 or 0644, folders 0755."""

    def released(entry):
        if entry[0] == "file":
            return (*entry[:3], 0o755 if entry[3] & 0o111 else 0o644, entry[4])
        return ("directory", 0o755) if entry[0] == "directory" else entry

    return {path: released(entry) for path, entry in found.items()}


def files(found):
    return sum(entry[0] == "file" for entry in found.values())


def size(found):
    return sum(entry[1] for entry in found.values() if entry[0] == "file")


def difference(found, expected):
    """One line per path at which the two differ."""
    lines = [f"+ {path}: not expected: {found[path]}" for path in found.keys() - expected.keys()]
    lines += [f"- {path}: missing: {expected[path]}" for path in expected.keys() - found.keys()]
    lines += [f"~ {path}: is {found[path]}, expected {expected[path]}" for path in found.keys() & expected.keys() if found[path] != expected[path]]
    return sorted(lines, key=lambda line: line[2:])
