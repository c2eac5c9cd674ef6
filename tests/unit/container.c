/* container.c: lists, rings and heaps. */
#include "ingot.h"
#include "test.h"

typedef struct job {
	int rank;
	string name;
} job;
declare_slice(job);
declare_list(int);
declare_list(string);
declare_list(job);
declare_ring(int);
declare_ring(string);

/* The list as text, from the front; checks the links both ways. */
static string shown(list_of(int) *l)
{
	builder b = {};
	size_t n = 0;
	list_element_of(int) *back = NULL;

	for_list(e, l) {
		CHECK(list_prev(e) == back);
		back = e;
		n++;
		builder_write(&b, strconv_itoa(e->value));
		builder_write_byte(&b, ' ');
	}
	CHECK(list_back(l) == back);
	CHECK_EQ(list_len(l), n);
	return builder_string(&b);
}

#define CHECK_LIST(l, text) CHECK(string_eq(shown(l), S(text)))

TEST(lists)
{
	list_of(int) l = {}, other = {};

	CHECK_LIST(&l, "");
	list_element_of(int) *e4 = list_push_back(&l, 4);
	list_element_of(int) *e1 = list_push_front(&l, 1);
	list_insert_before(&l, 3, e4);
	list_element_of(int) *e2 = list_insert_after(&l, 2, e1);
	CHECK_LIST(&l, "1 2 3 4 ");
	list_move_to_front(&l, e4);
	CHECK_LIST(&l, "4 1 2 3 ");
	list_move_to_front(&l, e4);
	list_move_to_back(&l, e1);
	CHECK_LIST(&l, "4 2 3 1 ");
	list_move_before(&l, e1, e2);
	CHECK_LIST(&l, "4 1 2 3 ");
	list_move_after(&l, e4, e2);
	CHECK_LIST(&l, "1 2 4 3 ");
	list_move_after(&l, e2, e2);
	list_move_before(&l, e2, e2);
	CHECK_LIST(&l, "1 2 4 3 ");
	CHECK_EQ(list_remove(&l, e2), 2);
	CHECK_EQ(list_remove(&l, e2), 2); /* not there any more: nothing happens */
	CHECK_LIST(&l, "1 4 3 ");
	/* Marks and elements of other lists are not touched. */
	list_element_of(int) *stranger = list_push_back(&other, 9);
	CHECK(list_insert_before(&l, 5, stranger) == NULL && list_insert_after(&l, 5, e2) == NULL);
	list_move_to_front(&l, stranger);
	list_move_before(&l, stranger, e1);
	list_move_before(&l, e1, stranger);
	CHECK_EQ(list_remove(&l, stranger), 9);
	CHECK_LIST(&l, "1 4 3 ");
	CHECK_LIST(&other, "9 ");
	list_push_back_list(&l, &other);
	list_push_front_list(&l, &l);
	CHECK_LIST(&l, "1 4 3 9 1 4 3 9 ");
	list_push_back_list(&l, &l);
	CHECK_EQ(list_len(&l), 16);
	for_list(e, &l) {
		if (e->value != 4)
			list_remove(&l, e);
	}
	CHECK_LIST(&l, "4 4 4 4 ");
	list_init(&l);
	CHECK_LIST(&l, "");
	CHECK(list_front(&l) == NULL && list_back(&l) == NULL);
}

TEST(lists_keep_what_they_hold)
{
	list_of(string) *l = new(list_of(string));
	list_of(job) jobs = {};
	int i = 0;

	for (int k = 0; k < 1000; k++) {
		list_push_back(l, strconv_itoa(k));
		list_push_front(&jobs, ((job){ k, sprint("job %d", k) }));
	}
	gc();
	for_list(e, l)
		CHECK(string_eq(e->value, strconv_itoa(i++)));
	for_list(e, &jobs)
		CHECK(e->value.rank == --i && string_eq(e->value.name, sprint("job %d", i)));
}

static int64 ring_sum(ring_of(int) *r)
{
	int64 sum = 0;

	for_ring(e, r) {
		CHECK(ring_prev(ring_next(e)) == e);
		sum = sum * 10 + e->value;
	}
	return sum;
}

