"""`python -m infra.check`: synthesize the stack, and run cdk-nag, cfn-lint, asl-validator and parliament on it.

cfn-lint skips a definition that CDK writes as a join of texts, so the join is resolved and checked separately.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.definitions import definitions
from infra.policies import grants
from infra.policy_check import ACCEPTED, findings
from infra.references import Place
from infra.settings import from_context
from infra.stack import SymplifyLake
from infra.variants import VARIANTS, Variant

_ROOT = Path(__file__).parent.parent
CONTEXT: Mapping[str, Any] = json.loads((_ROOT / "cdk.json").read_text())["context"]
# W3005: the redundant dependencies that CDK adds between a function and its role are harmless.
_CFN_LINT = ["cfn-lint", "--non-zero-exit-code", "warning", "--ignore-checks", "W3005", "--regions"]
_ASL_VALIDATOR = [str(_ROOT / "node_modules" / ".bin" / "asl-validator")]
# The bundles need no copy to be checked.
_IN_PLACE = {"aws:cdk:disable-asset-staging": True}


@dataclass(frozen=True)
class Synthesized:
    """A template, where it lies, and where it would be deployed."""

    path: Path
    content: Mapping[str, Any]
    place: Place


def main() -> int:
    """Check the stack of `cdk.json`, and what settings make of it; return how many checks failed."""
    return check({str(CONTEXT["stackName"]): Variant(), **VARIANTS})


def check(variants: Mapping[str, Variant]) -> int:
    """Run all checks on the stacks of these names; return how many failed."""
    with TemporaryDirectory() as folder:
        app = App(outdir=folder, context=_IN_PLACE, analytics_reporting=False)
        stacks = {
            name: SymplifyLake(app, from_context({**CONTEXT, **variant.changes, "stackName": name}))
            for name, variant in variants.items()
        }
        Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
        try:
            app.synth()
        except RuntimeError as error:
            # cdk-nag has printed each finding; otherwise the error itself says what is wrong.
            print(f"cdk-nag: failed: {str(error).splitlines()[0]}")
            return 1
        print("cdk-nag: clean")
        paths = {name: Path(folder) / stack.template_file for name, stack in stacks.items()}
        made = [Synthesized(path, json.loads(path.read_text()), variants[name].place) for name, path in paths.items()]
        return _lint(made) + _validate(made) + _judge(made)


def _lint(templates: Iterable[Synthesized]) -> int:
    regions = sorted({one.place.region for one in templates})
    return _run("cfn-lint", [*_CFN_LINT, *regions, "--template", *(str(one.path) for one in templates)])


def _validate(templates: Iterable[Synthesized]) -> int:
    words = []
    for one in templates:
        for name, definition in definitions(one.content).items():
            path = one.path.with_suffix(f".{name}.asl.json")
            path.write_text(definition)
            words += ["--json-path", str(path)]
    return _run("asl-validator", [*_ASL_VALIDATOR, *words])


def _judge(templates: Iterable[Synthesized]) -> int:
    found = {finding for one in templates for finding in findings(grants(one.content, one.place))}
    problems = [*sorted(found - ACCEPTED.keys()), *(f"accepted in vain: {one}" for one in ACCEPTED.keys() - found)]
    print("\n".join(problems), end="\n" if problems else "")
    print(f"parliament: {'failed' if problems else 'clean'}")
    return int(bool(problems))


def _run(name: str, command: list[str]) -> int:
    done = subprocess.run(command, check=False)  # noqa: S603 - the commands above alone
    print(f"{name}: {'clean' if done.returncode == 0 else 'failed'}")
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
