/* Hashes and encodings: digests, checksums, hexadecimal and base64. */
#include "ingot.h"

int main(void)
{
	slice(byte) text = bytes_of(S("hello, world\n"));
	sha256_digest sum = sha256_of(text);
	println("%s", hex_encode(slice_from_array(byte, sum.b, 32)));
	sha256 h = sha256_new();
	sha256_write(&h, slice_to(text, 7));
	sha256_write(&h, slice_from(text, 7));
	println("in two pieces the same: %s", fmt_v(deep_equal(sha256_sum(&h), sum)));
	md5_digest old = md5_of(text);
	println("%s", hex_encode(slice_from_array(byte, old.b, 16)));
	println("%08x", crc32_ieee(text));
	println("%08x", fnv32a(text));

	string code = base64_encode(StdEncoding, text);
	slice(byte) back;
	error err = base64_decode(StdEncoding, code, &back);
	print("%s %s %s", code, err, string_view(back));
	bool wrong = hex_decode(S("0x"), &back) != NULL;
	println("that is no hexadecimal: %s", fmt_v(wrong));
	return 0;
}
