# Int8 layers as the TFLite reference kernels compute them (double rounding). Twins of src/quantize: change both.
# Activations are bytes that hold value + 128; `low`, `high` and `zero_out` come with the 128 already added.


def _srdhm(a, b):
    return (a * b + 0x40000000) >> 31


def _rdp(value, exponent):
    if exponent == 0:
        return value
    return (value + (1 << (exponent - 1)) - (1 if value < 0 else 0)) >> exponent


def _mbqm(value, multiplier, shift):
    if shift > 0:
        return ((value << shift) * multiplier + 0x40000000) >> 31
    value = (value * multiplier + 0x40000000) >> 31
    if shift == 0:
        return value
    return (value + (1 << (-shift - 1)) - (1 if value < 0 else 0)) >> -shift


def _put(sums, count, multiplier, shift, zero_out, low, high, y, at):
    each = len(multiplier) > 1
    m = multiplier[0]
    s = shift[0]
    for i in range(count):
        if each:
            m = multiplier[i]
            s = shift[i]
        value = _mbqm(sums[i], m, s) + zero_out
        y[at + i] = low if value < low else high if value > high else value


# `bias` holds bias - (zero point + 128) * sum of the unit's weights.
def _fully_connected(x, y, w, bias, multiplier, shift, inputs, zero_out, low, high):
    units = len(bias)
    sums = array('i', bias)
    for row in range(len(x) // inputs):
        part = x[row * inputs : (row + 1) * inputs] if len(x) > inputs else x
        excess = sum(part) << 7
        for unit in range(units):
            sums[unit] = bias[unit] - excess + _dot(w, unit * inputs, part, inputs)
        _put(sums, units, multiplier, shift, zero_out, low, high, y, row * units)


# `kernel` is _conv2d_at or _depthwise_at, `p` its parameters but for the place.
def _convolve(kernel, p, x, y, w, bias, multiplier, shift, out, step, pad, zero_out, low, high):
    channels = len(bias)
    at = 0
    for row in range(out[0]):
        p[0] = row * step[0] - pad[0]
        for column in range(out[1]):
            p[1] = column * step[1] - pad[1]
            sums = array('i', bias)
            kernel(p, w, x, sums)
            _put(sums, channels, multiplier, shift, zero_out, low, high, y, at)
            at += channels


def _pool(average, x, y, size, kernel, out, step, pad, low, high):
    height, width, channels = size
    found = array('i', bytes(8 * channels))
    p = array('i', (0, 0, 0, 0, width, channels))
    at = 0
    for row in range(out[0]):
        top = row * step[0] - pad[0]
        p[0] = max(0, top)
        p[1] = min(height, top + kernel[0])
        for column in range(out[1]):
            left = column * step[1] - pad[1]
            p[2] = max(0, left)
            p[3] = min(width, left + kernel[1])
            count = (p[1] - p[0]) * (p[3] - p[2])
            _pool_at(p, x, found)
            for channel in range(channels):
                if average:
                    value = found[channel] - 128 * count
                    if value > 0:
                        value = (value + (count >> 1)) // count + 128
                    else:
                        value = 128 - ((count >> 1) - value) // count
                else:
                    value = found[channels + channel]
                y[at] = low if value < low else high if value > high else value
                at += 1


def _mean(x, y, outer, count, inner, zero, multiplier, shift, zero_out):
    sums = array('i', bytes(4 * inner))
    p = array('i', (0, count, inner))
    for row in range(outer):
        p[0] = row * count * inner
        _sums_at(p, x, sums)
        for i in range(inner):
            value = _mbqm(sums[i] - zero * count, multiplier, shift) + zero_out
            y[row * inner + i] = 0 if value < 0 else 255 if value > 255 else value


def _add(a, b, y, sign, zero_a, zero_b, ma, sa, mb, sb, mo, so, zero_out, low, high):
    j = 0
    for i in range(len(y)):
        value = _mbqm((a[i] - zero_a) << 20, ma, sa) + sign * _mbqm((b[j] - zero_b) << 20, mb, sb)
        value = _mbqm(value, mo, so) + zero_out
        y[i] = low if value < low else high if value > high else value
        j += 1
        if j == len(b):
            j = 0


def _mul(a, b, y, zero_a, zero_b, multiplier, shift, zero_out, low, high):
    j = 0
    for i in range(len(y)):
        value = _mbqm((a[i] - zero_a) * (b[j] - zero_b), multiplier, shift) + zero_out
        y[i] = low if value < low else high if value > high else value
        j += 1
        if j == len(b):
            j = 0


def _fill(y, value):
    for i in range(len(y)):
        y[i] = value


def _resize(x, y, width, channels, rows, columns):
    at = 0
    for row in rows:
        for column in columns:
            start = (row * width + column) * channels
            y[at : at + channels] = x[start : start + channels]
            at += channels


# gemmlowp's exponential of a Q5.26 number a <= 0, as Q31.
def _exp_on_negative(a):
    if a == 0:
        return 0x7FFFFFFF
    modulo = (a & 0xFFFFFF) - 0x1000000
    x = (modulo << 5) + 0x10000000
    x2 = _srdhm(x, x)
    x3 = _srdhm(x2, x)
    x4 = _srdhm(x2, x2)
    tail = _rdp(_srdhm(_rdp(x4, 2) + x3, 715827883) + x2, 1)
    result = 1895147668 + _srdhm(1895147668, x + tail)
    rest = modulo - a
    bit = 0x1000000
    for factor in (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242):
        if rest & bit:
            result = _srdhm(result, factor)
        bit <<= 1
    return result


def _saturating_shift(value, shift):
    limit = (1 << (31 - shift)) - 1
    if value > limit:
        return 0x7FFFFFFF
    return -0x80000000 if value < -limit else value << shift


def _softmax(x, y, count, multiplier, left_shift, diff_min):
    for start in range(0, len(x), count):
        row = x[start : start + count]
        largest = max(row)
        terms = []
        total = 0
        for value in row:
            diff = value - largest
            if diff < diff_min:
                terms.append(-1)
            else:
                term = _exp_on_negative(_srdhm(diff << left_shift, multiplier))
                terms.append(term)
                total += _rdp(term, 12)
        headroom = 32
        rest = total
        while rest > 0:
            rest >>= 1
            headroom -= 1
        # 1 / (1 + a) by three Newton-Raphson steps.
        half = (total << headroom) >> 1
        scale = 1515870810 + _srdhm(half, -1010580540)
        for step in range(3):
            scale += _saturating_shift(_srdhm(scale, 0x20000000 - _srdhm(half, scale)), 2)
        scale = _saturating_shift(scale, 1)
        for i in range(count):
            value = 0
            if terms[i] >= 0:
                value = _rdp(_srdhm(scale, terms[i]), 35 - headroom)
            y[start + i] = 255 if value > 255 else value
