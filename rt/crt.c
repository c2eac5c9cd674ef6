/* crt.c: what the runtime gives the image's C library; see crt.h.
 *
 * Hosted builds have a C library of their own and call none of it. */
#include "crt.h"
#include "rt.h"

void *rt_crt_malloc(size_t n)
{
	return rt_malloc(n ? n : 1, NULL); /* malloc(0) is an object too */
}

size_t rt_crt_size(const void *p)
{
	size_t size = 0;

	if (rt_object_base(p, &size) != p)
		throw("rt_crt_size: %p is not the start of an object", p);
	return size;
}

/* Each task has its own errno; before tasks exist there is one for all. */
int *rt_crt_errno(void)
{
	static int early;

	return rt_self.g ? &rt_self.g->errno_val : &early;
}

void rt_crt_yield(void)
{
	gosched();
}

void rt_crt_throw(const char *text)
{
	throw("%s", text);
}
