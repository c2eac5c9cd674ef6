/* Contexts: a deadline, a cancellation and a value go along with a request through all its calls. */
#include "ingot.h"

static context_key(string) user_key;

static error work(context *ctx, int64 d)
{
	select {
		case_recv(after(d), NULL) { return NULL; }
		case_recv(context_done(ctx), NULL) { return context_err(ctx); }
	}
	return NULL;
}

static void handle(context *ctx, int64 d)
{
	string user = *context_value(ctx, &user_key);
	ctx = context_with_timeout(ctx, 20 * Millisecond);
	defer(context_cancel, ctx);
	error err = work(ctx, d);
	println("%s: %s, too late: %s", user, err, fmt_v(errors_is(err, context_deadline_exceeded)));
}

int main(void)
{
	string user = S("gopher");
	context *ctx = context_with_value(context_background(), &user_key, &user);
	handle(ctx, 0);
	handle(ctx, Hour);
	ctx = context_with_cancel(ctx);
	context_cancel(ctx);
	handle(ctx, Hour);
	return 0;
}
