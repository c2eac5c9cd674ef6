/* whyalive.c: the unit test as an app, whose output tests/system/whyalive.py reads. */
#include "../../../unit/whyalive.c"
