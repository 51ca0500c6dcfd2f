#include "usb.h"

#include "clocks.h"
#include "rp2040.h"

/* Raspberry Pi's ids for a serial port of a program on a Pico. */
#define VENDOR 0x2e8au
#define PRODUCT 0x000au

#define PACKET 64u
#define NOTIFY_ENDPOINT 1u
#define DATA_ENDPOINT 2u

/* RP2040 datasheet 4.1.3: memory shared with the controller. */
#define SHARED 0x50100000u
#define SETUP_PACKET SHARED
#define IN_CONTROL(endpoint) (SHARED + 8u * (endpoint))
#define OUT_CONTROL(endpoint) (IN_CONTROL(endpoint) + 4u)
#define IN_BUFFER(endpoint) (SHARED + 0x80u + 8u * (endpoint))
#define OUT_BUFFER(endpoint) (IN_BUFFER(endpoint) + 4u)
#define CONTROL_BYTES 0x100u /* offsets of the packets themselves */
#define NOTIFY_BYTES 0x180u
#define RECEIVE_BYTES 0x1c0u
#define SEND_BYTES 0x200u
#define SHARED_USED 0x240u

#define ENDPOINT_ON (1u << 31 | 1u << 29)
#define TYPE_BULK (2u << 26)
#define TYPE_INTERRUPT (3u << 26)
#define BUFFER_FULL (1u << 15)
#define BUFFER_DATA1 (1u << 13)
#define BUFFER_STALL (1u << 11)
#define BUFFER_AVAILABLE (1u << 10)
#define BUFFER_LENGTH 0x3ffu

#define USB_ADDRESS 0x50110000u
#define USB_MAIN_CTRL 0x50110040u
#define USB_SIE_CTRL 0x5011004cu
#define USB_SIE_STATUS 0x50110050u
#define USB_BUFF_STATUS 0x50110058u
#define USB_EP_STALL_ARM 0x50110068u
#define USB_MUXING 0x50110074u
#define USB_PWR 0x50110078u
#define USB_INTE 0x50110090u
#define SIE_BUS_RESET (1u << 19)
#define SIE_SETUP_RECEIVED (1u << 17)
#define INT_SETUP (1u << 16)
#define INT_BUS_RESET (1u << 12)
#define INT_BUFFER (1u << 4)

/* USB 2.0, 9.4; CDC PSTN 1.2, 6.3. */
enum {
  GET_STATUS = 0,
  CLEAR_FEATURE = 1,
  SET_FEATURE = 3,
  SET_ADDRESS = 5,
  GET_DESCRIPTOR = 6,
  GET_CONFIGURATION = 8,
  SET_CONFIGURATION = 9,
  GET_INTERFACE = 10,
  SET_INTERFACE = 11,
  SET_LINE_CODING = 0x20,
  GET_LINE_CODING = 0x21,
  SET_CONTROL_LINE_STATE = 0x22,
  SEND_BREAK = 0x23
};
#define KIND_STANDARD 0x00u
#define KIND_CLASS 0x20u
#define TOUCH_BAUD 1200u

#define U16(value) (uint8_t)((value) & 0xffu), (uint8_t)((value) >> 8)

enum { TEXT_LANGUAGE = 0, TEXT_MAKER, TEXT_PRODUCT, TEXT_SERIAL };
#define SERIAL_MAX 32u

static const uint8_t device_descriptor[18] = {
    18, 1, U16(0x0200u), 2, 0, 0, PACKET, U16(VENDOR), U16(PRODUCT), U16(0x0100u), TEXT_MAKER, TEXT_PRODUCT, TEXT_SERIAL, 1,
};
#define DEVICE_SERIAL_AT 16u

#define CONFIGURATION_BYTES (9u + 9u + 5u + 5u + 4u + 5u + 7u + 9u + 7u + 7u)
static const uint8_t configuration_descriptor[CONFIGURATION_BYTES] = {
    9, 2, U16(CONFIGURATION_BYTES), 2, 1, 0, 0x80, 50,     /* two interfaces, powered by the bus, 100 mA */
    9, 4, 0, 0, 1, 2, 2, 0, 0,                             /* communication: abstract control model */
    5, 0x24, 0, U16(0x0120u),                              /* CDC 1.20 */
    5, 0x24, 1, 0, 1,                                      /* no call management */
    4, 0x24, 2, 2,                                         /* line coding and control lines */
    5, 0x24, 6, 0, 1,                                      /* interfaces 0 and 1 belong together */
    7, 5, 0x80u | NOTIFY_ENDPOINT, 3, U16(8u), 16,         /* notifications, never sent */
    9, 4, 1, 0, 2, 10, 0, 0, 0,                            /* data */
    7, 5, DATA_ENDPOINT, 2, U16(PACKET), 0,                /* from the host */
    7, 5, 0x80u | DATA_ENDPOINT, 2, U16(PACKET), 0,        /* to the host */
};

