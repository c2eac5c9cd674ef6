/* httpfiles.c: files as answers: types, tags, conditions, ranges, folders, compressed ones;
 * from files in memory and from such as must be read. */
#include "test.h"

static string base;

/* ---- files to serve ----------------------------------------------------------------- */

#define MODIFIED 1700000000 /* Tue, 14 Nov 2023 22:13:20 GMT */
#define BIG 100000

static struct {
	const char *name, *data;
} const table[] = {
	{ "index.html", "<p>root" }, { "a.txt", "0123456789" }, { "none", "\x89PNG\r\n\x1a\n" }, { "empty.css", "" },
	{ "dir/index.html", "<p>dir" }, { "dir/x.json", "{}" }, { "bare/y.js", "1" }, { "z.svg", "<svg/>" },
	{ "z.svg.gz", "(compressed)" }, { "a:b/index.html", "<p>colon" }, { "big.bin", NULL },
};
static byte big_data[BIG];
static int reads;
static bool failing; /* reading big.bin beyond its middle */

static slice(byte) data_of(size_t i)
{
	slice(byte) b = { big_data, BIG, BIG };
	if (table[i].data)
		b = (slice(byte)){ (byte *)table[i].data, strlen(table[i].data), strlen(table[i].data) };
	return b;
}
static error find(string name, file_info *info, size_t *i)
{
	for (*i = 0; *i < sizeof table / sizeof table[0]; ++*i)
		if (string_eq(cstring(table[*i].name), name)) {
			*info = (file_info){ name, (int64_t)data_of(*i).len, false, table[*i].data ? MODIFIED : 0 };
			return NULL;
		}
	*info = (file_info){ .name = name, .is_dir = true };
	return string_eq(name, S("dir")) || string_eq(name, S("bare")) || string_eq(name, S("a:b")) || string_eq(name, S("."))
	               ? NULL : fs_not_exist;
}
static error test_stat(file_system *fs, string name, file_info *info)
{
	size_t i;
	return find(name, info, &i);
}
struct test_file {
	file f;
	size_t i;
};
static error test_read_at(file *f, byte *p, size_t n, int64_t off, size_t *got)
{
	slice(byte) b = data_of(((struct test_file *)f)->i);
	reads++;
	if (failing && b.len == BIG && off >= BIG / 2)
		return disk_err_io;
	*got = (size_t)off >= b.len ? 0 : b.len - (size_t)off < n ? b.len - (size_t)off : n;
	memcpy(p, b.ptr + off, *got);
	return NULL;
}
static error test_open(file_system *fs, string name, file **f)
{
	struct test_file *t = new(struct test_file, .f.read_at = test_read_at);
	error err = find(name, &t->f.info, &t->i);
	*f = &t->f;
	return err;
}
static error test_bytes(file_system *fs, string name, slice(byte) *data)
{
	file_info info;
	size_t i;
	error err = find(name, &info, &i);
	if (!err && i < sizeof table / sizeof table[0])
		*data = data_of(i);
	return err;
}
static file_system to_read = { test_open, test_stat, NULL, NULL }, in_memory = { test_open, test_stat, NULL, test_bytes };

static void made(http_writer *w, http_request *r) { http_serve_bytes(w, r, S("x.txt"), bytes_of(S("made up"))); }

static void serve(http_server *s, listener *l) { errors_ignore(http_serve(s, l)); }

/* ---- asking ----------------------------------------------------------------------------- */

static http_client client = { .max_redirects = -1 };

struct answer {
	int status;
	string body;
	http_response *r;
};

static struct answer ask(const char *method, string path, const char *headers)
{
	http_call call = { .method = cstring(method), .url = concat(base, path), .header = cstring(headers) };
	struct answer a = { 0 };
	slice(byte) data = {};
	error err = http_do(&client, &call, &a.r);
	if (err) {
		TEST_FAIL("%s: %s", path, err);
		return a;
	}
	a.status = a.r->status;
	err = http_response_read_all(a.r, 1 << 20, &data);
	http_response_close(a.r);
	a.body = err ? error_text(err) : string_view(data);
	return a;
}
static string header(struct answer a, const char *name) { return a.r ? http_response_header(a.r, cstring(name)) : S(""); }

static int status(const char *path, const char *headers) { return ask("GET", cstring(path), headers).status; }

/* Both kinds of file systems. */
#define EACH_KIND(prefix) \
	for (string prefix = S("/m"); prefix.len; prefix = string_eq(prefix, S("/m")) ? S("/r") : S(""))

