#!/usr/bin/python3
"""Programs that must not compile.

Each case is a statement that must be refused, with a message that matches, and
its right form, which must compile: so that the refusal has the right reason."""

import glob
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

PRELUDE = """
#include "ingot.h"
struct point { int x, y; };
typedef struct point point;
declare_slice(point);
declare_list(int);
declare_list(point);
declare_ring(int);
struct other { long a; };
static void takes(int a, char *b) { (void)a; (void)b; }
static void end_point(struct point *p) { (void)p; }
static struct other *make_other(void) { return 0; }
static uint64 point_hash(const struct point *p, uint64 seed) { return (uint64)p->x + seed; }
static bool point_equal(const struct point *a, const struct point *b) { return a->x == b->x; }
static uint64 other_hash(const struct other *p, uint64 seed) { return (uint64)p->a + seed; }
static int by_long(const long *a, const long *b) { return *a < *b ? -1 : *a > *b; }
static bool int_less(const int *a, const int *b) { return *a < *b; }
static bool point_less(const point *a, const point *b) { return a->x < b->x; }
static int by_int(const int *a, const int *b) { return *a < *b ? -1 : *a > *b; }
typedef struct code_error { error_head head; int code; } code_error;
static string code_text(error e) { (void)e; return S("code"); }
static define_error_type(code_error, .text = code_text);
static struct point get_point(void) { return (struct point){ 0 }; }
static bool is_odd(int x, int y) { return (x + y) & 1; }
static bool no_int(char *p) { return !p; }
static error fails(int a) { return a ? errors_new(S("failed")) : NULL; }
int main(void)
{
	chan(int) ci = make_chan(int, 1);
	chan(char *) cs = make_chan(char *, 1);
	chan(struct point) cp = make_chan(struct point, 1);
	slice(int) si = make_slice(int, 1);
	slice(byte) sb = make_slice(byte, 1);
	map(string, int) m = make_map(string, int);
	map(struct point, int) mp = make_map(struct point, int);
	map(int, struct point) mi = make_map(int, struct point);
	sync_map(string, int) sm = make_sync_map(string, int);
	sync_map(int, struct point) sp = make_sync_map(int, struct point);
	static context_key(int) key;
	map(struct point, int) mf = make_map_func(struct point, int, point_hash, point_equal);
	task_group g = { 0 };
	slice(point) spt = { 0 };
	list_of(int) li = { 0 };
	list_of(point) lp = { 0 };
	ring_of(int) *ri = 0;
	pvector(int) vi = make_pvector(int);
	pvector(char *) vs = make_pvector(char *);
	pmap(string, int) pm = make_pmap(string, int);
	pmap(struct point, int) pp = make_pmap(struct point, int);
	list_element_of(int) *le = 0;
	size_t u = 0;
	struct point p = { 1, 2 };
	struct other o = { 3 };
	char *text = 0;
	int i = 0;
	error err = NULL;
	string str = S("a");
	int64 n;
	double d;
	struct { string name; } *tree = 0;
	(void)str; (void)n; (void)d;
	(void)end_point; (void)ci; (void)cs; (void)cp; (void)si; (void)m; (void)p; (void)o; (void)text; (void)i;
	(void)sb; (void)make_other; (void)mp; (void)fails; (void)sm; (void)sp; (void)g;
	(void)key; (void)mi; (void)mf; (void)other_hash; (void)by_long; (void)by_int; (void)spt; (void)u;
	(void)err; (void)tree; (void)get_point;
	(void)li; (void)lp;
	(void)ri; (void)le; (void)vi; (void)vs; (void)pm; (void)pp; (void)int_less; (void)point_less;
	%s
	return 0;
}
"""

