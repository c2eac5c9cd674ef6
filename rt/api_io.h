/* api_io.h: readers and writers (part of ingot.h).  Go's package io.
 *
 * A reader is a function and what it works on, by value; whatever gives bytes
 * makes one: strings_new_reader(s), bytes_new_reader(b), buffer_reader(&b),
 * bufio_reader_reader(r), io_pipe_reader(p), or a program's own:
 *
 *	static error zeros(void *self, slice(byte) p, size_t *n) { ... }
 *	io_reader r = { zeros, NULL };
 *
 * Rules, as in Go: a read puts at most len(p) bytes into p, their number in *n,
 * and waits rather than giving none; at the end it returns io_eof, with the last
 * bytes or alone.  A write takes all of p or returns an error, with the number
 * taken in *n, and neither changes nor keeps p.  All are for tasks. */
#ifndef INGOT_API_IO_H
#define INGOT_API_IO_H

#ifndef INGOT_API_VALUE_H
#error "include ingot.h"
#endif

/* Go: io.Reader. */
typedef struct io_reader {
	error (*read)(void *self, slice(byte) p, size_t *n);
	void *self;
} io_reader;
/* Go: io.Writer. */
typedef struct io_writer {
	error (*write)(void *self, slice(byte) p, size_t *n);
	void *self;
} io_writer;
declare_slice(io_reader);
declare_slice(io_writer);

declare_error(io_eof);            /* "EOF" */
declare_error(io_unexpected_eof); /* "unexpected EOF" */
declare_error(io_short_write);    /* "short write" */
declare_error(io_no_progress);    /* "multiple Read calls return no data or error" */
declare_error(io_closed_pipe);    /* "io: read/write on closed pipe" */

/* Reads into p, writes p, writes s.  n, here and below, may be NULL where the number does
 * not matter. */
error io_read(io_reader r, slice(byte) p, size_t *n) must_check;
error io_write(io_writer w, slice(byte) p, size_t *n) must_check;
error io_write_string(io_writer w, string s) must_check;
/* io_printf(w, fmt, ...): formats of api_format.h.  Go: fmt.Fprintf. */
#define io_printf(w, fmt, ...) \
	rt_error_seen(({ \
		io_writer rt_fw = (w); \
		RT_FMT_EVALS(__VA_ARGS__) \
		rt_io_printf(rt_fw, RT_FMT_KINDS(__VA_ARGS__), fmt RT_FMT_ARGS(__VA_ARGS__)); \
	}))
error rt_io_printf(io_writer w, unsigned kinds, const char *fmt, ...)
	__attribute__((format(printf, 3, 4))) must_check;

/* All of p: io_eof if there was nothing, io_unexpected_eof if not enough.
 * io_read_at_least: min bytes or more; panics if p is shorter. */
error io_read_full(io_reader r, slice(byte) p, size_t *n) must_check;
error io_read_at_least(io_reader r, slice(byte) p, size_t min, size_t *n) must_check;
/* Everything up to the end, which is no error; after one *b has what came before. */
error io_read_all(io_reader r, slice(byte) *b) must_check;
/* Copies from r to w until r's end, or n bytes (io_eof if there were fewer). */
error io_copy(io_writer w, io_reader r, int64_t *n) must_check;
error io_copy_n(io_writer w, io_reader r, int64_t n, int64_t *done) must_check;

/* Readers: of r the first n bytes; what goes to w as it is read from r. */
io_reader io_limit_reader(io_reader r, int64_t n);
io_reader io_tee_reader(io_reader r, io_writer w);
/* io_multi_reader(r, ...): one after the other; io_multi_writer(w, ...): to each.  Up to 16. */
#define io_multi_reader(...) rt_io_multi_reader(slice_lit(io_reader, __VA_ARGS__))
#define io_multi_writer(...) rt_io_multi_writer(slice_lit(io_writer, __VA_ARGS__))
io_reader rt_io_multi_reader(slice(io_reader) v);
io_writer rt_io_multi_writer(slice(io_writer) v);

/* Takes everything.  Go: io.Discard. */
extern const io_writer io_discard;
/* The console.  Go: os.Stdout. */
extern const io_writer os_stdout;
/* The bytes of s, of b.  Go: strings.NewReader, bytes.NewReader. */
io_reader strings_new_reader(string s);
io_reader bytes_new_reader(slice(byte) b);

/* A pipe between tasks, without a buffer: a write waits until all its bytes were
 * read, by one read or several.  Any number of tasks may use it.  Go: io.Pipe. */
typedef struct io_pipe io_pipe;
/* A new pipe, its reading end, its writing end. */
io_pipe *io_new_pipe(void);
io_reader io_pipe_reader(io_pipe *p);
io_writer io_pipe_writer(io_pipe *p);
/* Reads then return err (NULL: io_eof) once all is read; writes then return err
 * (NULL: io_closed_pipe).  Only the first counts.  Go: CloseWithError. */
void io_pipe_close_write(io_pipe *p, error err);
void io_pipe_close_read(io_pipe *p, error err);

#endif