TEST(files_and_their_heads)
{
	EACH_KIND (k) {
		struct answer a = ask("GET", concat(k, S("/a.txt")), "");
		CHECK_EQ(a.status, 200);
		CHECK_S(a.body, S("0123456789"));
		CHECK_S(header(a, "Content-Type"), S("text/plain; charset=utf-8"));
		CHECK_S(header(a, "Content-Length"), S("10"));
		CHECK_S(header(a, "Accept-Ranges"), S("bytes"));
		CHECK_S(header(a, "Last-Modified"), S("Tue, 14 Nov 2023 22:13:20 GMT"));
		/* sha256 of 0123456789 */
		CHECK_S(header(a, "ETag"), S("\"84d89877f0d4041efb6bf91a16f0248f\""));
		a = ask("HEAD", concat(k, S("/a.txt")), "Range: bytes=1-2\r\n");
		CHECK(a.status == 200 && a.body.len == 0 && a.r->content_length == 10);
		a = ask("GET", concat(k, S("/none")), "");
		CHECK_S(header(a, "Content-Type"), S("image/png"));
		a = ask("GET", concat(k, S("/empty.css")), "");
		CHECK(a.status == 200 && a.body.len == 0);
		CHECK_S(header(a, "Content-Type"), S("text/css; charset=utf-8"));
		a = ask("GET", concat(k, S("/big.bin")), "");
		CHECK(a.body.len == BIG && memcmp(a.body.ptr, big_data, BIG) == 0);
		CHECK_S(header(a, "Last-Modified"), S(""));
		a = ask("POST", concat(k, S("/a.txt")), "");
		CHECK_EQ(a.status, 405);
		CHECK_S(header(a, "Allow"), S("GET, HEAD"));
	}
	/* The tag is made once. */
	int before = reads;
	ask("HEAD", S("/r/big.bin"), "");
	CHECK_EQ(reads, before);
	struct answer a = ask("GET", S("/made"), "Range: bytes=-2\r\n");
	CHECK_EQ(a.status, 206);
	CHECK_S(a.body, S("up"));
}

