/* Any value as text, and values compared in depth. */
#include "ingot.h"

typedef struct point {
	int X, Y;
} point;
declare_slice(point);

typedef struct shape {
	string Name;
	slice(point) Points;
	map(string, bool) Tags;
	struct shape *Next;
} shape;

static shape triangle(void)
{
	slice(point) points = slice_lit(point, ((point){ 0, 0 }), ((point){ 3, 0 }), ((point){ 0, 4 }));
	map(string, bool) tags = make_map(string, bool);
	map_set(tags, S("right"), true);
	map_set(tags, S("closed"), true);
	return (shape){ S("triangle"), points, tags, NULL };
}

int main(void)
{
	shape a = triangle(), b = triangle();
	print_value(a);
	println("%s", fmt_plus_v(a));
	println("%s %s", fmt_v(&at(a.Points, 1)), fmt_plus_v(a.Points));
	println("%s %s %s", fmt_t(a.Name), fmt_t(at(a.Points, 0).X), fmt_t(a.Tags));
	print_value(deep_equal(a, b));
	at(b.Points, 2).Y = 5;
	print_value(deep_equal(a, b));
	double numbers[] = { 0.5, 1e21, 1.0 / 3 };
	println("%s %s %s", fmt_v(numbers), fmt_v(slice_lit(string, S("a"), S("b"))), fmt_v(bytes_of(S("hi"))));
	return 0;
}
