"""A machine of its own, on which a test may install, configure and start anything.

It has the files of this machine, in an overlay: what the test writes stays in memory. It has its own processes, and a
network that reaches only itself. Everything ends with the block.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: The public address of a machine, which only the machine itself can reach.
ADDRESS = "11.22.33.44"
#: Starts the loopback interface and gives it the address, because not every Debian has `ip`.
_NETWORK = f"""
import fcntl, socket, struct
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 1))  # SIOCSIFFLAGS: up
    address = struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton("{ADDRESS}"))
    fcntl.ioctl(any_socket, 0x8916, address)  # SIOCSIFADDR
"""
#: Prints its process id, as seen from outside, when the machine is ready.
_START = """
read -r process rest < /proc/self/stat
"$2" -c "$3"
mount -t tmpfs tmpfs "$1"
cd "$1"
mkdir upper work root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" root
cd root
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs tmpfs run
cp -L --remove-destination /etc/resolv.conf etc/resolv.conf
exec chroot . sh -c 'echo "$0"; exec sleep infinity' "$process"
"""
_UNSHARE = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation", "private"]


@dataclass(frozen=True)
class Machine:
    """A running machine."""

    process_id: int

    @property
    def root(self) -> Path:
        """Its root directory."""
        return Path(f"/proc/{self.process_id}/root")

    @property
    def enter(self) -> tuple[str, ...]:
        """Runs a command there."""
        return (*self.enter_with_internet[:-2], "--net", *self.enter_with_internet[-2:])

    @property
    def enter_with_internet(self) -> tuple[str, ...]:
        """Runs a command there, which uses the network of this machine."""
        return ("nsenter", "--target", str(self.process_id), "--mount", "--pid", "--root", "--wdns=/", "--")


@contextmanager
def machine(folder: Path, unshare: str = "unshare") -> Iterator[Machine]:
    """A machine, which mounts its files on this empty folder."""
    command = [unshare, *_UNSHARE, "bash", "-ec", _START, "machine", str(folder), sys.executable, _NETWORK]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        try:
            line = process.stdout.readline()
            if not line:
                raise OSError(process.stderr.read())
            started = Machine(int(line))
            assert not started.root.samefile("/"), "this would change the files of this machine"
            yield started
        finally:
            process.kill()
