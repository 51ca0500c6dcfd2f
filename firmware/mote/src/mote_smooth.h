/* From scores to decisions: a moving average over the last windows, then a threshold. */
#ifndef MOTE_SMOOTH_H
#define MOTE_SMOOTH_H

#include <stdint.h>

#include "mote_config.h"

/* Index of the highest score, the lowest index on ties. */
MOTE_FN int32_t mote_smooth_best(const int8_t *scores, int32_t count) {
  int32_t best = 0;
  int32_t i;
  for (i = 1; i < count; i++) {
    if (scores[i] > scores[best]) best = i;
  }
  return best;
}

/*
 * The label with the highest average over `rows` windows of scores, or -1 when that average is less than `threshold`
 * above the zero point.
 */
MOTE_FN int32_t mote_smooth_decide(const int8_t *history, int32_t rows, int32_t count, int32_t zero_point,
                                   int32_t threshold) {
  int32_t best = -1;
  int32_t best_sum = 0;
  int32_t label;
  for (label = 0; label < count; label++) {
    int32_t sum = 0;
    int32_t row;
    for (row = 0; row < rows; row++) sum += history[row * count + label] - zero_point;
    if (best < 0 || sum > best_sum) {
      best = label;
      best_sum = sum;
    }
  }
  return best_sum >= threshold * rows ? best : -1;
}

/* Adds a row of scores to the ring of `windows` rows and decides over the rows seen so far. */
MOTE_FN int32_t mote_smooth_add(int8_t *history, int32_t windows, int32_t *rows, int32_t *next, const int8_t *scores,
                                int32_t count, int32_t zero_point, int32_t threshold) {
  int32_t i;
  for (i = 0; i < count; i++) history[*next * count + i] = scores[i];
  *next = *next + 1 < windows ? *next + 1 : 0;
  if (*rows < windows) *rows += 1;
  return mote_smooth_decide(history, *rows, count, zero_point, threshold);
}

#endif
