/*
 * Preloaded into a browser, gives pseudo-terminals the control lines that they lack, and tells the board behind them of
 * DTR: every change is one character, 1 or 0, at the end of the file named by MODEM_LINES_FILE. Arduino boards are
 * reset by it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MOST_FILES = 4096 };
static int lines[MOST_FILES];

static int is_pseudo_terminal(int fd) {
  char name[64];
  return fd >= 0 && fd < MOST_FILES && ttyname_r(fd, name, sizeof name) == 0 && strncmp(name, "/dev/pts/", 9) == 0;
}

static void tell(int before, int after) {
  const char *path = getenv("MODEM_LINES_FILE");
  int file;
  if (path == NULL || (before & TIOCM_DTR) == (after & TIOCM_DTR)) return;
  file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  if (write(file, after & TIOCM_DTR ? "1" : "0", 1) != 1) abort();
  close(file);
}

int ioctl(int fd, unsigned long request, ...) {
  static int (*real)(int, unsigned long, void *);
  va_list list;
  void *argument;
  int *bits;
  int before;
  va_start(list, request);
  argument = va_arg(list, void *);
  va_end(list);
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "ioctl");
  if ((request != TIOCMGET && request != TIOCMSET && request != TIOCMBIS && request != TIOCMBIC) ||
      !is_pseudo_terminal(fd)) {
    return real(fd, request, argument);
  }
  bits = argument;
  before = lines[fd];
  if (request == TIOCMGET) *bits = before | TIOCM_CTS | TIOCM_DSR | TIOCM_CD;
  if (request == TIOCMSET) lines[fd] = *bits;
  if (request == TIOCMBIS) lines[fd] |= *bits;
  if (request == TIOCMBIC) lines[fd] &= ~*bits;
  tell(before, lines[fd]);
  return 0;
}
