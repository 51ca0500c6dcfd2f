/*
 * A Cortex-M4 by Unicorn (QEMU's translator as a library) for tests/c/nrf-core-m4.ts: runs Thumb-2, DSP and floating-point
 * instructions; exceptions, which Unicorn leaves to its user, are done here after the Armv7-M Architecture Reference Manual
 * (B1.5.6 to B1.5.8), without lazy stacking. Flash, RAM and this file's core are here; every other access is asked of the
 * other side, which also keeps the time.
 *
 * Usage: cortex_m4 REQUESTS REPLIES FLASH RAM_BYTES. REQUESTS and REPLIES are pipes; all words little endian:
 *   requests  'R' limit pending priorities[8]   run at most `limit` instructions with these interrupts pending (bits)
 *             'C' value limit pending priorities[8]   answer to a load or store, and go on
 *             'F' address bytes <bytes>         flash is now this; no answer
 *             'M'                               answer: all of RAM
 *   replies   <kind> executed address value size: 'd' limit reached, 'w' waits for an interrupt, 'l' load, 's' store,
 *             'x' fault at `address`, error `value`; each five words
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicorn/unicorn.h>

#define RAM_AT 0x20000000u
#define EXC_RETURN 0xffffffe0u /* and above */
#define MOST_NESTED 8u

static FILE *requests, *replies;
static uc_engine *uc;
static uint32_t flash_bytes, ram_bytes;
static uint32_t left, executed;
static uint32_t pending;
static uint8_t priorities[32];
static uint32_t active[MOST_NESTED], nested;
static int waits, returns, gone, asked;

static void die(const char *text) {
    fprintf(stderr, "cortex_m4: %s\n", text);
    exit(1);
}

static uint32_t take_word(void) {
    uint32_t word;
    if (fread(&word, 4, 1, requests) != 1) exit(0); /* the other side is gone */
    return word;
}

static void give(uint32_t kind, uint32_t address, uint32_t value, uint32_t size) {
    uint32_t words[5];
    words[0] = kind;
    words[1] = executed;
    words[2] = address;
    words[3] = value;
    words[4] = size;
    executed = 0;
    if (fwrite(words, sizeof words, 1, replies) != 1 || fflush(replies) != 0) exit(0);
}

static void check(uc_err error, const char *what) {
    if (error != UC_ERR_OK) {
        fprintf(stderr, "cortex_m4: %s: %s\n", what, uc_strerror(error));
        exit(1);
    }
}

static uint32_t get(int id) {
    uint32_t value = 0;
    check(uc_reg_read(uc, id, &value), "register");
    return value;
}

static void set(int id, uint32_t value) { check(uc_reg_write(uc, id, &value), "register"); }

static uint32_t load(uint32_t address) {
    uint32_t value = 0;
    check(uc_mem_read(uc, address, &value, 4), "load");
    return value;
}

static void store(uint32_t address, uint32_t value) { check(uc_mem_write(uc, address, &value, 4), "store"); }

/* ---- What the other side says ---- */

static void take_state(void) {
    uint32_t word, i;
    left = take_word();
    pending = take_word();
    for (i = 0; i < 8; i++) {
        word = take_word();
        memcpy(priorities + 4 * i, &word, 4);
    }
}

static void take_flash(void) {
    const uint32_t address = take_word();
    const uint32_t count = take_word();
    uint8_t *bytes = malloc(count);
    if (!bytes || address > flash_bytes || count > flash_bytes - address) die("flash beyond its end");
    if (fread(bytes, 1, count, requests) != count) exit(0);
    check(uc_mem_write(uc, address, bytes, count), "flash");
    free(bytes);
}

static void give_ram(void) {
    uint8_t *bytes = malloc(ram_bytes);
    if (!bytes) die("no memory");
    check(uc_mem_read(uc, RAM_AT, bytes, ram_bytes), "RAM");
    if (fwrite(bytes, 1, ram_bytes, replies) != ram_bytes || fflush(replies) != 0) exit(0);
    free(bytes);
}

/* Until the answer to a load or store, which may have changed what is pending: on_code ends the run behind it (stopped here,
 * Unicorn would take the instruction back). */
static uint32_t answer(void) {
    asked = 1;
    for (;;) {
        const uint32_t kind = take_word();
        if (kind == 'F') {
            take_flash();
        } else if (kind == 'C') {
            const uint32_t value = take_word();
            take_state();
            return value;
        } else {
            die("answer expected");
        }
    }
}