ring usb_received;

static const char *serial_text;
static uint8_t answer[2u + 2u * SERIAL_MAX];
static uint8_t line_coding[7] = {0x00, 0xc2, 0x01, 0x00, 0, 0, 8}; /* 115200, 8N1 */

/* The control transfer under way. */
static const uint8_t *control_bytes;
static uint32_t control_left;
static uint8_t control_close; /* an empty packet says that there is no more */
static uint8_t control_toggle;
static uint8_t control_sending;
static uint8_t takes_line_coding;
static uint8_t new_address;

static volatile uint8_t configured;
static volatile uint8_t sending;
static uint8_t send_toggle;
static uint8_t sent_full; /* the host waits for more, or for a shorter packet */
static uint8_t receive_toggle;
static volatile uint8_t receive_waits;
static volatile uint8_t boot_asked;

void on_usb(void);

/* ---- Packets ---- */

/* Shared memory is written in words. */
static void to_shared(uint32_t offset, const uint8_t *bytes, uint32_t count) {
  uint32_t i;
  uint32_t word = 0;
  for (i = 0; i < count; i++) {
    word |= (uint32_t)bytes[i] << 8u * (i % 4u);
    if (i % 4u == 3u || i + 1u == count) {
      REG(SHARED + offset + i / 4u * 4u) = word;
      word = 0;
    }
  }
}

/* The controller runs on another clock and must see the rest before "available" (datasheet 4.1.2.5.1). */
static void arm(uint32_t buffer, uint32_t value) {
  uint32_t i;
  REG(buffer) = value;
  for (i = 0; i < 6u; i++) __asm__ volatile("nop\n nop");
  REG(buffer) = value | BUFFER_AVAILABLE;
}

static void arm_in(uint32_t endpoint, uint32_t offset, const uint8_t *bytes, uint32_t count, uint8_t *toggle) {
  to_shared(offset, bytes, count);
  arm(IN_BUFFER(endpoint), count | BUFFER_FULL | (*toggle ? BUFFER_DATA1 : 0u));
  *toggle ^= 1u;
}

static void arm_receive(void) {
  if (ring_room(&usb_received) < PACKET) {
    receive_waits = 1;
    return;
  }
  receive_waits = 0;
  arm(OUT_BUFFER(DATA_ENDPOINT), PACKET | (receive_toggle ? BUFFER_DATA1 : 0u));
  receive_toggle ^= 1u;
}

/* ---- Control transfers ---- */

static void control_stall(void) {
  REG(USB_EP_STALL_ARM) = 3;
  REG(IN_BUFFER(0)) = BUFFER_STALL;
  REG(OUT_BUFFER(0)) = BUFFER_STALL;
}

static void control_next(void) {
  uint32_t count = control_left < PACKET ? control_left : PACKET;
  arm_in(0, CONTROL_BYTES, control_bytes, count, &control_toggle);
  control_bytes += count;
  control_left -= count;
}

static void control_reply(const uint8_t *bytes, uint32_t count, uint32_t asked) {
  control_bytes = bytes;
  control_left = count < asked ? count : asked;
  control_close = control_left < asked && control_left % PACKET == 0;
  control_sending = 1;
  control_next();
}

/* The empty packet with which a request without data to the host ends. */
static void control_done(void) {
  control_left = 0;
  control_close = 0;
  control_sending = 0;
  control_toggle = 1;
  arm_in(0, CONTROL_BYTES, answer, 0, &control_toggle);
}

static void text_reply(const char *text, uint32_t asked) {
  uint32_t length = 0;
  while (text[length] != 0 && length < SERIAL_MAX) {
    answer[2u + 2u * length] = (uint8_t)text[length];
    answer[3u + 2u * length] = 0;
    length++;
  }
  answer[0] = (uint8_t)(2u + 2u * length);
  answer[1] = 3;
  control_reply(answer, answer[0], asked);
}

