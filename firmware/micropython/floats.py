# Features of a window, float32-exact. Twins of firmware/mote/src/mote_*.h and src/dsp: change all.
#
# `F(...)` rounds to float32. Where the port's own floats are float32, the emitter's code replaces "F(" by "(" before
# this text is executed; elsewhere F stores into an array('f') and reads back. One operation inside each F, or an
# exact one (a negation, a conversion of a small integer).


def _bits(x):
    _floats[0] = x
    return unpack('<I', _floats)[0]


def _from_bits(bits):
    return unpack('<f', pack('<I', bits))[0]


def _finite(x):
    if x != x:
        return 0.0
    if x > _LARGEST:
        return _LARGEST
    return -_LARGEST if x < -_LARGEST else x


# Division that gives infinity or NaN as C does, where Python would raise.
def _ratio(a, b):
    if b != 0:
        return F(a / b)
    if a != a or a == 0:
        return _INFINITY - _INFINITY
    return _INFINITY if (a > 0) == (b == 0) else -_INFINITY


# Correctly rounded, digit by digit: 25 bits, the last one rounds.
def _sqrt(x):
    if not x > 0:
        return 0.0
    bits = _bits(x)
    if bits >= 0x7F800000:
        return x
    exponent = 0
    if bits < 0x00800000:
        bits = _bits(F(x * 16777216.0))
        exponent = -24
    exponent += (bits >> 23) - 127
    mantissa = (bits & 0x007FFFFF) | 0x00800000
    if exponent & 1:
        mantissa <<= 1
        exponent -= 1
    mantissa <<= 1
    root = 0
    rest = 0
    i = 24
    while i >= -24:
        trial = (root << 2) | 1
        rest <<= 2
        if i >= 0:
            rest |= (mantissa >> i) & 3
        root <<= 1
        if rest >= trial:
            rest -= trial
            root |= 1
        i -= 2
    return _from_bits((((exponent >> 1) + 127) << 23) + ((root + 1) >> 1) - 0x00800000)


def _log10(x):
    if not x > 0:
        return -10.0
    bits = _bits(x)
    exponent = 0
    if bits < 0x00800000:
        bits = _bits(F(x * 8388608.0))
        exponent = -23
    exponent += (bits >> 23) - 127
    m = _from_bits((bits & 0x007FFFFF) | 0x3F800000)
    if m > _LOG[0]:
        m = F(m * 0.5)
        exponent += 1
    s = F(F(m - 1.0) / F(m + 1.0))
    z = F(s * s)
    p = _LOG[1]
    for i in range(2, 6):
        p = F(F(p * z) + _LOG[i])
    return F(F(exponent * _LOG[6]) + F(F(exponent * _LOG[7]) + F(s * p)))


def _exponent_field(largest):
    field = (_bits(largest) >> 23) & 255
    return 1 if field < 1 else 253 if field > 253 else field


