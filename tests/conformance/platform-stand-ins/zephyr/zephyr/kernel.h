/* As much of Zephyr as the sample uses, declared as its documentation (v3.7) does, to compile it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct k_timer {
  void (*expiry_fn)(struct k_timer *timer);
  void (*stop_fn)(struct k_timer *timer);
};
typedef struct {
  int64_t ticks;
} k_timeout_t;
#define K_TIMER_DEFINE(name, expiry, stop) struct k_timer name = {expiry, stop}
#define K_USEC(t) ((k_timeout_t){(int64_t)(t)})
void k_timer_start(struct k_timer *timer, k_timeout_t duration, k_timeout_t period);
uint32_t k_timer_status_sync(struct k_timer *timer);
int32_t k_msleep(int32_t ms);
