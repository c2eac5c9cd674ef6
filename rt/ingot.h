/* ingot.h: what a program on Ingot includes.
 *
 * A program has a plain int main(int argc, char **argv); the arguments are
 * what follows "--" on the boot command line, and returning ends the image
 * with that status.  Names are Go's words; each is described where it is
 * declared:
 *
 *   api_value.h   basic types, slices, len cap copy append, boot files
 *   api_slices.h  package slices: index, insert, delete, clone, ...
 *   api_error.h   errors as values
 *   api_format.h  formatting into strings and onto the console
 *   api_string.h  package strings, builders
 *   api_unicode.h UTF-8, classes and cases of code points
 *   api_strconv.h numbers and literals to text and back
 *   api_map.h     maps
 *   api_sort.h    sorting, searching, min and max
 *   api_rand.h    pseudo-random numbers
 *   api_hash.h    hashes and checksums
 *   api_date.h    dates, and their texts
 *   api_encoding.h hex, base64
 *   api_container.h lists, rings, heaps
 *   api_defer.h   defer, panic, recover
 *   api_reflect.h any value printed and compared
 *   api_file.h    files: embedded, of the boot
 *   api_mem.h     new, the collector
 *   api_special.h finalizers, cleanups, weak pointers
 *   api_heap.h    what is in the heap, and why
 *   api_task.h    go, channels, the scheduler
 *   api_select.h  select
 *   api_sync.h    locks and waiting
 *   api_time.h    sleeping, timers, tickers
 *   api_atomic.h  atomic operations
 *   api_pool.h    pools of objects
 *   api_arena.h   memory that is freed at once
 *   api_syncmap.h maps for many tasks
 *   api_persist.h vectors and maps that never change
 *   api_context.h cancellation, deadlines, values
 *   api_group.h   semaphores, groups of tasks
 *   api_io.h      readers and writers, pipes
 *   api_bufio.h   buffered readers and writers, scanners
 *   api_bytes.h   package bytes, buffers
 *   api_net.h     TCP, UDP, names, interfaces
 *   api_http.h    HTTP servers, files, events
 *   api_httpclient.h HTTP clients
 *   api_log.h     lines with levels, kept in memory
 *   api_inspect.h the running program seen from inside, a console
 *   api_tar.h     the files of tar archives
 *   api_disk.h    disks
 *   api_device.h  network interfaces as frames, entropy
 *
 * No C library header is needed; any may be included before it (select,
 * close, send and recv are macros here, so this header comes last).  Contexts:
 * everything is called from a task (main is one) unless it says "any". */
#ifndef INGOT_H
#define INGOT_H

#ifndef __OPTIMIZE__
#error "go and defer need an optimising build: -Og at least (gcc gives nested functions no static chain then)"
#endif

#include "api_value.h"
#include "api_reflect.h"
#include "api_file.h"
#include "api_mem.h"
#include "api_sort.h"
#include "api_rand.h"
#include "api_special.h"
#include "api_heap.h"
#include "api_hash.h"
#include "api_date.h"
#include "api_encoding.h"
#include "api_container.h"
#include "api_task.h"
#include "api_atomic.h"
#include "api_pool.h"
#include "api_arena.h"
#include "api_syncmap.h"
#include "api_persist.h"
#include "api_context.h"
#include "api_group.h"
#include "api_io.h"
#include "api_bufio.h"
#include "api_bytes.h"
#include "api_net.h"
#include "api_http.h"
#include "api_httpclient.h"
#include "api_log.h"
#include "api_inspect.h"
#include "api_disk.h"
#include "api_tar.h"
#include "api_device.h"

#endif
