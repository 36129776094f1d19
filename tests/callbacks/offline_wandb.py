"""Read what an offline W&B run has written: there is no public reader."""

import struct
from pathlib import Path
from typing import Any

BLOCK = 32 * 1024
HEADER = 7


def records(run_folder: Path) -> list[Any]:
    """Return the records of the offline run under ``run_folder/wandb``, in the order they were written.

    The file is LevelDB's log format behind a header of 7 bytes: blocks of 32 KiB, in them pieces of crc32,
    length and type (1 whole, 2 first, 3 middle, 4 last).
    """
    from wandb.proto.wandb_internal_pb2 import Record

    (path,) = (run_folder / "wandb").glob("offline-run-*/*.wandb")
    data = path.read_bytes()
    assert data[:4] == b":W&B"
    found, pending, position = [], b"", HEADER
    while position + HEADER <= len(data):
        left = BLOCK - position % BLOCK
        if left < HEADER:  # the rest of a block that is too short for a piece is padding
            position += left
            continue
        _, length, kind = struct.unpack("<IHB", data[position : position + HEADER])
        if kind == 0:
            break
        pending += data[position + HEADER : position + HEADER + length]
        position += HEADER + length
        if kind in (1, 4):
            record = Record()
            record.ParseFromString(pending)
            found.append(record)
            pending = b""
    return found
