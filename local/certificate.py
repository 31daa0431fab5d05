"""A certificate authority of our own, so that the embedded cloud speaks TLS and every client really checks it."""

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificate:
    """Files in PEM form."""

    authority: Path
    chain: Path
    """The server's certificate and the authority's, in one file: what functions inside the cloud trust as well."""
    key: Path


def make(folder: Path) -> Certificate:
    """Issue a new certificate for this machine alone."""
    authority = trustme.CA(organization_name="Symplify lake local cloud")
    leaf = authority.issue_cert("localhost", "127.0.0.1", "*.localhost")
    made = Certificate(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    authority.cert_pem.write_to_path(str(made.authority))
    made.chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems) + authority.cert_pem.bytes())
    leaf.private_key_pem.write_to_path(str(made.key))
    made.key.chmod(0o600)
    return made
