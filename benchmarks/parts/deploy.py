"""How long `cdk synth` takes, and `cdk deploy` on the embedded cloud: of a new stack, and of an unchanged one."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.options import BenchmarkOptions
from local import deployment
from local.cloud import boot

_SETTINGS = {"baseUrl": "https://symplify.example.com/rest", "customerId": "1234", "bundle": "host"}


def measure(options: BenchmarkOptions) -> Iterator[dict[str, Any]]:
    """One line per command, and one for the content of the template."""
    with TemporaryDirectory(dir=options.folder, prefix="deploy-") as name:
        folder = Path(name)
        options.report("deploy: the embedded cloud")
        cloud = boot(folder)
        try:
            words = deployment.context(_SETTINGS)
            commands: dict[str, tuple[int, Callable[[], object]]] = {
                # The first synthesis installs the functions' packages unless they are installed.
                "packages and first synth": (1, lambda: deployment.cdk(cloud, folder, "synth", "--quiet", *words)),
                "synth": (options.repetitions, lambda: deployment.cdk(cloud, folder, "synth", "--quiet", *words)),
                "bootstrap": (1, lambda: deployment.bootstrap(cloud, folder)),
                "deploy, new": (1, lambda: deployment.deploy(cloud, folder, _SETTINGS)),
                "deploy, unchanged": (options.repetitions, lambda: deployment.deploy(cloud, folder, _SETTINGS)),
            }
            for command, (repetitions, start) in commands.items():
                options.report(f"deploy: {command}")
                walls = [_seconds(start) for _ in range(repetitions)]
                yield {"subject": command, "wall": median(walls), "walls": walls}
            yield {"subject": "template", **_template(folder)}
        finally:
            cloud.process.stop()


def _seconds(start: Callable[[], object]) -> float:
    began = time.perf_counter()
    start()
    return time.perf_counter() - began


def _template(folder: Path) -> dict[str, Any]:
    """The resources by kind, and the functions' sizes, from the synthesized template."""
    (path,) = (folder / "cdk.out").glob("*.template.json")
    resources = json.loads(path.read_text())["Resources"].values()
    functions = [
        resource["Properties"]
        for resource in resources
        if resource["Type"] == "AWS::Lambda::Function" and "MemorySize" in resource["Properties"]
    ]
    return {
        "resources": dict(sorted(Counter(resource["Type"] for resource in resources).items())),
        "functions": {
            properties["Handler"].split(".")[-2]: {
                "memory": properties["MemorySize"],
                "seconds": properties["Timeout"],
                "disk": properties.get("EphemeralStorage", {}).get("Size", 512),
            }
            for properties in functions
        },
    }