# minimum, maximum, mean, residual, rms, stdev, skewness, kurtosis of x[start], x[start + step], ...
def _describe(x, start, step, count, scale):
    first = F(x[start] * scale)
    low = first
    high = first
    total = 0.0
    stop = start + count * step
    chunk = 64 * step
    for begin in range(start, stop, chunk):
        part = 0.0
        for at in range(begin, min(begin + chunk, stop), step):
            value = F(x[at] * scale)
            if value < low:
                low = value
            if value > high:
                high = value
            part = F(part + F(value - first))
        total = F(total + part)
    mean = F(first + F(total / count))

    field = _exponent_field(-low if -low > high else high)
    shrink = _from_bits((254 - field) << 23)
    squares = 0.0
    total = 0.0
    for begin in range(start, stop, chunk):
        part = 0.0
        part2 = 0.0
        for at in range(begin, min(begin + chunk, stop), step):
            value = F(x[at] * scale)
            z = F(value * shrink)
            part = F(part + F(value - mean))
            part2 = F(part2 + F(z * z))
        total = F(total + part)
        squares = F(squares + part2)
    residual = F(total / count)
    rms = F(_sqrt(F(squares / count)) * _from_bits(field << 23))

    below = -F(F(low - mean) - residual)
    above = F(F(high - mean) - residual)
    field = _exponent_field(below if below > above else above)
    shrink = _from_bits((254 - field) << 23)
    m2 = 0.0
    m3 = 0.0
    m4 = 0.0
    for begin in range(start, stop, chunk):
        part2 = 0.0
        part3 = 0.0
        part4 = 0.0
        for at in range(begin, min(begin + chunk, stop), step):
            z = F(F(F(F(x[at] * scale) - mean) - residual) * shrink)
            square = F(z * z)
            part2 = F(part2 + square)
            part3 = F(part3 + F(square * z))
            part4 = F(part4 + F(square * square))
        m2 = F(m2 + part2)
        m3 = F(m3 + part3)
        m4 = F(m4 + part4)
    m2 = F(m2 / count)
    m3 = F(m3 / count)
    m4 = F(m4 / count)
    if not m2 > 0:
        return low, high, mean, residual, rms, 0.0, 0.0, -3.0
    root = _sqrt(m2)
    stdev = F(root * _from_bits(field << 23))
    skewness = _ratio(m3, F(m2 * root))
    kurtosis = F(_ratio(m4, F(m2 * m2)) - 3.0)
    return low, high, mean, residual, rms, stdev, skewness, kurtosis


def _raw(window, frames, channels, axes, ints, floats, scratch, features, at):
    average = ints[0]
    scale = floats[0]
    for first in range(0, frames - average + 1, average):
        for axis in axes:
            start = first * channels + axis
            total = F(window[start] * scale)
            for i in range(start + channels, start + average * channels, channels):
                total = F(total + F(window[i] * scale))
            features[at] = _finite(F(total / average))
            at += 1


def _flatten(window, frames, channels, axes, ints, floats, scratch, features, at):
    for axis in axes:
        low, high, mean, residual, rms, stdev, skewness, kurtosis = _describe(window, axis, channels, frames, floats[0])
        which = ints[0]
        for value in (F(mean + residual), low, high, rms, stdev, skewness, kurtosis):
            if which & 1:
                features[at] = _finite(value)
                at += 1
            which >>= 1


def _first_ratio(decimation):
    if decimation == 1:
        return 1
    return 10 if decimation % 10 == 0 and decimation != 30 else 3


# Low-pass of x[start], x[start + step], ... times `scale`, every `ratio`-th sample kept in out[place ...].
def _decimate(x, start, step, scale, count, ratio, floats, at, out, place):
    gain = floats[at]
    first = F(x[start] * scale)
    steady = F(first * gain)
    state = [0.0] * 8
    kept = 0
    until = 0
    for i in range(count):
        value = F(F(F(x[start + i * step] * scale) - first) * gain)
        for section in range(4):
            a = at + 1 + 3 * section
            a2 = floats[a + 1]
            s1 = state[2 * section]
            s2 = state[2 * section + 1]
            v3 = F(value - s2)
            v1 = F(F(floats[a] * s1) + F(a2 * v3))
            value = F(F(s2 + F(a2 * s1)) + F(floats[a + 2] * v3))
            state[2 * section] = F(F(2.0 * v1) - s1)
            state[2 * section + 1] = F(F(2.0 * value) - s2)
        if until == 0:
            out[place + kept] = F(value + steady)
            kept += 1
            until = ratio
        until -= 1
    return kept


def _filter(x, start, count, floats, at, high_pass):
    a1 = floats[at]
    a2 = floats[at + 1]
    a3 = floats[at + 2]
    k = floats[at + 3]
    s1 = 0.0
    s2 = 0.0
    for i in range(start, start + count):
        value = x[i]
        v3 = F(value - s2)
        v1 = F(F(a1 * s1) + F(a2 * v3))
        v2 = F(F(s2 + F(a2 * s1)) + F(a3 * v3))
        s1 = F(F(2.0 * v1) - s1)
        s2 = F(F(2.0 * v2) - s2)
        x[i] = F(F(value - F(k * v1)) - v2) if high_pass else v2


