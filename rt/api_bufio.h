/* api_bufio.h: buffered readers and writers, scanners (part of ingot.h).  Go's
 * package bufio.  All are for tasks; each object is one task's at a time. */
#ifndef INGOT_API_BUFIO_H
#define INGOT_API_BUFIO_H

#ifndef INGOT_API_IO_H
#error "include ingot.h"
#endif

declare_error(bufio_buffer_full);         /* "bufio: buffer full" */
declare_error(bufio_invalid_unread_byte); /* "bufio: invalid use of UnreadByte" */
declare_error(bufio_invalid_unread_rune); /* "bufio: invalid use of UnreadRune" */
declare_error(bufio_too_long);            /* "bufio.Scanner: token too long" */
declare_error(bufio_bad_split);           /* "bufio.Scanner: SplitFunc returns advance or token beyond its data" */

/* ---- reading ------------------------------------------------------------------- */

/* Go: *bufio.Reader. */
typedef struct bufio_reader bufio_reader;
/* With a buffer of 4096, or size (at least 16) bytes. */
bufio_reader *bufio_new_reader(io_reader r);
bufio_reader *bufio_new_reader_size(io_reader r, size_t size);
/* It as a reader.  What it has buffered is gone for others that read from r. */
io_reader bufio_reader_reader(bufio_reader *b);
/* Bytes, one byte: io_eof at the end. */
error bufio_read(bufio_reader *b, slice(byte) p, size_t *n) must_check;
error bufio_read_byte(bufio_reader *b, byte *c) must_check;
/* A code point and its size; a bad byte is RuneError of size 1. */
error bufio_read_rune(bufio_reader *b, rune *r, size_t *size) must_check;
/* Back by what was read last; only once. */
error bufio_unread_byte(bufio_reader *b) must_check;
error bufio_unread_rune(bufio_reader *b) must_check;
/* The next n bytes without reading them, shared until the next call; all there
 * are and an error if they are fewer: bufio_buffer_full if n is too many. */
error bufio_peek(bufio_reader *b, size_t n, slice(byte) *p) must_check;
/* Reads n bytes and drops them; *done, which may be NULL: how many there were. */
error bufio_discard(bufio_reader *b, size_t n, size_t *done) must_check;
/* Up to delim, and with it; what there is and an error, as io_eof, if it does not
 * come.  read_slice shares the buffer until the next call and may find it full. */
error bufio_read_string(bufio_reader *b, byte delim, string *s) must_check;
error bufio_read_bytes(bufio_reader *b, byte delim, slice(byte) *p) must_check;
error bufio_read_slice(bufio_reader *b, byte delim, slice(byte) *p) must_check;
/* Bytes that can be read without a read of r. */
size_t bufio_buffered(const bufio_reader *b);

/* ---- writing ------------------------------------------------------------------------ */

/* Collects what is written; an error of w stays, and nothing more is written. */
typedef struct bufio_writer bufio_writer;
/* With a buffer of 4096, or size bytes. */
bufio_writer *bufio_new_writer(io_writer w);
bufio_writer *bufio_new_writer_size(io_writer w, size_t size);
/* It as a writer. */
io_writer bufio_writer_writer(bufio_writer *b);
/* To the buffer, and all of that to w when it is full: bytes, a string, a byte, a code
 * point in UTF-8.  *n, which may be NULL: how many were taken. */
error bufio_write(bufio_writer *b, slice(byte) p, size_t *n) must_check;
error bufio_write_string(bufio_writer *b, string s) must_check;
error bufio_write_byte(bufio_writer *b, byte c) must_check;
error bufio_write_rune(bufio_writer *b, rune r) must_check;
/* bufio_printf(b, fmt, ...): formats of api_format.h.  Go: fmt.Fprintf. */
#define bufio_printf(b, fmt, ...) io_printf(bufio_writer_writer(b), fmt, ##__VA_ARGS__)
/* All of it to w.  Without it the last bytes are lost. */
error bufio_flush(bufio_writer *b) must_check;
size_t bufio_available(const bufio_writer *b); /* bytes of the buffer that are free */

/* ---- scanning ----------------------------------------------------------------------------- */

/* Go: bufio.SplitFunc.  A split finds the first token in data: *advance bytes are done with, and
 * *token, if its ptr is not NULL, is one.  Neither asks for more data.  At the
 * end data may be empty. */
typedef error (*bufio_split)(slice(byte) data, bool at_eof, size_t *advance, slice(byte) *token);
/* Splits: the lines without \n or \r\n, words between white space, code points, bytes. */
error bufio_scan_lines(slice(byte) data, bool at_eof, size_t *advance, slice(byte) *token);
error bufio_scan_words(slice(byte) data, bool at_eof, size_t *advance, slice(byte) *token);
error bufio_scan_runes(slice(byte) data, bool at_eof, size_t *advance, slice(byte) *token);
error bufio_scan_bytes(slice(byte) data, bool at_eof, size_t *advance, slice(byte) *token);

/* Go: *bufio.Scanner.
 *
 *	bufio_scanner *sc = bufio_new_scanner(r);
 *	while (bufio_scan(sc))
 *		println("%s", bufio_text(sc));
 *	error err = bufio_scanner_err(sc); */
typedef struct bufio_scanner bufio_scanner;
/* Of lines up to 64 KiB, unless told otherwise before the first bufio_scan. */
bufio_scanner *bufio_new_scanner(io_reader r);
/* What the tokens are, and how long at most. */
void bufio_scanner_split(bufio_scanner *s, bufio_split split);
void bufio_scanner_max(bufio_scanner *s, size_t max); /* Go: Buffer(nil, max) */
/* The next token; false at the end and after an error. */
bool bufio_scan(bufio_scanner *s);
string bufio_text(const bufio_scanner *s);       /* the token, a new string */
slice(byte) bufio_bytes(const bufio_scanner *s); /* shared until the next bufio_scan */
error bufio_scanner_err(const bufio_scanner *s) must_check; /* NULL at the end of the input */

#endif
