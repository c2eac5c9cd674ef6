# The image's C library: part of Debian's musl, compiled with the image's own
# flags (and -fsplit-stack, since it runs on task stacks) into
# build/libc/libc.a, plus kernel/libc/: the few functions that reach the
# runtime.  The linker takes only the members and functions a program uses.
#
# Left out on purpose: files, processes, threads, signals, sockets and
# locales; the runtime has its own ways, or issue 6 brings them.

MUSL     := $(B)/src/musl
LIBC     := $(B)/libc/libc.a
LIBC_INC := $(B)/libc/include
# All metal objects want these generated headers first.
LIBC_HEADERS := $(LIBC_INC)/bits/alltypes.h

libc_string := string/x86_64/memcpy.s string/x86_64/memmove.s string/x86_64/memset.s \
	$(patsubst %,string/%.c,bcmp bcopy bzero explicit_bzero index memccpy memchr memcmp memmem \
	mempcpy memrchr rindex stpcpy stpncpy strcasecmp strcasestr strcat strchr strchrnul strcmp \
	strcpy strcspn strdup strerror_r strlcat strlcpy strlen strncasecmp strncat strncmp strncpy \
	strndup strnlen strpbrk strrchr strsep strspn strstr strtok strtok_r strverscmp swab \
	wcschr wcscmp wcscpy wcslen wcsncmp wcsncpy wcsnlen wmemchr wmemcmp wmemcpy wmemmove wmemset)
libc_ctype := $(patsubst %,ctype/%.c,__ctype_b_loc __ctype_get_mb_cur_max __ctype_tolower_loc \
	__ctype_toupper_loc isalnum isalpha isascii isblank iscntrl isdigit isgraph islower isprint \
	ispunct isspace isupper iswalnum iswalpha iswblank iswcntrl iswctype iswdigit iswgraph \
	iswlower iswprint iswpunct iswspace iswupper iswxdigit isxdigit toascii tolower toupper \
	towctrans wctrans wcwidth)
libc_stdlib := $(patsubst %,stdlib/%.c,abs atof atoi atol atoll bsearch div imaxabs imaxdiv labs \
	ldiv llabs lldiv qsort qsort_nr strtod strtol)
libc_stdio := $(patsubst %,stdio/%.c,__overflow __toread __towrite __uflow asprintf fwrite snprintf \
	sprintf sscanf ungetc vasprintf vfprintf vfscanf vsnprintf vsprintf vsscanf)
libc_multibyte := $(patsubst %,multibyte/%.c,btowc internal mblen mbrlen mbrtowc mbsinit mbsnrtowcs \
	mbsrtowcs mbstowcs mbtowc wcrtomb wcsnrtombs wcsrtombs wcstombs wctob wctomb)
libc_misc := $(patsubst %,internal/%.c,floatscan intscan shgetc) errno/strerror.c \
	locale/c_locale.c locale/localeconv.c locale/strcoll.c locale/strxfrm.c locale/langinfo.c \
	$(patsubst %,prng/%.c,__rand48_step __seed48 drand48 lrand48 mrand48 rand rand_r random seed48 srand48) \
	$(patsubst %,search/%.c,hsearch insque lsearch tdelete tdestroy tfind tsearch twalk) \
	$(patsubst %,time/%.c,__month_to_secs __secs_to_tm __tm_to_secs __year_to_secs difftime) \
	misc/getopt.c misc/getopt_long.c misc/getsubopt.c misc/ffs.c misc/ffsl.c misc/ffsll.c \
	misc/basename.c misc/dirname.c misc/a64l.c \
	setjmp/x86_64/setjmp.s setjmp/x86_64/longjmp.s \
	fenv/x86_64/fenv.s $(patsubst %,fenv/%.c,__flt_rounds fegetexceptflag feholdexcept fesetexceptflag fesetround feupdateenv)
libc_math := $(patsubst %,math/x86_64/%.s,__invtrigl acosl asinl atan2l atanl ceill exp2l expl expm1l \
	floorl log10l log1pl log2l logl truncl) \
	$(patsubst %,math/x86_64/%.c,fabs fabsf fabsl fmodl llrint llrintf llrintl lrint lrintf \
	lrintl remainderl remquol rintl sqrt sqrtf sqrtl) \
	$(patsubst %,math/%.c,__cos __cosdf __cosl __expo2 __expo2f __fpclassify __fpclassifyf __fpclassifyl \
	__math_divzero __math_divzerof __math_invalid __math_invalidf __math_invalidl __math_oflow \
	__math_oflowf __math_uflow __math_uflowf __math_xflow __math_xflowf __polevll __rem_pio2 \
	__rem_pio2_large __rem_pio2f __rem_pio2l __signbit __signbitf __signbitl __sin __sindf __sinl \
	__tan __tandf __tanl acos acosf acosh acoshf acoshl asin asinf asinh asinhf asinhl atan \
	atan2 atan2f atanf atanh atanhf atanhl cbrt cbrtf cbrtl ceil ceilf copysign copysignf \
	copysignl cos cosf cosh coshf coshl cosl erf erff erfl exp exp10 exp10f exp10l exp2 exp2f \
	exp2f_data exp_data expf expm1 expm1f fdim fdimf fdiml floor floorf fma fmaf fmal fmax \
	fmaxf fmaxl fmin fminf fminl fmod fmodf frexp frexpf frexpl hypot hypotf hypotl ilogb ilogbf \
	ilogbl j0 j0f j1 j1f jn jnf ldexp ldexpf ldexpl lgamma lgamma_r lgammaf lgammaf_r lgammal llround \
	llroundf llroundl log log10 log10f log1p log1pf log2 log2_data log2f log2f_data log_data logb \
	logbf logbl logf logf_data lround lroundf lroundl modf modff modfl nan nanf nanl nearbyint \
	nearbyintf nearbyintl nextafter nextafterf nextafterl nexttoward nexttowardf nexttowardl pow \
	pow_data powf powf_data powl remainder remainderf remquo remquof rint rintf round roundf \
	roundl scalb scalbf scalbln scalblnf scalblnl scalbn scalbnf scalbnl signgam significand \
	significandf sin sincos sincosf sincosl sinf sinh sinhf sinhl sinl tan tanf tanh tanhf tanhl \
	tanl tgamma tgammaf tgammal trunc truncf)

