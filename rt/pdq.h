/* pdq.h: one pattern-defeating quicksort, included by sort.c for each kind of
 * element (Orson Peters, "Pattern-defeating Quicksort", arXiv 2106.05123; the
 * pivot choice and limits are those of Go's slices/zsortordered.go).
 *
 * The includer defines PDQ(name), a name of its own for each function; PDQ_CTX,
 * a type that leads to the elements, which are numbered; PDQ_LESS(c, i, j) and
 * PDQ_SWAP(c, i, j).  With PDQ_T, the elements' type, PDQ_BASE(c) is a pointer
 * to them and PDQ_BEFORE(c, x, y) compares two at hand: then insertion and
 * partition hold elements outside, and the partition has no branch on them, so
 * that nothing is mispredicted (a cyclic Lomuto partition).
 *
 * Invariants: all functions work on [a, b) and only permute it.  Elements in
 * front of a are not greater than any of [a, b).  `limit` bad partitions are
 * forgiven, then heap sort bounds the time. */

#ifdef PDQ_T

static void PDQ(insertion)(PDQ_CTX c, size_t a, size_t b)
{
	PDQ_T *v = PDQ_BASE(c);

	for (size_t i = a + 1; i < b; i++) {
		PDQ_T x = v[i];
		size_t j = i;

		for (; j > a && PDQ_BEFORE(c, x, v[j - 1]); j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
}

/* Puts the pivot where it belongs, what is less in front of it; returns where. */
static size_t PDQ(partition)(PDQ_CTX c, size_t a, size_t b, size_t pivot)
{
	PDQ_T *v = PDQ_BASE(c), *left, *gap, *end = v + b;
	PDQ_T p = v[pivot], hole;

	v[pivot] = v[a];
	/* [a + 1, left): less; [left, gap): not less; *gap may be overwritten. */
	left = gap = v + a + 1;
	hole = *gap;
	for (PDQ_T *r = gap + 1; r < end; r++) {
		PDQ_T x = *r;

		*gap = *left;
		*left = x;
		gap = r;
		left += PDQ_BEFORE(c, x, p);
	}
	*gap = *left;
	*left = hole;
	left += PDQ_BEFORE(c, hole, p);
	v[a] = left[-1];
	left[-1] = p;
	return (size_t)(left - 1 - v);
}

#else

static void PDQ(insertion)(PDQ_CTX v, size_t a, size_t b)
{
	for (size_t i = a + 1; i < b; i++)
		for (size_t j = i; j > a && PDQ_LESS(v, j, j - 1); j--)
			PDQ_SWAP(v, j, j - 1);
}

static size_t PDQ(partition)(PDQ_CTX v, size_t a, size_t b, size_t pivot)
{
	size_t i = a + 1, j = b - 1;

	PDQ_SWAP(v, a, pivot);
	for (;;) {
		while (i <= j && PDQ_LESS(v, i, a))
			i++;
		while (i <= j && !PDQ_LESS(v, j, a))
			j--;
		if (i > j)
			break;
		PDQ_SWAP(v, i, j);
		i++;
		j--;
	}
	PDQ_SWAP(v, a, j);
	return j;
}

#endif

/* The pivot is the least: those equal to it go to the front; returns behind them. */
static size_t PDQ(partition_equal)(PDQ_CTX v, size_t a, size_t b, size_t pivot)
{
	size_t i = a + 1, j = b - 1;

	PDQ_SWAP(v, a, pivot);
	for (;;) {
		while (i <= j && !PDQ_LESS(v, a, i))
			i++;
		while (i <= j && PDQ_LESS(v, a, j))
			j--;
		if (i > j)
			return i;
		PDQ_SWAP(v, i, j);
		i++;
		j--;
	}
}

static void PDQ(sift_down)(PDQ_CTX v, size_t first, size_t root, size_t n)
{
	for (size_t child; (child = 2 * root + 1) < n; root = child) {
		if (child + 1 < n && PDQ_LESS(v, first + child, first + child + 1))
			child++;
		if (!PDQ_LESS(v, first + root, first + child))
			return;
		PDQ_SWAP(v, first + root, first + child);
	}
}

static NOINLINE void PDQ(heap_sort)(PDQ_CTX v, size_t a, size_t b)
{
	size_t n = b - a;

	for (size_t i = n / 2; i-- > 0;)
		PDQ(sift_down)(v, a, i, n);
	for (size_t i = n; i-- > 1;) {
		PDQ_SWAP(v, a, a + i);
		PDQ(sift_down)(v, a, 0, i);
	}
}

/* Mends up to 5 places that are out of order; true if all is in order then. */
static bool PDQ(partial_insertion)(PDQ_CTX v, size_t a, size_t b)
{
	size_t i = a + 1;

	for (int steps = 0; steps < 5; steps++) {
		while (i < b && !PDQ_LESS(v, i, i - 1))
			i++;
		if (i == b)
			return true;
		if (b - a < 50)
			return false;
		PDQ_SWAP(v, i, i - 1);
		for (size_t j = i - 1; j > a && PDQ_LESS(v, j, j - 1); j--)
			PDQ_SWAP(v, j, j - 1);
		for (size_t j = i + 1; j < b && PDQ_LESS(v, j, j - 1); j++)
			PDQ_SWAP(v, j, j - 1);
	}
	return false;
}

/* Index of the median of three; *swaps counts how far they were from in order. */
static size_t PDQ(median)(PDQ_CTX v, size_t i, size_t j, size_t k, unsigned *swaps)
{
	size_t t;

	if (PDQ_LESS(v, j, i))
		t = i, i = j, j = t, ++*swaps;
	if (PDQ_LESS(v, k, j))
		t = j, j = k, k = t, ++*swaps;
	if (PDQ_LESS(v, j, i))
		t = i, i = j, j = t, ++*swaps;
	return j;
}

static size_t PDQ(choose_pivot)(PDQ_CTX v, size_t a, size_t b, unsigned *swaps)
{
	size_t n = b - a, i = a + n / 4, j = a + n / 4 * 2, k = a + n / 4 * 3;

	*swaps = 0;
	if (n >= 50) {
		i = PDQ(median)(v, i - 1, i, i + 1, swaps);
		j = PDQ(median)(v, j - 1, j, j + 1, swaps);
		k = PDQ(median)(v, k - 1, k, k + 1, swaps);
	}
	return PDQ(median)(v, i, j, k, swaps);
}

static void PDQ(reverse)(PDQ_CTX v, size_t a, size_t b)
{
	for (; a + 1 < b; a++, b--)
		PDQ_SWAP(v, a, b - 1);
}

/* Moves three elements of the middle elsewhere: patterns that led to a bad
 * pivot end here. */
static void PDQ(break_patterns)(PDQ_CTX v, size_t a, size_t b)
{
	size_t n = b - a, middle = a + n / 4 * 2;
	uint64_t random = n;

	for (size_t i = middle - 1; i <= middle + 1; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		PDQ_SWAP(v, i, a + random % n);
	}
}

static void PDQ(sort)(PDQ_CTX v, size_t a, size_t b, unsigned limit)
{
	bool balanced = true;

	for (;;) {
		size_t n = b - a, pivot, mid;
		unsigned swaps;

		if (n <= PDQ_INSERTION) {
			PDQ(insertion)(v, a, b);
			return;
		}
		if (limit == 0) {
			PDQ(heap_sort)(v, a, b);
			return;
		}
		if (!balanced) {
			PDQ(break_patterns)(v, a, b);
			limit--;
		}
		pivot = PDQ(choose_pivot)(v, a, b, &swaps);
		if (swaps == 12) { /* all descending */
			PDQ(reverse)(v, a, b);
			pivot = b - 1 - (pivot - a);
			swaps = 0;
		}
		if (balanced && swaps == 0 && PDQ(partial_insertion)(v, a, b))
			return;
		if (a > 0 && !PDQ_LESS(v, a - 1, pivot)) {
			a = PDQ(partition_equal)(v, a, b, pivot);
			continue;
		}
		mid = PDQ(partition)(v, a, b, pivot);
		if (mid - a < b - mid) {
			balanced = mid - a >= n / 8;
			PDQ(sort)(v, a, mid, limit);
			a = mid + 1;
		} else {
			balanced = b - mid >= n / 8;
			PDQ(sort)(v, mid + 1, b, limit);
			b = mid;
		}
	}
}

#undef PDQ
#undef PDQ_CTX
#undef PDQ_LESS
#undef PDQ_SWAP
#undef PDQ_T
#undef PDQ_BASE
#undef PDQ_BEFORE
#undef PDQ_INSERTION
