/*
 * What every fragment of the runtime stands on: how functions are declared, and the promise that float arithmetic is
 * plain IEEE 754 binary32, one rounding per operation. That promise is what makes features equal bit for bit to those
 * computed in the browser.
 */
#ifndef MOTE_CONFIG_H
#define MOTE_CONFIG_H

#include <stdint.h>

#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || \
    (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ == 1)
#error "This model needs exact float arithmetic: compile without -ffast-math and its relatives."
#endif

#if defined(__FLT_EVAL_METHOD__) && (__FLT_EVAL_METHOD__ == 1 || __FLT_EVAL_METHOD__ == 2)
#error "This model needs float arithmetic without excess precision: on 32-bit x86 use -msse2 -mfpmath=sse."
#endif

/*
 * A fused multiply-add rounds once where this code rounds twice, so contraction must be off from here to the end of
 * the translation unit. The setting is not restored afterwards: GCC would inline these functions into a caller with
 * the caller's setting.
 */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#elif defined(_MSC_VER)
#pragma fp_contract(off)
#else
#pragma STDC FP_CONTRACT OFF
#endif

/* Counts and places of samples in a window. AVR has no memory for more than 16 bits count, and halves the code so. */
#if defined(__AVR__)
typedef int16_t mote_index;
#else
typedef int32_t mote_index;
#endif

/* Declares a function of a fragment: private to the translation unit, and no warning when a model does not need it. */
#if defined(__AVR__)
/* Without the hint to inline, which would give every layer a copy of its kernel: flash is short there. */
#define MOTE_FN static __attribute__((unused))
#elif defined(__GNUC__) || defined(__clang__)
#define MOTE_FN static inline __attribute__((unused))
#else
#define MOTE_FN static inline
#endif

#endif
