/* boot.c: what a program can ask about the machine it was booted on. */
#include "rt.h"
#include "api_value.h"

size_t memory_total(void)
{
	return plat_memory_total();
}

unsigned boot_files(void)
{
	return plat_nmodules();
}

struct boot_file boot_file(unsigned i)
{
	if (i >= plat_nmodules())
		rt_panic_index(i, plat_nmodules(), true);

	struct plat_module m = plat_module(i);
	const char *name = m.name ? m.name : "";

	return (struct boot_file){
		.name = { name, strlen(name) },
		.data = { (byte *)m.data, m.len, m.len },
	};
}
