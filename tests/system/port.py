#!/usr/bin/python3 -B
"""virtio-console's port as a byte stream, over PCI with MSI-X and with its line,
and over mmio: what the host sends comes back."""
import random
import socket
import sys
import tempfile

from qemu import Guest, Report, boot, built

report = Report("port")
image = built("port")

for what, machine, serial in (("q35 MSI-X", "q35", "virtio-serial-pci,max_ports=1"),
                              ("q35 line", "q35", "virtio-serial-pci,max_ports=1,vectors=0"),
                              ("q35, several ports offered", "q35", "virtio-serial-pci"),
                              ("microvm", "microvm", "virtio-serial-device,max_ports=1")):
    with tempfile.TemporaryDirectory() as folder:
        server = socket.socket(socket.AF_UNIX)
        server.bind(f"{folder}/port")
        server.listen()
        options = ["-chardev", f"socket,id=c,path={folder}/port", "-device", serial, "-device", "virtconsole,chardev=c"]
        with Guest(image, options, machine=machine, smp=2) as guest:
            server.settimeout(30)
            host, _ = server.accept()
            host.settimeout(30)
            data = bytes(random.Random(1).choices(range(1, 255), k=200_000)) + b"\0"
            want, got = b"hello\n" + bytes(b + 1 for b in data), b""
            # Piece by piece: QEMU's virtconsole drops what its socket has no room for.
            try:
                for at in range(0, len(data), 8192):
                    host.sendall(data[at:at + 8192])
                    while len(got) < 6 + min(at + 8192, len(data)) and (some := host.recv(65536)):
                        got += some
            except TimeoutError:
                pass
            status = guest.wait()
            report.check(f"{what}: 200,001 bytes there and back", got == want and status == 0,
                         f"{len(got)} of {len(want)} bytes, status {status}\n{guest.text}")
done = boot(image)
report.check("no port is no error", done.status == 3 and "ports 0" in done.text, done)
sys.exit(report.end())
