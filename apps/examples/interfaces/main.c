/* Interfaces: shapes of several kinds that are used in one way, by a table of functions. */
#include "ingot.h"

#define PI 3.14159265358979323846

typedef struct shape {
	const struct shape_kind *kind;
	double size;
} shape;
declare_slice(shape);

struct shape_kind {
	double (*area)(const shape *s);
	void (*scale)(shape *s, double by);
};

static double circle_area(const shape *s)
{
	return PI * s->size * s->size;
}

static double square_area(const shape *s)
{
	return s->size * s->size;
}

static void scale(shape *s, double by)
{
	s->size *= by;
}

static const struct shape_kind circle = { circle_area, scale }, square = { square_area, scale };

int main(void)
{
	shape all[] = { { &circle, 1 }, { &square, 2 }, { &circle, 3 } };
	double total = 0;
	for_slice(i, s, slice_from_array(shape, all, 3)) {
		s->kind->scale(s, 2);
		println("%.2f", s->kind->area(s));
		total += s->kind->area(s);
	}
	println("total %.2f", total);
	return 0;
}
