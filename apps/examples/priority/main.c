/* A heap: a queue of jobs from which the most urgent one comes first. */
#include "ingot.h"

typedef struct job {
	int urgency;
	string name;
} job;
declare_slice(job);

static bool more_urgent(const job *a, const job *b)
{
	return a->urgency > b->urgency;
}

int main(void)
{
	slice(job) q = slice_lit(job, ((job){ 2, S("water the plants") }), ((job){ 9, S("put out the fire") }),
	                         ((job){ 4, S("answer the mail") }));
	heap_init(&q, more_urgent);
	heap_push(&q, ((job){ 7, S("answer the phone") }), more_urgent);
	while (len(q) > 0) {
		job j = heap_pop(&q, more_urgent);
		println("%d %s", j.urgency, j.name);
	}
	return 0;
}