# name, what must be refused, its right form, what the message must match
CASES = [
    ("set_finalizer of another type", "set_finalizer(&o, end_point);", "set_finalizer(&p, end_point);", "incompatible"),
    ("add_cleanup with another argument", "add_cleanup(&p, takes, text, text);",
     "cleanup c = add_cleanup(&p, takes, 1, text); (void)c;", "int"),
    ("weak pointer to another type", "weak(struct other) w = weak_make(&p); (void)w;",
     "weak(struct point) w = weak_make(&p); (void)w;", "incompatible"),
    ("send pointer to chan of int", "send(ci, text);", "send(ci, i);", "int"),
    ("send int to chan of pointer", "send(cs, 5);", "send(cs, text);", "int"),
    ("send another struct", "send(cp, o);", "send(cp, p);", "incompatible|invalid|initializ"),
    ("recv into another type", "recv(ci, &text);", "recv(ci, &i);", "incompatible"),
    ("assign a chan of another type", "ci = cs;", "ci = make_chan(int);", "incompatible"),
    ("append pointer to slice of int", "si = append(si, text);", "si = append(si, i);", "int"),
    ("append another struct", "si = append(si, o);", "si = append(si, i);", "incompatible|invalid|initializ"),
    ("map_set with another value", "map_set(m, S(\"a\"), text);", "map_set(m, S(\"a\"), i);", "int"),
    ("map_get with another key", "map_get(m, 5);", "map_get(m, S(\"a\"));", "key|incompatible|invalid"),
    ("append a struct's members", "slice(string) v = append((slice(string)){}, text, 3);",
     "slice(string) v = append((slice(string)){}, S(\"a\"));", "incompatible|invalid|initializ"),
    ("append a fraction to a slice of int", "si = append(si, 1.5);", "si = append(si, (int)1.5);", "floating"),
    ("append_slice of another type", "si = append_slice(si, sb);", "si = append_slice(si, si);", "element types"),
    ("append_slice of a string to ints", "si = append_slice(si, S(\"a\"));",
     "sb = append_slice(sb, S(\"a\"));", "element types"),
    ("copy from another type", "copy(sb, si);", "copy(sb, S(\"a\"));", "element types"),
    ("assign a slice of another type", "si = sb;", "si = make_slice(int, 2);", "incompatible"),
    ("cap of a string", "i = (int)cap(S(\"a\"));", "i = (int)cap(si);", "cap:"),
    ("cap of a map", "i = (int)cap(m);", "i = (int)cap(ci);", "cap:"),
    ("len of a C string", "i = (int)len(text);", "i = (int)len(cstring(text));", "."),
    ("S of a variable", "string s = S(text);", "string s = cstring(text);", "expected"),
    ("change a string's byte", "at(S(\"a\"), 0) = 'b';", "at(sb, 0) = 'b';", "read-only"),
    ("map_set with a fraction", "map_set(m, S(\"a\"), 1.5);", "map_set(m, S(\"a\"), 1);", "floating"),
    ("map_set with another struct", "map_set(mi, 1, o);", "map_set(mi, 1, p);", "incompatible|invalid|initializ"),
    ("map_set with another key", "map_set(m, 1, 1);", "map_set(m, S(\"a\"), 1);", "key|incompatible|invalid"),
    ("map_lookup into another type", "map_lookup(m, S(\"a\"), &text);", "map_lookup(m, S(\"a\"), &i);", "incompatible"),
    ("a struct key of another type", "i = map_get(mp, o);", "i = map_get(mp, p);", "key"),
    ("a fraction as an int key", "p = map_get(mi, 1.5);", "p = map_get(mi, 1);", "floating"),
    ("a pointer as an int key", "p = map_get(mi, text);", "p = map_get(mi, i);", "int"),
    ("delete with another key", "delete(m, 5);", "delete(m, S(\"a\"));", "key|incompatible|invalid"),
    ("assign a map of another type", "m = make_map(string, long);", "m = make_map(string, int);", "incompatible"),
    ("make_map_func with a hash of another type", "mf = make_map_func(struct point, int, other_hash, point_equal);",
     "mf = make_map_func(struct point, int, point_hash, point_equal);", "incompatible"),
    ("make_map_func of ints", "mi = make_map_func(int, struct point, point_hash, point_equal);",
     "mp = make_map_func(struct point, int, point_hash, point_equal);", "structure"),
    ("map_keys of another type", "sb = map_keys(byte, m);", "slice(string) ks = map_keys(string, m); (void)ks;", "key type"),
    ("map_values of another type", "sb = map_values(byte, m);", "si = map_values(int, m);", "value type"),
    ("map_equal of another map", "i = map_equal(m, mi);", "i = map_equal(m, m);", "incompatible"),
    ("map_equal of struct values", "i = map_equal(mi, mi);", "i = map_equal(m, m);", "compared"),
    ("map_copy from another map", "map_copy(m, mi);", "map_copy(m, m);", "incompatible"),
    ("map_clone to another map", "m = map_clone(mi);", "m = map_clone(m);", "incompatible"),
    ("for_map over a struct key without its type", "for_map(k, v, mp) { }", "for_map_of(struct point, k, v, mp) { }", "is no basic type"),
    ("for_map_of another key type", "for_map_of(struct other, k, v, mp) { }",
     "for_map_of(struct point, k, v, mp) { }", "not such a map"),
    ("sort structs", "sort(spt);", "sort(si);", "association"),
    ("sort_func with a comparison of another type", "sort_func(si, by_long);", "sort_func(si, by_int);", "incompatible"),
    ("sort_stable_func with a comparison of another type", "sort_stable_func(spt, by_int);", "sort_stable_func(si, by_int);",
     "incompatible"),
    ("binary_search for another type", "binary_search(si, text, &u);", "binary_search(si, 1, &u);", "int"),
    ("binary_search_func with a comparison of another type", "binary_search_func(si, &i, by_long, &u);",
     "binary_search_func(si, &i, by_int, &u);", "incompatible"),
    ("min of structs", "p = min(p, p);", "i = min(i, 1);", "association"),
    ("max of signed and unsigned", "i = (int)max(i, u);", "i = max(i, 2);", "signed"),
    ("slice_min of structs", "p = slice_min(spt);", "i = slice_min(si);", "association"),
    ("list_push_back of another type", "list_push_back(&li, text);", "list_push_back(&li, i);", "int"),
    ("list_push_front of another struct", "list_push_front(&lp, o);", "list_push_front(&lp, p);", "incompatible|invalid"),
    ("list_remove from another list", "list_remove(&lp, le);", "list_remove(&li, le);", "incompatible"),
    ("list_move_to_back in another list", "list_move_to_back(&lp, le);", "list_move_to_back(&li, le);", "incompatible"),
    ("list_push_back_list of another type", "list_push_back_list(&li, &lp);", "list_push_back_list(&li, &li);", "incompatible"),
    ("a ring of another type", "ri = le;", "ri = new_ring(int, 3);", "incompatible"),
    ("ring_link with another type", "ring_link(ri, le);", "ring_link(ri, ri);", "incompatible"),
    ("heap_push of another type", "heap_push(&si, text, int_less);", "heap_push(&si, i, int_less);", "int"),
    ("heap_pop with another order", "heap_pop(&si, point_less);", "heap_pop(&si, int_less);", "incompatible"),
    ("assign a pvector of another type", "vi = vs;", "vi = make_pvector(int);", "incompatible"),
    ("pvector_push of another type", "vi = pvector_push(vi, text);", "vi = pvector_push(vi, i);", "int"),
    ("pvector_set of a fraction", "vi = pvector_set(vi, 0, 1.5);", "vi = pvector_set(vi, 0, 1);", "floating"),
    ("change an element of a pvector", "for_pvector(k, q, vi) *q = 1;", "for_pvector(k, q, vi) i = *q;", "read-only"),
    ("pvector_slice of another type", "sb = pvector_slice(byte, vi);", "si = pvector_slice(int, vi);", "incompatible"),
    ("pvector_get of a slice", "i = pvector_get(si, 0);", "i = pvector_get(vi, 0);", "."),
    ("pmap_set with another key", "pm = pmap_set(pm, 1, 1);", "pm = pmap_set(pm, S(\"a\"), 1);", "key|incompatible|invalid"),
    ("pmap_set of another value", "pm = pmap_set(pm, S(\"a\"), text);", "pm = pmap_set(pm, S(\"a\"), i);", "int"),
    ("pmap_get with another struct", "i = pmap_get(pp, o);", "i = pmap_get(pp, p);", "key"),
    ("assign a pmap to a map", "m = pm;", "pm = pmap_delete(pm, S(\"a\"));", "incompatible"),
    ("for_pmap_of another key type", "for_pmap_of(struct other, k, v, pp) { }", "for_pmap_of(struct point, k, v, pp) { }",
     "not such a map"),
    ("hex_encode of ints", "str = hex_encode(si);", "str = hex_encode(sb);", "not bytes"),
    ("drop hex_decode's error", "hex_decode(str, &sb);", "err = hex_decode(str, &sb);", "unused|ignoring"),
    ("drop time_parse's error", "datetime t; time_parse(RFC3339, str, &t);", "datetime t; err = time_parse(RFC3339, str, &t);",
     "unused|ignoring"),
    ("crc32 of ints", "u = crc32_ieee(si);", "u = crc32_ieee(sb);", "not bytes"),
    ("defer with too few arguments", "defer(takes, 1);", "defer(takes, 1, text);", "too few"),
    ("defer with another type", "defer(takes, text, text);", "defer(takes, 1, text);", "int"),
    ("defer as the body of an if", "if (i) defer(takes, 1, text);", "if (i) { defer(takes, 1, text); }", "."),
    ("panic with a wrong format", "panic(1);", "panic(\"%d\", 1);", "pointer|int"),
    ("go with too few arguments", "go(takes, 1);", "go(takes, 1, text);", "too few"),
    ("go with too many arguments", "go(takes, 1, text, 2);", "go(takes, 1, text);", "too many"),
    ("go with another type", "go(takes, 1, 2);", "go(takes, 1, text);", "int"),
    ("go_stack with another type", "go_stack(1 << 20, takes, 1, 2);", "go_stack(1 << 20, takes, 1, text);", "int"),
    ("go_stack without a size", "go_stack(takes, 1, text);", "go_stack(1 << 20, takes, 1, text);", ""),
    ("len of an int", "i = (int)len(i);", "i = (int)len(si);", "."),
    ("atomic_add to a pointer", "atomic_add(&text, 1);", "atomic_add(&i, 1);", "integers only"),
    ("atomic_load of a struct", "atomic_load(&o);", "atomic_load(&i);", "atomic:"),
    ("atomic_load of a short", "short s = 0; atomic_load(&s);", "long s = 0; atomic_load(&s);", "atomic:"),
    ("atomic_store of a pointer to an int", "atomic_store(&i, text);", "atomic_store(&i, 1);", "int"),
    ("atomic_store of a fraction", "atomic_store(&i, 1.5);", "atomic_store(&i, 1);", "floating"),
    ("atomic_compare_and_swap with another pointer", "atomic_compare_and_swap(&text, &i, 0);",
     "atomic_compare_and_swap(&text, text, NULL);", "incompatible"),
    ("pool_put of another type", "pool(int) q = make_pool(int, 0); pool_put(q, text);",
     "pool(int) q = make_pool(int, 0); pool_put(q, &i);", "incompatible"),
    ("a pool with a maker of another type", "pool(struct point) q = make_pool(struct point, make_other);",
     "pool(struct other) q = make_pool(struct other, make_other);", "incompatible"),
    ("assign a pool of another type", "pool(int) q; q = make_pool(char, NULL);", "pool(int) q; q = make_pool(int, NULL);",
     "incompatible"),
    ("len of a pool", "pool(int) q = make_pool(int, 0); i = (int)len(q);", "i = (int)len(si);", "."),
    ("sync_map_store with another key", "sync_map_store(sm, text, 1);", "sync_map_store(sm, S(\"a\"), 1);",
     "key|incompatible|invalid"),
    ("sync_map_store of another value", "sync_map_store(sm, S(\"a\"), text);", "sync_map_store(sm, S(\"a\"), i);", "int"),
    ("sync_map_load into another type", "sync_map_load(sm, S(\"a\"), &text);", "sync_map_load(sm, S(\"a\"), &i);",
     "incompatible"),
    ("map_get of a sync_map", "i = map_get(sm, S(\"a\"));", "i = map_get(m, S(\"a\"));", "."),
    ("assign a sync_map of another type", "sm = make_sync_map(string, long);", "sm = make_sync_map(string, int);",
     "incompatible"),
    ("sync_map with fractional keys", "(void)make_sync_map(double, int);", "(void)make_sync_map(long, int);", "floating"),
    ("sync_map_compare_and_swap of structs", "sync_map_compare_and_swap(sp, 1, p, p);", "sync_map_swap(sp, 1, p, &p);",
     "compared"),
    ("context_with_value of another type", "context_with_value(context_todo(), &key, text);",
     "context_with_value(context_todo(), &key, &i);", "incompatible"),
    ("context_value as another type", "text = context_value(context_todo(), &key);",
     "int *q = context_value(context_todo(), &key); (void)q;", "incompatible"),
    ("task_group_go of what returns no error", "task_group_go(&g, takes, 1, text);", "task_group_go(&g, fails, 1);", "void"),
    ("task_group_go with another type", "task_group_go(&g, fails, text);", "task_group_go(&g, fails, 1);", "int"),
    ("an index that is a fraction", "i = at(si, 1.5);", "i = at(si, 1);", "integer"),
    ("an index that is a pointer", "i = at(si, text);", "i = at(si, i);", "integer"),
    ("a bound that is a fraction", "si = slice_of(si, 0, 1.0);", "si = slice_of(si, 0, 1);", "integer"),
    ("a length that is a fraction", "si = make_slice(int, 1.5);", "si = make_slice(int, 1);", "floating"),
    ("slice_of3 of a string", "str = slice_of3(str, 0, 1, 1);", "str = slice_of(str, 0, 1);", "not for strings"),
    ("slice_from_array of another type", "si = slice_from_array(int, text, 1);", "si = slice_from_array(int, &i, 1);",
     "incompatible"),
    ("slice_to_array of another type", "long a[2]; slice_to_array(a, si);", "int a[2]; slice_to_array(a, si);",
     "element types"),
    ("slice_to_array to a pointer", "int *a = &i; slice_to_array(a, si);", "int a[2]; slice_to_array(a, si);", "not an array"),
    ("slices_index of another type", "i = (int)slices_index(si, text);", "i = (int)slices_index(si, 5);", "int"),
    ("slices_index of structures", "slice(point) v = {}; i = (int)slices_index(v, p);",
     "slice(string) v = {}; i = (int)slices_index(v, str);", "without =="),
    ("slices_index_func with another function", "i = (int)slices_index_func(si, no_int);",
     "i = (int)slices_index_func(si, is_odd, 1);", "int"),
    ("slices_index_func with too few arguments", "i = (int)slices_index_func(si, is_odd);",
     "i = (int)slices_index_func(si, is_odd, 1);", "too few"),
    ("slices_equal of two types", "i = slices_equal(si, sb);", "i = slices_equal(si, si);", "element types"),
    ("slices_insert of another type", "si = slices_insert(si, 0, text);", "si = slices_insert(si, 0, 1, 2);", "int"),
    ("slices_replace with another type", "si = slices_replace(si, 0, 1, sb);", "si = slices_replace(si, 0, 1, si);",
     "element types"),
    ("slices_concat of two types", "si = slices_concat(si, sb);", "si = slices_concat(si, si);", "invalid|incompatible"),
    ("an error that is not looked at", "strconv_atoi(str, &n);", "errors_ignore(strconv_atoi(str, &n));", "unused|warn_unused"),
    ("an error cast to void", "(void)strconv_atoi(str, &n);", "must(strconv_atoi(str, &n));", "unused|warn_unused"),
    ("a new error that is not used", "errorf(\"%d\", 1);", "err = errorf(\"%d\", 1);", "unused|warn_unused"),
    ("task_group_wait without a look at its error", "task_group_wait(&g);", "err = task_group_wait(&g);",
     "unused|warn_unused"),
    ("an error of a C string", "err = \"text\";", "err = errors_new(S(\"text\"));", "incompatible"),
    ("a number parsed into another type", "err = strconv_atoi(str, &d);", "err = strconv_parse_float(str, 64, &d);",
     "incompatible"),
    ("errors_as of another type", "const struct point *q; i = errors_as(err, code_error, &q);",
     "const code_error *q; i = errors_as(err, code_error, &q);", "incompatible"),
    ("an error type without a head", "typedef struct bare { int x; error_head head; } bare; static define_error_type(bare);",
     "typedef struct bare { error_head head; } bare; static define_error_type(bare); (void)bare_type;", "begins with"),
    ("change an error", "((error)err)->type = NULL;", "err = NULL;", "read-only"),
    ("print an int as a string", "print(\"%s\", i);", "print(\"%d\", i);", "format"),
    ("print a string as an int", "print(\"%d\", str);", "print(\"%s\", str);", "format"),
    ("print an error as an int", "print(\"%d\", err);", "print(\"%s\", err);", "format"),
    ("print a string as a pointer", "print(\"%ld\", str);", "print(\"%s\", str);", "format"),
    ("print a structure", "print(\"%s\", p);", "print(\"%d\", p.x);", "format"),
    ("print with too few arguments", "print(\"%s %d\", str);", "print(\"%s %d\", str, i);", "format"),
    ("print with too many arguments", "print(\"%s\", str, i);", "print(\"%s %d\", str, i);", "format"),
    ("println with an unknown conversion", "println(\"%y\", i);", "println(\"%x\", i);", "format"),
    ("println with a variable as its format", "println(text);", "println(\"%s\", cstr(str));", "expected"),
    ("sprint of a long as an int", "str = sprint(\"%d %s\", n, str);", "str = sprint(\"%ld %s\", n, str);", "format"),
    ("errorf with a wrong format", "err = errorf(\"%d\", errors_wrap(err));", "err = errorf(\"%s\", errors_wrap(err));",
     "format"),
    ("builder_printf with a wrong format", "builder b = {}; builder_printf(&b, \"%d\", text);",
     "builder b = {}; builder_printf(&b, \"%s\", cstr(str));", "format"),
    ("STR of what has a side effect", "print(\"%.*s\", STR(tree++->name));", "print(\"%.*s\", STR(tree->name));",
     "side effect"),
    ("STR of a call", "print(\"%.*s\", STR(concat(str, str)));", "print(\"%.*s\", STR(str));", "lvalue"),
    ("io_copy without a look at its error", "io_copy(os_stdout, strings_new_reader(str), &n);",
     "err = io_copy(os_stdout, strings_new_reader(str), &n);", "unused|warn_unused"),
    ("io_printf without a look at its error", "io_printf(os_stdout, \"%d\", i);", "err = io_printf(os_stdout, \"%d\", i);",
     "unused|warn_unused"),
    ("io_printf with a wrong format", "err = io_printf(os_stdout, \"%d\", str);", "err = io_printf(os_stdout, \"%s\", str);",
     "format"),
    ("a reader as a writer", "err = io_copy(strings_new_reader(str), strings_new_reader(str), &n);",
     "err = io_copy(io_discard, strings_new_reader(str), &n);", "incompatible"),
    ("write a string as bytes", "err = io_write(os_stdout, str, NULL);", "err = io_write_string(os_stdout, str);",
     "incompatible"),
    ("bytes of a string", "i = bytes_contains(str, sb);", "i = bytes_contains(bytes_of(str), sb);", "incompatible"),
    ("a split that is none", "bufio_scanner_split(bufio_new_scanner(strings_new_reader(str)), is_odd);",
     "bufio_scanner_split(bufio_new_scanner(strings_new_reader(str)), bufio_scan_words);", "incompatible"),
    ("buffer_printf with a wrong format", "bytes_buffer b = {}; buffer_printf(&b, \"%d\", err);",
     "bytes_buffer b = {}; buffer_printf(&b, \"%s\", err);", "format"),
    ("panic with a string as an int", "panic(\"%d\", str);", "panic(\"%s\", str);", "format"),
    ("close of a slice", "close(si);", "close(ci);", "."),
]

