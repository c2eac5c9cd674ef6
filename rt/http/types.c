/* types.c: media types: of names, and of the first bytes of what has no name. */
#include "http.h"
#include "../libc.h"

/* Sorted by nothing: few, and asked for once a file.  After Go's mime/type.go and
 * the IANA registry. */
static const struct {
	const char *ext, *type;
} by_name[] = {
	{ "html", "text/html; charset=utf-8" }, { "htm", "text/html; charset=utf-8" },
	{ "css", "text/css; charset=utf-8" }, { "js", "text/javascript; charset=utf-8" },
	{ "mjs", "text/javascript; charset=utf-8" }, { "json", "application/json" },
	{ "map", "application/json" }, { "txt", "text/plain; charset=utf-8" },
	{ "md", "text/markdown; charset=utf-8" }, { "csv", "text/csv; charset=utf-8" },
	{ "xml", "text/xml; charset=utf-8" }, { "svg", "image/svg+xml" }, { "png", "image/png" },
	{ "jpg", "image/jpeg" }, { "jpeg", "image/jpeg" }, { "gif", "image/gif" }, { "webp", "image/webp" },
	{ "avif", "image/avif" }, { "ico", "image/x-icon" }, { "pdf", "application/pdf" },
	{ "wasm", "application/wasm" }, { "gz", "application/gzip" }, { "zip", "application/zip" },
	{ "tar", "application/x-tar" }, { "woff", "font/woff" }, { "woff2", "font/woff2" },
	{ "ttf", "font/ttf" }, { "otf", "font/otf" }, { "mp3", "audio/mpeg" }, { "ogg", "audio/ogg" },
	{ "wav", "audio/wav" }, { "mp4", "video/mp4" }, { "webm", "video/webm" },
};

string http_type_by_name(string name)
{
	ptrdiff_t dot = strings_last_index_byte(name, '.');
	if (dot < 0 || strings_last_index_byte(name, '/') > dot)
		return S("");
	string ext = { name.ptr + dot + 1, name.len - (size_t)dot - 1 };
	for (size_t i = 0; i < sizeof by_name / sizeof by_name[0]; i++)
		if (equal_fold(ext, cstring(by_name[i].ext)))
			return cstring(by_name[i].type);
	return S("");
}

/* The WHATWG's MIME sniffing, section 7: what bodies without a type begin with. */
static const struct {
	string begin;
	const char *type;
} magic[] = {
	{ { "%PDF-", 5 }, "application/pdf" },
	{ { "\x89PNG\r\n\x1a\n", 8 }, "image/png" },
	{ { "\xff\xd8\xff", 3 }, "image/jpeg" },
	{ { "GIF87a", 6 }, "image/gif" },
	{ { "GIF89a", 6 }, "image/gif" },
	{ { "\0\0\1\0", 4 }, "image/x-icon" },
	{ { "\x1f\x8b\x08", 3 }, "application/x-gzip" },
	{ { "PK\3\4", 4 }, "application/zip" },
	{ { "\0asm", 4 }, "application/wasm" },
	{ { "wOFF", 4 }, "font/woff" },
	{ { "wOF2", 4 }, "font/woff2" },
	{ { "OggS\0", 5 }, "application/ogg" },
};
/* These in any case, after white space, before a space or '>'. */
static const char *const tags[] = {
	"<!doctype html", "<html", "<head", "<script", "<iframe", "<h1", "<div", "<font", "<table", "<a",
	"<style", "<title", "<b", "<body", "<br", "<p", "<!--",
};

static bool is_tag(string s)
{
	for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
		size_t n = strlen(tags[i]);
		if (s.len > n && equal_fold((string){ s.ptr, n }, (string){ tags[i], n }) &&
		    (s.ptr[n] == ' ' || s.ptr[n] == '>' || i + 1 == sizeof tags / sizeof tags[0]))
			return true;
	}
	return false;
}

string http_detect_type(const void *body, size_t len)
{
	const byte *p = body;
	size_t n = len < 512 ? len : 512, i = 0;
	string all = { body, n };
	for (size_t k = 0; k < sizeof magic / sizeof magic[0]; k++)
		if (strings_has_prefix(all, magic[k].begin))
			return cstring(magic[k].type);
	if (n >= 12 && memcmp(p, "RIFF", 4) == 0 && memcmp(p + 8, "WEBP", 4) == 0)
		return S("image/webp");
	while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\n' || p[i] == '\r' || p[i] == '\f'))
		i++;
	string text = { (const char *)p + i, n - i };
	if (is_tag(text))
		return S("text/html; charset=utf-8");
	if (strings_has_prefix(text, S("<?xml")))
		return S("text/xml; charset=utf-8");
	for (size_t k = 0; k < n; k++)
		if (p[k] < 9 || p[k] == 11 || (p[k] > 13 && p[k] < 32 && p[k] != 27))
			return S("application/octet-stream");
	return S("text/plain; charset=utf-8");
}
