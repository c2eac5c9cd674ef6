/* A pipeline with cancellation: cancelling the context ends stages that nobody reads from. */
#include "ingot.h"

static void generate(context *ctx, chan(int) out, wait_group *wg)
{
	defer(wait_group_done, wg);
	for (int n = 1; ; n++)
		select {
			case_send(out, n) {}
			case_recv(context_done(ctx), NULL) { return; }
		}
}

static void square(context *ctx, chan(int) in, chan(int) out, wait_group *wg)
{
	int n;
	defer(wait_group_done, wg);
	for (;;)
		select {
			case_recv(in, &n) {
				select {
					case_send(out, n * n) {}
					case_recv(context_done(ctx), NULL) { return; }
				}
			}
			case_recv(context_done(ctx), NULL) { return; }
		}
}

int main(void)
{
	context *ctx = context_with_cancel(context_background());
	wait_group wg = {};
	chan(int) numbers = make_chan(int), squares = make_chan(int);
	wait_group_add(&wg, 2);
	go(generate, ctx, numbers, &wg);
	go(square, ctx, numbers, squares, &wg);
	for (int i = 0; i < 5; i++)
		println("%d", recv(squares));
	context_cancel(ctx);
	wait_group_wait(&wg);
	println("both stages ended: %s", context_err(ctx));
	return 0;
}