TEST(conditions)
{
#define TAG "\"84d89877f0d4041efb6bf91a16f0248f\""
	static const struct {
		const char *headers;
		int status;
	} cases[] = {
		{ "If-None-Match: " TAG "\r\n", 304 },
		{ "If-None-Match: W/" TAG "\r\n", 304 },
		{ "If-None-Match: \"x\", " TAG "\r\n", 304 },
		{ "If-None-Match: *\r\n", 304 },
		{ "If-None-Match: \"x\"\r\n", 200 },
		{ "If-None-Match: \"x\r\n", 200 },
		{ "If-None-Match: \"x\"\r\nIf-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 200 },
		{ "If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 304 },
		{ "If-Modified-Since: Tuesday, 14-Nov-23 22:13:21 GMT\r\n", 304 },
		{ "If-Modified-Since: Tue Nov 14 22:13:20 2023\r\n", 304 },
		{ "If-Modified-Since: Tue, 14 Nov 2023 22:13:19 GMT\r\n", 200 },
		{ "If-Modified-Since: yesterday\r\n", 200 },
		{ "If-Match: " TAG "\r\n", 200 },
		{ "If-Match: *\r\n", 200 },
		{ "If-Match: \"x\"\r\n", 412 },
		{ "If-Match: W/" TAG "\r\n", 412 },
		{ "If-Unmodified-Since: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 200 },
		{ "If-Unmodified-Since: Tue, 14 Nov 2023 22:13:19 GMT\r\n", 412 },
		{ "If-Match: " TAG "\r\nIf-None-Match: " TAG "\r\n", 304 },
		{ "Range: bytes=1-2\r\nIf-Range: " TAG "\r\n", 206 },
		{ "Range: bytes=1-2\r\nIf-Range: \"x\"\r\n", 200 },
		{ "Range: bytes=1-2\r\nIf-Range: W/" TAG "\r\n", 200 },
		{ "Range: bytes=1-2\r\nIf-Range: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 206 },
		{ "Range: bytes=1-2\r\nIf-Range: Tue, 14 Nov 2023 22:13:21 GMT\r\n", 200 },
		{ "Range: bytes=1-2\r\nIf-None-Match: " TAG "\r\n", 304 },
	};
	EACH_KIND (k) {
		for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
			struct answer a = ask("GET", concat(k, S("/a.txt")), cases[i].headers);
			if (a.status != cases[i].status)
				TEST_FAIL("%s: %d", cases[i].headers, a.status);
			if (a.status == 304)
				CHECK(a.body.len == 0 && header(a, "ETag").len == 34 && header(a, "Content-Type").len == 0);
		}
	}
}

TEST(ranges)
{
	static const struct {
		const char *range;
		int status;
		const char *content_range, *body;
	} cases[] = {
		{ "bytes=0-0", 206, "bytes 0-0/10", "0" },
		{ "bytes=2-4", 206, "bytes 2-4/10", "234" },
		{ "bytes=7-", 206, "bytes 7-9/10", "789" },
		{ "bytes=-3", 206, "bytes 7-9/10", "789" },
		{ "bytes=-30", 206, "bytes 0-9/10", "0123456789" },
		{ "bytes=5-99", 206, "bytes 5-9/10", "56789" },
		{ "bytes= 1 - 2 ", 206, "bytes 1-2/10", "12" },
		{ "bytes=20-30,1-1", 206, "bytes 1-1/10", "1" },
		{ "bytes=10-", 416, "bytes */10", NULL },
		{ "bytes=20-30", 416, "bytes */10", NULL },
		{ "bytes=-0", 416, "bytes */10", NULL },
		{ "bytes=4-2", 416, "bytes */10", NULL },
		{ "bytes=a-b", 416, "bytes */10", NULL },
		{ "bytes=1", 416, "bytes */10", NULL },
		{ "bytes=+1-2", 416, "bytes */10", NULL },
		{ "bytes=99999999999999999999-", 416, "bytes */10", NULL },
		{ "lines=1-2", 416, "bytes */10", NULL },
		{ "bytes=0-7,2-9", 200, "", "0123456789" }, /* more than all: all of it */
		{ "bytes=", 200, "", "0123456789" },
	};
	EACH_KIND (k) {
		for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
			struct answer a = ask("GET", concat(k, S("/a.txt")), cstr(sprint("Range: %s\r\n", cases[i].range)));
			if (a.status != cases[i].status || !string_eq(header(a, "Content-Range"), cstring(cases[i].content_range)) ||
			    (cases[i].body && !string_eq(a.body, cstring(cases[i].body))))
				TEST_FAIL("%s: %d, %s, %s", cases[i].range, a.status, header(a, "Content-Range"), a.body);
		}
		struct answer a = ask("GET", concat(k, S("/big.bin")), "Range: bytes=49000-69999\r\n");
		CHECK(a.status == 206 && a.body.len == 21000 && memcmp(a.body.ptr, big_data + 49000, 21000) == 0);
		CHECK_EQ(ask("GET", concat(k, S("/empty.css")), "Range: bytes=0-\r\n").status, 416);
	}
}

TEST(several_ranges)
{
	EACH_KIND (k) {
		struct answer a = ask("GET", concat(k, S("/a.txt")), "Range: bytes=1-2, 30-, 5-5,-1\r\n");
		string type = header(a, "Content-Type"), b;
		CHECK_EQ(a.status, 206);
		CHECK(strings_cut_prefix(type, S("multipart/byteranges; boundary="), &b));
		string want = sprint("--%s\r\nContent-Range: bytes 1-2/10\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n12\r\n"
		                     "--%s\r\nContent-Range: bytes 5-5/10\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n5\r\n"
		                     "--%s\r\nContent-Range: bytes 9-9/10\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n9\r\n"
		                     "--%s--\r\n", b, b, b, b);
		CHECK_S(a.body, want);
		CHECK_EQ((int64_t)a.body.len, a.r->content_length);
		/* A thousand tiny ones would make a long answer of little. */
		builder all = { 0 };
		builder_write(&all, S("Range: bytes=0-0"));
		for (int i = 0; i < 1000; i++)
			builder_write(&all, S(",0-0"));
		builder_write(&all, S("\r\n"));
		a = ask("GET", concat(k, S("/big.bin")), cstr(builder_string(&all)));
		CHECK(a.status == 200 && a.body.len == BIG);
	}
}

TEST(folders_and_names)
{
	EACH_KIND (k) {
		CHECK_S(ask("GET", concat(k, S("/")), "").body, S("<p>root"));
		CHECK_S(ask("GET", concat(k, S("/dir/")), "").body, S("<p>dir"));
		struct answer a = ask("GET", concat(k, S("/dir?q=1")), "");
		CHECK_EQ(a.status, 301);
		CHECK_S(header(a, "Location"), S("./dir/?q=1"));
		a = ask("GET", concat(k, S("/a:b")), ""); /* no scheme */
		CHECK_S(header(a, "Location"), S("./a:b/"));
		a = ask("GET", concat(k, S("/dir/index.html")), "");
		CHECK_EQ(a.status, 301);
		CHECK_S(header(a, "Location"), S("./"));
		static const char *const none[] = {
			"/a.txt/", "/bare/", "/x", "/dir/x", "/../a.txt", "/dir/../a.txt", "/%2e%2e/a.txt", "/dir/..%2fa.txt",
			"/./a.txt", "//a.txt", "/dir//x.json", "/a.txt%00", "/..", "/.",
		};
		for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
			a = ask("GET", concat(k, cstring(none[i])), "");
			if (a.status != 404)
				TEST_FAIL("%s: %d", none[i], a.status);
		}
		CHECK_EQ(ask("GET", concat(k, S("/dir%2fx.json")), "").status, 200);
	}
	http_response *r;
	http_call call = { .url = concat(base, S("/m/dir")) };
	must(http_do(NULL, &call, &r));
	CHECK(string_eq(r->url, concat(base, S("/m/dir/"))));
	http_response_close(r);
}

TEST(compressed_files)
{
	static const struct {
		const char *accept;
		bool gz;
	} cases[] = {
		{ "Accept-Encoding: gzip\r\n", true }, { "Accept-Encoding: br, GZIP;q=0.5\r\n", true },
		{ "Accept-Encoding: gzip;q=0\r\n", false }, { "Accept-Encoding: gzip; q=0.000, br\r\n", false },
		{ "Accept-Encoding: gzipper\r\n", false }, { "", false },
	};
	EACH_KIND (k) {
		for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
			struct answer a = ask("GET", concat(k, S("/z.svg")), cases[i].accept);
			CHECK_EQ(a.status, 200);
			CHECK_S(a.body, cases[i].gz ? S("(compressed)") : S("<svg/>"));
			CHECK_S(header(a, "Content-Encoding"), cases[i].gz ? S("gzip") : S(""));
			CHECK_S(header(a, "Content-Type"), S("image/svg+xml"));
			CHECK_S(header(a, "Vary"), S("Accept-Encoding"));
		}
		struct answer plain = ask("GET", concat(k, S("/z.svg")), ""), gz = ask("GET", concat(k, S("/z.svg")), "Accept-Encoding: gzip\r\n");
		CHECK(!string_eq(header(plain, "ETag"), header(gz, "ETag")));
		CHECK_S(header(ask("GET", concat(k, S("/a.txt")), "Accept-Encoding: gzip\r\n"), "Vary"), S(""));
	}
}

