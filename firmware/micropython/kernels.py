# Inner loops over integers. The emitter puts the functions that a model needs into a string; on the board the string
# is executed with "@fast" replaced by "@micropython.viper" where the port can compile it, else without. So these
# functions keep to what viper knows: 32-bit integers, pointers to bytes and words, no division, no allocation.
#
# Activations and weights are bytes that hold value + 128, because a viper pointer reads unsigned bytes.


@fast
def _dot(w: ptr8, start: int, x: ptr8, count: int) -> int:
    total = 0
    for i in range(count):
        total += w[start + i] * x[i]
    return total


# Sums of one position of a convolution, for all output channels; `sums` comes in with the biases.
# p: 0 first row, 1 first column (negative in the padding), 2 height, 3 width, 4 channels, 5 kernel height,
# 6 kernel width, 7 dilation of rows, 8 of columns, 9 input channels of a group, 10 output channels of a group,
# 11 groups, 12 zero point + 128.
@fast
def _conv2d_at(p: ptr32, w: ptr8, x: ptr8, sums: ptr32):
    zero = p[12]
    inner = p[9]
    at = 0
    channel = 0
    for group in range(p[11]):
        for unit in range(p[10]):
            total = sums[channel]
            for ky in range(p[5]):
                row = p[0] + ky * p[7]
                for kx in range(p[6]):
                    column = p[1] + kx * p[8]
                    if row >= 0:
                        if row < p[2]:
                            if column >= 0:
                                if column < p[3]:
                                    source = (row * p[3] + column) * p[4] + group * inner
                                    for i in range(inner):
                                        total += (w[at + i] - 128) * (x[source + i] - zero)
                    at += inner
            sums[channel] = total
            channel += 1


# As above, for a depthwise convolution; p[9] = output channels of each input channel. Weights [ky][kx][channel].
@fast
def _depthwise_at(p: ptr32, w: ptr8, x: ptr8, sums: ptr32):
    zero = p[12]
    channels = p[4]
    multiplier = p[9]
    for ky in range(p[5]):
        row = p[0] + ky * p[7]
        for kx in range(p[6]):
            column = p[1] + kx * p[8]
            if row >= 0:
                if row < p[2]:
                    if column >= 0:
                        if column < p[3]:
                            source = (row * p[3] + column) * channels
                            tap = (ky * p[6] + kx) * channels * multiplier
                            unit = 0
                            for i in range(channels):
                                value = x[source + i] - zero
                                for m in range(multiplier):
                                    sums[unit] = sums[unit] + (w[tap + unit] - 128) * value
                                    unit += 1


# Sum and largest of every channel under one window, both of bytes + 128: out[c], out[channels + c].
# p: 0 first row, 1 behind the last, 2 first column, 3 behind the last, 4 width, 5 channels.
@fast
def _pool_at(p: ptr32, x: ptr8, out: ptr32):
    channels = p[5]
    for channel in range(channels):
        total = 0
        largest = 0
        for row in range(p[0], p[1]):
            for column in range(p[2], p[3]):
                value = x[(row * p[4] + column) * channels + channel]
                total += value
                if value > largest:
                    largest = value
        out[channel] = total
        out[channels + channel] = largest


# out[i] = sum over k of x[p[0] + k * inner + i]; p: 0 start, 1 count, 2 inner.
@fast
def _sums_at(p: ptr32, x: ptr8, out: ptr32):
    inner = p[2]
    for i in range(inner):
        total = 0
        for k in range(p[1]):
            total += x[p[0] + k * inner + i]
        out[i] = total


# y[dst + sum of i * to] = x[src + sum of i * from] over the indices of a block of rank 4.
# p: 0..3 sizes, 4 src, 5..8 from, 9 dst, 10..13 to.
@fast
def _move(p: ptr32, x: ptr8, y: ptr8):
    for a in range(p[0]):
        for b in range(p[1]):
            for c in range(p[2]):
                source = p[4] + a * p[5] + b * p[6] + c * p[7]
                target = p[9] + a * p[10] + b * p[11] + c * p[12]
                for d in range(p[3]):
                    y[target] = x[source]
                    source += p[8]
                    target += p[13]


@fast
def _lookup(table: ptr8, x: ptr8, y: ptr8, count: int):
    for i in range(count):
        y[i] = table[x[i]]
