"""The CDK app: one stack from the settings in the context."""

import sys

from aws_cdk import App

from infra.bundle import BundleFailed
from infra.settings import BadSetting, from_context
from infra.stack import SymplifyLake


def main() -> None:
    """Synthesize the stack; a bad setting ends with one sentence and exit status 1."""
    app = App()
    try:
        settings = from_context(app.node.get_all_context())
        SymplifyLake(app, settings)
    except (BadSetting, BundleFailed) as problem:
        sys.exit(str(problem))
    app.synth()


main()
