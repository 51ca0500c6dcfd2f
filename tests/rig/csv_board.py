#!/usr/bin/env python3
"""A board that prints numbers: plays CSV recordings, line by line, at a constant rate, for ever.

    csv_board.py RATE_HZ PLAYLIST

PLAYLIST is a text file with one path of a CSV file per line; it is read again whenever its end is reached, so that the
board can be "moved" differently. The first line printed is a greeting (text that a studio must tolerate), the second
the header; then the values of each row after the timestamp column, as they stand in the file.
"""
import os
import sys
import time


def rows_of(path):
    with open(path, encoding="utf-8") as file:
        header = next(file).strip().split(",", 1)[1]
        return header, [line.strip().split(",", 1)[1] for line in file if line.strip()]


def main() -> None:
    rate = float(sys.argv[1])
    due = time.monotonic()
    greeted = False
    while True:
        with open(sys.argv[2], encoding="utf-8") as playlist:
            paths = playlist.read().split()
        for path in paths:
            header, rows = rows_of(path)
            lines = rows if greeted else ["csv board, firmware 1.0", header, *rows]
            greeted = True
            for line in lines:
                try:
                    sys.stdout.write(line + "\r\n")
                    sys.stdout.flush()
                except BrokenPipeError:
                    # The cable was pulled: no power, no more lines.
                    os._exit(0)
                due = max(due + 1 / rate, time.monotonic() - 1)
                time.sleep(max(0.0, due - time.monotonic()))


main()