static void descriptor_reply(uint32_t which, uint32_t asked) {
  static const uint8_t languages[4] = {4, 3, U16(0x0409u)};
  uint32_t i;
  switch (which) {
    case 0x0100:
      for (i = 0; i < sizeof device_descriptor; i++) answer[i] = device_descriptor[i];
      if (serial_text[0] == 0) answer[DEVICE_SERIAL_AT] = 0;
      control_reply(answer, sizeof device_descriptor, asked);
      return;
    case 0x0200:
      control_reply(configuration_descriptor, CONFIGURATION_BYTES, asked);
      return;
    case 0x0300 | TEXT_LANGUAGE:
      control_reply(languages, sizeof languages, asked);
      return;
    case 0x0300 | TEXT_MAKER:
      text_reply("Mote", asked);
      return;
    case 0x0300 | TEXT_PRODUCT:
      text_reply("Mote on Raspberry Pi Pico", asked);
      return;
    case 0x0300 | TEXT_SERIAL:
      if (serial_text[0] != 0) {
        text_reply(serial_text, asked);
        return;
      }
      control_stall();
      return;
    default:
      control_stall();
  }
}

/* Toggles start at 0 when an endpoint is configured, and when the host clears its halt. */
static void configure(uint32_t on) {
  configured = 0;
  REG(IN_BUFFER(DATA_ENDPOINT)) = 0;
  REG(OUT_BUFFER(DATA_ENDPOINT)) = 0;
  send_toggle = 0;
  sent_full = 0;
  sending = 0;
  receive_toggle = 0;
  receive_waits = 0;
  if (!on) return;
  REG(IN_CONTROL(NOTIFY_ENDPOINT)) = ENDPOINT_ON | TYPE_INTERRUPT | NOTIFY_BYTES;
  REG(OUT_CONTROL(DATA_ENDPOINT)) = ENDPOINT_ON | TYPE_BULK | RECEIVE_BYTES;
  REG(IN_CONTROL(DATA_ENDPOINT)) = ENDPOINT_ON | TYPE_BULK | SEND_BYTES;
  configured = 1;
  arm_receive();
}

static void standard_request(uint32_t request, uint32_t value, uint32_t index, uint32_t length) {
  switch (request) {
    case GET_DESCRIPTOR:
      descriptor_reply(value, length);
      return;
    case SET_ADDRESS:
      new_address = (uint8_t)(value & 0x7fu);
      control_done();
      return;
    case SET_CONFIGURATION:
      configure(value != 0);
      control_done();
      return;
    case GET_CONFIGURATION:
      answer[0] = configured;
      control_reply(answer, 1, length);
      return;
    case GET_STATUS:
      answer[0] = 0;
      answer[1] = 0;
      control_reply(answer, 2, length);
      return;
    case GET_INTERFACE:
      answer[0] = 0;
      control_reply(answer, 1, length);
      return;
    case CLEAR_FEATURE:
      if (configured && index == (0x80u | DATA_ENDPOINT) && !sending) send_toggle = 0;
      if (configured && index == DATA_ENDPOINT) {
        receive_toggle = 0;
        arm_receive();
      }
      control_done();
      return;
    case SET_FEATURE:
    case SET_INTERFACE:
      control_done();
      return;
    default:
      control_stall();
  }
}

static void class_request(uint32_t request, uint32_t value, uint32_t length) {
  uint32_t baud;
  switch (request) {
    case SET_LINE_CODING:
      takes_line_coding = 1;
      arm(OUT_BUFFER(0), PACKET | BUFFER_DATA1);
      return;
    case GET_LINE_CODING:
      control_reply(line_coding, sizeof line_coding, length);
      return;
    case SET_CONTROL_LINE_STATE:
      baud = (uint32_t)line_coding[0] | (uint32_t)line_coding[1] << 8 | (uint32_t)line_coding[2] << 16;
      if ((value & 1u) == 0 && baud == TOUCH_BAUD) boot_asked = 1;
      control_done();
      return;
    case SEND_BREAK:
      control_done();
      return;
    default:
      control_stall();
  }
}

static void on_setup(void) {
  uint32_t first = REG(SETUP_PACKET);
  uint32_t second = REG(SETUP_PACKET + 4u);
  uint32_t kind = first & 0x60u;
  uint32_t request = first >> 8 & 0xffu;
  /* A setup packet ends whatever control transfer there was; the next packet is a DATA1. */
  control_toggle = 1;
  control_left = 0;
  control_close = 0;
  control_sending = 0;
  takes_line_coding = 0;
  if (kind == KIND_STANDARD) {
    standard_request(request, first >> 16, second & 0xffffu, second >> 16);
  } else if (kind == KIND_CLASS) {
    class_request(request, first >> 16, second >> 16);
  } else {
    control_stall();
  }
}

