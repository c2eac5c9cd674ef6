/* pipe.c: a pipe between tasks (Go: io.Pipe).
 *
 * The bytes of the one write at a time stay where they are; `rest` is what no
 * read has taken yet, and readers copy from there.  Writers queue at wmu.
 *
 * Invariants, under mu: busy while a write waits; rest lies in its bytes;
 * rerr (werr) is set once, when the reading (writing) side is closed. */
#include "rt.h"
#include "type.h"
#include "api_value.h"
#include "api_task.h"
#include "api_io.h"

struct io_pipe {
	mutex wmu;        /* taken before mu */
	mutex mu;
	cond readable;    /* busy, or a side was closed */
	cond written;     /* not busy, or a side was closed */
	bool busy;
	slice(byte) rest;
	error rerr, werr;
};

define_error(io_closed_pipe, "io: read/write on closed pipe");

io_pipe *io_new_pipe(void)
{
	io_pipe *p = rt_malloc(sizeof *p, RT_TYPE(io_pipe));

	p->readable.l = p->written.l = &p->mu;
	return p;
}

static error pipe_read(void *self, slice(byte) b, size_t *n)
{
	io_pipe *p = self;
	error err = NULL;

	mutex_lock(&p->mu);
	while (!p->busy && !p->rerr && !p->werr)
		cond_wait(&p->readable);
	if (p->rerr) {
		err = io_closed_pipe;
	} else if (p->busy) {
		*n = copy(b, p->rest);
		p->rest = slice_from(p->rest, *n);
		if (!p->rest.len) {
			p->busy = false;
			cond_broadcast(&p->written);
		}
	} else {
		err = p->werr;
	}
	mutex_unlock(&p->mu);
	return err;
}

static error pipe_write(void *self, slice(byte) b, size_t *n)
{
	io_pipe *p = self;
	error err = NULL;

	mutex_lock(&p->wmu);
	mutex_lock(&p->mu);
	if (!p->rerr && !p->werr) {
		p->rest = b;
		p->busy = true;
		cond_broadcast(&p->readable);
		while (p->busy && !p->rerr && !p->werr)
			cond_wait(&p->written);
		*n = b.len - p->rest.len;
	}
	if (p->busy || *n < b.len || !b.len) {
		if (p->rerr)
			err = p->rerr;
		else if (p->werr)
			err = io_closed_pipe;
	}
	p->busy = false;
	p->rest = (slice(byte)){};
	mutex_unlock(&p->mu);
	mutex_unlock(&p->wmu);
	return err;
}

io_reader io_pipe_reader(io_pipe *p)
{
	return (io_reader){ pipe_read, p };
}

io_writer io_pipe_writer(io_pipe *p)
{
	return (io_writer){ pipe_write, p };
}

static void set_end(io_pipe *p, error *end, error err)
{
	mutex_lock(&p->mu);
	if (!*end)
		*end = err;
	cond_broadcast(&p->readable);
	cond_broadcast(&p->written);
	mutex_unlock(&p->mu);
}

void io_pipe_close_write(io_pipe *p, error err)
{
	set_end(p, &p->werr, err ? err : io_eof);
}

void io_pipe_close_read(io_pipe *p, error err)
{
	set_end(p, &p->rerr, err ? err : io_closed_pipe);
}
