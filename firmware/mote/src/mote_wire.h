/* Generated from src/board/wire.ts by scripts/generate-wire.mjs: do not edit. */
#ifndef MOTE_WIRE_H
#define MOTE_WIRE_H

/* ---- Versions, sizes and sentinels. ---- */

/* Oldest protocol version that this code speaks. */
#define MOTE_WIRE_VERSION_MIN 1
/* Newest protocol version that this code speaks. */
#define MOTE_WIRE_VERSION_MAX 1
/* Ends every frame and may precede it. */
#define MOTE_WIRE_DELIMITER 0x00
/* Bytes before the body: type, request id. */
#define MOTE_WIRE_HEADER_BYTES 2
/* CRC-32 behind the body, little endian. */
#define MOTE_WIRE_CRC_BYTES 4
/* Set in the type of a reply to a request. */
#define MOTE_WIRE_REPLY_BIT 0x80
/* Smallest longest-body a board may have. */
#define MOTE_WIRE_BODY_MIN 192
/* Longest body of a board that has no reason to choose another. */
#define MOTE_WIRE_BODY_DEFAULT 512
/* No frame of either side has a longer body. */
#define MOTE_WIRE_BODY_MAX 4096
/* Request id of a frame that answers nothing. */
#define MOTE_WIRE_UNSOLICITED 0
/* "No slot" in `HELLO`; "the active slot" in requests that take a slot. */
#define MOTE_WIRE_SLOT_NONE 0xff
/* "No window failed" in a `SELFTEST` reply. */
#define MOTE_WIRE_WINDOW_NONE 0xffff
/* "Uncertain": no label decided in a `RESULT`. */
#define MOTE_WIRE_LABEL_NONE 0xffff
/* Longest board name, firmware version, serial, channel name or unit in bytes of UTF-8. */
#define MOTE_WIRE_TEXT_MAX 32
/* Most channels a board may have. */
#define MOTE_WIRE_CHANNELS_MAX 16
/* Most rates a board may offer. */
#define MOTE_WIRE_RATES_MAX 8

/* ---- Frame types: requests (0x01..0x3f, answered by `type | 0x80`), events (0x40..0x5f), and the error reply. ---- */

/* Host: who are you? Starts a session: whatever ran before is stopped. */
#define MOTE_MSG_HELLO 0x01
/* Host: echo this body. */
#define MOTE_MSG_PING 0x02
/* Host: what are you doing, what went wrong so far? */
#define MOTE_MSG_STATUS 0x03
/* Host: forget an unfinished put, classify or self-test. */
#define MOTE_MSG_ABORT 0x04
/* Host: list channels. */
#define MOTE_MSG_CHANNELS 0x05
/* Host: send samples. */
#define MOTE_MSG_STREAM_START 0x10
/* Host: no more samples. */
#define MOTE_MSG_STREAM_STOP 0x11
/* Host: what is in this slot? */
#define MOTE_MSG_SLOT 0x20
/* Host: a pack follows. */
#define MOTE_MSG_PUT_BEGIN 0x21
/* Host: bytes of the pack. */
#define MOTE_MSG_PUT_CHUNK 0x22
/* Host: the pack is complete, check it. */
#define MOTE_MSG_PUT_END 0x23
/* Host: give bytes of a slot's pack. */
#define MOTE_MSG_READ 0x24
/* Host: run a slot's known answers. */
#define MOTE_MSG_SELF_TEST 0x25
/* Host: make this slot the running one. */
#define MOTE_MSG_ACTIVATE 0x26
/* Host: what are the CRCs of a slot's bytes, as you read them from storage now? */
#define MOTE_MSG_DIGEST 0x27
/* Host: a window of raw samples follows. */
#define MOTE_MSG_CLASSIFY_BEGIN 0x30
/* Host: bytes of the window. */
#define MOTE_MSG_CLASSIFY_CHUNK 0x31
/* Host: the window is complete, what is it? */
#define MOTE_MSG_CLASSIFY_END 0x32
/* Host: classify your own samples continuously. */
#define MOTE_MSG_RUN_START 0x33
/* Host: stop classifying. */
#define MOTE_MSG_RUN_STOP 0x34
/* Board, unsolicited: consecutive frames of samples. */
#define MOTE_MSG_SAMPLES 0x40
/* Board, unsolicited: one window of its own samples was classified. */
#define MOTE_MSG_RESULT 0x41
/* Board, with the request's id: how far the self-test is. */
#define MOTE_MSG_SELF_TEST_PROGRESS 0x42
/* Board, with the request's id: the request failed. */
#define MOTE_MSG_ERROR 0xff

/* ---- First byte after the request type in an `error` body. ---- */

/* The board does not know or have this request. */
#define MOTE_FAULT_NOT_SUPPORTED 1
/* The body is too short, or its fields contradict each other. */
#define MOTE_FAULT_BAD_REQUEST 2
/* A field is out of range: no such slot, rate, offset. */
#define MOTE_FAULT_BAD_ARGUMENT 3
/* The two sides share no protocol version; `detail` = min << 8 | max of the board. */
#define MOTE_FAULT_BAD_VERSION 4
/* Something that excludes this is going on. */
#define MOTE_FAULT_BUSY 5
/* Not done, to protect the running model: a put to the active slot. */
#define MOTE_FAULT_REFUSED 6
/* The pack does not fit the slot (`detail` = capacity), or the model not the RAM (`detail` = bytes needed). */
#define MOTE_FAULT_TOO_BIG 7
/* The bytes received are not the bytes announced; `detail` = CRC-32 found. */
#define MOTE_FAULT_CRC_MISMATCH 8
/* The bytes arrived well but are no model that this firmware can run; `detail` = the loader's error. */
#define MOTE_FAULT_BAD_PACK 9
/* Erase, program or read of the storage failed; `detail` = the driver's error. */
#define MOTE_FAULT_STORAGE 10
/* The slot holds no valid model. */
#define MOTE_FAULT_NO_MODEL 11
/* A chunk or an end without a begin; or an end before the last byte (`detail` = bytes received). */
#define MOTE_FAULT_NOT_BEGUN 12
/* The model wants other channels than the board has; `detail` = channels wanted. */
#define MOTE_FAULT_CHANNEL_MISMATCH 13

/* ---- What a slot holds. ---- */

/* Nothing, or the beginning of a put that was never finished. */
#define MOTE_SLOT_STATE_EMPTY 0
/* A whole pack that passed its checks. */
#define MOTE_SLOT_STATE_VALID 1
/* Bytes that fail their checks. */
#define MOTE_SLOT_STATE_CORRUPT 2

/* ---- Bits of the features in a `hello` reply: what boards of this version may have or lack. ---- */

/* The board answers `digest`. */
#define MOTE_FEATURE_DIGEST 1
/* Chunks may follow `putBegin` before its reply: the board listens while it erases. */
#define MOTE_FEATURE_CHUNKS_AT_ONCE 2

/* ---- Bits of the flags in a `slot` reply. ---- */

/* This slot's model is the running one. */
#define MOTE_SLOT_FLAG_ACTIVE 1

/* ---- Bits of the flags in a `status` reply. ---- */

/* Samples are being sent. */
#define MOTE_STATUS_FLAG_STREAMING 1
/* Own samples are being classified. */
#define MOTE_STATUS_FLAG_RUNNING 2
/* A put is unfinished. */
#define MOTE_STATUS_FLAG_PUTTING 4
/* A classify is unfinished. */
#define MOTE_STATUS_FLAG_CLASSIFYING 8
/* A self-test is running. */
#define MOTE_STATUS_FLAG_TESTING 16

#endif