# The rest of the public header, in its order.
CASES += [
    ("an index that is a pointer", "at(si, text);", "at(si, i);", "integer|binary"),
    ("an index that is a fraction", "at(si, 1.5);", "at(si, 1);", "integer"),
    ("make_slice with a fraction", "si = make_slice(int, 1.5);", "si = make_slice(int, 1);", "integer"),
    ("make_slice with a pointer as capacity", "si = make_slice(int, 1, text);", "si = make_slice(int, 1, i);", "integer"),
    ("make_slice of another type", "si = make_slice(byte, 1);", "si = make_slice(int, 1);", "incompatible"),
    ("make_slice of a type without slices", "make_slice(struct other, 1);", "make_slice(int, 1);", "."),
    ("slice_lit of another type", "si = slice_lit(int, text);", "si = slice_lit(int, 1);", "int"),
    ("slice_of with a pointer", "si = slice_of(si, text, 1);", "si = slice_of(si, 0, 1);", "integer"),
    ("slice_from with a fraction", "si = slice_from(si, 0.5);", "si = slice_from(si, 0);", "integer"),
    ("slice_to with a fraction", "si = slice_to(si, 0.5);", "si = slice_to(si, 0);", "integer"),
    ("slice_of3 with a pointer", "si = slice_of3(si, 0, 0, text);", "si = slice_of3(si, 0, 0, 0);", "integer"),
    ("slice_of of a map", "slice_of(m, 0, 1);", "slice_of(si, 0, 1);", "."),
    ("slice_from_array of another type", "si = slice_from_array(int, text, 1);", "si = slice_from_array(int, &i, 1);", "incompatible"),
    ("for_slice over a map", "for_slice(k, v, m) { }", "for_slice(k, v, si) { }", "."),
    ("string_of an int", "string_of(i);", "string_of(text);", "."),
    ("concat of a C string", "concat(S(\"a\"), text);", "concat(S(\"a\"), cstring(text));", "incompatible|invalid|initializ"),
    ("for_rune over bytes", "for_rune(k, r, sb) { }", "for_rune(k, r, string_view(sb)) { }", "incompatible|invalid|initializ"),
    ("map_has with another key", "map_has(m, 5);", "map_has(m, S(\"a\"));", "key|incompatible|invalid"),
    ("map_find with another key", "map_find(m, 5);", "map_find(m, S(\"a\"));", "key|incompatible|invalid"),
    ("map_find as another type", "text = map_find(m, S(\"a\"));", "int *q = map_find(m, S(\"a\")); (void)q;", "incompatible"),
    ("map_at with another key", "map_at(m, 5)++;", "map_at(m, S(\"a\"))++;", "key|incompatible|invalid"),
    ("map_lookup into another type", "map_lookup(m, S(\"a\"), &text);", "map_lookup(m, S(\"a\"), &i);", "incompatible"),
    ("map_clear of a slice", "map_clear(si);", "map_clear(m);", "."),
    ("for_map over a slice", "for_map(k, v, si) { }", "for_map(k, v, m) { }", "."),
    ("map_set of a channel", "map_set(ci, S(\"a\"), 1);", "map_set(m, S(\"a\"), 1);", "."),
    ("panic_value with a wrong format", "panic_value(&i, \"%s\", 5, 6);", "panic_value(&i, \"%d\", 5);", "." ),
    ("panic_value of an int", "panic_value(i, \"x\");", "panic_value(&i, \"x\");", "int"),
    ("recover as a C string", "text = recover();", "const panicked *r = recover(); (void)r;", "incompatible"),
    ("deep_equal of different types", "deep_equal(p, o);", "deep_equal(p, p);", "types differ"),
    ("deep_equal of an int and a long", "deep_equal(i, 5L);", "deep_equal(i, 5);", "types differ"),
    ("fmt_v as a C string", "text = fmt_v(p);", "string s = fmt_v(p); (void)s;", "incompatible"),
    ("fmt_v of void", "fmt_v(takes(1, text));", "fmt_v(i);", "void"),
    ("panicked_as of a string", "panicked_as(text, int);", "panicked_as(recover(), int);", "incompatible"),
    ("panicked_as into another type", "text = panicked_as(recover(), int);", "int *q = panicked_as(recover(), int); (void)q;", "incompatible"),
    ("new with another member type", "new(struct point, .x = text);", "new(struct point, .x = i);", "int"),
    ("new with a member that is not there", "new(struct point, .z = 1);", "new(struct point, .x = 1);", "no member"),
    ("new as another type", "text = new(struct point);", "struct point *q = new(struct point); (void)q;", "incompatible"),
    ("for_recv over a slice", "for_recv(v, si) { }", "for_recv(v, ci) { }", "."),
    ("make_chan with a pointer", "ci = make_chan(int, text);", "ci = make_chan(int, i);", "int"),
    ("select: send of another type", "select { case_send(ci, text) { } }", "select { case_send(ci, i) { } }", "int"),
    ("select: receive into another type", "select { case_recv(ci, &text) { } }", "select { case_recv(ci, &i) { } }", "incompatible"),
    ("select: ok that is no bool", "select { case_recv_ok(ci, &i, &text) { } }", "bool b; select { case_recv_ok(ci, &i, &b) { } }",
     "incompatible"),
    ("select on a slice", "select { case_recv(si, &i) { } }", "select { case_recv(ci, &i) { } }", "."),
    ("send on a pointer", "send(text, 1);", "send(ci, 1);", "."),
    ("go of an int", "go(i);", "go(takes, 1, text);", "."),
    ("go with a fraction for an int", "go(by_int, 1.5, &i);", "go(by_int, &i, &i);", "incompatible"),
    ("defer with too many arguments", "defer(takes, 1, text, 2);", "defer(takes, 1, text);", "too many"),
    ("sleep without a number", "sleep(text);", "sleep(Second);", "int"),
    ("after of a pointer", "after(text);", "after(Second);", "int"),
    ("mutex_lock of an int", "mutex_lock(&i);", "static mutex mu; mutex_lock(&mu);", "incompatible"),
    ("atomic_swap of a pointer for an int", "atomic_swap(&i, text);", "atomic_swap(&i, 1);", "int"),
    ("atomic_and with a fraction", "atomic_and(&i, 1.5);", "atomic_and(&i, 1);", "floating|integers"),
    ("atomic_or of a pointer", "atomic_or(&text, 1);", "atomic_or(&i, 1);", "integers"),
    ("pool_get as another type", "pool(int) q = make_pool(int, 0); text = pool_get(q);",
     "pool(int) q = make_pool(int, 0); int *r = pool_get(q); (void)r;", "incompatible"),
    ("sync_map_swap of another value", "sync_map_swap(sm, S(\"a\"), text, &i);", "sync_map_swap(sm, S(\"a\"), i, &i);", "int"),
    ("sync_map_load_or_store into another type", "sync_map_load_or_store(sm, S(\"a\"), 1, &text);",
     "sync_map_load_or_store(sm, S(\"a\"), 1, &i);", "incompatible"),
    ("sync_map_load_and_delete with another key", "sync_map_load_and_delete(sm, 5, &i);",
     "sync_map_load_and_delete(sm, S(\"a\"), &i);", "key|incompatible|invalid"),
    ("sync_map_delete with another key", "sync_map_delete(sm, 5);", "sync_map_delete(sm, S(\"a\"));", "key|incompatible|invalid"),
    ("sync_map_compare_and_delete with another value", "sync_map_compare_and_delete(sm, S(\"a\"), text);",
     "sync_map_compare_and_delete(sm, S(\"a\"), 1);", "int"),
    ("sync_map_clear of a map", "sync_map_clear(m);", "sync_map_clear(sm);", "."),
    ("for_sync_map over a map", "for_sync_map(k, v, m) { }", "for_sync_map(k, v, sm) { }", "."),
    ("for_sync_map_of another key type", "for_sync_map_of(struct point, k, v, sm) { }", "for_sync_map_of(string, k, v, sm) { }", "."),
    ("task_group_try_go with another type", "task_group_try_go(&g, fails, text);", "task_group_try_go(&g, fails, 1);", "int"),
    ("slices_concat of another type", "si = slices_concat(si, sb);", "si = slices_concat(si, si);", "incompatible|invalid|initializ"),
    ("slices_concat of a pointer", "si = slices_concat(si, &i);", "si = slices_concat(si, si);", "incompatible|invalid|initializ"),
    ("a pointer into a channel of int", "send(ci, NULL);", "send(ci, 0);", "pointer|int"),
    ("rand_shuffle of a map", "rand_shuffle(m);", "rand_shuffle(si);", "."),
    ("rand_read into ints", "rand_read(si);", "rand_read(sb);", "incompatible"),
    ("rand_int_n of a pointer", "rand_int_n(text);", "rand_int_n(5);", "int"),
]