/* ---- Accesses that are not memory ---- */

static uint64_t on_load(uc_engine *engine, uint64_t offset, unsigned size, void *base) {
    uint32_t value;
    give('l', (uint32_t)(uintptr_t)base + (uint32_t)offset, 0, size);
    value = answer();
    (void)engine;
    return value;
}

static void on_store(uc_engine *engine, uint64_t offset, unsigned size, uint64_t value, void *base) {
    give('s', (uint32_t)(uintptr_t)base + (uint32_t)offset, (uint32_t)value, size);
    (void)answer();
    (void)engine;
}

/* Flash is read-only for Unicorn: stores are told, and the other side says what became of them. */
static bool on_flash_store(uc_engine *engine, uc_mem_type type, uint64_t address, int size, int64_t value, void *context) {
    (void)context;
    if (type != UC_MEM_WRITE_PROT) return false;
    give('s', (uint32_t)address, (uint32_t)value, (uint32_t)size);
    (void)answer();
    /* Unicorn would store again, so the instruction is left out; stores of this firmware to flash are plain. */
    (void)engine;
    gone = 1;
    return false;
}

/* ---- Instructions ---- */

static void on_code(uc_engine *engine, uint64_t address, uint32_t size, void *context) {
    uint16_t opcode = 0;
    (void)context;
    if (left == 0 || asked) {
        uc_emu_stop(engine);
        return;
    }
    left--;
    executed++;
    if (size == 2 && uc_mem_read(engine, address, &opcode, 2) == UC_ERR_OK && opcode == 0xbf30u) {
        waits = 1;
        uc_emu_stop(engine);
    }
}

static void on_interrupt(uc_engine *engine, uint32_t number, void *context) {
    (void)number;
    (void)context;
    returns = 1;
    uc_emu_stop(engine);
}

/* ---- Exceptions ---- */

static uint32_t level(void) { return nested == 0 ? 256u : priorities[active[nested - 1]]; }

/* The interrupt that is entered next, or 32. */
static uint32_t deliverable(void) {
    uint32_t best = 32, irq;
    if (get(UC_ARM_REG_PRIMASK) & 1u) return 32;
    for (irq = 0; irq < 32; irq++) {
        if ((pending >> irq & 1u) == 0 || priorities[irq] >= level()) continue;
        if (best == 32 || priorities[irq] < priorities[best]) best = irq;
    }
    return best;
}

static void enter(uint32_t irq) {
    static const int pushed[] = {UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3, UC_ARM_REG_R12, UC_ARM_REG_LR};
    const uint32_t xpsr = get(UC_ARM_REG_XPSR);
    const uint32_t old = get(UC_ARM_REG_SP);
    uint32_t sp = (old - 0x68u) & ~7u;
    uint32_t i;
    if (nested == MOST_NESTED) die("interrupts nested too deep");
    for (i = 0; i < 6; i++) store(sp + 4 * i, get(pushed[i]));
    store(sp + 24, get(UC_ARM_REG_PC) & ~1u);
    store(sp + 28, (xpsr & ~0x200u) | ((old & 4u) << 7));
    for (i = 0; i < 16; i++) store(sp + 32 + 4 * i, get(UC_ARM_REG_S0 + (int)i));
    store(sp + 96, get(UC_ARM_REG_FPSCR));
    active[nested++] = irq;
    set(UC_ARM_REG_SP, sp);
    /* IT state gone, number of the exception in. */
    set(UC_ARM_REG_XPSR, (xpsr & ~0x0600fdffu) | (16u + irq) | 0x01000000u);
    set(UC_ARM_REG_LR, 0xffffffe9u);
    set(UC_ARM_REG_PC, load(4 * (16u + irq)) | 1u);
}

static void leave(void) {
    static const int popped[] = {UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3, UC_ARM_REG_R12, UC_ARM_REG_LR};
    const uint32_t sp = get(UC_ARM_REG_SP);
    const uint32_t xpsr = load(sp + 28);
    const uint32_t pc = load(sp + 24);
    uint32_t i;
    if (nested == 0) die("return from no interrupt");
    nested--;
    for (i = 0; i < 6; i++) set(popped[i], load(sp + 4 * i));
    for (i = 0; i < 16; i++) set(UC_ARM_REG_S0 + (int)i, load(sp + 32 + 4 * i));
    set(UC_ARM_REG_FPSCR, load(sp + 96));
    set(UC_ARM_REG_SP, (sp + 0x68u) | ((xpsr >> 7) & 4u));
    set(UC_ARM_REG_PC, pc | 1u);
    set(UC_ARM_REG_XPSR, xpsr & ~0x200u);
}

