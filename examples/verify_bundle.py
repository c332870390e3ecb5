"""Checks the signatures of a bundle of evidence with other people's code: securesystemslib and in-toto-attestation.

    pip install securesystemslib cryptography in-toto-attestation
    python examples/verify_bundle.py bundle.json [PUBLIC_KEY…]

A key id in a bundle is the Ed25519 public key in hexadecimal. Give the keys that you trust; without any, the signatures
are checked under the keys that the bundle itself names. Prints who signed and what the statement is about.
"""
import json
import sys

from in_toto_attestation.v1.statement import Statement
from google.protobuf import json_format
import in_toto_attestation.v1.statement_pb2 as statement_pb
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey


def key_of(public):
    return SSlibKey(public, "ed25519", "ed25519", {"public": public})


path, *trusted = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    data = json.load(file)
named = [signature["keyid"] for signature in data["signatures"]]
envelope = Envelope.from_dict(data)
keys = [key_of(one) for one in trusted or named]
accepted = envelope.verify(keys, threshold=len(keys))

parsed = json_format.ParseDict(json.loads(envelope.payload), statement_pb.Statement())
Statement.copy_from_pb(parsed).validate()
print(f"{envelope.payload_type}, signed by {', '.join(sorted(accepted))}")
for subject in parsed.subject:
    print(f"{subject.digest['sha256']}  {subject.name}")
