/*
 * The firmware as an ordinary Linux process: a board for end-to-end tests, and for trying Mote without hardware.
 *
 *   mote-board [options]                     speaks on stdin and stdout, ends when stdin does
 *   mote-board --pty LINK [options]          makes a pseudo terminal and a symbolic link to it, runs until killed
 *
 *   --samples FILE   CSV with a header; may be given up to 16 times. The files are played one after the other, for
 *                    ever, and read again for each round, so that they can be exchanged. A column named time... is
 *                    skipped. acc... are m/s2 on a +-16 g sensor, gyr... deg/s on a +-2000 deg/s one; other columns get
 *                    the scale that their values need. Without it, six axes of sine waves.
 *   --storage FILE   the flash; made when missing. To kill the process is to cut the power.
 *   --baud N         no more than N / 10 bytes a second in each direction, as on a UART
 *   --rate HZ        50, 100 (default) or 200 at power-up
 *   --serial TEXT    serial number
 *   --name TEXT      board name
 *   --cut-power-after N   exit in the middle of the (N+1)-th flash operation
 */
#define _XOPEN_SOURCE 700

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "mote_board.h"

#define BODY MOTE_WIRE_BODY_DEFAULT
#define WINDOW 8u
#define PROG_SIZE 256u
#define ERASE_SIZE 4096u
#define STORAGE_SIZE (2u * ERASE_SIZE + 2u * 17u * ERASE_SIZE)
#define MODEL_RAM 65536u
#define MOST_FILES 16u
#define MOST_FRAMES 1000000u
#define LINE_BYTES 4096u
/* After a stop (Ctrl-Z, a debugger) no more than this is sampled belatedly. */
#define CATCH_UP_US 500000u

typedef struct {
  /* link */
  int in;
  int out;
  double bytes_per_us; /* 0 = as fast as it goes */
  double send_allowance;
  double receive_allowance;
  uint64_t paced_at;
  /* samples */
  const char *files[MOST_FILES];
  uint32_t file_count;
  uint32_t file;
  int16_t *frames;
  uint32_t frame_count;
  uint32_t frame;
  uint64_t period_us;
  uint64_t due_us;
  uint64_t played;
  /* flash */
  uint8_t *flash;
  long cut_after;
  /* description */
  uint32_t channel_count;
  mote_channel channels[MOTE_WIRE_CHANNELS_MAX];
  char names[MOTE_WIRE_CHANNELS_MAX][MOTE_WIRE_TEXT_MAX + 1];
} host;

static uint64_t started_ns; /* clock_us of the runtime has no context */
static const char *pty_link;

static void die(const char *what, const char *which) {
  fprintf(stderr, "mote-board: %s%s%s\n", what, which[0] ? ": " : "", which);
  exit(2);
}

/* ---- Time ---- */