/* Runs until the limit or a wait, as it was asked. */
static void run(void) {
    for (;;) {
        const uint32_t irq = deliverable();
        const uint32_t whole = left;
        uint32_t held = 0;
        uc_err error;
        if (irq < 32) enter(irq);
        if (left == 0) {
            give('d', 0, 0, 0);
            return;
        }
        /* With something pending each instruction may let it in: PRIMASK or the end of another handler. */
        if (pending != 0) {
            held = whole - 1u;
            left = 1;
        }
        waits = returns = gone = asked = 0;
        error = uc_emu_start(uc, get(UC_ARM_REG_PC) | 1u, 0xfffffffeu, 0, 0);
        if (!asked) left += held;
        if (returns || (get(UC_ARM_REG_PC) & EXC_RETURN) == EXC_RETURN) {
            leave();
        } else if (gone) {
            uint16_t opcode = 0;
            const uint32_t pc = get(UC_ARM_REG_PC) & ~1u;
            check(uc_mem_read(uc, pc, &opcode, 2), "instruction");
            set(UC_ARM_REG_PC, (pc + ((opcode >> 11) >= 0x1du ? 4u : 2u)) | 1u);
        } else if (waits) {
            set(UC_ARM_REG_PC, ((get(UC_ARM_REG_PC) & ~1u) + 2u) | 1u);
            give('w', get(UC_ARM_REG_PC), 0, 0);
            return;
        } else if (error != UC_ERR_OK) {
            give('x', get(UC_ARM_REG_PC), (uint32_t)error, 0);
            return;
        }
    }
}

int main(int argc, char **argv) {
    static uint8_t flash[1u << 20];
    static const uint32_t blocks[][2] = {
        {0x10000000u, 0x1000u}, {0x40000000u, 0x20000u}, {0x50000000u, 0x1000u}, {0xe000e000u, 0x1000u}};
    uc_hook hooks[3];
    FILE *file;
    uint32_t i;
    if (argc != 5) die("usage: cortex_m4 REQUESTS REPLIES FLASH RAM_BYTES");
    file = fopen(argv[3], "rb");
    if (!file) die("no flash");
    flash_bytes = (uint32_t)fread(flash, 1, sizeof flash, file);
    fclose(file);
    ram_bytes = (uint32_t)strtoul(argv[4], NULL, 10);
    requests = fopen(argv[1], "rb");
    replies = fopen(argv[2], "wb");
    if (!requests || !replies) die("no pipes");
    check(uc_open(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS, &uc), "open");
    check(uc_ctl_set_cpu_model(uc, UC_CPU_ARM_CORTEX_M4), "model");
    check(uc_mem_map(uc, 0, flash_bytes, UC_PROT_READ | UC_PROT_EXEC), "flash");
    check(uc_mem_write(uc, 0, flash, flash_bytes), "flash");
    check(uc_mem_map(uc, RAM_AT, ram_bytes, UC_PROT_ALL), "RAM");
    for (i = 0; i < 4; i++) {
        void *base = (void *)(uintptr_t)blocks[i][0];
        check(uc_mmio_map(uc, blocks[i][0], blocks[i][1], on_load, base, on_store, base), "registers");
    }
    check(uc_hook_add(uc, &hooks[0], UC_HOOK_CODE, (void *)on_code, NULL, 1, 0), "hook");
    check(uc_hook_add(uc, &hooks[1], UC_HOOK_INTR, (void *)on_interrupt, NULL, 1, 0), "hook");
    check(uc_hook_add(uc, &hooks[2], UC_HOOK_MEM_WRITE_PROT, (void *)on_flash_store, NULL, 1, 0), "hook");
    set(UC_ARM_REG_SP, load(0));
    set(UC_ARM_REG_PC, load(4));
    for (;;) {
        switch (take_word()) {
            case 'R':
                take_state();
                run();
                break;
            case 'F':
                take_flash();
                break;
            case 'M':
                give_ram();
                break;
            default:
                die("request expected");
        }
    }
}