TEST(a_file_that_cannot_be_read_to_its_end)
{
	ask("HEAD", S("/r/big.bin"), "");
	failing = true;
	struct answer a = ask("GET", S("/r/big.bin"), "");
	CHECK_EQ(a.status, 200);
	CHECK(strings_has_suffix(a.body, S("unexpected EOF")));
	failing = false;
	CHECK_EQ(ask("GET", S("/r/big.bin"), "").body.len, BIG);
	failing = true;
	CHECK_EQ(status("/r2/big.bin", ""), 500);
	failing = false;
	CHECK_EQ(status("/r2/big.bin", ""), 200);
}

TEST_MAIN
{
	listener *l;
	http_server *s = new(http_server, .mux = new_http_mux());
	for (size_t i = 0; i < BIG; i++)
		big_data[i] = (byte)(i * 13 + (i >> 9));
	http_handle_files(s->mux, S("/m/"), &in_memory);
	http_handle_files(s->mux, S("/r/"), &to_read);
	http_handle_files(s->mux, S("/r2/"), &to_read);
	http_handle(s->mux, S("/made"), made);
	must(net_listen(S("tcp"), S("127.0.0.1:0"), &l));
	base = concat(S("http://"), net_addr_string(listener_addr(l)));
	go(serve, s, l);
	RUN(files_and_their_heads);
	RUN(conditions);
	RUN(ranges);
	RUN(several_ranges);
	RUN(folders_and_names);
	RUN(compressed_files);
	RUN(a_file_that_cannot_be_read_to_its_end);
}
