/* Values that never change: each change makes a new version, and the old ones stay as they are.
 * Versions of a pvector or pmap share nearly all of their memory. */
#include "ingot.h"

static string text(pvector(string) v)
{
	return fmt_v(pvector_slice(string, v));
}

static void watch(pmap(string, int) prices, chan(int) done)
{
	send(done, pmap_get(prices, S("apple")) + pmap_get(prices, S("pear")));
}

int main(void)
{
	pvector(string) v1 = pvector_push(pvector_push(make_pvector(string), S("a")), S("b"));
	pvector(string) v2 = pvector_push(v1, S("c"));
	pvector(string) v3 = pvector_set(v2, 0, S("z"));
	println("%s %s %s", text(v1), text(v2), text(v3));

	pmap(string, int) monday = pmap_set(make_pmap(string, int), S("apple"), 30);
	monday = pmap_set(monday, S("pear"), 50);
	pmap(string, int) tuesday = pmap_set(monday, S("apple"), 35);
	chan(int) done = make_chan(int);
	go(watch, monday, done);
	println("monday %d", recv(done));
	go(watch, tuesday, done);
	println("tuesday %d", recv(done));
	int apple = pmap_get(monday, S("apple"));
	println("%zu %d %d", pmap_len(monday), apple, pmap_get(tuesday, S("apple")));
	return 0;
}
