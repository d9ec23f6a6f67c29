"""Files with a known content: verified where they lie, or fetched, resumed and verified."""

from __future__ import annotations

import errno
import gzip
import hashlib
import http.client
import lzma
import shutil
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from genai_utils.checks import of_type, whole

REINSTALL = "reinstall the wheel of the course"
_PACKERS = {".gz": gzip, ".xz": lzma}
_NETWORK = (urllib.error.URLError, ConnectionError, TimeoutError)


def verified(path: Path, sha256: str, advice: str = REINSTALL) -> bytes:
    """The content of a file, unpacked if its name ends in .gz, .gz.part or .xz, when its sha256 is the expected one.

    Args: advice: what to do if the file is missing or another one.
    Raises: FileNotFoundError: it is missing.  ValueError: it is cut off, or not the
        published file.  TypeError: no path.
    """
    of_type(Path, path=path)
    of_type(str, sha256=sha256, advice=advice)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; {advice}")
    content = _unpacked(path, advice)
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise ValueError(f"{path} is not the published file: sha256 is {found}, expected {sha256}; {advice}")
    return content


def fetched(urls: Sequence[str], target: Path, sha256: str, megabytes: int, offline: str) -> Path:
    """Download a file through TARGET.part, which survives interruptions, from the first address that answers.

    Args: sha256: of the unpacked content.  megabytes: room that the data set needs.  offline: what to do without a
        network, for the error.
    Raises: ConnectionError: nothing answered; what has arrived is kept.  ValueError: another file arrived; it is
        removed, or there is no address.  OSError: the disk is full, or there can be no such folder.  TypeError.
    """
    of_type((tuple, list), urls=urls)
    if not all(isinstance(url, str) and ":" in url for url in urls) or not urls:
        raise ValueError(f"urls must be one address or several, got {urls}")
    of_type(Path, target=target)
    of_type(str, sha256=sha256, offline=offline)
    whole(1, megabytes=megabytes)
    part = target.with_name(f"{target.name}.part")
    _make(target.parent)
    with _explained(part, megabytes, offline):
        _fetch_from_any(urls, part)
    try:
        verified(part, sha256, "the damaged download was removed: call again")
    except ValueError:
        part.unlink()  # going on from it could never succeed
        raise
    return part.replace(target)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # a file is in the way, or the place is read-only
        reason = "a file is in the way" if isinstance(error, FileExistsError | NotADirectoryError) else error.strerror
        found = f"{folder} cannot be a folder for the data set: {reason}"
        raise OSError(error.errno, f"{found}; set GENAI_DATA, or root, to a folder that you may write to") from error


def _unpacked(path: Path, advice: str) -> bytes:
    content = path.read_bytes()
    packer = next((packer for ending, packer in _PACKERS.items() if ending in path.suffixes[-2:]), None)
    if packer is None:
        return content
    try:
        return packer.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        found = f"{path} ({len(content):,} bytes) is cut off or not a {packer.__name__} file"
        raise ValueError(f"{found} ({error}); {advice}") from error


def _fetch_from_any(urls: Sequence[str], part: Path) -> None:
    *others, last = urls
    for url in others:
        with suppress(*_NETWORK):
            return _fetch(url, part)
    return _fetch(last, part)


def _fetch(url: str, part: Path) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is left to fetch; the checksum decides
        raise
    with response:
        resumed = response.status == http.client.PARTIAL_CONTENT
        total = int(response.headers.get("Content-Length", 0)) + have * resumed
        _append(response, part, have * resumed, total)


def _append(response: http.client.HTTPResponse, part: Path, have: int, total: int) -> None:
    from genai_utils.run.progress import Progress  # late: most files lie here already

    with Progress(total, have, unit="B") as bar, part.open("ab" if have else "wb") as file:
        while block := response.read(1 << 16):
            file.write(block)
            have += len(block)
            bar.show(have, {})
    if have < total:
        raise ConnectionResetError(f"the server stopped after {have:,} of {total:,} bytes")


@contextmanager
def _explained(part: Path, megabytes: int, offline: str) -> Iterator[None]:
    """Turn what may go wrong during a download into an error that says what to do."""
    try:
        yield
    except (*_NETWORK, http.client.HTTPException) as error:
        kept = "what has arrived is kept and the next call goes on from there"
        raise ConnectionError(f"could not download {part.stem} ({error}); {kept}. Offline? {offline}") from error
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        free = shutil.disk_usage(part.parent).free
        raise OSError(
            errno.ENOSPC,
            f"disk full: the data set needs {megabytes} MB in {part.parent}, {free / 1e6:.0f} MB are free; what has "
            "arrived is kept. Make room or name another folder, then call again",
        ) from error