libc_src := $(libc_string) $(libc_ctype) $(libc_stdlib) $(libc_stdio) $(libc_multibyte) $(libc_misc) $(libc_math)
libc_obj := $(patsubst %,$(B)/libc/%.o,$(basename $(libc_src))) \
	$(patsubst kernel/libc/%.c,$(B)/libc/ingot/%.o,$(wildcard kernel/libc/*.c))

# fmt_fp's frame is 7 KiB: inlined, every printf would grow its task's stack by it.
LIBC_FLAGS := -std=c99 -O2 -g -w -fno-omit-frame-pointer -fcf-protection=none -fno-strict-aliasing \
	-MMD -MP $(METAL) $(SPLIT) -frounding-math -fexcess-precision=standard \
	-fno-tree-loop-distribute-patterns -fno-inline-functions -fno-inline-functions-called-once \
	-D_XOPEN_SOURCE=700 -D_GNU_SOURCE
# Of any image the largest file: 2.9 KB less, and two numbers take 2,295 instructions to print for 2,084.
# Its line numbers, which nobody asks for, are 700 bytes more.
LIBC_COLD := vfprintf.c
# kernel/libc stands before musl's own arch/: its pthread_arch.h replaces the thread pointer.
LIBC_PRIV := -nostdinc -Ikernel/libc -I$(MUSL)/arch/x86_64 -I$(MUSL)/arch/generic \
	-I$(MUSL)/src/include -I$(MUSL)/src/internal -I$(B)/libc/private -I$(LIBC_INC)

$(MUSL)/COPYRIGHT:
	@kernel/fetch.sh source $(B)/src musl COPYRIGHT "the image's C library is built from it"
# They arrive together with COPYRIGHT; order only, as their own dates are older.
$(addprefix $(MUSL)/src/,$(libc_src)): | $(MUSL)/COPYRIGHT ;

# musl's public headers in one folder, with the two that musl generates.
$(LIBC_HEADERS): kernel/libc.mk | $(MUSL)/COPYRIGHT
	@mkdir -p $(LIBC_INC) $(B)/libc/private
	$(SAY) "  LIBC  $(words $(libc_src)) files of musl"; cp -r $(MUSL)/include/. $(MUSL)/arch/generic/bits $(MUSL)/arch/x86_64/bits $(LIBC_INC)/
	@cp $(MUSL)/arch/x86_64/bits/syscall.h.in $(LIBC_INC)/bits/syscall.h
	@sed -n 's/__NR_/SYS_/p' $(MUSL)/arch/x86_64/bits/syscall.h.in >>$(LIBC_INC)/bits/syscall.h
	@sed -f $(MUSL)/tools/mkalltypes.sed $(MUSL)/arch/x86_64/bits/alltypes.h.in $(MUSL)/include/alltypes.h.in >$@

# Hundreds of files: not a line for each.
$(B)/libc/%.o: $(MUSL)/src/%.c $(wildcard kernel/libc/*.h) kernel/libc.mk $(FLAGS_STAMP) | $(LIBC_HEADERS)
	@mkdir -p $(@D)
	$(QUIET)$(CC) $(LIBC_FLAGS) $(if $(filter $(LIBC_COLD),$(<F)),-Os -g0) $(SECTIONS) $(LIBC_PRIV) -c -o $@ $< $(LIBC_POST)
$(B)/libc/%.o: $(MUSL)/src/%.s kernel/libc.mk | $(LIBC_HEADERS)
	@mkdir -p $(@D)
	$(QUIET)$(CC) -g -c -o $@ $<
$(B)/libc/ingot/self.o: kernel/libc/self.c kernel/libc.mk $(FLAGS_STAMP) | $(LIBC_HEADERS)
	@mkdir -p $(@D)
	$(SAY) "  CC    $@"; $(CC) $(LIBC_FLAGS) $(SECTIONS) $(LIBC_PRIV) -c -o $@ $<
$(B)/libc/ingot/%.o: kernel/libc/%.c kernel/libc.mk $(FLAGS_STAMP) | $(LIBC_HEADERS)
	@mkdir -p $(@D)
	$(SAY) "  CC    $@"; $(CC) $(COMMON) $(WARN) $(FLAGS_metal) $(SPLIT) $(APPINC_metal) -I. -c -o $@ $<
# The stream functions are ours (clib.c).  musl's vfprintf, which vsnprintf
# needs, gets another name; fwrite comes along with what vsnprintf writes
# through, and is hidden.
$(addprefix $(B)/libc/stdio/,vfprintf.o vsnprintf.o): LIBC_PRIV += -Dvfprintf=__libc_vfprintf
$(B)/libc/stdio/fwrite.o: LIBC_POST = && objcopy --localize-symbol=fwrite $@
$(LIBC): $(libc_obj)
	@rm -f $@
	$(SAY) "  AR    $@"; $(AR) rcs $@ $^
