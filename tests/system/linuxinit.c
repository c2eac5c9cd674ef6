/* linuxinit.c: the first program of a Linux that servers.py compares with: loads the
 * modules of /modules, sets eth0's address (server.ip= of the command line) and becomes
 * /server with the words behind "--". */
#include <arpa/inet.h>
#include <fcntl.h>
#include <glob.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void up(const char *name, const char *ip)
{
	struct ifreq r = {};
	struct sockaddr_in *a = (struct sockaddr_in *)&r.ifr_addr;
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	strcpy(r.ifr_name, name);
	a->sin_family = AF_INET;
	a->sin_addr.s_addr = inet_addr(ip);
	ioctl(s, SIOCSIFADDR, &r);
	a->sin_addr.s_addr = inet_addr("255.255.255.0");
	ioctl(s, SIOCSIFNETMASK, &r);
	ioctl(s, SIOCGIFFLAGS, &r);
	r.ifr_flags |= IFF_UP | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, &r))
		perror(name);
	close(s);
}

int main(void)
{
	static const char *const mounts[][2] = { { "proc", "/proc" }, { "sysfs", "/sys" }, { "devtmpfs", "/dev" } };
	char line[2048] = "", *words[32] = { "server" };
	glob_t modules = {};
	for (int i = 0; i < 3; i++) {
		mkdir(mounts[i][1], 0755);
		mount(mounts[i][0], mounts[i][1], mounts[i][0], 0, "");
	}
	glob("/modules/*.ko", 0, NULL, &modules);
	for (size_t i = 0; i < modules.gl_pathc; i++)
		if (syscall(SYS_finit_module, open(modules.gl_pathv[i], O_RDONLY), "", 0))
			perror(modules.gl_pathv[i]);
	if (read(open("/proc/cmdline", O_RDONLY), line, sizeof line - 1) < 0)
		perror("/proc/cmdline");
	up("lo", "127.0.0.1");
	char *args = strstr(line, " -- "), *ip = strstr(line, "server.ip=");
	if (ip)
		up("eth0", strtok(ip + 10, " \n"));
	int n = 1;
	for (char *w = args ? strtok(args + 4, " \n") : NULL; w && n < 31; w = strtok(NULL, " \n"))
		words[n++] = w;
	execv("/server", words);
	perror("/server");
	pause();
}
