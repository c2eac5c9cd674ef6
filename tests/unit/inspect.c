/* The runtime seen from inside: snapshots agree with what is known, with each other and
 * with the text and JSON made of them; the log's ring. */
#include "ingot.h"
#include "test.h"

/* ---- the log ------------------------------------------------------------------- */

TEST(log_keeps_lines)
{
	slice(log_line) all = log_read(1);
	uint64 before = len(all) ? at(all, len(all) - 1).number : 0;
	log_set_console_level(LogError);
	log_info("one %d %s", 1, S("string"));
	log_warn("two");
	log_debug("not kept");
	all = log_read(before + 1);
	CHECK_EQ(len(all), 2);
	CHECK_S(at(all, 0).text, S("one 1 string"));
	CHECK_EQ(at(all, 0).level, LogInfo);
	CHECK_EQ(at(all, 1).level, LogWarn);
	CHECK_EQ(at(all, 1).number, before + 2);
	CHECK(at(all, 0).time <= at(all, 1).time && at(all, 0).task != 0);
	CHECK_EQ(log_set_level(LogDebug), LogInfo);
	log_debug("kept");
	CHECK_EQ(log_set_level(LogInfo), LogDebug);
	CHECK_EQ(len(log_read(before + 1)), 3);
}

TEST(log_ring_goes_round)
{
	string longer = strings_repeat(S("x"), 300);
	for (int i = 0; i < 1000; i++)
		log_info("line %d", i);
	log_info("%s", longer);
	slice(log_line) all = log_read(1);
	CHECK_EQ(len(all), 256);
	CHECK_S(at(all, 0).text, S("line 745"));
	CHECK_S(at(all, 254).text, S("line 999"));
	CHECK_EQ(at(all, 255).text.len, 240);
	CHECK_EQ(at(all, 255).number, at(all, 0).number + 255);
	CHECK_EQ(len(log_read(at(all, 255).number)), 1);
	CHECK_EQ(len(log_read(at(all, 255).number + 1)), 0);
}

/* Writers while somebody reads: each line whole, numbers without a gap. */
static void writer(int who, wait_group *wg)
{
	for (int i = 0; i < 200; i++)
		log_info("%d%d%d%d", who, who, who, who);
	wait_group_done(wg);
}

TEST(log_many_writers)
{
	wait_group wg = {};
	wait_group_add(&wg, 4);
	for (int i = 0; i < 4; i++)
		go(writer, i, &wg);
	for (int round = 0; round < 20; round++) {
		slice(log_line) all = log_read(1);
		for (size_t i = 0; i < len(all); i++) {
			string s = at(all, i).text;
			CHECK(i == 0 || at(all, i).number > at(all, i - 1).number);
			if (s.len == 4)
				CHECK(s.ptr[0] == s.ptr[1] && s.ptr[1] == s.ptr[2] && s.ptr[2] == s.ptr[3]);
		}
		gosched();
	}
	wait_group_wait(&wg);
	log_set_console_level(LogInfo);
}

/* ---- tasks and Ps ------------------------------------------------------------------- */

static uint64 count_of(string state)
{
	slice(task_count) v = read_task_counts();
	for (size_t i = 0; i < len(v); i++)
		if (string_eq(at(v, i).state, state))
			return at(v, i).user;
	return 0;
}

static void receiver(chan(int) c, wait_group *wg)
{
	recv(c);
	wait_group_done(wg);
}

