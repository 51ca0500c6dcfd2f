/*
 * Fixed-point rescaling as in the TFLite reference kernels (gemmlowp): double rounding, or single rounding where
 * MOTE_SINGLE_ROUNDING is defined, as TFLITE_SINGLE_ROUNDING gives it. In emitted headers the choice is made already.
 * real factor = multiplier * 2^(shift - 31), multiplier 0 or 2^30..2^31-1, shift -31..30.
 */
#ifndef MOTE_REQUANTIZE_H
#define MOTE_REQUANTIZE_H

#include <stdint.h>

#include "mote_config.h"

/* Left shift that wraps: shifting a negative number is undefined in C. */
MOTE_FN int32_t mote_shift_left(int32_t value, int32_t shift) {
    return (int32_t)((uint32_t)value << (uint32_t)shift);
}

/* Saturating rounding doubling high multiply. */
MOTE_FN int32_t mote_srdhm(int32_t a, int32_t b) {
    if (a == INT32_MIN && b == INT32_MIN) {
        return INT32_MAX;
    }
#if defined(__AVR__)
    {
        /* The same: AVR adds and shifts 64 bits in library functions, but takes words apart at no cost. */
        union {
            int64_t whole;
            uint32_t words[2];
        } product;
        uint32_t low, high;
        product.whole = (int64_t)a * (int64_t)b;
        low = product.words[0] + 0x40000000u;
        high = product.words[1] + (low < 0x40000000u ? 1u : 0u);
        return (int32_t)(high << 1 | low >> 31);
    }
#else
    return (int32_t)(((int64_t)a * (int64_t)b + ((int64_t)1 << 30)) >> 31);
#endif
}

/* Rounding divide by 2^exponent, ties away from zero; exponent 0..31. */
MOTE_FN int32_t mote_rdp(int32_t value, int32_t exponent) {
#if defined(__AVR__)
    /* The same: AVR shifts bit by bit, so once rather than twice, and by whole bytes first. */
    uint32_t magnitude = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    uint8_t left = (uint8_t)exponent;
    if (left == 0) {
        return value;
    }
    for (; left > 8; left = (uint8_t)(left - 8)) {
        magnitude >>= 8;
    }
    for (; left > 1; left--) {
        magnitude >>= 1;
    }
    magnitude = (magnitude + 1u) >> 1;
    return (int32_t)(value < 0 ? 0u - magnitude : magnitude);
#else
    const int32_t mask = (int32_t)(((uint32_t)1 << (uint32_t)exponent) - 1u);
    const int32_t remainder = value & mask;
    const int32_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);
    return (value >> exponent) + (remainder > threshold ? 1 : 0);
#endif
}

#if defined(MOTE_SINGLE_ROUNDING)
/* floor(a * b / 2^31), b not negative. */
MOTE_FN int32_t mote_high_product(int32_t a, int32_t b) {
#if defined(__AVR__)
    /* The same: AVR shifts 64 bits in library functions, but takes words apart at no cost. */
    union {
        int64_t whole;
        uint32_t words[2];
    } product;
    product.whole = (int64_t)a * (int64_t)b;
    return (int32_t)(product.words[1] << 1 | product.words[0] >> 31);
#else
    return (int32_t)(((int64_t)a * (int64_t)b) >> 31);
#endif
}
#endif

/* Multiply by a quantized multiplier. */
MOTE_FN int32_t mote_mbqm(int32_t value, int32_t multiplier, int32_t shift) {
#if defined(MOTE_SINGLE_ROUNDING)
    /* As without: a left-shifted value fits 32 bits. */
    if (shift >= 0) {
        return mote_srdhm(mote_shift_left(value, shift), multiplier);
    }
    /* (value * multiplier + 2^(30 - shift)) >> (31 - shift): the bits below the high product cannot carry that far. */
    return ((mote_high_product(value, multiplier) >> (-shift - 1)) + 1) >> 1;
#else
    if (shift > 0) {
        return mote_srdhm(mote_shift_left(value, shift), multiplier);
    }
    return mote_rdp(mote_srdhm(value, multiplier), -shift);
#endif
}

#endif
