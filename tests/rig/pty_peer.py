#!/usr/bin/env python3
"""Puts a program behind a pseudo-terminal, as a board sits behind its USB serial port.

    pty_peer.py LINK [--baud N] -- PROGRAM [ARGUMENT...]

Makes LINK a symbolic link to the terminal's slave side, prints "ready", and carries bytes between the terminal and the
program's standard input and output. The slave side is kept open here, so that a closing browser does not hang the line
up. With --baud the bytes towards the browser and from it are paced (10 bits a byte), which a bare pty does not do.
Ends when the program ends or when standard input closes.
"""
import os
import pty
import select
import subprocess
import sys
import time
import tty

CHUNK = 4096


class Pacer:
    """Lets through at most baud/10 bytes a second; baud 0 means no limit."""

    def __init__(self, baud: int) -> None:
        self.rate = baud / 10 if baud else 0
        self.free_at = time.monotonic()

    def allowance(self) -> int:
        if not self.rate:
            return CHUNK
        ahead = self.free_at - time.monotonic()
        return 0 if ahead > 0.002 else min(CHUNK, max(1, int(self.rate * 0.005)))

    def spend(self, count: int) -> None:
        if self.rate:
            self.free_at = max(self.free_at, time.monotonic()) + count / self.rate


def main() -> None:
    arguments = sys.argv[1:]
    split = arguments.index("--")
    options, program = arguments[:split], arguments[split + 1 :]
    link = options[0]
    baud = int(options[options.index("--baud") + 1]) if "--baud" in options else 0

    master, slave = pty.openpty()
    tty.setraw(slave)
    if os.path.islink(link):
        os.unlink(link)
    os.symlink(os.ttyname(slave), link)
    child = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert child.stdin and child.stdout
    print("ready", flush=True)

    to_browser, to_board = Pacer(baud), Pacer(baud)
    while child.poll() is None:
        sources = [sys.stdin]
        if to_browser.allowance():
            sources.append(child.stdout)
        if to_board.allowance():
            sources.append(master)
        readable, _, _ = select.select(sources, [], [], 0.002 if baud else 0.2)
        if sys.stdin in readable and not os.read(sys.stdin.fileno(), CHUNK):
            break
        if child.stdout in readable:
            data = os.read(child.stdout.fileno(), to_browser.allowance() or 1)
            if not data:
                break
            to_browser.spend(len(data))
            # A board does not wait for a host that does not read; a full terminal drops, as a UART would.
            if select.select([], [master], [], 0.5)[1]:
                os.write(master, data)
        if master in readable:
            data = os.read(master, to_board.allowance() or 1)
            to_board.spend(len(data))
            try:
                child.stdin.write(data)
            except BrokenPipeError:
                break
    child.kill()
    child.wait()
    if os.path.islink(link):
        os.unlink(link)


main()