TEST(rings)
{
	ring_of(int) *r = new_ring(int, 6), *none = new_ring(int, 0), *p = r, *s;

	CHECK(none == NULL && ring_len(none) == 0 && ring_len(r) == 6);
	CHECK(ring_len(new_ring(int, -3)) == 0);
	for (int i = 1; i <= 6; i++, p = ring_next(p))
		p->value = i;
	CHECK(p == r);
	CHECK_EQ(ring_sum(r), 123456);
	CHECK_EQ(ring_move(r, 2)->value, 3);
	CHECK_EQ(ring_move(r, -1)->value, 6);
	CHECK_EQ(ring_move(r, 13)->value, 2);
	s = ring_unlink(r, 3);
	CHECK_EQ(ring_sum(r), 156);
	CHECK_EQ(ring_sum(s), 234);
	CHECK(ring_unlink(r, 0) == NULL);
	p = ring_link(r, s);
	CHECK(p->value == 5 && ring_len(r) == 6);
	CHECK_EQ(ring_sum(r), 123456);
	s = ring_link(r, ring_move(r, 3)); /* of one ring: what is between */
	CHECK_EQ(ring_sum(r), 1456);
	CHECK_EQ(ring_sum(s), 23);
	CHECK(ring_link(r, none) == ring_next(r));
	ring_of(string) *t = new_ring(string, 100);
	for_ring(e, t)
		e->value = sprint("%d", 7);
	gc();
	for_ring(e, t)
		CHECK(string_eq(e->value, S("7")));
}

static bool int_less(const int *a, const int *b)
{
	return *a < *b;
}

static bool job_less(const job *a, const job *b)
{
	return a->rank < b->rank;
}

static bool is_heap(slice(int) s)
{
	for (size_t i = 1; i < len(s); i++)
		if (at(s, i) < at(s, (i - 1) / 2))
			return false;
	return true;
}

static string caught;

static void catch(void)
{
	const panicked *p = recover();

	caught = p ? p->text : S("none");
}

static void pop_nothing(slice(int) *s)
{
	defer(catch);
	heap_pop(s, int_less);
}

static void remove_beyond(slice(int) *s)
{
	defer(catch);
	heap_remove(s, 5, int_less);
}

TEST(heaps)
{
	slice(int) s = make_slice(int, 0);
	uint32 x = 12345;

	for (int i = 0; i < 500; i++) {
		x = x * 1664525 + 1013904223;
		s = append(s, (int)(x >> 20));
	}
	heap_init(&s, int_less);
	CHECK(is_heap(s));
	for (int i = 0; i < 300; i++) {
		x = x * 1664525 + 1013904223;
		heap_push(&s, (int)(x >> 20), int_less);
		CHECK(is_heap(s));
		int gone = at(s, i);
		CHECK_EQ(heap_remove(&s, i, int_less), gone);
		at(s, i / 2) = (int)(x >> 19 & 1023);
		heap_fix(&s, i / 2, int_less);
		CHECK(is_heap(s));
	}
	CHECK_EQ(len(s), 500);
	for (int before = -1; len(s); ) {
		int v = heap_pop(&s, int_less);

		CHECK(v >= before);
		before = v;
	}
	pop_nothing(&s);
	CHECK(string_eq(caught, S("runtime error: index out of range [-1]")));
	s = slice_lit(int, 1, 2);
	remove_beyond(&s);
	CHECK(string_eq(caught, S("runtime error: index out of range [5] with length 2")));
	slice(job) q = make_slice(job, 0);
	for (int i = 0; i < 200; i++)
		heap_push(&q, ((job){ i * 37 % 200, strconv_itoa(i * 37 % 200) }), job_less);
	gc();
	for (int i = 0; i < 200; i++) {
		job j = heap_pop(&q, job_less);
		CHECK(j.rank == i && string_eq(j.name, strconv_itoa(i)));
	}
}

TEST_MAIN
{
	RUN(lists);
	RUN(lists_keep_what_they_hold);
	RUN(rings);
	RUN(heaps);
}
