/* port: sends back what comes in on port 0, each byte plus one, until a zero byte;
 * for tests/system/port.py. */
#include "ingot.h"

int main(void)
{
	byte b[10000];
	size_t n;
	println("ports %d", port_count());
	port *p = port_open(0);
	if (!p)
		return 3;
	must(port_write(p, "hello\n", 6));
	for (int64 total = 0;;) {
		must(port_read(p, b, sizeof b, &n));
		bool last = b[n - 1] == 0;
		for (size_t i = 0; i < n; i++)
			b[i]++;
		must(port_write(p, b, n));
		total += (int64)n;
		if (last) {
			println("end after %ld bytes", (long)total);
			return 0;
		}
	}
}
