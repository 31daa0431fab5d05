"""A certificate authority for the embedded cloud's TLS, so that every client verifies it."""

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificate:
    """Files in PEM form."""

    authority: Path
    chain: Path
    """The server's certificate and the authority's in one file; the functions in the cloud trust it too."""
    key: Path


def make(folder: Path) -> Certificate:
    """Issue a new certificate, valid for this machine only."""
    authority = trustme.CA(organization_name="Symplify lake local cloud")
    leaf = authority.issue_cert("localhost", "127.0.0.1", "*.localhost")
    made = Certificate(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    authority.cert_pem.write_to_path(str(made.authority))
    made.chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems) + authority.cert_pem.bytes())
    leaf.private_key_pem.write_to_path(str(made.key))
    made.key.chmod(0o600)
    return made
