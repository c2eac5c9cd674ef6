/* Slices: a view of an array with a length and a capacity; append moves it when it is full. */
#include "ingot.h"

int main(void)
{
	slice(int) s = slice_lit(int, 1, 2, 3, 4, 5);
	println("%s %zu %zu", fmt_v(s), len(s), cap(s));
	slice(int) middle = slice_of(s, 1, 3);
	at(middle, 0) = 20;
	println("shared: %s room for %zu more", fmt_v(s), cap(middle) - len(middle));

	middle = append(middle, 40);
	println("append in place: %s", fmt_v(s));
	slice(int) apart = append(slice_of3(s, 1, 3, 3), 50);
	at(apart, 0) = 0;
	println("append with a copy: %s %s", fmt_v(s), fmt_v(apart));

	slice(int) squares = make_slice(int, 0, 4);
	int grown = 0;
	for (int i = 0; i < 100; i++) {
		if (len(squares) == cap(squares))
			grown++;
		squares = append(squares, i * i);
	}
	println("grown %d times to %zu %s", grown, len(squares), fmt_v(slice_from(squares, 96)));

	slice(int) both = make_slice(int, 4);
	size_t n = copy(both, s);
	println("copied %zu %s", n, fmt_v(both));
	both = append_slice(both, slice_to(squares, 3));
	both = slices_delete(both, 1, 2);
	int sum = 0;
	for_slice(i, v, both)
		sum += *v;
	println("%s sum %d", fmt_v(both), sum);

	slice(byte_slice) board = make_slice(byte_slice, 3);
	for_slice(i, row, board) {
		*row = bytes_of(S("..."));
		at(*row, i) = 'x';
		println("%s", string_view(*row));
	}
	return 0;
}