TEST(tasks_by_state)
{
	chan(int) c = make_chan(int);
	wait_group wg = {};
	uint64 before = count_of(S("chan receive"));
	wait_group_add(&wg, 300);
	for (int i = 0; i < 300; i++)
		go(receiver, c, &wg);
	while (count_of(S("chan receive")) < before + 300)
		gosched();
	CHECK(count_of(S("running")) >= 1);
	slice(task_info) all = read_tasks();
	uint64 receivers = 0, system = 0;
	for (size_t i = 0; i < len(all); i++) {
		task_info t = at(all, i);
		receivers += string_eq(t.state, S("chan receive"));
		system += t.system;
		CHECK(t.id != 0);
		CHECK(t.stack < 1 << 20);
		CHECK(t.waits >= -1 && t.waits < 60);
		CHECK(t.proc >= -1 && t.proc < num_cpu());
	}
	CHECK_EQ(receivers, before + 300);
	CHECK_EQ((int)(len(all) - system), num_task());
	close(c);
	wait_group_wait(&wg);
	while (count_of(S("chan receive")) != before) /* their last steps */
		gosched();
}

static void spin(uint32 *stop, wait_group *wg)
{
	while (!atomic_load(stop))
		;
	wait_group_done(wg);
}

TEST(procs_run_and_queue)
{
	uint32 stop = 0;
	wait_group wg = {};
	int n = num_cpu();
	wait_group_add(&wg, 4 * n);
	for (int i = 0; i < 4 * n; i++)
		go(spin, &stop, &wg);
	bool queued = false, all_busy = false;
	while (!queued || !all_busy) {
		slice(proc_info) v = read_procs();
		int busy = 0;
		queued |= global_runq() > 0;
		CHECK_EQ((int)len(v), n);
		for (size_t i = 0; i < len(v); i++) {
			CHECK_EQ(at(v, i).id, (int)i);
			queued |= at(v, i).runq > 0;
			busy += at(v, i).task != 0;
		}
		all_busy |= busy == n;
		gosched();
	}
	atomic_store(&stop, 1);
	int was = gomaxprocs(1);
	slice(proc_info) v = read_procs();
	for (size_t i = 1; i < len(v); i++)
		CHECK_S(at(v, i).state, S("offline"));
	gomaxprocs(was);
	wait_group_wait(&wg);
}

static void nothing(void)
{
}

/* On one P nobody takes them before this task gives way; a preemption in between makes
 * it try again. */
TEST(queued_tasks_are_counted)
{
	int was = gomaxprocs(1), before = num_task();
	bool exact = false;
	for (int tries = 0; tries < 1000 && !exact; tries++) {
		for (int i = 0; i < 10; i++)
			go(nothing);
		proc_info p = at(read_procs(), 0);
		exact = p.runq + (p.next != 0) + global_runq() == 10;
		while (num_task() > before)
			gosched();
	}
	CHECK(exact);
	gomaxprocs(was);
}

/* ---- heap ------------------------------------------------------------------------------- */

static span_info class_of(const heap_info *h, uint32 size, bool noscan)
{
	for (size_t i = 0; i < len(h->spans); i++)
		if (at(h->spans, i).size == size && at(h->spans, i).noscan == noscan)
			return at(h->spans, i);
	return (span_info){};
}

TEST(heap_counts_objects)
{
	typedef struct { int64 v[42]; } odd; /* the class of 352 bytes, which nobody else uses */
	enum { N = 1000 };
	heap_info h;
	odd **keep = rt_make(odd *, N);
	read_heap(&h, 64);
	uint64 before = class_of(&h, 352, true).objects;
	for (int i = 0; i < N; i++)
		keep[i] = new(odd);
	read_heap(&h, 64);
	span_info k = class_of(&h, 352, true);
	CHECK(k.objects >= before + N || before > 0);
	CHECK(k.objects >= N);
	CHECK(k.spans >= N / k.per_span);
	CHECK(len(h.caches) > 0);
	keep_alive(keep);
}

