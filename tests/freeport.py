#!/usr/bin/python3
"""Prints the first free TCP port of this machine's 127.0.0.1 from its argument on."""
import socket
import sys

for port in range(int(sys.argv[1]), 65536):
    with socket.socket() as s:
        # As QEMU does it: a port whose last connections are still closing is free.
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
    print(port)
    break
else:
    sys.exit(f"no free port from {sys.argv[1]} on")