# Adds one frame to the maximum held in z[length ...]; z[0 .. length) is work space.
def _hold(x, start, count, length, sine, z):
    points = length >> 1
    quarter = points >> 2
    peak = length >> 2
    stop = start + count
    reverse = 0
    for k in range(quarter):
        p = 8 * reverse
        i = start + 2 * k
        got = []
        for j in range(4):
            got.append(x[i] if i < stop else 0.0)
            got.append(x[i + 1] if i + 1 < stop else 0.0)
            i += 2 * quarter
        ar, ai, br, bi, cr, ci, dr, di = got
        er = F(ar + cr)
        ei = F(ai + ci)
        fr = F(ar - cr)
        fi = F(ai - ci)
        gr = F(br + dr)
        gi = F(bi + di)
        hr = F(br - dr)
        hi = F(bi - di)
        z[p] = F(er + gr)
        z[p + 1] = F(ei + gi)
        z[p + 2] = F(fr + hi)
        z[p + 3] = F(fi - hr)
        z[p + 4] = F(er - gr)
        z[p + 5] = F(ei - gi)
        z[p + 6] = F(fr - hi)
        z[p + 7] = F(fi + hr)
        bit = quarter >> 1
        while bit > 0 and reverse & bit:
            reverse -= bit
            bit >>= 1
        reverse += bit

    half = 4
    while half < points:
        for j in range(half):
            turn = j * (points // half)
            if turn <= peak:
                c = sine[1 + peak - turn]
                s = sine[1 + turn]
            else:
                c = -sine[1 + turn - peak]
                s = sine[1 + points - turn]
            for i in range(j, points, 2 * half):
                a = 2 * i
                b = a + 2 * half
                ar = z[a]
                ai = z[a + 1]
                zr = z[b]
                zi = z[b + 1]
                if j == 0:
                    br = zr
                    bi = zi
                else:
                    br = F(F(c * zr) + F(s * zi))
                    bi = F(F(c * zi) - F(s * zr))
                z[b] = F(ar - br)
                z[b + 1] = F(ai - bi)
                z[a] = F(ar + br)
                z[a + 1] = F(ai + bi)
        half *= 2

    power = F(2.0 * F(z[0] + z[1]))
    power = F(power * power)
    if power > z[length]:
        z[length] = power
    power = F(2.0 * F(z[0] - z[1]))
    power = F(power * power)
    if power > z[length + points]:
        z[length + points] = power
    for k in range(1, points >> 1):
        a = 2 * k
        b = 2 * (points - k)
        er = F(z[a] + z[b])
        ei = F(z[a + 1] - z[b + 1])
        qr = F(z[a + 1] + z[b + 1])
        qi = F(z[b] - z[a])
        c = sine[1 + peak - k]
        s = sine[1 + k]
        tr = F(F(c * qr) + F(s * qi))
        ti = F(F(c * qi) - F(s * qr))
        pr = F(er + tr)
        pi = F(ei + ti)
        mr = F(er - tr)
        mi = F(ei - ti)
        power = F(F(pr * pr) + F(pi * pi))
        if power > z[length + k]:
            z[length + k] = power
        power = F(F(mr * mr) + F(mi * mi))
        if power > z[length + points - k]:
            z[length + points - k] = power
    mr = z[points]
    mi = z[points + 1]
    power = F(4.0 * F(F(mr * mr) + F(mi * mi)))
    if power > z[length + (points >> 1)]:
        z[length + (points >> 1)] = power


def _spectrum(ints, floats, z, signal, count, first, last, features, at):
    length = 1 << ints[0]
    bins = length >> 1
    step = bins if ints[1] & 2 else length
    low, high, mean, residual, rms, stdev, skewness, kurtosis = _describe(z, signal, 1, count, 1.0)
    features[at] = _finite(stdev)
    features[at + 1] = _finite(skewness)
    features[at + 2] = _finite(kurtosis)
    for i in range(signal, signal + count):
        z[i] = F(F(z[i] - mean) - residual)
    for i in range(length, length + bins + 1):
        z[i] = 0.0
    for i in range(0, count, step):
        _hold(z, signal + i, count - i, length, floats, z)
    to_power = 0.25 / length
    for i in range(length, length + bins + 1):
        z[i] = F(z[i] * to_power)
    low, high, mean, residual, rms, stdev, skewness, kurtosis = _describe(z, length, 1, bins + 1, 1.0)
    features[at + 3] = _finite(skewness)
    features[at + 4] = _finite(kurtosis)
    at += 5
    for i in range(length + first, length + last + 1):
        features[at] = _finite(_log10(z[i]) if ints[1] & 1 else z[i])
        at += 1


def _spectral(window, frames, channels, axes, ints, floats, scratch, features, at):
    length = 1 << ints[0]
    per_axis = 5 + ints[4] - ints[3] + 1
    per_copy = 5 + ints[6] - ints[5] + 1
    sections = 1 + (length >> 2) + 1
    every3rd = sections + 4 * ints[2]
    every10th = every3rd + (13 if ints[7] % 3 == 0 else 0)
    signal = length + (length >> 1) + 1
    copies = at + per_axis * len(axes)
    for axis in axes:
        count = frames
        left = ints[7]
        if left == 1:
            for i in range(count):
                scratch[signal + i] = F(window[i * channels + axis] * floats[0])
        else:
            ratio = _first_ratio(left)
            start = every3rd if ratio == 3 else every10th
            count = _decimate(window, axis, channels, floats[0], count, ratio, floats, start, scratch, signal)
            left //= ratio
        while left > 1:
            count = _decimate(scratch, signal, 1, 1.0, count, 10, floats, every10th, scratch, signal)
            left //= 10
        for i in range(ints[2]):
            _filter(scratch, signal, count, floats, sections + 4 * i, ints[1] & 8)
        _spectrum(ints, floats, scratch, signal, count, ints[3], ints[4], features, at)
        at += per_axis
        if ints[1] & 4:
            count = _decimate(scratch, signal, 1, 1.0, count, 10, floats, every10th, scratch, signal)
            _spectrum(ints, floats, scratch, signal, count, ints[5], ints[6], features, copies)
            copies += per_copy


# q = round_half_away(feature * a + b) as bytes + 128; NaN gives the lowest.
def _quantize(features, a, b, out):
    for i in range(len(out)):
        value = F(F(features[i] * a[i]) + b[i])
        if not value > -128:
            out[i] = 0
        elif value >= 127:
            out[i] = 255
        else:
            whole = int(value)
            rest = value - whole
            if rest >= 0.5:
                whole += 1
            elif rest <= -0.5:
                whole -= 1
            out[i] = whole + 128


# Generated window of the self-test: integers up to the last line.
def _generate(seed, index, channels, scale, offset, window):
    state = (seed ^ (index * 0x9E3779B9 & 0xFFFFFFFF)) | 1
    for i in range(8):
        state = _random(state)
    for channel in range(channels):
        state = _random(state)
        level = _towards_zero((state >> 16) - 32768, 1 << (state & 3))
        state = _random(state)
        wave = (state >> 17) >> (state & 7)
        state = _random(state)
        noise = (state >> 17) >> (1 + (state & 7))
        state = _random(state)
        phase = state
        state = _random(state)
        step = (state >> 1) >> (state & 7)
        for at in range(channel, len(window), channels):
            rise = phase >> 15
            triangle = (rise if rise < 65536 else 131071 - rise) - 32768
            state = _random(state)
            value = level + _towards_zero(triangle * wave, 32768)
            value += _towards_zero(((state >> 16) - 32768) * noise, 32768)
            value = -32768 if value < -32768 else 32767 if value > 32767 else value
            window[at] = F(F(value * scale[channel]) + offset[channel])
            phase = (phase + step) & 0xFFFFFFFF
