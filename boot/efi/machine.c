/* machine.c: what the UEFI loader learns from the firmware about the machine:
 * free memory, ACPI's root pointer, the screen, and the memory map.
 *
 * Types and flags are those of the UEFI specification 2.10, sections 7.2
 * (memory), 4.6 (configuration tables) and 12.9 (graphics output). */
#include "boot/efi/loader.h"

/* Memory set aside for special use (high-bandwidth, device memory): newer than
 * the installed efi.h (UEFI 2.8). */
#define MEMORY_SPECIFIC_PURPOSE 0x40000ull

EFI_STATUS alloc_pages(UINTN pages, BOOLEAN low, EFI_PHYSICAL_ADDRESS *out)
{
	*out = BELOW_4G;
	EFI_STATUS st = BS->AllocatePages(AllocateMaxAddress, EfiLoaderData, pages, out);
	if (EFI_ERROR(st) && !low)
		st = BS->AllocatePages(AllocateAnyPages, EfiLoaderData, pages, out);
	if (EFI_ERROR(st)) {
		*out = 0;
		return EFI_OUT_OF_RESOURCES;
	}
	SetMem((VOID *)*out, pages_bytes(pages), 0);
	return EFI_SUCCESS;
}

EFI_STATUS alloc_pages_aligned(UINTN pages, UINT64 align, UINT64 like, EFI_PHYSICAL_ADDRESS *out)
{
	/* Take enough for any alignment, then give both ends back. */
	UINTN slack = EFI_SIZE_TO_PAGES(align) - 1;
	EFI_PHYSICAL_ADDRESS got;
	EFI_STATUS st = alloc_pages(pages + slack, TRUE, &got);
	if (EFI_ERROR(st))
		return st;
	*out = got + ((like - got) & (align - 1));
	UINTN before = EFI_SIZE_TO_PAGES(*out - got);
	if (before)
		BS->FreePages(got, before);
	if (slack - before)
		BS->FreePages(*out + pages_bytes(pages), slack - before);
	return EFI_SUCCESS;
}

UINT64 find_rsdp(void)
{
	static EFI_GUID acpi20 = ACPI_20_TABLE_GUID, acpi10 = ACPI_TABLE_GUID;
	VOID *table;
	if (!EFI_ERROR(LibGetSystemConfigurationTable(&acpi20, &table)) ||
	    !EFI_ERROR(LibGetSystemConfigurationTable(&acpi10, &table)))
		return (UINT64)table;
	return 0;
}

/* Fills *fb from gop's current mode if that is linear with 32 bits a pixel. */
static BOOLEAN use_gop(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, struct boot_fb *fb)
{
	if (!gop->Mode || !gop->Mode->Info || !gop->Mode->FrameBufferBase)
		return FALSE;
	const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode = gop->Mode->Info;
	const EFI_PIXEL_BITMASK *m = &mode->PixelInformation;
	BOOLEAN mask = mode->PixelFormat == PixelBitMask && m->GreenMask == 0xff00;
	if (mode->PixelFormat == PixelRedGreenBlueReserved8BitPerColor ||
	    (mask && m->RedMask == 0xff && m->BlueMask == 0xff0000))
		fb->bgr = 0;
	else if (mode->PixelFormat == PixelBlueGreenRedReserved8BitPerColor ||
	         (mask && m->BlueMask == 0xff && m->RedMask == 0xff0000))
		fb->bgr = 1;
	else
		return FALSE;
	fb->width = mode->HorizontalResolution;
	fb->height = mode->VerticalResolution;
	fb->pitch = mode->PixelsPerScanLine * 4;
	fb->size = gop->Mode->FrameBufferSize;
	if (fb->width == 0 || fb->height == 0 || fb->pitch / 4 < fb->width ||
	    (UINT64)fb->pitch * fb->height > fb->size)
		return FALSE;
	fb->base = gop->Mode->FrameBufferBase;
	return TRUE;
}

void find_framebuffer(struct boot_fb *fb)
{
	/* All handles are tried: with several screens the console's own handle is
	 * a splitter without a framebuffer. */
	EFI_HANDLE *handles = NULL;
	UINTN n = 0;
	SetMem(fb, sizeof *fb, 0);
	if (EFI_ERROR(BS->LocateHandleBuffer(ByProtocol, &GraphicsOutputProtocol, NULL, &n, &handles)))
		return;
	for (UINTN i = 0; i < n && fb->base == 0; i++) {
		EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
		if (EFI_ERROR(BS->HandleProtocol(handles[i], &GraphicsOutputProtocol, (VOID **)&gop)))
			continue;
		if (!use_gop(gop, fb))
			SetMem(fb, sizeof *fb, 0);
	}
	BS->FreePool(handles);
}

static UINT32 boot_type(const EFI_MEMORY_DESCRIPTOR *d)
{
	switch (d->Type) {
	case EfiConventionalMemory:
	case EfiBootServicesCode:
	case EfiBootServicesData:
	case EfiLoaderCode: /* the loader's own image: done with once the kernel runs */
		if ((d->Attribute & (MEMORY_SPECIFIC_PURPOSE | EFI_MEMORY_RUNTIME)) ||
		    !(d->Attribute & EFI_MEMORY_WB))
			return BOOT_MEM_RESERVED;
		return BOOT_MEM_USABLE;
	case EfiACPIReclaimMemory:
		return BOOT_MEM_ACPI;
	case EfiACPIMemoryNVS:
		return BOOT_MEM_NVS;
	case EfiUnusableMemory:
		return BOOT_MEM_BAD;
	default: /* EfiLoaderData (see loader.h), runtime services, devices, unknown */
		return BOOT_MEM_RESERVED;
	}
}

void convert_memory_map(const void *descs, UINTN n, UINTN stride, struct boot_mem *scratch,
                        struct boot_info *info)
{
	/* Insertion sort: firmware hands the map over in order, or nearly so. */
	for (UINTN i = 0; i < n; i++) {
		const EFI_MEMORY_DESCRIPTOR *d = (const void *)((const UINT8 *)descs + i * stride);
		struct boot_mem m = {d->PhysicalStart, d->NumberOfPages << EFI_PAGE_SHIFT, boot_type(d), 0};
		UINTN at = i;
		for (; at > 0 && scratch[at - 1].base > m.base; at--)
			scratch[at] = scratch[at - 1];
		scratch[at] = m;
	}
	info->nmem = 0;
	for (UINTN i = 0; i < n; i++) {
		struct boot_mem *last = info->nmem ? &info->mem[info->nmem - 1] : NULL;
		if (scratch[i].len == 0)
			continue;
		if (last && last->type == scratch[i].type && last->base + last->len == scratch[i].base) {
			last->len += scratch[i].len;
		} else if (info->nmem < BOOT_MAX_MEM) {
			info->mem[info->nmem++] = scratch[i];
		} else {
			info->flags |= BOOT_F_MEM_CUT;
			return;
		}
	}
}
