"""The CDK app: reads the settings from the context and makes one stack of them."""

import sys

from aws_cdk import App

from infra.bundle import BundleFailed
from infra.settings import BadSetting, from_context
from infra.stack import SymplifyLake


def main() -> None:
    """Synthesize; a bad setting is one sentence and exit status 1."""
    app = App()
    try:
        settings = from_context(app.node.get_all_context())
        SymplifyLake(app, settings)
    except (BadSetting, BundleFailed) as problem:
        sys.exit(str(problem))
    app.synth()


main()
