"""Where a stack is to be deployed, with what settings."""

from dataclasses import dataclass

from infra.settings import Settings
from local.checks import ClientFactory

QUALIFIER = "hnb659fds"
"""CDK's default; the context of `cdk.json` may have another."""


@dataclass(frozen=True)
class Target:
    """An account and region, the settings, and the Symplify token if the caller gave one."""

    settings: Settings
    client: ClientFactory
    account: str
    region: str
    partition: str
    token: str = ""
    qualifier: str = QUALIFIER
    """What CDK's bootstrap has in all of its names."""

    @property
    def execution_role(self) -> str:
        """The ARN of the role by which CloudFormation makes CDK's stacks."""
        name = f"cdk-{self.qualifier}-cfn-exec-role-{self.account}-{self.region}"
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"

    @property
    def version_parameter(self) -> str:
        """The SSM parameter with the version of CDK's bootstrap."""
        return f"/cdk-bootstrap/{self.qualifier}/version"

    @property
    def assets_bucket(self) -> str:
        """The bucket that CDK uploads code to."""
        return f"cdk-{self.qualifier}-assets-{self.account}-{self.region}"

    @property
    def bucket(self) -> str:
        """The bucket of the stack."""
        return f"{self.settings.stack_name}-{self.account}-{self.region}"

    @property
    def ledger(self) -> str:
        """The ledger's table."""
        return f"{self.settings.stack_name}-ledger"

    @property
    def analysts_policy(self) -> str:
        """The ARN of the analysts' managed policy."""
        return f"arn:{self.partition}:iam::{self.account}:policy/{self.settings.stack_name}-{self.region}-analysts"
