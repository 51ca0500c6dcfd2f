/* What MoteFlash.h needs of Earle Philhower's core. */
#include "../chip.h"

extern int stopped;
inline void noInterrupts() { stopped++; }
inline void interrupts() { stopped--; }
struct StandInCores {
  void idleOtherCore() { stopped++; }
  void resumeOtherCore() { stopped--; }
};
extern StandInCores rp2040;
