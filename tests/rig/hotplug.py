#!/usr/bin/env python3
"""Plugs a pseudo-terminal into Chromium's Web Serial, as a USB board would be.

Chromium lists serial ports through libudev and hears of new ones on the netlink group that udevd broadcasts on. This
sends such a broadcast, so that a pty appears as a USB serial port with the given ids. Needs root.

    hotplug.py add|remove NAME DEVICE VENDOR PRODUCT SERIAL      (ids in hex, as in lsusb)
"""
import socket
import struct
import sys
import time

NETLINK_KOBJECT_UEVENT = 15
UDEV_GROUP = 2
# Chromium keeps only devices whose major:minor is in a "serial" row of /proc/tty/drivers; ttyS0 always is.
TTY_MAJOR, TTY_MINOR = 4, 64


def murmur_hash2(data: bytes) -> int:
    """Austin Appleby's MurmurHash2, 32 bit, seed 0: what libudev filters subsystems by."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = len(data)
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        k = (k ^ (k >> 24)) * m & mask
        h = (h * m & mask) ^ k
    tail = data[whole:]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * m & mask
    h = (h ^ (h >> 13)) * m & mask
    return h ^ (h >> 15)


def main() -> None:
    action, name, device, vendor, product, serial = sys.argv[1:7]
    properties = {
        "ACTION": action,
        "DEVPATH": f"/devices/rig/{name}",
        "SUBSYSTEM": "tty",
        "DEVNAME": device,
        "MAJOR": TTY_MAJOR,
        "MINOR": TTY_MINOR,
        "SEQNUM": int(time.time() * 1000) % 100_000_000,
        "USEC_INITIALIZED": 1,
        "ID_BUS": "usb",
        "ID_VENDOR_ID": vendor,
        "ID_MODEL_ID": product,
        "ID_MODEL_ENC": name,
        "ID_SERIAL_SHORT": serial,
    }
    body = b"".join(f"{key}={value}".encode() + b"\0" for key, value in properties.items())
    header_size = 40
    header = b"libudev\0" + struct.pack("!I", 0xFEEDCAFE)
    header += struct.pack("=III", header_size, header_size, len(body))
    header += struct.pack("!IIII", murmur_hash2(b"tty"), 0, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_KOBJECT_UEVENT) as netlink:
        netlink.bind((0, 0))
        netlink.sendto(header + body, (0, UDEV_GROUP))


main()