static void on_control_sent(void) {
  if (new_address != 0) {
    REG(USB_ADDRESS) = new_address;
    new_address = 0;
  }
  if (!control_sending) return;
  if (control_left > 0 || control_close) {
    if (control_left == 0) control_close = 0;
    control_next();
    return;
  }
  control_sending = 0;
  arm(OUT_BUFFER(0), BUFFER_DATA1); /* the host's empty packet */
}

static void on_control_received(void) {
  uint32_t words[2];
  uint32_t i;
  if (!takes_line_coding) return;
  takes_line_coding = 0;
  if ((REG(OUT_BUFFER(0)) & BUFFER_LENGTH) >= sizeof line_coding) {
    words[0] = REG(SHARED + CONTROL_BYTES);
    words[1] = REG(SHARED + CONTROL_BYTES + 4u);
    for (i = 0; i < sizeof line_coding; i++) line_coding[i] = (uint8_t)(words[i / 4u] >> 8u * (i % 4u) & 0xffu);
  }
  control_done();
}

/* ---- Data ---- */

static void on_data_received(void) {
  uint32_t count = REG(OUT_BUFFER(DATA_ENDPOINT)) & BUFFER_LENGTH;
  uint32_t word = 0;
  uint32_t i;
  if (!configured) return;
  if (count > PACKET) count = PACKET;
  for (i = 0; i < count; i++) {
    if (i % 4u == 0) word = REG(SHARED + RECEIVE_BYTES + i);
    ring_put(&usb_received, (uint8_t)(word >> 8u * (i % 4u) & 0xffu));
  }
  arm_receive();
}

void on_usb(void) {
  uint32_t status = REG(USB_SIE_STATUS);
  uint32_t buffers;
  if ((status & SIE_BUS_RESET) != 0) {
    configure(0);
    new_address = 0;
    REG(USB_ADDRESS) = 0;
    REG(USB_SIE_STATUS) = SIE_BUS_RESET;
  }
  /* Buffers that are done belong to what came before the setup packet. */
  while ((buffers = REG(USB_BUFF_STATUS)) != 0) {
    REG(USB_BUFF_STATUS) = buffers;
    if ((buffers & 1u) != 0) on_control_sent();
    if ((buffers & 2u) != 0) on_control_received();
    if ((buffers & 1u << 2u * DATA_ENDPOINT) != 0) sending = 0;
    if ((buffers & 1u << (2u * DATA_ENDPOINT + 1u)) != 0) on_data_received();
  }
  if ((REG(USB_SIE_STATUS) & SIE_SETUP_RECEIVED) != 0) {
    REG(USB_SIE_STATUS) = SIE_SETUP_RECEIVED;
    on_setup();
  }
}

/* ---- For the main loop ---- */

void usb_start(const char *serial) {
  uint32_t offset;
  serial_text = serial;
  reset(RESET_USBCTRL);
  for (offset = 0; offset < SHARED_USED; offset += 4u) REG(SHARED + offset) = 0;
  REG(USB_MUXING) = 1u << 3 | 1u << 0; /* the chip's own transceiver */
  REG(USB_PWR) = 1u << 3 | 1u << 2;    /* plugged in: a Pico that is powered otherwise sees no host, and waits */
  REG(USB_MAIN_CTRL) = 1;
  REG(USB_SIE_CTRL) = 1u << 29; /* an interrupt for each packet of endpoint 0 */
  REG(USB_INTE) = INT_SETUP | INT_BUS_RESET | INT_BUFFER;
  REG(NVIC_ENABLE) = 1u << IRQ_USBCTRL;
  REG_SET(USB_SIE_CTRL) = 1u << 16; /* pull-up: the host sees us */
}

/* Under the lock: a bus reset in between would find the endpoint in a state of its own. */
static uint32_t send_packet(const uint8_t *bytes, uint32_t count) {
  uint32_t taken = 0;
  interrupts_off();
  if (configured && !sending) {
    taken = count < PACKET ? count : PACKET;
    sending = 1;
    sent_full = taken == PACKET;
    arm_in(DATA_ENDPOINT, SEND_BYTES, bytes, taken, &send_toggle);
  }
  interrupts_on();
  return taken;
}

uint32_t usb_send(const uint8_t *bytes, uint32_t count) {
  uint32_t sent = 0;
  while (sent < count) {
    uint32_t taken = send_packet(bytes + sent, count - sent);
    if (taken == 0) break;
    sent += taken;
  }
  return sent;
}

void usb_send_end(void) {
  if (sent_full && !sending) (void)send_packet(0, 0);
}

void usb_receive_more(void) {
  interrupts_off();
  if (configured && receive_waits) arm_receive();
  interrupts_on();
}

int usb_boot_asked(void) { return boot_asked; }
