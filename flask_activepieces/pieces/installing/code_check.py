"""Loads a package in Node as an engine does, before the upload, because a server accepts each version only once.

Node is optional: without Node 18 or newer, the package is uploaded unchecked.
"""

from __future__ import annotations

import subprocess
import tarfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from ...errors import SetupError
from ..archive import ENTRY, PieceArchive

_SECONDS = 30
#: The exit codes of the script. Any other means that Node itself failed.
_LOADED, _FAILED = 0, 3
#: Engines need Node 18. They use the first export whose class has this name (packages/server/engine).
_SCRIPT = f"""
if (parseInt(process.versions.node) < 18) {{ process.exit(1); }}
import(require('url').pathToFileURL(process.argv[1])).then((module) => {{
  const piece = Object.values(module).find((each) => each && each.constructor && each.constructor.name === 'Piece');
  if (!piece) {{ throw new Error('it has no piece'); }}
  piece.metadata();
}}).catch((error) => {{
  process.stdout.write(String(error && error.message || error));
  process.exitCode = {_FAILED};
}});
"""


def check_code(archive: PieceArchive, *, node: str | None) -> bool:
    """Whether Node has loaded the package; False if there is no usable Node. `SetupError` if it cannot be loaded."""
    if node is None:
        return False
    with TemporaryDirectory(prefix="activepieces-piece-") as folder:
        _unpack(archive, Path(folder))
        try:
            finished = subprocess.run(  # noqa: S603  # Node, with a script and a package of our own
                [node, "-e", _SCRIPT, str(Path(folder, ENTRY))],
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
    if finished.returncode == _FAILED:
        raise SetupError(
            f"The piece was not installed, because Node cannot load its code: {finished.stdout.strip()}."
            " Install flask-activepieces again, and report this if it remains."
        )
    return finished.returncode == _LOADED


def _unpack(archive: PieceArchive, folder: Path) -> None:
    with tarfile.open(fileobj=BytesIO(archive.content), mode="r:gz") as package:
        for entry in package:
            content = package.extractfile(entry)
            assert content is not None, "the archive has files only"
            target = folder / entry.name.removeprefix("package/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())