static uint64_t monotonic_ns(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t now_us(void *context) {
  (void)context;
  return (monotonic_ns() - started_ns) / 1000u;
}

static uint32_t clock_us(void) { return (uint32_t)now_us(0); }

/* ---- Link ---- */

/* Lets what a UART would carry accumulate, up to 20 ms of it. */
static void pace(host *h) {
  uint64_t now = now_us(0);
  double fresh = (double)(now - h->paced_at) * h->bytes_per_us;
  double most = 20000.0 * h->bytes_per_us;
  h->paced_at = now;
  if (most < 64.0) most = 64.0;
  h->send_allowance = h->send_allowance + fresh > most ? most : h->send_allowance + fresh;
  h->receive_allowance = h->receive_allowance + fresh > most ? most : h->receive_allowance + fresh;
}

static uint32_t allowed(const host *h, double allowance, uint32_t count) {
  if (h->bytes_per_us <= 0.0) return count;
  return allowance < (double)count ? (uint32_t)allowance : count;
}

static uint32_t send(void *context, const uint8_t *bytes, uint32_t count) {
  host *h = (host *)context;
  ssize_t sent;
  count = allowed(h, h->send_allowance, count);
  if (count == 0) return 0;
  sent = write(h->out, bytes, count);
  if (sent < 0) {
    if (errno == EAGAIN || errno == EINTR || errno == EIO) return 0;
    exit(0); /* the other side is gone */
  }
  h->send_allowance -= (double)sent;
  return (uint32_t)sent;
}

static void remove_link(void) {
  if (pty_link) (void)unlink(pty_link);
}

static void on_signal(int number) {
  remove_link();
  _exit(128 + number);
}

static void open_pty(host *h) {
  const char *name;
  struct termios raw;
  int slave;
  h->in = posix_openpt(O_RDWR | O_NOCTTY);
  if (h->in < 0 || grantpt(h->in) != 0 || unlockpt(h->in) != 0) die("no pseudo terminal", strerror(errno));
  h->out = h->in;
  name = ptsname(h->in);
  /* Held open, so that the terminal survives its readers; raw, so that it changes no byte. */
  slave = open(name, O_RDWR | O_NOCTTY);
  if (slave < 0 || tcgetattr(slave, &raw) != 0) die("no pseudo terminal", strerror(errno));
  raw.c_iflag &= (tcflag_t) ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  raw.c_oflag &= (tcflag_t)~OPOST;
  raw.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  raw.c_cflag = (tcflag_t)((raw.c_cflag & (tcflag_t) ~(CSIZE | PARENB)) | CS8);
  (void)tcsetattr(slave, TCSANOW, &raw);
  (void)unlink(pty_link);
  if (symlink(name, pty_link) != 0) die("cannot make the link", pty_link);
  (void)atexit(remove_link);
  (void)signal(SIGTERM, on_signal);
  (void)signal(SIGINT, on_signal);
  fprintf(stderr, "mote-board: %s -> %s\n", pty_link, name);
}

/* ---- Samples ---- */

static float scale_for(const char *name, double largest) {
  if (strncmp(name, "acc", 3) == 0) return 9.80665f / 2048.0f;
  if (strncmp(name, "gyr", 3) == 0) return 2000.0f / 32768.0f;
  {
    /* A power of two, so that short decimals stay what they are as far as possible. */
    int exponent = 0;
    (void)frexp(largest, &exponent);
    return (float)ldexp(1.0, exponent - 15);
  }
}

static const char *unit_for(const char *name) {
  if (strncmp(name, "acc", 3) == 0) return "m/s2";
  return strncmp(name, "gyr", 3) == 0 ? "deg/s" : "";
}

static int16_t quantize(double value, float scale) {
  double steps = floor(value / (double)scale + 0.5);
  if (!(steps > -32768.0)) return -32768;
  return steps < 32767.0 ? (int16_t)steps : 32767;
}

/* Splits a line in place at commas, semicolons and tabs; quotes and blanks around a field go. */
static uint32_t split(char *line, char *fields[MOTE_WIRE_CHANNELS_MAX + 1]) {
  uint32_t count = 0;
  char *field = line;
  line[strcspn(line, "\r\n")] = 0;
  while (count < MOTE_WIRE_CHANNELS_MAX + 1) {
    char *end = field + strcspn(field, ",;\t");
    char *next = *end ? end + 1 : 0;
    *end = 0;
    field += strspn(field, " \"");
    field[strcspn(field, " \"")] = 0;
    fields[count++] = field;
    if (!next) break;
    field = next;
  }
  return count;
}

/* Column 0 is a time stamp. */
static uint32_t first_column(char *const header[]) { return strncmp(header[0], "time", 4) == 0 ? 1u : 0u; }

/*
 * Reads a CSV file: values[frame * channels + channel], to be freed. The first file names the channels; the others must
 * have as many.
 */
static double *read_samples(host *h, const char *path, uint32_t *frames) {
  char line[LINE_BYTES];
  char *fields[MOTE_WIRE_CHANNELS_MAX + 1];
  double *values = 0;
  uint32_t room = 0;
  uint32_t skip;
  uint32_t count;
  uint32_t i;
  FILE *file = fopen(path, "r");
  *frames = 0;
  if (!file) die("cannot read", path);
  if (!fgets(line, sizeof line, file)) die("no header", path);
  count = split(line, fields);
  skip = first_column(fields);
  if (count - skip < 1 || count - skip > MOTE_WIRE_CHANNELS_MAX) die("1 to 16 channels wanted", path);
  if (h->channel_count == 0) {
    h->channel_count = count - skip;
    for (i = 0; i < h->channel_count; i++) {
      (void)snprintf(h->names[i], sizeof h->names[i], "%s", fields[i + skip]);
      h->channels[i].name = h->names[i];
      h->channels[i].unit = unit_for(h->names[i]);
    }
  }
  if (count - skip != h->channel_count) die("other columns than in the first file", path);
  while (*frames < MOST_FRAMES && fgets(line, sizeof line, file)) {
    if (split(line, fields) != count) continue;
    if (*frames == room) {
      room = room ? 2 * room : 1024;
      values = (double *)realloc(values, (size_t)room * h->channel_count * sizeof *values);
      if (!values) die("out of memory", "");
    }
    for (i = 0; i < h->channel_count; i++) {
      values[(size_t)*frames * h->channel_count + i] = strtod(fields[i + skip], 0);
    }
    (*frames)++;
  }
  (void)fclose(file);
  if (*frames == 0) die("no samples", path);
  return values;
}

/* Scales must be known before the first frame and the same for all files. */
static void choose_scales(host *h) {
  double largest[MOTE_WIRE_CHANNELS_MAX] = {0};
  uint32_t file;
  uint32_t i;
  for (file = 0; file < h->file_count; file++) {
    uint32_t frames;
    double *values = read_samples(h, h->files[file], &frames);
    for (i = 0; i < frames * h->channel_count; i++) {
      double size = fabs(values[i]);
      if (size > largest[i % h->channel_count]) largest[i % h->channel_count] = size;
    }
    free(values);
  }
  for (i = 0; i < h->channel_count; i++) h->channels[i].scale = scale_for(h->names[i], largest[i]);
}

static void load_samples(host *h) {
  double *values = read_samples(h, h->files[h->file], &h->frame_count);
  uint32_t i;
  free(h->frames);
  h->frames = (int16_t *)malloc((size_t)h->frame_count * h->channel_count * sizeof *h->frames);
  if (!h->frames) die("out of memory", "");
  for (i = 0; i < h->frame_count * h->channel_count; i++) {
    h->frames[i] = quantize(values[i], h->channels[i % h->channel_count].scale);
  }
  free(values);
  h->frame = 0;
}

static void six_axes(host *h) {
  static const char *const names[6] = {"accX", "accY", "accZ", "gyrX", "gyrY", "gyrZ"};
  uint32_t i;
  h->channel_count = 6;
  for (i = 0; i < 6; i++) {
    h->channels[i].name = names[i];
    h->channels[i].unit = unit_for(names[i]);
    h->channels[i].scale = scale_for(names[i], 0);
  }
}

static void sensor_start(void *context, uint32_t rate) {
  host *h = (host *)context;
  h->period_us = 1000000000u / rate;
  h->due_us = now_us(0) + h->period_us;
}

static void sensor_stop(void *context) { ((host *)context)->period_us = 0; }

static int sensor_read(void *context, int16_t *frame, uint64_t *time_us) {
  host *h = (host *)context;
  uint64_t now = now_us(0);
  uint32_t i;
  if (h->period_us == 0 || now < h->due_us) return 0;
  if (now - h->due_us > CATCH_UP_US) h->due_us = now;
  if (h->file_count > 0) {
    for (i = 0; i < h->channel_count; i++) frame[i] = h->frames[(size_t)h->frame * h->channel_count + i];
    if (++h->frame == h->frame_count) {
      h->file = (h->file + 1) % h->file_count;
      load_samples(h);
    }
  } else {
    double t = (double)h->played * (double)h->period_us / 1e6;
    for (i = 0; i < h->channel_count; i++) frame[i] = quantize(i == 2 ? 9.80665 : 3.0 * sin(t * (2.0 + i)), h->channels[i].scale);
  }
  h->played++;
  *time_us = h->due_us;
  h->due_us += h->period_us;
  return 1;
}

/* ---- Flash ---- */

static int flash_read(void *context, uint32_t address, void *bytes, uint32_t count) {
  memcpy(bytes, ((host *)context)->flash + address, count);
  return 0;
}

/* Bytes of an operation that are done before the power fails: fewer than `count` = it fails in it. */
static uint32_t powered(host *h, uint32_t count) {
  return h->cut_after >= 0 && h->cut_after-- == 0 ? count / 2u : count;
}

static void lose_power(host *h) {
  (void)msync(h->flash, STORAGE_SIZE, MS_SYNC);
  remove_link();
  _exit(3);
}

static int flash_prog(void *context, uint32_t address, const void *bytes, uint32_t count) {
  host *h = (host *)context;
  uint32_t done = powered(h, count);
  uint32_t i;
  for (i = 0; i < done; i++) h->flash[address + i] &= ((const uint8_t *)bytes)[i];
  if (done < count) lose_power(h);
  return 0;
}

static int flash_erase(void *context, uint32_t address) {
  host *h = (host *)context;
  uint32_t done = powered(h, ERASE_SIZE);
  memset(h->flash + address, 0xff, done);
  if (done < ERASE_SIZE) lose_power(h);
  return 0;
}

static int flash_sync(void *context) { return msync(((host *)context)->flash, STORAGE_SIZE, MS_ASYNC) == 0 ? 0 : -1; }

/* Mapped and shared, so that what was programmed is in the file even when the process is killed. */
static void open_flash(host *h, const char *path) {
  struct stat found;
  int flags = MAP_SHARED;
  int file = -1;
  int fresh = 1;
  void *mapped;
  if (path) {
    file = open(path, O_RDWR | O_CREAT, 0644);
    if (file < 0 || fstat(file, &found) != 0) die("cannot open the storage", path);
    if (found.st_size != 0 && found.st_size != (off_t)STORAGE_SIZE) die("the storage is of another size", path);
    fresh = found.st_size == 0;
    if (fresh && ftruncate(file, (off_t)STORAGE_SIZE) != 0) die("cannot write the storage", path);
  } else {
    file = open("/dev/zero", O_RDWR);
    flags = MAP_PRIVATE;
  }
  mapped = mmap(0, STORAGE_SIZE, PROT_READ | PROT_WRITE, flags, file, 0);
  if (mapped == MAP_FAILED) die("cannot map the storage", strerror(errno));
  (void)close(file);
  h->flash = (uint8_t *)mapped;
  if (fresh) memset(h->flash, 0xff, STORAGE_SIZE);
}

/* ---- Main ---- */

static void not_blocking(int file) {
  int flags = fcntl(file, F_GETFL);
  if (flags >= 0) (void)fcntl(file, F_SETFL, flags | O_NONBLOCK);
}

/* Milliseconds to sleep at most: until the next sample, and short while bytes are paced or work is left. */
static int patience(const host *h, const mote_board *b) {
  uint64_t now = now_us(0);
  uint64_t wait = 50000;
  if (mote_board_busy(b)) return 0;
  if (h->period_us) wait = h->due_us > now ? h->due_us - now : 0;
  if (mote_board_sending(b) || h->bytes_per_us > 0.0) wait = wait < 1000 ? wait : 1000;
  return (int)((wait + 999) / 1000);
}

static void serve(host *h, mote_board *b) {
  static uint8_t bytes[WINDOW * MOTE_FRAME_ENCODED(BODY)];
  uint32_t have = 0;
  for (;;) {
    struct pollfd link;
    uint32_t room;
    uint32_t taken;
    pace(h);
    room = allowed(h, h->receive_allowance, (uint32_t)sizeof bytes - have);
    link.fd = h->in;
    link.events = (short)(room > 0 ? POLLIN : 0);
    link.revents = 0;
    (void)poll(&link, 1, have > 0 ? 1 : patience(h, b));
    if (room > 0 && (link.revents & (POLLIN | POLLHUP)) != 0) {
      ssize_t got = read(h->in, bytes + have, room);
      if (got == 0) return;
      if (got < 0 && errno != EAGAIN && errno != EINTR && errno != EIO) return;
      if (got > 0) {
        have += (uint32_t)got;
        h->receive_allowance -= (double)got;
      }
    }
    taken = mote_board_receive(b, bytes, have);
    have -= taken;
    memmove(bytes, bytes + taken, have);
    mote_board_poll(b);
  }
}

int main(int argc, char **argv) {
  static const uint32_t rates[] = {50000, 100000, 200000};
  static uint64_t model_ram[MODEL_RAM / 8u];
  static uint8_t memory[MOTE_BOARD_MEMORY(BODY, PROG_SIZE) + 16384u];
  static host h;
  static mote_board board;
  mote_storage storage = {&h, flash_read, flash_prog, flash_erase, flash_sync, 0, STORAGE_SIZE, PROG_SIZE, ERASE_SIZE, 0};
  mote_board_config config;
  const char *storage_path = 0;
  int i;
  int error;
  memset(&config, 0, sizeof config);
  config.name = "Mote host board";
  config.firmware = "0.1.0";
  config.serial = "";
  config.rate = 100000;
  h.out = 1;
  h.cut_after = -1;
  started_ns = monotonic_ns();
  for (i = 1; i < argc; i += 2) {
    const char *value = i + 1 < argc ? argv[i + 1] : 0;
    if (!value) die("a value is missing", argv[i]);
    if (strcmp(argv[i], "--samples") == 0 && h.file_count < MOST_FILES) {
      h.files[h.file_count++] = value;
    } else if (strcmp(argv[i], "--storage") == 0) {
      storage_path = value;
    } else if (strcmp(argv[i], "--pty") == 0) {
      pty_link = value;
    } else if (strcmp(argv[i], "--baud") == 0) {
      h.bytes_per_us = strtod(value, 0) / 10e6;
    } else if (strcmp(argv[i], "--rate") == 0) {
      config.rate = (uint32_t)(strtod(value, 0) * 1000.0 + 0.5);
    } else if (strcmp(argv[i], "--serial") == 0) {
      config.serial = value;
    } else if (strcmp(argv[i], "--name") == 0) {
      config.name = value;
    } else if (strcmp(argv[i], "--cut-power-after") == 0) {
      h.cut_after = strtol(value, 0, 10);
    } else {
      die("unknown option (they are listed at the head of main.c)", argv[i]);
    }
  }
  choose_scales(&h);
  if (h.file_count > 0) {
    load_samples(&h);
  } else {
    six_axes(&h);
  }
  open_flash(&h, storage_path);
  storage.mapped = h.flash;
  config.context = &h;
  config.write = send;
  config.now_us = now_us;
  config.clock_us = clock_us;
  config.channels = h.channels;
  config.channel_count = h.channel_count;
  config.rates = rates;
  config.rate_count = sizeof rates / sizeof rates[0];
  config.sensor_start = sensor_start;
  config.sensor_stop = sensor_stop;
  config.sensor_read = sensor_read;
  config.storage = &storage;
  config.slot_count = 2;
  config.model_ram = model_ram;
  config.model_ram_bytes = sizeof model_ram;
  config.memory = memory;
  config.memory_bytes = sizeof memory;
  config.body = BODY;
  config.window = WINDOW;
  error = mote_board_init(&board, &config);
  if (error == MOTE_BOARD_E_CONFIG) die("this rate is not offered", "--rate");
  if (error != 0) die("the firmware does not start", "");
  (void)signal(SIGPIPE, SIG_IGN);
  if (pty_link) open_pty(&h);
  not_blocking(h.in);
  not_blocking(h.out);
  serve(&h, &board);
  return 0;
}
