/* Maps: words are counted and listed in order; keys may be structures. */
#include "ingot.h"

typedef struct point {
	int x, y;
} point;

int main(void)
{
	map(string, int) count = make_map(string, int);
	for_slice(i, word, strings_fields(S("the cat and the dog and the bird")))
		map_at(count, *word)++;
	slice(string) words = make_slice(string, 0, len(count));
	for_map(word, n, count)
		words = append(words, word);
	sort(words);
	for_slice(i, word, words)
		println("%-5s%d", *word, map_get(count, *word));

	int n;
	bool ok = map_lookup(count, S("cow"), &n);
	println("cow: %d %s", n, fmt_v(ok));
	delete(count, S("the"));
	println("%zu left: %s", len(count), fmt_v(count));

	map(point, bool) seen = make_map(point, bool);
	point at = {};
	for_rune(i, step, S("NNESWWN")) {
		map_set(seen, at, true);
		switch (step) {
		case 'N':
			at.y++;
			break;
		case 'S':
			at.y--;
			break;
		case 'E':
			at.x++;
			break;
		case 'W':
			at.x--;
			break;
		}
	}
	bool start = map_get(seen, (point){});
	println("now at %s after %zu places, was at the start: %s", fmt_v(at), len(seen), fmt_v(start));
	return 0;
}
