"""`python -m infra.check`: synthesize with `cdk.json`, and run cdk-nag, cfn-lint and asl-validator on the result.

cfn-lint skips a definition that CDK writes as a join of texts, so the join is resolved and checked separately.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.definitions import definitions
from infra.settings import from_context
from infra.stack import SymplifyLake

_ROOT = Path(__file__).parent.parent
# W3005: the redundant dependencies that CDK adds between a function and its role are harmless.
_CFN_LINT = ["cfn-lint", "--non-zero-exit-code", "warning", "--ignore-checks", "W3005", "--template"]
_ASL_VALIDATOR = [str(_ROOT / "node_modules" / ".bin" / "asl-validator"), "--json-path"]


def main() -> int:
    """Run all checks; return how many failed."""
    with TemporaryDirectory() as folder:
        context = json.loads((_ROOT / "cdk.json").read_text())["context"]
        app = App(outdir=folder, context=context, analytics_reporting=False)
        stack = SymplifyLake(app, from_context(context))
        Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
        try:
            app.synth()
        except RuntimeError as error:
            # cdk-nag has printed each finding; otherwise the error itself says what is wrong.
            print(f"cdk-nag: failed: {str(error).splitlines()[0]}")
            return 1
        print("cdk-nag: clean")
        failed = 0
        template = Path(folder) / stack.template_file
        failed += _run("cfn-lint", [*_CFN_LINT, str(template)])
        for name, definition in definitions(json.loads(template.read_text())).items():
            path = Path(folder) / f"{name}.asl.json"
            path.write_text(definition)
            failed += _run("asl-validator", [*_ASL_VALIDATOR, str(path)])
    return failed


def _run(name: str, command: list[str]) -> int:
    done = subprocess.run(command, check=False)  # noqa: S603 - the commands above alone
    print(f"{name}: {'clean' if done.returncode == 0 else 'failed'}")
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
