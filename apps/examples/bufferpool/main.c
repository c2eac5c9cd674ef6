/* A pool: buffers are used again instead of being allocated for each message. */
#include "ingot.h"

static pool(bytes_buffer) buffers;

static bytes_buffer *make_buffer(void)
{
	return new(bytes_buffer);
}

static void put_back(bytes_buffer *b)
{
	pool_put(buffers, b);
}

static string render(string name, int n)
{
	bytes_buffer *b = pool_get(buffers);
	defer(put_back, b);
	buffer_reset(b);
	buffer_printf(b, "Dear %s,\n", name);
	for (int i = 1; i <= n; i++)
		buffer_printf(b, "  %d. thank you\n", i);
	return buffer_string(b);
}

int main(void)
{
	buffers = make_pool(bytes_buffer, make_buffer);
	print_string(render(S("Ada"), 2));
	print_string(render(S("Brian"), 1));
	return 0;
}
