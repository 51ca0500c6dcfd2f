# Known answers. Twin of src/emit/self-test.ts.


def _random(state):
    state ^= (state << 13) & 0xFFFFFFFF
    state ^= state >> 17
    state ^= (state << 5) & 0xFFFFFFFF
    return state


def _towards_zero(a, b):
    return a // b if a >= 0 else -(-a // b)


# CRC-32 of the network's input as int8.
def _crc(x):
    crc = 0xFFFFFFFF
    for value in x:
        crc ^= value ^ 128
        for bit in range(8):
            crc = (crc >> 1) ^ (0xEDB88320 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
