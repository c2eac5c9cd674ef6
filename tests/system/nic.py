#!/usr/bin/python3 -B
"""Network interfaces, frame by frame: virtio-net over PCI with MSI-X, with its
line, and over mmio; answers of QEMU's own network, any frames from a socket,
several queues on a tap device; the link; the host's entropy."""
import os
import random
import re
import socket
import subprocess
import sys
import tempfile

from qemu import Guest, Report, boot, built

report = Report("nic")
image = built("nic")


def user(device, options=""):
    return ["-netdev", "user,id=n", "-device", f"{device},netdev=n,mac=52:54:00:ab:cd:ef{options}"]


for what, machine, device, options in (
        ("q35 MSI-X", "q35", "virtio-net-pci", ""), ("q35 line", "q35", "virtio-net-pci", ",vectors=0"),
        ("q35 bare", "q35", "virtio-net-pci",
         ",event_idx=off,indirect_desc=off,mrg_rxbuf=off,csum=off,guest_csum=off,ctrl_vq=off,status=off"),
        ("microvm mmio", "microvm", "virtio-net-device", ""),
        ("e1000e, messages", "q35", "e1000e", ""), ("e1000, line", "q35", "e1000", ""),
        ("82545EM, line", "q35", "e1000-82545em", "")):
    for smp in (1, 4):
        done = boot(image, user(device, options), machine=machine, smp=smp, args="info arp 15 4 flood 3000 arp 10 1")
        found = re.search(r"end rx (\d+) tx (\d+) dropped 0", done.text)
        report.check(f"{what}, {smp} cores: ARP is answered, before and after a flood",
                     done.status == 0 and "mac 52:54:0:ab:cd:ef mtu 1500" in done.text and
                     "arp 60 of 60 answers, right" in done.text and "arp 10 of 10 answers, right" in done.text and
                     found and int(found[1]) >= 70 and int(found[2]) == 3070, done)

done = boot(image, args="info")
report.check("no interface is no error", done.status == 3 and "nics 0" in done.text and "entropy none" in done.text, done)
for machine, device in (("q35", "virtio-rng-pci"), ("q35", "virtio-rng-pci,vectors=0"), ("microvm", "virtio-rng-device")):
    done = boot(image, ["-device", device], machine=machine, args="info")
    found = re.search(r"entropy virtio-rng (\d+)", done.text)
    report.check(f"{machine} {device}: half of the bits of 4 KiB are ones", found and 16000 < int(found[1]) < 16768, done)
with tempfile.TemporaryDirectory() as folder:
    with open(f"{folder}/ones", "wb") as f:
        f.write(b"\xff" * 65536)
    # What the device gives is in the result: the same source twice, different CPU bytes.
    done = boot(image, ["-object", f"rng-random,id=r,filename={folder}/ones", "-device", "virtio-rng-pci,rng=r"], args="info")
    found = re.search(r"entropy virtio-rng (\d+)", done.text)
    report.check("a bad source of the host does no harm", found and 16000 < int(found[1]) < 16768, done)

    # Frames of all sizes, from outside, one at a time: each comes back.
    ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ours.bind(("127.0.0.1", 0))
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("127.0.0.1", 0))
    port = other.getsockname()[1]
    other.close()
    for device in ("virtio-net-pci", "e1000e"):
        net = ["-netdev", f"dgram,id=n,local.type=inet,local.host=127.0.0.1,local.port={port},remote.type=inet,"
               f"remote.host=127.0.0.1,remote.port={ours.getsockname()[1]}",
               "-device", f"{device},netdev=n,mac=52:54:00:ab:cd:ef", "-monitor", f"unix:{folder}/{device}.mon,server,nowait"]
        rng = random.Random(3)
        sizes = [60, 61, 1513, 1514, 512, 128] + [rng.randrange(60, 1515) for _ in range(200)]
        mac, peer = bytes.fromhex("525400abcdef"), bytes.fromhex("020000000001")
        with Guest(image, net, args=f"echo {len(sizes)} echo 1 link", smp=4) as guest:
            good = bool(guest.expect("echo ready"))
            ours.settimeout(20)
            wrong = 0
            for size in sizes:
                body = rng.randbytes(size - 12)
                ours.sendto(mac + peer + body, ("127.0.0.1", port))
                try:
                    back = ours.recv(65536)
                except TimeoutError:
                    wrong = "no answer"
                    break
                wrong += back != peer + mac + body
            report.check(f"{device}: frames of every size come back as they were", good and wrong == 0 and guest.expect("echo done"),
                         f"{wrong} wrong\n{guest.text}")
            # More than the guest takes, of any length and content: it drops, and goes on.
            guest.expect("echo ready")
            for i in range(3000):
                ours.sendto(rng.randbytes(rng.randrange(1, 60)) if i % 2 else rng.randbytes(4000), ("127.0.0.1", port))
            ours.sendto(mac + peer + bytes(50), ("127.0.0.1", port))
            report.check(f"{device}: a flood of nonsense does no harm", guest.expect("echo done"), guest.text)
            mon = socket.socket(socket.AF_UNIX)
            mon.connect(f"{folder}/{device}.mon")
            up = guest.expect("link up")
            mon.sendall(b"set_link n off\n")
            down = guest.expect("link down")
            mon.sendall(b"set_link n on\n")
            report.check(f"{device}: the link goes down and up", up and down and guest.expect("link up") and guest.wait() == 0, guest.text)

# Several queues need a tap device, and so a machine where we may make one.
tap = f"ingot{os.getpid() % 10000}"
made = os.path.exists("/dev/net/tun") and subprocess.call(
    f"ip tuntap add {tap} mode tap multi_queue && ip addr add 10.0.2.2/24 dev {tap} && ip link set {tap} up",
    shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
if made:
    try:
        done = boot(image, ["-netdev", f"tap,id=n,ifname={tap},script=no,downscript=no,queues=4", "-device",
                            "virtio-net-pci,netdev=n,mq=on,vectors=10"], smp=4, args="info arp 15 4")
        report.check("four pairs of queues on a tap device", "queues 4" in done.text and
                     "arp 60 of 60 answers, right" in done.text, done)
    finally:
        subprocess.call(["ip", "link", "del", tap])
else:
    report.skip("four pairs of queues", "no tap device can be made on this machine")
sys.exit(report.end())
