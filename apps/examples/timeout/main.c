/* Select: the first channel that is ready wins; a timer gives up, default does not wait. */
#include "ingot.h"

static void ask(chan(string) answers)
{
	string s;
	select {
		case_recv(answers, &s) { println("answer: %s", s); }
		case_recv(after(20 * Millisecond), NULL) { println("no answer in 20ms"); }
	}
}

int main(void)
{
	chan(string) answers = make_chan(string, 1);
	ask(answers);
	send(answers, S("42"));
	ask(answers);
	for (int i = 0; i < 2; i++)
		select {
			case_send(answers, S("again")) { println("there was room"); }
			case_default { println("there was no room"); }
		}
	return 0;
}
