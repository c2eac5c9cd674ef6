/* numa.c: what a program can ask about memory nodes.  mheap.c acts on them. */
#include "api_mem.h"
#include "heap.h"

int num_nodes(void)
{
	return (int)plat_nnodes;
}

int memory_node(const void *p)
{
	uintptr_t off = (uintptr_t)p - mheap.lo;
	return off >> PAGE_SHIFT < mheap.npages ? (int)page_node((uint32_t)(off >> PAGE_SHIFT)) : 0;
}

int core_node(void)
{
	struct g *g = preempt_off();
	int node = (int)rt_self.p->node;
	preempt_on(g);
	return node;
}
