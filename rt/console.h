/* console.h: what is typed on the console, between its interrupt (irq.c) and its reader
 * (console.c). */
#ifndef RT_CONSOLE_H
#define RT_CONSOLE_H

#include "plat.h"

extern struct console_in {
	uint32_t on;          /* somebody reads; else bytes are dropped */
	uint32_t head, tail;  /* head: the reader's, stored with release; tail: the interrupt's, on core
	                       * 0, stored with release */
	struct io_event ev;   /* bytes came */
	uint8_t buf[256];
} console_in;

#endif
