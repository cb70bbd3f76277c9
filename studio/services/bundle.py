"""Bundles: what a machine without a network needs to judge, gathered here, and verified there or here.

Making one opens no connection: wheels are made anew from what is installed, or taken from a folder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studio import paths
from studio.core.errors import InputError
from studio.core.policy import Policy
from studio.core.progress import Cancel, Progress
from studio.services.studio import Studio

if TYPE_CHECKING:
    from studio.exchange.bundle.build import BundleModel, Made
    from studio.exchange.bundle.verify import Verified

__all__ = ["create", "verify"]


def create(
    studio: Studio,
    out: Path,
    *,
    models: Sequence[str] = (),
    policies: Sequence[Policy] = (),
    wheels: Path | None = None,
    archive: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: Cancel | None = None,
) -> Made:
    """Make a bundle with these models, by their ids on the shelf, and these policies; the demo model is always in it.

    ``wheels``: a folder of wheels to take instead of what is installed here; ``archive``: a tar archive and not a
    folder. Raises InputError, NotFoundError, ModelFileError or BundleError; then nothing is left.
    """
    # Reads the metadata of all that is installed: only a bundle needs it.
    from studio.exchange.bundle.build import BundlePolicy, create

    ids = [policy.id for policy in policies]
    if len(set(ids)) < len(ids):
        raise InputError("A policy is named twice.", hint="A bundle brings one version of a policy.")
    if wheels is not None and not wheels.is_dir():
        raise InputError(f"{wheels} is not a folder.", hint="Name the folder that the wheels are in.")
    brought = [
        BundlePolicy(policy.id, policy.title, studio.policies.export_text(policy), _is_starter(studio, policy))
        for policy in policies
    ]
    return create(
        Path(out).expanduser().absolute(),
        models=[_model(studio, wanted) for wanted in dict.fromkeys(models) if wanted != "demo"],
        policies=brought,
        wheel_folder=wheels,
        archive=archive,
        on_progress=on_progress,
        cancel=cancel,
    )


def verify(path: Path, *, told: Callable[[str], None] | None = None) -> Verified:
    """Read every byte of a bundle, folder or archive, and compare it with its manifest. Raises BundleError."""
    from studio.exchange.bundle.verify import verify  # as in create

    return verify(path.expanduser(), told=told)


def _is_starter(studio: Studio, policy: Policy) -> bool:
    """Whether every studio has this policy as it is."""
    file, text = paths.resource("policies") / policy.id / "policy.md", studio.policies.export_text
    return file.is_file() and text(studio.policies.read(file).policy) == text(policy)


def _model(studio: Studio, wanted: str) -> BundleModel:
    from studio.exchange.bundle.build import BundleModel  # as in create

    entry = studio.shelf.get(wanted)
    if entry.model is None or not entry.sha256:
        raise InputError(
            f"{entry.title} is not ready to be taken. {entry.why}".strip(),
            hint="`moderation-studio models list` shows what is there; download or import it first.",
        )
    return BundleModel(entry.model.name, entry.files, entry.sha256, entry.licence)
