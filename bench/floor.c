/* floor: the least that reading every network namespace costs, without an answer.
 *
 *     floor [-l]          home and every namespace in /run/netns
 *     floor [-l] -        home and every namespace whose path is a line of stdin
 *
 * For each: open, setns, one NETLINK_ROUTE socket, dump of links (no statistics), dump of addresses (not with -l), close.
 * It prints three counts, namespaces, links, addresses, for a check that the work was done.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[1 << 16];
static long namespaces, links, addresses;

static long dump(int sock, int type, int answer)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg info;
		struct rtattr attribute;
		unsigned int mask;
	} request = {
		.header = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		/* IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS */
		.attribute = { .rta_len = 8, .rta_type = 29 },
		.mask = 8,
	};
	/* An address request ends behind its family; the kernel reads no more of it. */
	request.header.nlmsg_len = type == RTM_GETLINK ? sizeof request : NLMSG_LENGTH(sizeof(struct ifaddrmsg));
	if (send(sock, &request, request.header.nlmsg_len, 0) < 0)
		err(1, "send");
	for (long count = 0;;) {
		int left = recv(sock, buffer, sizeof buffer, 0);
		if (left < 0)
			err(1, "recv");
		for (struct nlmsghdr *message = (void *)buffer; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
			if (message->nlmsg_type == NLMSG_DONE)
				return count;
			if (message->nlmsg_type == NLMSG_ERROR)
				errx(1, "the kernel refused a dump");
			count += message->nlmsg_type == answer;
		}
	}
}

static int with_addresses = 1;

static void visit(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0) {
		warn("%s", path);
		if (fd >= 0)
			close(fd);
		return;
	}
	int sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (sock < 0)
		err(1, "socket");
	links += dump(sock, RTM_GETLINK, RTM_NEWLINK);
	if (with_addresses)
		addresses += dump(sock, RTM_GETADDR, RTM_NEWADDR);
	namespaces++;
	close(sock);
	close(fd);
}

int main(int count, char **words)
{
	char path[4096];

	if (count > 1 && !strcmp(words[1], "-l")) {
		with_addresses = 0;
		count--, words++;
	}
	visit("/proc/self/ns/net");
	if (count > 1 && !strcmp(words[1], "-")) {
		while (fgets(path, sizeof path, stdin)) {
			path[strcspn(path, "\n")] = 0;
			visit(path);
		}
	} else {
		DIR *folder = opendir("/run/netns");
		for (struct dirent *entry; folder && (entry = readdir(folder));) {
			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof path, "/run/netns/%s", entry->d_name);
			visit(path);
		}
	}
	printf("%ld %ld %ld\n", namespaces, links, addresses);
	return 0;
}
