/* fetch: gets the URLs of its arguments, one after the other, and says what came: for
 * tests/system/httpclient.py.  "POST URL" sends 300,000 bytes in chunks. */
#include "ingot.h"
#include <string.h>

static error fetch(http_client *c, const char *method, const char *url)
{
	http_response *r;
	slice(byte) data = {};
	http_call call = { .method = cstring(method), .url = cstring(url) };
	if (strcmp(method, "POST") == 0)
		call.reader = strings_new_reader(strings_repeat(S("0123456789"), 30000));
	error err = http_do(c, &call, &r);
	if (err)
		return err;
	err = http_response_read_all(r, 8 << 20, &data);
	http_response_close(r);
	if (err)
		return err;
	println("%d %s %lld %zu %08x %s %s", r->status, http_response_header(r, S("Content-Type")),
	        (long long)r->content_length, data.len, crc32_ieee(data), r->url,
	        data.len < 30 ? string_view(data) : S("..."));
	return NULL;
}

int main(int argc, char **argv)
{
	static http_client c = { .timeout = 30 * Second };
	const char *method = "GET";
	must(net_wait_up(30 * Second));
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "http", 4) != 0) {
			method = argv[i];
			continue;
		}
		error err = fetch(&c, method, argv[i]);
		if (err)
			println("error: %s", err);
		method = "GET";
	}
	http_close_idle(&c);
	println("done");
	return 0;
}