TEST(heap_agrees_with_itself)
{
	heap_info h;
	gc(); /* sweeps all, and nobody else allocates */
	read_heap(&h, 100);
	uint64 bytes = 0, pages = 0, cached = 0;
	for (size_t i = 0; i < len(h.spans); i++) {
		span_info k = at(h.spans, i);
		CHECK_EQ(k.cached + k.partial + k.full + k.unswept, k.spans);
		if (k.size)
			CHECK_EQ(k.objects + k.free, (uint64)k.spans * k.per_span);
		bytes += k.bytes;
		cached += k.cached;
	}
	CHECK_EQ(bytes, h.in_use);
	CHECK_EQ(cached, len(h.caches));
	CHECK(len(h.map) >= 1 && len(h.map) <= 100);
	for (size_t i = 0; i < len(h.map); i++) {
		heap_cell c = at(h.map, i);
		uint64 n = c.spans + c.runtime + c.free + c.released + c.untouched;
		pages += n;
		CHECK(n * 8192 == h.cell || i == len(h.map) - 1);
	}
	CHECK_EQ(pages * 8192, h.total);
	CHECK_EQ(h.in_use + h.runtime + h.free + h.released, h.total);
	CHECK(h.live > 0 && h.live <= h.in_use);
}

TEST(collections_are_noted)
{
	slice(gc_cycle) v = read_gc_cycles();
	uint32 before = len(v) ? at(v, len(v) - 1).number : 0;
	for (int i = 0; i < 70; i++)
		gc();
	v = read_gc_cycles();
	CHECK_EQ(len(v), 64);
	CHECK(at(v, 63).number >= before + 70);
	int forced = 0;
	for (size_t i = 0; i < len(v); i++) {
		gc_cycle c = at(v, i);
		CHECK(i == 0 || c.number == at(v, i - 1).number + 1);
		CHECK(i == 0 || c.began >= at(v, i - 1).began);
		CHECK(c.duration > 0 && c.stops[0] + c.stops[1] <= c.duration);
		CHECK(c.live > 0 && c.live <= c.heap_after + (1 << 20));
		forced += c.forced;
	}
	CHECK(forced > 0);
}

/* ---- texts ---------------------------------------------------------------------------------- */

TEST(commands)
{
	static const char *const names[] = { "help", "ps", "ps all", "p", "mem", "mcache", "gc", "irq", "log" };
	string out;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		error err = console_command(sprint(" %s ", names[i]), &out);
		CHECK(!err && out.len > 0);
	}
	must(console_command(S("ps"), &out));
	CHECK(strings_contains(out, S("TASK")) && strings_contains(out, S("running")));
	must(console_command(S("netstat"), &out));
	CHECK(strings_contains(out, S("no TCP/IP")));
	CHECK(!console_command(S("  "), &out) && out.len == 0);
	error err = console_command(S("mme"), &out);
	CHECK(err && strings_contains(error_text(err), S("\"mme\"; the nearest known one is mem")));
	err = console_command(strings_repeat(S("z"), 500), &out);
	CHECK(err != NULL);
}

TEST(json)
{
	log_set_console_level(LogError);
	log_info("a \"quote\" \\ and\na line");
	string s = runtime_json();
	log_set_console_level(LogInfo);
	int depth = 0, deepest = 0;
	bool in_string = false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '['))
			depth++;
		else if (!in_string && (c == '}' || c == ']'))
			depth--;
		if (depth > deepest)
			deepest = depth;
		CHECK((byte)c >= ' ' || i == s.len - 1);
	}
	CHECK(depth == 0 && deepest >= 4 && !in_string);
	CHECK(strings_contains(s, S("a \\\"quote\\\" \\\\ and\\u000aa line")));
	CHECK(strings_contains(s, sprint("\"cores\":%d", num_cpu())));
}

TEST_MAIN
{
	RUN(log_keeps_lines);
	RUN(log_ring_goes_round);
	RUN(log_many_writers);
	RUN(tasks_by_state);
	RUN(procs_run_and_queue);
	RUN(queued_tasks_are_counted);
	RUN(heap_counts_objects);
	RUN(heap_agrees_with_itself);
	RUN(collections_are_noted);
	RUN(commands);
	RUN(json);
}
