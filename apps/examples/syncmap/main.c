/* sync_map: many tasks store and load without a lock of the program's. */
#include "ingot.h"

typedef sync_map(string, int) registry;

static void enter(registry m, string name, int id, chan(bool) won)
{
	bool loaded = sync_map_load_or_store(m, name, id, &id);
	send(won, !loaded);
}

int main(void)
{
	registry m = make_sync_map(string, int);
	chan(bool) won = make_chan(bool);
	for (int id = 0; id < 20; id++)
		go(enter, m, sprint("node%d", id % 4), id % 4, won);
	int winners = 0, id;
	for (int i = 0; i < 20; i++)
		if (recv(won))
			winners++;
	println("%d were first", winners);

	sync_map_store(m, S("node1"), 100);
	sync_map_load_and_delete(m, S("node2"), &id);
	println("deleted %d", id);
	bool ok = sync_map_load(m, S("node2"), &id);
	println("still there: %s", fmt_v(ok));
	slice(string) names = {};
	for_sync_map(name, id, m)
		names = append(names, sprint("%s=%d", name, id));
	sort(names);
	print_value(names);
	return 0;
}
