/* Once: many tasks need the settings, the first one reads them. */
#include "ingot.h"

static once loaded;
static map(string, string) settings;

static void load(void)
{
	println("loading");
	settings = make_map(string, string);
	map_set(settings, S("host"), S("localhost"));
	map_set(settings, S("port"), S("8080"));
}

static void setting(string name, chan(string) out)
{
	once_do(&loaded, load);
	send(out, map_get(settings, name));
}

int main(void)
{
	chan(string) out = make_chan(string);
	for (int i = 0; i < 5; i++)
		go(setting, S("port"), out);
	for (int i = 0; i < 5; i++)
		println("port %s", recv(out));
	return 0;
}
