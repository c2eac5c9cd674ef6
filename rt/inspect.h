/* inspect.h: what the files behind api_inspect.h include, and share. */
#ifndef RT_INSPECT_H
#define RT_INSPECT_H

#include "rt.h"
#include "api_value.h"
#include "api_slices.h"
#include "api_string.h"
#include "api_error.h"
#include "api_mem.h"
#include "api_task.h"
#include "api_io.h"
#include "api_net.h"
#include "api_log.h"
#include "api_inspect.h"

/* Cells of the heap's map in JSON. */
#define MAP_CELLS 256

/* rt/net/netstat.c: connections and interfaces; NULL in an image without the network. */
void net_report(builder *b) __attribute__((weak));

#endif
