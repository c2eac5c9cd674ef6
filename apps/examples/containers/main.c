/* Containers: a cache of the entries used last, made of a list and a map. */
#include "ingot.h"

typedef struct entry {
	string key, value;
} entry;
declare_list(entry);

typedef struct cache {
	size_t room;
	list_of(entry) order;
	map(string, list_element_of(entry) *) at;
} cache;

static void put(cache *c, string key, string value)
{
	map_set(c->at, key, list_push_front(&c->order, ((entry){ key, value })));
	if (list_len(&c->order) > c->room) {
		entry last = list_remove(&c->order, list_back(&c->order));
		delete(c->at, last.key);
	}
}

static string get(cache *c, string key)
{
	list_element_of(entry) *e = map_get(c->at, key);
	if (!e)
		return S("(gone)");
	list_move_to_front(&c->order, e);
	return e->value.value;
}

int main(void)
{
	cache c = { .room = 2, .at = make_map(string, list_element_of(entry) *) };
	put(&c, S("one"), S("eins"));
	put(&c, S("two"), S("zwei"));
	println("one: %s", get(&c, S("one")));
	put(&c, S("three"), S("drei"));
	println("two: %s", get(&c, S("two")));
	for_list(e, &c.order)
		print_value(e->value);
	return 0;
}
