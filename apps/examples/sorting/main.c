/* Sorting: numbers, words, structures by one member and stably by another; then searching. */
#include "ingot.h"

typedef struct person {
	string name;
	int age;
} person;
declare_slice(person);

static int by_name_down(const person *a, const person *b)
{
	return string_cmp(b->name, a->name);
}

static int by_age(const person *a, const person *b)
{
	return a->age - b->age;
}

int main(void)
{
	slice(int) numbers = slice_lit(int, 5, 2, 8, 1, 9, 3);
	size_t i;
	sort(numbers);
	binary_search(numbers, 8, &i);
	println("%s 8 is at %zu", fmt_v(numbers), i);
	slice(string) words = slice_lit(string, S("pear"), S("apple"), S("fig"));
	sort(words);
	println("%s %s", fmt_v(words), fmt_v(is_sorted(words)));

	person all[] = { { S("Ada"), 36 }, { S("Ken"), 79 }, { S("Rob"), 36 }, { S("Ann"), 25 } };
	slice(person) people = slice_from_array(person, all, 4);
	sort_func(people, by_name_down);
	print_value(people);
	sort_stable_func(people, by_age);
	print_value(people);
	return 0;
}