def macros():
    """The function-like macros of the public header by file, without the internal ones."""
    found = {}
    for path in sorted(glob.glob(os.path.join(ROOT, "rt", "api_*.h"))):
        with open(path, encoding="utf-8") as f:
            names = re.findall(r"^#define ([a-z]\w*)\(", f.read(), re.M)
        found[os.path.basename(path)] = sorted({n for n in names if not n.startswith("rt_")})
    return found


def all_evaluated_once():
    """tests/unit/once.c shows of each macro how often it evaluates.  Names what it lacks of
    the headers that its first comment lists; says which headers are not in the list."""
    with open(os.path.join(ROOT, "tests/unit/once.c"), encoding="utf-8") as f:
        text = f.read()
    listed = re.findall(r"api_\w+\.h", text[:text.index("*/")])
    missing = []
    for header, names in macros().items():
        lacks = [n for n in names if not re.search(rf"\b{n}\(", text)]
        if header in listed:
            missing += [f"{n} ({header})" for n in lacks]
        elif lacks:
            print(f"note negative {header}: not in tests/unit/once.c: {', '.join(lacks)}")
    return missing


def compile_it(folder, statement):
    path = os.path.join(folder, "case.c")
    with open(path, "w", encoding="utf-8") as f:
        f.write(PRELUDE % statement)
    # No -Werror: the header itself must refuse.
    done = subprocess.run(["gcc", "-std=gnu17", "-O1", "-I" + os.path.join(ROOT, "rt"), "-c", "-o",
                           os.path.join(folder, "case.o"), path], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def main():
    bad = 0
    missing = all_evaluated_once()
    if missing:
        print(f"FAIL negative: tests/unit/once.c does not show that these evaluate their arguments once: {', '.join(missing)}")
        bad = 1
    else:
        print("ok negative every macro is in tests/unit/once.c")
    with tempfile.TemporaryDirectory() as folder:
        for name, wrong, right, message in CASES:
            status, text = compile_it(folder, right)
            if status:
                print(f"FAIL negative {name}: the right form does not compile: {right}\n{text}")
                bad = 1
                continue
            status, text = compile_it(folder, wrong)
            if not status:
                print(f"FAIL negative {name}: compiles: {wrong}")
                bad = 1
            elif not any(re.search(message, line) for line in text.splitlines() if "error:" in line):
                print(f"FAIL negative {name}: the message is not to the point:\n{text}")
                bad = 1
            else:
                print(f"ok negative {name}")
    return bad


sys.exit(main())
