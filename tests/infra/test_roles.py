"""docs/roles.md is what the template grants."""

from tests.infra.synthesis import Template, synthesized


def test_the_page_of_roles_is_that_of_the_template() -> None:
    # Imported here: it starts CDK's Node, which only the worker with these tests has to do.
    from infra.roles import PAGE, page  # noqa: PLC0415

    assert PAGE.read_text() == page(), "Rights have changed: run make docs, and read what it writes."


def test_every_statement_of_the_template_is_of_a_grant_that_the_page_shows() -> None:
    from infra.policies import grants, resource_policies  # noqa: PLC0415
    from infra.references import Place  # noqa: PLC0415

    template: Template = synthesized(deleteDataWithStack=True)
    shown = [*grants(template.to_json(), Place()), *resource_policies(template.to_json(), Place())]
    kinds = (
        *("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"),
        *("AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"),
    )
    wanted = [
        statement
        for kind in kinds
        for one in template.find_resources(kind).values()
        for statement in one["Properties"]["PolicyDocument"]["Statement"]
    ]
    assert len([statement for grant in shown for statement in grant.statements]) == len(wanted)
    # A resource-based right of another kind (a layer's, a key's) would be shown nowhere.
    others = {one["Type"] for one in template.to_json()["Resources"].values()} - set(kinds)
    assert not {kind for kind in others if kind.endswith("Policy")}
