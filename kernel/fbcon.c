/* fbcon.c: a text screen on a linear framebuffer, write only.
 *
 * Reading a framebuffer is slow, so scrolling never does: the characters on
 * the screen are kept in memory, and the new picture is drawn where it
 * differs.  Before there is memory for that, a full screen starts again at
 * the top.  All calls come under console.c's lock, or alone on the fatal path.
 *
 * Used twice: through the door's one-to-one map from the first message on
 * (fbcon_early), then mapped write-combining (fbcon_init). */
#include "base.h"

enum { GLYPH_W = 6, GLYPH_H = 9, COLUMNS_WANTED = 80, ROWS_WANTED = 25 };

static struct {
	volatile uint32_t *pixels; /* NULL: no screen */
	size_t pitch;              /* in pixels */
	unsigned sx, sy;           /* screen pixels for one of the font's */
	unsigned columns, rows, x, y;
	char *text;                /* rows * columns characters, or NULL */
	unsigned utf8;             /* continuation bytes to swallow */
} scr;

static void draw(unsigned x, unsigned y, char c)
{
	const uint8_t *rows = font_rows[c - ' '];
	volatile uint32_t *cell = scr.pixels + (size_t)y * GLYPH_H * scr.sy * scr.pitch + (size_t)x * GLYPH_W * scr.sx;

	for (unsigned r = 0; r < GLYPH_H * scr.sy; r++, cell += scr.pitch) {
		unsigned bits = r / scr.sy < 7 ? rows[r / scr.sy] : 0;
		for (unsigned i = 0; i < GLYPH_W * scr.sx; i++)
			cell[i] = bits << (i / scr.sx) & 0x10 ? 0x00c0c0c0 : 0;
	}
}

static void set(unsigned x, unsigned y, char c)
{
	char *t = scr.text ? &scr.text[y * scr.columns + x] : NULL;
	if (t && *t == c)
		return;
	if (t)
		*t = c;
	draw(x, y, c);
}

static void clear_row(unsigned y)
{
	for (unsigned x = 0; x < scr.columns; x++)
		set(x, y, ' ');
}

static void new_line(void)
{
	scr.x = 0;
	if (scr.y + 1 < scr.rows) {
		clear_row(++scr.y);
	} else if (!scr.text) {
		clear_row(scr.y = 0);
	} else {
		for (unsigned y = 0; y + 1 < scr.rows; y++)
			for (unsigned x = 0; x < scr.columns; x++)
				set(x, y, scr.text[(y + 1) * scr.columns + x]);
		clear_row(scr.y);
	}
}

static void put_cell(char c)
{
	if (scr.x == scr.columns)
		new_line();
	set(scr.x++, scr.y, c >= ' ' && c <= '~' ? c : '?');
}

static void put(char c)
{
	if (c == '\n') {
		new_line();
	} else if (c == '\r') {
		scr.x = 0;
	} else if (c == '\t') {
		do
			put_cell(' ');
		while (scr.x % 8);
	} else {
		put_cell(c);
	}
}

void fbcon_write(const char *s, size_t n)
{
	for (size_t i = 0; scr.pixels && i < n; i++) {
		uint8_t b = (uint8_t)s[i];
		if (scr.utf8 && (b & 0xc0) == 0x80) { /* the rest of a character shown as one '?' */
			scr.utf8--;
			continue;
		}
		scr.utf8 = b >= 0xf0 ? 3 : b >= 0xe0 ? 2 : b >= 0xc0 ? 1 : 0;
		put(s[i]);
	}
}

static bool usable(const struct boot_fb *fb)
{
	return fb->base && fb->width >= 40 * GLYPH_W && fb->height >= 10 * GLYPH_H &&
	       fb->width <= 16384 && fb->height <= 16384 && fb->pitch % 4 == 0 &&
	       fb->pitch >= fb->width * 4 && (uint64_t)fb->pitch * fb->height <= fb->size;
}

static unsigned at_least_1(unsigned n)
{
	return n ? n : 1;
}

static void geometry(const struct boot_fb *fb)
{
	scr.pitch = fb->pitch / 4;
	scr.sx = at_least_1(fb->width / (GLYPH_W * COLUMNS_WANTED));
	scr.sy = at_least_1(fb->height / (GLYPH_H * ROWS_WANTED));
	if (scr.sy > scr.sx + 1)
		scr.sy = scr.sx + 1;
	scr.columns = fb->width / (GLYPH_W * scr.sx);
	scr.rows = fb->height / (GLYPH_H * scr.sy);
}

void fbcon_early(const struct boot_fb *fb)
{
	if (!usable(fb) || fb->base + fb->size > 1ul << 32)
		return;
	geometry(fb);
	scr.pixels = (uint32_t *)fb->base;
	clear_row(0);
}

void fbcon_init(const struct boot_fb *fb)
{
	if (!usable(fb))
		return;
	geometry(fb);
	scr.pixels = vm_map_framebuffer(fb->base, (size_t)fb->pitch * fb->height);
	scr.text = pages_alloc_boot((scr.rows * scr.columns + PAGE_SIZE - 1) / PAGE_SIZE);
	for (unsigned y = 0; y < scr.rows; y++)
		clear_row(y); /* the memory is 0, no character: all is drawn */
	scr.x = scr.y = 0;
}
