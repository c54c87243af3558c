"""A publisher that uses python-tuf: roles, keys and files, written as a folder that a web server could serve."""

import datetime
import hashlib
from pathlib import Path
from urllib.parse import quote

from clients import instant
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp


class Publisher:
    """What its fields say is what `write` signs."""

    def __init__(self, now: str, *, consistent: bool = True, listed: tuple[str, ...] | None = ("sha256",)):
        self.expires = instant(now) + datetime.timedelta(days=30)
        # Hash algorithms by which metadata and targets are listed; None lists metadata by version alone.
        self.listed = listed
        self.signers: dict[str, list[CryptoSigner]] = {}
        self.root = Root(expires=self.expires, consistent_snapshot=consistent)
        self.timestamp = Timestamp(expires=self.expires)
        self.snapshot = Snapshot(expires=self.expires)
        self.targets: dict[str, Targets] = {"targets": Targets(expires=self.expires)}
        self.contents: dict[str, bytes] = {}
        self.roots: list[bytes] = []
        for role in ("root", "timestamp", "snapshot", "targets"):
            self.set_keys(role, 1, 1)
        self.sign_root()

    def set_keys(self, role: str, keys: int, threshold: int) -> None:
        """Gives a top-level role new keys in place of those it has."""
        for keyid in list(self.root.roles[role].keyids):
            self.root.revoke_key(keyid, role)
        self.signers[role] = [CryptoSigner.generate_ed25519() for _ in range(keys)]
        for signer in self.signers[role]:
            self.root.add_key(signer.public_key, role)
        self.root.roles[role].threshold = threshold

    def sign_root(self, also: list[CryptoSigner] = ()) -> None:
        """Makes the root as it is the next version, signed by its own keys and by `also`."""
        self.root.version = len(self.roots) + 1
        self.roots.append(signed(self.root, [*also, *self.signers["root"]]))

    def rotate(self, role: str, keys: int = 1, threshold: int = 1) -> None:
        """A new root in which `role` has new keys."""
        before = self.signers["root"]
        self.set_keys(role, keys, threshold)
        self.sign_root(before if role == "root" else [])

    def delegate(self, by: str, name: str, *, keys: int = 1, threshold: int = 1, terminating: bool = False, **scope: list[str]) -> None:
        """Lets `by` delegate `paths` or `path_hash_prefixes` to a new role `name`."""
        self.signers[name] = [CryptoSigner.generate_ed25519() for _ in range(keys)]
        role = DelegatedRole(name, [], threshold, terminating, **scope)
        delegator = self.targets[by]
        if delegator.delegations is None:
            delegator.delegations = Delegations({}, {})
        delegator.delegations.roles[name] = role
        for signer in self.signers[name]:
            delegator.add_key(signer.public_key, name)
        self.targets[name] = Targets(expires=self.expires)

    def add(self, role: str, path: str, content: bytes) -> None:
        """Lists the target `path` with this content in `role`."""
        self.targets[role].targets[path] = TargetFile.from_data(path, content, list(self.listed or ("sha256",)))
        self.contents[path] = content

    def bump(self, *roles: str) -> None:
        """The next version of targets roles, and of what lists them."""
        for content in [*(self.targets[role] for role in roles), self.snapshot, self.timestamp]:
            content.version += 1

    def write(self, folder: Path) -> dict:
        """Signs and writes everything; returns where it lies and the SHA-256 of every target."""
        metadata = folder / "metadata"
        metadata.mkdir(parents=True)
        for version, root in enumerate(self.roots, start=1):
            (metadata / f"{version}.root.json").write_bytes(root)
        self.snapshot.meta = {}
        for role, content in self.targets.items():
            file = signed(content, self.signers[role])
            self.snapshot.meta[f"{role}.json"] = self.listing(content.version, file)
            self.write_role(metadata, role, content.version, file)
        file = signed(self.snapshot, self.signers["snapshot"])
        self.timestamp.snapshot_meta = self.listing(self.snapshot.version, file)
        self.write_role(metadata, "snapshot", self.snapshot.version, file)
        (metadata / "timestamp.json").write_bytes(signed(self.timestamp, self.signers["timestamp"]))
        for role in self.targets.values():
            for path, target in role.targets.items():
                names = target.get_prefixed_paths() if self.root.consistent_snapshot else [path]
                for name in names:
                    place = folder / "targets" / name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(self.contents[path])
        return {"folder": str(folder), "targets": {path: hashlib.sha256(content).hexdigest() for path, content in self.contents.items()}}

    def write_role(self, metadata: Path, role: str, version: int, file: bytes) -> None:
        name = f"{quote(role, '')}.json"
        (metadata / (f"{version}.{name}" if self.root.consistent_snapshot else name)).write_bytes(file)

    def listing(self, version: int, file: bytes) -> MetaFile:
        return MetaFile(version) if self.listed is None else MetaFile.from_data(version, file, list(self.listed))


def signed(content: Root | Timestamp | Snapshot | Targets, signers: list[CryptoSigner]) -> bytes:
    """The file with `content`, signed by each of `signers`."""
    metadata = Metadata(content)
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()
