/* A builder: a text made of many pieces without a new string for each. */
#include "ingot.h"

int main(void)
{
	builder b = {};
	for (int row = 1; row <= 4; row++) {
		for (int col = 1; col <= 4; col++)
			builder_printf(&b, "%4d", row * col);
		builder_write_byte(&b, '\n');
	}
	builder_write(&b, S("the multiplication table, "));
	builder_write_rune(&b, L'①');
	builder_write_rune(&b, L'–');
	builder_write_rune(&b, L'④');
	println("%s", builder_string(&b));
	println("%zu bytes", len(builder_string(&b)));
	return 0;
}
