"""Repositories made by python-tuf: for each recipe a row of states of one repository, as a station meets them one after the other."""

from collections.abc import Iterator
from pathlib import Path

from publisher import Publisher

# A role name that no file system and no URL takes as it is.
ODD_NAME = "équipe/../?a b%2F"


def plain(now: str) -> Iterator[Publisher]:
    publisher = Publisher(now)
    publisher.add("targets", "windows/client/x86_64/stable.json", b"one")
    yield publisher


def many_releases(now: str) -> Iterator[Publisher]:
    publisher = Publisher(now)
    for number in range(5):
        publisher.add("targets", "windows/client/x86_64/stable.json", b"release %d" % number)
        publisher.add("targets", f"linux/client/x86_64/{number}.json", b"linux %d" % number)
        publisher.bump("targets")
        yield publisher


def thresholds(now: str) -> Iterator[Publisher]:
    publisher = Publisher(now)
    publisher.rotate("root", keys=3, threshold=2)
    publisher.rotate("targets", keys=2, threshold=2)
    publisher.add("targets", "a", b"signed by two")
    yield publisher


def rotations(now: str) -> Iterator[Publisher]:
    publisher = Publisher(now)
    publisher.add("targets", "a", b"before any rotation")
    yield publisher
    for role in ("root", "timestamp", "snapshot", "targets", "root"):
        publisher.rotate(role, keys=2, threshold=2)
        publisher.add("targets", "a", f"after {role}".encode())
        publisher.bump("targets")
        yield publisher


def delegations(now: str) -> Iterator[Publisher]:
    publisher = Publisher(now)
    publisher.delegate("targets", "windows", terminating=True, paths=["windows/*/*/*"])
    publisher.delegate("targets", ODD_NAME, keys=2, threshold=2, paths=["linux/*/*/*", "other/?.json"])
    publisher.delegate(ODD_NAME, "inner", paths=["linux/client/*/stable.json"])
    publisher.add("windows", "windows/client/x86_64/stable.json", b"of windows")
    publisher.add(ODD_NAME, "other/x.json", b"of the odd role")
    publisher.add("inner", "linux/client/x86_64/stable.json", b"of a role below it")
    yield publisher
    publisher.add("inner", "linux/client/x86_64/stable.json", b"newer")
    publisher.bump("inner")
    yield publisher


def hash_bins(now: str) -> Iterator[Publisher]:
    publisher = Publisher(now)
    for number in range(16):
        publisher.delegate("targets", f"bin-{number:x}", terminating=True, path_hash_prefixes=[f"{number:x}"])
    for number in range(16):
        path = f"file/{number}"
        (name,) = [role.name for role in publisher.targets["targets"].delegations.roles.values() if role.is_delegated_path(path)]
        publisher.add(name, path, b"%d" % number)
    yield publisher


def unversioned(now: str) -> Iterator[Publisher]:
    publisher = Publisher(now, consistent=False)
    publisher.delegate("targets", ODD_NAME, paths=["b/*"])
    publisher.add("targets", "a", b"no version in any name")
    publisher.add(ODD_NAME, "b/c", b"below")
    yield publisher
    publisher.add(ODD_NAME, "b/c", b"below, newer")
    publisher.bump(ODD_NAME)
    yield publisher


def versions_alone(now: str) -> Iterator[Publisher]:
    publisher = Publisher(now, listed=None)
    publisher.delegate("targets", "b", paths=["b/*"])
    publisher.add("targets", "a", b"neither length nor hash")
    publisher.add("b", "b/c", b"below")
    yield publisher
    publisher.bump("targets", "b")
    yield publisher


def both_hashes(now: str) -> Iterator[Publisher]:
    publisher = Publisher(now, listed=("sha512", "sha256"))
    publisher.add("targets", "a", b"two hashes")
    yield publisher


def unknown_fields(now: str) -> Iterator[Publisher]:
    publisher = Publisher(now)
    extra = {"x-émoji 🚉": [None, True, -1, {"z": "line\nbreak \"quoted\" \\ \u007f", "ａ": 18446744073709551615, "𝒂": 0}]}
    publisher.delegate("targets", "b", paths=["b/*"])
    publisher.add("targets", "a", b"known")
    publisher.add("b", "b/c", b"below")
    for content in (publisher.root, publisher.timestamp, publisher.snapshot, *publisher.targets.values()):
        content.unrecognized_fields = extra
    publisher.targets["targets"].targets["a"].unrecognized_fields = {"custom": extra}
    publisher.targets["targets"].delegations.unrecognized_fields = extra
    publisher.targets["targets"].delegations.roles["b"].unrecognized_fields = extra
    publisher.root.roles["targets"].unrecognized_fields = extra
    publisher.sign_root()
    yield publisher


def recovery(now: str) -> Iterator[Publisher]:
    """A thief of the online keys drives the versions up; the owner rotates both keys and goes on from where he was."""
    publisher = Publisher(now)
    publisher.add("targets", "a", b"before")
    yield publisher
    publisher.timestamp.version = publisher.snapshot.version = 2**40
    yield publisher
    publisher.timestamp.version = publisher.snapshot.version = 2
    publisher.rotate("timestamp")
    publisher.rotate("snapshot")
    publisher.add("targets", "a", b"recovered")
    publisher.bump("targets")
    yield publisher


RECIPES = {
    function.__name__.replace("_", "-"): function
    for function in (
        plain,
        many_releases,
        thresholds,
        rotations,
        delegations,
        hash_bins,
        unversioned,
        versions_alone,
        both_hashes,
        unknown_fields,
        recovery,
    )
}


def answer(now: str, folder: str) -> list[dict]:
    """Writes every recipe below `folder`: its name, its first root, and its states in order."""
    made = []
    for name, recipe in RECIPES.items():
        states = []
        for number, publisher in enumerate(recipe(now)):
            states.append(publisher.write(Path(folder, name, str(number))))
            first = publisher.roots[0]
        made.append({"recipe": name, "root": first.hex(), "states": states})
    return made
