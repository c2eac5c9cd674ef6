/* once.c: every macro of ingot.h evaluates each of its arguments once.
 *
 * Each is given arguments that count.  tests/negative.py sees that no function-like
 * macro of these headers is missing here:
 * headers: api_arena.h api_atomic.h api_bufio.h api_bytes.h api_container.h api_context.h
 *   api_date.h api_defer.h api_device.h api_disk.h api_encoding.h api_error.h api_file.h
 *   api_format.h api_group.h api_hash.h api_http.h api_io.h api_log.h api_map.h api_mem.h
 *   api_net.h api_persist.h api_pool.h api_rand.h api_reflect.h api_select.h api_slices.h
 *   api_sort.h api_special.h api_strconv.h api_string.h api_sync.h api_syncmap.h api_task.h
 *   api_time.h api_unicode.h api_value.h */
#include "ingot.h"
#include "test.h"

static int evaluated;

static __attribute__((noinline)) void count(void)
{
	evaluated++;
}

/* x, counted. */
#define V(x) (count(), (x))
/* The statement evaluates n V()s. */
#define ONCE(n, ...) \
	do { \
		evaluated = 0; \
		__VA_ARGS__; \
		if (evaluated != (n)) \
			TEST_FAIL("%d arguments evaluated, not %d: %s", evaluated, n, #__VA_ARGS__); \
	} while (0)
#define USE(x) ({ __auto_type used_ = (x); __asm__ volatile("" ::"m"(used_)); })

typedef struct point {
	int x, y;
} point;
declare_slice(point);
declare_list(int);
declare_ring(int);

TEST(slices)
{
	slice(int) s = slice_lit(int, 1, 2, 3), t = slice_lit(int, 4, 5);
	slice(byte) b = make_slice(byte, 4);
	int v[3] = { 7, 8, 9 };

	ONCE(1, USE(make_slice(int, V(2))));
	ONCE(2, USE(make_slice(int, V(2), V(4))));
	ONCE(3, USE(slice_lit(int, V(1), V(2), V(3))));
	ONCE(3, USE(append(V(s), V(1), V(2))));
	ONCE(3, USE(append(V((slice(int)){}), V(1), V(2))));
	ONCE(2, USE(append_slice(V(s), V(t))));
	ONCE(2, USE(append_slice(V(b), V(S("text")))));
	ONCE(2, USE(copy(V(s), V(t))));
	ONCE(1, USE(len(V(s))));
	ONCE(1, USE(len(V(S("abc")))));
	ONCE(1, USE(cap(V(s))));
	ONCE(2, USE(at(V(s), V(1))));
	ONCE(2, at(V(s), V(1)) = 5);
	ONCE(2, at(V(s), V(1))++);
	ONCE(3, USE(slice_of(V(s), V(1), V(2))));
	ONCE(2, USE(slice_from(V(s), V(1))));
	ONCE(2, USE(slice_to(V(s), V(1))));
	ONCE(4, USE(slice_of3(V(s), V(0), V(1), V(2))));
	ONCE(2, USE(slice_from_array(int, V(v), V(3))));
	ONCE(1, for_slice(i, p, V(s)) USE(*p));
}

static bool is_two(int v, int two)
{
	return v == two;
}

static bool equal_to(int a, int b, int unused)
{
	return a == b;
}

TEST(package_slices)
{
	slice(int) s = slice_lit(int, 1, 2, 2, 3), t = slice_lit(int, 4, 5);
	int three[3];

	ONCE(2, USE(slices_index(V(s), V(2))));
	ONCE(2, USE(slices_contains(V(s), V(2))));
	ONCE(3, USE(slices_index_func(V(s), V(is_two), V(2))));
	ONCE(3, USE(slices_contains_func(V(s), V(is_two), V(2))));
	ONCE(2, USE(slices_equal(V(s), V(t))));
	ONCE(4, USE(slices_equal_func(V(s), V(t), V(equal_to), V(2))));
	ONCE(1, slices_reverse(V(t)));
	ONCE(4, USE(slices_insert(V(t), V(1), V(7), V(8))));
	ONCE(3, USE(slices_insert_slice(V(t), V(1), V(s))));
	ONCE(4, USE(slices_replace(V(slices_clone(s)), V(0), V(1), V(t))));
	ONCE(3, USE(slices_delete(V(slices_clone(s)), V(0), V(1))));
	ONCE(3, USE(slices_delete_func(V(slices_clone(s)), V(is_two), V(2))));
	ONCE(1, USE(slices_compact(V(slices_clone(s)))));
	ONCE(3, USE(slices_compact_func(V(slices_clone(s)), V(equal_to), V(2))));
	ONCE(1, USE(slices_clone(V(s))));
	ONCE(2, USE(slices_grow(V(s), V(10))));
	ONCE(1, USE(slices_clip(V(s))));
	ONCE(3, USE(slices_concat(V(s), V(t), V(s))));
	ONCE(2, USE(slices_repeat(V(t), V(2))));
	ONCE(1, slice_to_array(three, V(s)));
}

TEST(strings)
{
	builder b = {};

	ONCE(3, builder_printf(V(&b), "%d%s", V(1), V(S("b"))));
	ONCE(1, USE(string_of(V("text"))));
	ONCE(3, USE(concat(V(S("a")), V(S("b")), V(S("c")))));
	ONCE(1, for_rune(i, r, V(S("rune"))) USE(r));
	ONCE(2, print("%d%s", V(1), V("\n")));
	ONCE(1, println("%d", V(2)));
	ONCE(1, USE(sprint("%d", V(3))));
}

static uint64 hash(const point *p, uint64 seed)
{
	return (uint64)p->x ^ seed;
}

static bool same(const point *a, const point *b)
{
	return a->x == b->x;
}

static bool same_int(const int *a, const int *b)
{
	return *a == *b;
}

TEST(maps)
{
	map(string, int) m = make_map(string, int), n = make_map(string, int);
	map(point, int) mp = make_map(point, int);
	point p = { 1, 2 };
	int out;

	ONCE(1, USE(make_map(string, int, V(10))));
	ONCE(3, USE(make_map_func(point, int, V(hash), V(same), V(10))));
	ONCE(3, map_set(V(m), V(S("a")), V(1)));
	ONCE(2, USE(map_get(V(m), V(S("a")))));
	ONCE(2, USE(map_get(V(mp), V(p))));
	ONCE(3, USE(map_lookup(V(m), V(S("a")), V(&out))));
	ONCE(2, USE(map_has(V(m), V(S("a")))));
	ONCE(2, USE(map_find(V(m), V(S("a")))));
	ONCE(2, map_at(V(m), V(S("b")))++);
	ONCE(2, delete(V(m), V(S("b"))));
	ONCE(1, USE(map_clone(V(m))));
	ONCE(2, map_copy(V(n), V(m)));
	ONCE(2, USE(map_equal(V(m), V(n))));
	ONCE(3, USE(map_equal_func(V(m), V(n), V(same_int))));
	ONCE(1, USE(map_keys(string, V(m))));
	ONCE(1, USE(map_values(int, V(m))));
	map_set(m, S("c"), 3);
	map_set(mp, p, 3);
	ONCE(1, for_map(k, v, V(m)) USE(v));
	ONCE(1, for_map_of(point, k, v, V(mp)) USE(k));
	ONCE(1, USE(len(V(m))));
	ONCE(1, map_clear(V(m)));
}

TEST(sync_maps)
{
	sync_map(string, int) m = make_sync_map(string, int);
	int out;

	ONCE(3, sync_map_store(V(m), V(S("a")), V(1)));
	ONCE(3, USE(sync_map_load(V(m), V(S("a")), V(&out))));
	ONCE(4, USE(sync_map_swap(V(m), V(S("a")), V(2), V(&out))));
	ONCE(4, USE(sync_map_load_or_store(V(m), V(S("b")), V(2), V(&out))));
	ONCE(4, USE(sync_map_compare_and_swap(V(m), V(S("a")), V(2), V(3))));
	ONCE(3, USE(sync_map_compare_and_delete(V(m), V(S("b")), V(2))));
	ONCE(1, for_sync_map(k, v, V(m)) USE(v));
	ONCE(1, for_sync_map_of(string, k, v, V(m)) USE(v));
	ONCE(3, USE(sync_map_load_and_delete(V(m), V(S("a")), V(&out))));
	ONCE(2, sync_map_delete(V(m), V(S("a"))));
	ONCE(1, sync_map_clear(V(m)));
}

static int by_value(const int *a, const int *b)
{
	return *a - *b;
}

TEST(sorting)
{
	slice(int) s = slice_lit(int, 3, 1, 2);
	int two = 2;
	size_t i;

	ONCE(1, sort(V(s)));
	ONCE(2, sort_func(V(s), V(by_value)));
	ONCE(2, sort_stable_func(V(s), V(by_value)));
	ONCE(1, USE(is_sorted(V(s))));
	ONCE(2, USE(is_sorted_func(V(s), V(by_value))));
	ONCE(3, USE(binary_search(V(s), V(2), V(&i))));
	ONCE(4, USE(binary_search_func(V(s), V(&two), V(by_value), V(&i))));
	ONCE(1, USE(slice_min(V(s))));
	ONCE(1, USE(slice_max(V(s))));
	ONCE(2, USE(min(V(1), V(2))));
	ONCE(4, USE(max(V(1), V(2), V(3), V(4))));
}

TEST(random_numbers)
{
	static const byte seed[32];
	chacha8 *r = new_chacha8(seed);
	slice(int) s = slice_lit(int, 1, 2, 3);
	slice(byte) b = make_slice(byte, 4);

	ONCE(0, USE(rand_uint64() + rand_uint32() + (uint64)rand_int64() + (uint64)rand_int32()));
	ONCE(0, USE(rand_float64() + (double)rand_float32() + rand_norm_float64() + rand_exp_float64()));
	ONCE(1, USE(rand_int_n(V(5))));
	ONCE(1, USE(rand_uint_n(V(5))));
	ONCE(1, USE(rand_perm(V(5))));
	ONCE(2, chacha8_shuffle(V(r), V(s)));
	ONCE(1, rand_shuffle(V(s)));
	ONCE(1, rand_read(V(b)));
}

static int ran;

static void takes(int a, int *b)
{
	ran += a + *b;
}

static void send_one(chan(int) c, int v)
{
	send(c, v);
}

static void deferring(int *one)
{
	ONCE(3, defer(V(takes), V(1), V(one)));
}

TEST(tasks)
{
	chan(int) c = make_chan(int, 4);
	int one = 1, v;
	bool ok;

	ONCE(1, USE(make_chan(int, V(2))));
	ONCE(3, go(V(send_one), V(c), V(1)));
	ONCE(1, USE(recv(V(c))));
	ONCE(4, go_stack(V(1 << 20), V(send_one), V(c), V(1)));
	ONCE(2, USE(recv(V(c), V(&v))));
	ONCE(2, send(V(c), V(1)));
	ONCE(1, USE(len(V(c)) + 0));
	ONCE(1, USE(cap(V(c))));
	ONCE(2, select { case_recv(V(c), V(&v)) { } });
	ONCE(2, select { case_send(V(c), V(2)) { } });
	ONCE(3, select { case_recv_ok(V(c), V(&v), V(&ok)) { } });
	ONCE(4, select { case_recv(V(c), V(&v)) { } case_send(V((chan(int))NULL), V(2)) { } case_default { } });
	ONCE(1, close(V(c)));
	ONCE(1, for_recv(x, V(c)) USE(x));
	ONCE(1, USE(after(V(Nanosecond))));
	ran = 0;
	deferring(&one);
	CHECK_EQ(ran, 2);
}

static error fails_not(int a)
{
	ran += a;
	return NULL;
}

/* An error with a number. */
typedef struct numbered {
	error_head head;
	int n;
} numbered;
declare_error_type(numbered);
static string numbered_text(error e)
{
	return sprint("error %d", ((const numbered *)e)->n);
}
define_error_type(numbered, .text = numbered_text);
declare_error(none_left);
define_error(none_left, "none left");

TEST(errors)
{
	error e = NULL, f;
	const numbered *n;

	ONCE(1, e = new_error(numbered, .n = V(5)));
	ONCE(3, USE(errors_as(V(e), numbered, V(&n)) && V(n)->n == 5));
	ONCE(2, f = errorf("%s %d", V(e), V(1)));
	ONCE(1, f = errorf("%s", errors_wrap(V(none_left))));
	CHECK(errors_is(f, none_left));
	ONCE(2, f = errors_join(V(e), V(none_left)));
	CHECK(errors_is(f, none_left));
}

TEST(groups_and_contexts)
{
	task_group g = {};
	static context_key(int) key;
	int i = 5;

	ONCE(3, task_group_go(V(&g), V(fails_not), V(1)));
	ONCE(3, USE(task_group_try_go(V(&g), V(fails_not), V(1))));
	CHECK(task_group_wait(&g) == NULL);
	context *ctx;
	ONCE(3, ctx = context_with_value(V(context_todo()), V(&key), V(&i)));
	ONCE(2, USE(context_value(V(ctx), V(&key))));
}

static point *maker(void)
{
	return new(point);
}

TEST(memory_and_pools)
{
	ONCE(2, USE(new(point, .x = V(1), .y = V(2))));
	pool(point) q;
	ONCE(1, q = make_pool(point, V(maker)));
	point *p;
	ONCE(1, p = pool_get(V(q)));
	ONCE(2, pool_put(V(q), V(p)));
}

static void finalize(point *p)
{
	ran += p->x;
}

TEST(arenas_and_weak_pointers)
{
	arena *a = arena_new();
	point *p = new(point);
	cleanup c;
	weak(point) w;

	ONCE(1, USE(arena_alloc(V(a), point)));
	ONCE(2, USE(arena_slice(V(a), int, V(3))));
	arena_free(a);
	ONCE(4, c = add_cleanup(V(p), V(takes), V(1), V(&ran)));
	USE(c);
	ONCE(2, set_finalizer(V(p), V(finalize)));
	ONCE(1, w = weak_make(V(p)));
	ONCE(1, CHECK(weak_get(V(w)) == p));
	ONCE(1, keep_alive(V(p)));
}

TEST(atomics)
{
	int i = 0;

	ONCE(1, USE(atomic_load(V(&i))));
	ONCE(2, atomic_store(V(&i), V(1)));
	ONCE(2, USE(atomic_swap(V(&i), V(2))));
	ONCE(3, USE(atomic_compare_and_swap(V(&i), V(2), V(3))));
	ONCE(2, USE(atomic_add(V(&i), V(2))));
	ONCE(2, USE(atomic_and(V(&i), V(7))));
	ONCE(2, USE(atomic_or(V(&i), V(8))));
	CHECK_EQ(i, 13);
}

static const panicked *caught;

static void catch(void)
{
	caught = recover();
}

static void panicking(int how)
{
	defer(catch);
	evaluated = 0;
	if (how == 0)
		panic("%d", V(1));
	else if (how == 1)
		panic_value(V(&ran), "%d", V(1));
	else
		panic_any(V(how));
}

TEST(values_and_panics)
{
	point p = { 1, 2 };

	ONCE(1, USE(fmt_v(V(p))));
	ONCE(1, USE(fmt_plus_v(V(p))));
	ONCE(0, USE(fmt_t(V(p)))); /* as sizeof */
	ONCE(1, print_value(V(1)));
	ONCE(2, USE(deep_equal(V(p), V(p))));
	for (int how = 0; how < 3; how++) {
		panicking(how);
		CHECK_EQ(evaluated, how == 1 ? 2 : 1);
	}
	ONCE(1, USE(panicked_as(V(caught), int)));
}

TEST(lists_and_rings)
{
	list_of(int) l = { 0 }, other = { 0 };
	list_element_of(int) *e = NULL, *f = NULL;

	ONCE(2, e = list_push_front(V(&l), V(1)));
	ONCE(2, f = list_push_back(V(&l), V(2)));
	ONCE(3, USE(list_insert_before(V(&l), V(3), V(f))));
	ONCE(3, USE(list_insert_after(V(&l), V(4), V(e))));
	ONCE(1, USE(list_front(V(&l))));
	ONCE(1, USE(list_back(V(&l))));
	ONCE(1, USE(list_next(V(e))));
	ONCE(1, USE(list_prev(V(f))));
	ONCE(1, CHECK_EQ(list_len(V(&l)), 4));
	ONCE(2, list_move_to_front(V(&l), V(f)));
	ONCE(2, list_move_to_back(V(&l), V(f)));
	ONCE(3, list_move_before(V(&l), V(f), V(e)));
	ONCE(3, list_move_after(V(&l), V(f), V(e)));
	ONCE(2, list_push_back_list(V(&other), V(&l)));
	ONCE(2, list_push_front_list(V(&other), V(&l)));
	ONCE(2, USE(list_remove(V(&l), V(e))));
	ONCE(1, for_list(x, V(&l)) USE(x->value));
	ONCE(1, list_init(V(&l)));
	CHECK_EQ(list_len(&other), 8);

	ring_of(int) *r = NULL, *s = NULL;
	ONCE(1, r = new_ring(int, V(5)));
	ONCE(1, s = new_ring(int, V(2)));
	ONCE(1, USE(ring_next(V(r))));
	ONCE(1, USE(ring_prev(V(r))));
	ONCE(2, USE(ring_move(V(r), V(2))));
	ONCE(2, USE(ring_link(V(r), V(s))));
	ONCE(2, USE(ring_unlink(V(r), V(1))));
	ONCE(1, CHECK_EQ(ring_len(V(r)), 6));
	ONCE(1, for_ring(x, V(r)) USE(x->value));
}

static bool less_int(const int *a, const int *b)
{
	return *a < *b;
}

TEST(heaps)
{
	slice(int) h = slice_lit(int, 5, 3, 4, 1, 2);

	ONCE(2, heap_init(V(&h), V(less_int)));
	ONCE(3, heap_push(V(&h), V(0), V(less_int)));
	ONCE(2, CHECK_EQ(heap_pop(V(&h), V(less_int)), 0));
	ONCE(3, USE(heap_remove(V(&h), V(2), V(less_int))));
	ONCE(3, heap_fix(V(&h), V(0), V(less_int)));
}

static uint64_t hash_point(const point *p, uint64_t seed)
{
	return (uint64_t)(p->x + p->y) + seed;
}

static bool same_point(const point *a, const point *b)
{
	return a->x == b->x && a->y == b->y;
}

TEST(persistent_vectors_and_maps)
{
	slice(int) s = slice_lit(int, 1, 2, 3);
	pvector(int) v = make_pvector(int);
	point at = { 1, 2 };
	int out;

	ONCE(1, v = pvector_from(V(s)));
	ONCE(1, CHECK_EQ(pvector_len(V(v)), 3));
	ONCE(2, CHECK_EQ(pvector_get(V(v), V(1)), 2));
	ONCE(2, v = pvector_push(V(v), V(4)));
	ONCE(3, v = pvector_set(V(v), V(1), V(7)));
	ONCE(1, v = pvector_pop(V(v)));
	ONCE(1, USE(pvector_slice(int, V(v))));
	ONCE(1, for_pvector(i, p, V(v)) USE(*p));

	pmap(string, int) m = make_pmap(string, int);
	pmap(point, int) mp;
	ONCE(2, mp = make_pmap_func(point, int, V(hash_point), V(same_point)));
	ONCE(3, m = pmap_set(V(m), V(S("a")), V(1)));
	ONCE(3, mp = pmap_set(V(mp), V(at), V(1)));
	ONCE(1, CHECK_EQ(pmap_len(V(m)), 1));
	ONCE(2, CHECK_EQ(pmap_get(V(m), V(S("a"))), 1));
	ONCE(2, CHECK(pmap_has(V(m), V(S("a")))));
	ONCE(3, CHECK(pmap_lookup(V(m), V(S("a")), V(&out))));
	ONCE(1, for_pmap(k, x, V(m)) USE(x));
	ONCE(1, for_pmap_of(point, k, x, V(mp)) USE(k));
	ONCE(2, USE(pmap_delete(V(m), V(S("a")))));
}

TEST(hashes_and_encodings)
{
	string x = S("text");
	sha256 h2 = sha256_new();
	sha1 h1 = sha1_new();
	md5 h5 = md5_new();

	ONCE(1, USE(fnv32(V(x))));
	ONCE(1, USE(fnv32a(V(x))));
	ONCE(1, USE(fnv64(V(x))));
	ONCE(1, USE(fnv64a(V(x))));
	ONCE(2, USE(fnv32_update(V(1), V(x))));
	ONCE(2, USE(fnv32a_update(V(1), V(x))));
	ONCE(2, USE(fnv64_update(V(1), V(x))));
	ONCE(2, USE(fnv64a_update(V(1), V(x))));
	ONCE(1, USE(crc32_ieee(V(x))));
	ONCE(1, USE(crc32_castagnoli(V(x))));
	ONCE(2, USE(crc32_ieee_update(V(1), V(x))));
	ONCE(2, USE(crc32_castagnoli_update(V(1), V(x))));
	ONCE(1, USE(adler32(V(x))));
	ONCE(2, USE(adler32_update(V(1), V(x))));
	ONCE(2, USE(maphash_bytes(V(1), V(x))));
	ONCE(2, sha256_write(V(&h2), V(x)));
	ONCE(1, USE(sha256_of(V(x))));
	ONCE(2, sha1_write(V(&h1), V(x)));
	ONCE(1, USE(sha1_of(V(x))));
	ONCE(2, md5_write(V(&h5), V(x)));
	ONCE(1, USE(md5_of(V(x))));
	ONCE(1, USE(hex_encode(V(x))));
	ONCE(2, USE(base64_encode(V(StdEncoding), V(x))));
}

TEST(readers_writers_and_dates)
{
	bytes_buffer b = { 0 };
	bufio_writer *bw = bufio_new_writer(buffer_writer(&b));
	datetime t = time_unix(0, 0);

	ONCE(3, buffer_printf(V(&b), "%d%s", V(1), V("a")));
	ONCE(2, must(io_printf(V(buffer_writer(&b)), "%d", V(2))));
	ONCE(2, must(bufio_printf(V(bw), "%d", V(3))));
	ONCE(2, USE(io_multi_reader(V(buffer_reader(&b)), V(buffer_reader(&b)))));
	ONCE(2, USE(io_multi_writer(V(buffer_writer(&b)), V(buffer_writer(&b)))));
	ONCE(2, CHECK_S(time_format(V(t), V(DateOnly)), S("1970-01-01")));
	ONCE(3, must(time_parse(V(DateOnly), V(S("1970-01-02")), V(&t))));
}

static void answer(http_writer *w, http_request *r)
{
	(void)r;
	ONCE(3, must(http_print(V(w), "%d %s", V(1), V("a"))));
}

static void serve(http_server *s, listener *l, chan(error) done)
{
	send(done, http_serve(s, l));
}

TEST(answers_and_logs)
{
	listener *l;
	http_response *r;
	slice(byte) text;
	http_server *s = new(http_server, .mux = new_http_mux());
	chan(error) done = make_chan(error, 1);

	http_handle(s->mux, S("GET /"), answer);
	must(net_listen(S("tcp"), S("127.0.0.1:0"), &l));
	go(serve, s, l, done);
	must(http_get(sprint("http://%s/", net_addr_string(listener_addr(l))), &r));
	must(http_response_read_all(r, 100, &text));
	CHECK_S(string_view(text), S("1 a"));
	http_close(s);
	recv(done);

	log_set_console_level(LogError);
	ONCE(1, log_debug("%d", V(1))); /* kept or not */
	ONCE(2, log_info("%d %s", V(1), V("a")));
	ONCE(1, log_warn("%d", V(1)));
	log_set_level(LogError);
	ONCE(2, log_at(V(LogWarn), "%d", V(1)));
	ONCE(1, log_error("once %d", V(1)));
}

TEST_MAIN
{
	RUN(slices);
	RUN(package_slices);
	RUN(strings);
	RUN(maps);
	RUN(sync_maps);
	RUN(sorting);
	RUN(random_numbers);
	RUN(tasks);
	RUN(errors);
	RUN(groups_and_contexts);
	RUN(memory_and_pools);
	RUN(arenas_and_weak_pointers);
	RUN(atomics);
	RUN(values_and_panics);
	RUN(lists_and_rings);
	RUN(heaps);
	RUN(persistent_vectors_and_maps);
	RUN(hashes_and_encodings);
	RUN(readers_writers_and_dates);
	RUN(answers_and_logs);
}
